package run

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"tarn/internal/cache"
	"tarn/internal/lake"
	"tarn/internal/model"
	"tarn/internal/plan"
)

// lookAtDisk is how often is looked at the disk that a run takes besides copies. What is written in
// between is not bounded: some MB.
const lookAtDisk = 50 * time.Millisecond

// bounded keeps the disk of this machine that a run takes below the target's bound: results on their way to a remote
// warehouse and what the engine does not keep in memory count as the copies of remote files do, which make room for them.
// Where that is not enough the context ends, with a [cache.FullError] as its cause.
func (x *execution) bounded(ctx context.Context) (_ context.Context, stop func()) {
	staging := x.w.Lake.Staging()
	if staging == "" {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(lookAtDisk); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
			}
			if err := x.w.Lake.Cache().Claim(sizeOf(staging) + sizeOf(x.w.tempDir())); err != nil {
				cancel(err)
			}
		}
	}()
	return ctx, func() {
		cancel(nil)
		<-done
	}
}

// full gives the reason where a run ended because the disk's bound was reached.
func full(ctx context.Context, err error) error {
	var cause *cache.FullError
	if errors.As(context.Cause(ctx), &cause) && !errors.As(err, new(*cache.FullError)) {
		return cause
	}
	return err
}

// sizeOf adds up the files below a folder; what is gone by the time it is looked at does not count.
func sizeOf(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil
		}
		if info, err := e.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	return n
}

// fits says before the work starts if a step cannot find room on the disk: for the largest file that it loads, or for the
// tables that a model reads as far as they are there already.
func (x *execution) fits(ctx context.Context) error {
	held := x.w.Lake.Reader()
	defer held.Close()
	elsewhere := x.w.toLoad(x.plan)
	for _, s := range x.plan.Steps {
		var needed int64
		afar := slices.ContainsFunc(elsewhere, func(o plan.Step) bool { return o.Table == s.Table })
		for _, f := range s.Work.Read() {
			if f.Path == "" && !afar {
				needed = max(needed, f.Size)
			}
		}
		if s.Action == plan.Rebuild && x.w.elsewhere == nil {
			for _, in := range s.Table.Inputs {
				t := x.w.Graph.Table(in)
				have := x.view.Table(t.Stored())
				if have == nil || x.changes(t) {
					continue
				}
				files, err := have.Files(ctx)
				if err != nil {
					return err
				}
				room, err := held.Room(ctx, files, lake.Wanted{Columns: x.needed(ctx)[t.Name]})
				if err != nil {
					return err
				}
				needed += room
			}
		}
		if err := x.w.Lake.Cache().Holds(needed); err != nil {
			return fmt.Errorf("table %s: %w", s.Table.Name, err)
		}
	}
	return nil
}

// changes reports whether a table can have other rows after the run.
func (x *execution) changes(t *model.Table) bool {
	return slices.ContainsFunc(x.plan.Steps, func(s plan.Step) bool { return s.Table == t && s.Changes() })
}
