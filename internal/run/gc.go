package run

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tarn/internal/lake"
)

// GCOptions says what garbage is.
type GCOptions struct {
	// OlderThan is the age that snapshots and unneeded files must have to go.
	OlderThan time.Duration
	// DryRun looks and removes nothing.
	DryRun bool
	// OverHalf lets it remove more than half of the warehouse.
	OverHalf bool
	// Wait waits for a run to end, and for a moment in which nobody reads, instead of failing.
	Wait bool
}

// ErrReaders says that gc found somebody reading.
var ErrReaders = errors.New("a query is reading the lake's files: nothing was removed, run gc again later")

// nobodyReads keeps readers out until it is closed, or fails with [ErrReaders] where there are some.
func (w *Workspace) nobodyReads() (io.Closer, error) {
	f, err := flock(w.readersPath(), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, ErrReaders
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// GC expires old snapshots, and removes files that no kept snapshot needs. Files that a running tarn query reads stay.
func (w *Workspace) GC(ctx context.Context, o GCOptions) (found lake.Garbage, err error) {
	before := w.now().Add(-o.OlderThan)
	if o.DryRun {
		found, err = w.wouldCollect(ctx, before, o.Wait)
	} else {
		for {
			_, err = w.change(ctx, o.Wait, func(ctx context.Context, c change) error {
				did, err := w.collect(ctx, c, before, o.OverHalf)
				found.Files = append(append(found.Files, did.Files...), c.swept.Files...)
				found.Bytes, found.Expired = found.Bytes+did.Bytes+c.swept.Bytes, found.Expired+did.Expired
				return err
			})
			if !o.Wait || !errors.Is(err, ErrReaders) {
				break
			}
			// Runs can go on meanwhile.
			select {
			case <-ctx.Done():
				return found, ctx.Err()
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
	slices.Sort(found.Files)
	return found, err
}

// wouldCollect lists what a collection would remove. It changes nothing, and keeps nobody from writing.
func (w *Workspace) wouldCollect(ctx context.Context, before time.Time, wait bool) (found lake.Garbage, err error) {
	reading, err := w.Reading()
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, reading.Close()) }()
	unfinished, err := w.Lake.Catalog().Idle(ctx, w.lock("", wait))
	if err != nil {
		return found, err
	}
	if err := w.Lake.Identified(ctx); err != nil {
		return found, err
	}
	v, err := w.Lake.View(ctx)
	if err != nil {
		return found, err
	}
	if found, _, err = w.Lake.UnreachableAfter(ctx, v, before); err != nil {
		return found, err
	}
	for _, name := range v.Names() {
		found.Expired += w.Lake.Expirable(v.Table(name), before)
	}
	_, files, err := w.leftovers(ctx, before)
	if err != nil {
		return found, err
	}
	found.Files, found.Bytes = append(found.Files, files.Files...), found.Bytes+files.Bytes
	left, err := w.leftBy(ctx, v, unfinished)
	if err != nil {
		return found, err
	}
	stopped, err := w.left(ctx)
	if err != nil {
		return found, err
	}
	if stopped != nil && !published(v, stopped.Run) {
		more, err := w.Lake.StagedBy(ctx, v, stopped.Run, stopped.saved())
		if err != nil {
			return found, err
		}
		left.Files = append(left.Files, more.Files...)
	}
	// What a killed run left goes at whatever age, so it can be in either list.
	for _, f := range left.Files {
		if slices.Contains(found.Files, f) {
			continue
		}
		size, err := w.Lake.Size(ctx, f)
		if err != nil {
			return found, err
		}
		found.Files, found.Bytes = append(found.Files, f), found.Bytes+size
	}
	return found, nil
}

func (w *Workspace) collect(ctx context.Context, c change, before time.Time, overHalf bool) (found lake.Garbage, err error) {
	// Looking before anything is done: with readers about, snapshots are not expired either.
	nobody, err := w.nobodyReads()
	if err != nil {
		return found, err
	}
	if err := nobody.Close(); err != nil {
		return found, err
	}
	v := c.view
	garbage, all, err := w.Lake.UnreachableAfter(ctx, v, before)
	if err == nil && !overHalf {
		err = all.OverHalf(garbage)
	}
	if err != nil {
		return found, err
	}
	var drafts []*lake.Draft
	for _, name := range v.Names() {
		d, n, err := w.Lake.Expire(ctx, v.Table(name), before)
		if err != nil {
			return found, err
		}
		if d != nil {
			drafts = append(drafts, d)
		}
		garbage.Expired += n
	}
	if len(drafts) > 0 {
		if err := w.Lake.Publish(ctx, c.writer, drafts); err != nil {
			return found, err
		}
	}
	nobody, err = w.nobodyReads()
	if err != nil {
		found.Expired = garbage.Expired
		return found, err
	}
	if err := errors.Join(w.Lake.Remove(ctx, garbage), nobody.Close()); err != nil {
		return garbage, err
	}
	locations, files, err := w.leftovers(ctx, before)
	if err != nil {
		return garbage, err
	}
	garbage.Files, garbage.Bytes = append(garbage.Files, files.Files...), garbage.Bytes+files.Bytes
	return garbage, w.Lake.Discard(ctx, locations)
}

// leftovers lists what Spark's jobs have left beside the tables that none will need again, by location and as it is shown.
func (w *Workspace) leftovers(ctx context.Context, before time.Time) (locations []string, shown lake.Garbage, err error) {
	if w.jobs == nil {
		return nil, shown, nil
	}
	list, err := w.jobs.Leftovers(ctx, before, lastLog)
	for _, l := range list {
		locations = append(locations, l.Location)
		shown.Files = append(shown.Files, strings.TrimPrefix(l.Location, w.Project.Config.Warehouse+"/"))
		shown.Bytes += l.Bytes
	}
	return locations, shown, err
}
