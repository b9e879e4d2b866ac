package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"tarn/internal/lake"
	"tarn/internal/plan"
)

// sweep tidies up before a writing command works, while it holds the lock: what a run has staged that ended without
// letting go of the lock, the rows that made the last run fail, and temporary files of dead processes. It gives what was
// staged and is removed now.
func (w *Workspace) sweep(ctx context.Context, v *lake.View, unfinished string) (lake.Garbage, error) {
	found, err := w.leftBy(ctx, v, unfinished)
	if err == nil {
		err = w.tidy(ctx, found)
	}
	if err != nil {
		return found, fmt.Errorf("sweep: %w", err)
	}
	return found, nil
}

func (w *Workspace) tidy(ctx context.Context, left lake.Garbage) error {
	// Those who may only read the lake cannot make the file by which readers are seen.
	seen, err := flock(w.readersPath(), unix.LOCK_UN)
	if err != nil {
		return err
	}
	if err := seen.Close(); err != nil {
		return err
	}
	if err := os.RemoveAll(w.failedDir()); err != nil {
		return err
	}
	if err := w.sweepTemp(); err != nil {
		return err
	}
	if err := errors.Join(w.Lake.Remove(ctx, left), w.Lake.ClearStaging()); err != nil {
		return err
	}
	return w.Lake.Settled()
}

// leftBy lists what a run has staged that did not become visible. Nobody can have seen it.
func (w *Workspace) leftBy(ctx context.Context, v *lake.View, id string) (lake.Garbage, error) {
	if published(v, id) {
		return lake.Garbage{}, nil
	}
	return w.Lake.LeftBy(ctx, v, id)
}

// published reports whether a run is the last one that became visible. For a run that held the lock last, that is whether
// it got so far.
func published(v *lake.View, id string) bool { return id != "" && lastRun(v) == id }

// lastRun is the run that became visible last, or "".
func lastRun(v *lake.View) string {
	if t := v.Table(RunsTable); t != nil {
		return t.Record()[plan.KeyRun]
	}
	return ""
}

// visible reports whether a run can be seen, after a publish that gave an error. Where that cannot be found out it says no.
func (w *Workspace) visible(ctx context.Context, id string) bool {
	v, err := w.Lake.View(context.WithoutCancel(ctx))
	return err == nil && published(v, id)
}

// sweepTemp removes the engine's temporary files of processes that were killed. Where anybody is reading, it waits for
// another time.
func (w *Workspace) sweepTemp() error {
	all := filepath.Join(w.Project.StateDir(), "tmp")
	entries, err := os.ReadDir(all)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	own := strconv.Itoa(os.Getpid())
	var left []string
	for _, e := range entries {
		if e.Name() != own {
			left = append(left, filepath.Join(all, e.Name()))
		}
	}
	if len(left) == 0 {
		return nil
	}
	nobody, err := flock(w.readersPath(), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, dir := range left {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return errors.Join(err, nobody.Close())
}

// settle ends the work of a writing command, before it lets go of the lock: where it failed, what it has staged goes. Where
// the catalog cannot say that it did not become visible, everything stays, for the next one to look at.
func (w *Workspace) settle(ctx context.Context, id string, failed error) error {
	if failed != nil {
		v, err := w.Lake.View(ctx)
		if err != nil {
			return nil
		}
		left, err := w.leftBy(ctx, v, id)
		if err != nil || w.Lake.Remove(ctx, left) != nil {
			// The failure is what counts; the next writing command tries again.
			return nil
		}
	}
	if w.leaving.used {
		if err := w.forget(ctx, id); err != nil {
			return err
		}
	}
	return errors.Join(w.Lake.ClearStaging(), w.Lake.Settled())
}
