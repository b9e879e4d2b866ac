package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tarn/internal/lake"
	"tarn/internal/load"
	"tarn/internal/schema"
)

// change is one writing command other than a run: it holds the lock, works on one view, and publishes at most once.
func (w *Workspace) change(ctx context.Context, wait bool, do func(v *lake.View, id string) error) (id string, err error) {
	id = newRunID(w.now())
	l, unfinished, err := acquire(ctx, w.lockPath(), id, wait, nil)
	if err != nil {
		return id, err
	}
	defer func() { err = errors.Join(err, l.release()) }()
	v, err := w.Lake.View(ctx)
	if err != nil {
		return id, err
	}
	if err := w.sweep(v, unfinished); err != nil {
		return id, err
	}
	return id, do(v, id)
}

// Rollback brings all tables back to what they were after an earlier run, in one step and as new snapshots; tables that
// did not exist then leave the catalog, and tables that were dropped since come back while gc has not removed their files.
// It gives the id under which that is recorded, and the tables that changed.
//
// The account of loaded files goes back with the tables, and so do the definitions that the rows were made under. The next
// run therefore does again what was done since: it loads the files that came later and rebuilds what the present SQL makes
// otherwise. To keep a state, take the SQL back or move the files away as well.
func (w *Workspace) Rollback(ctx context.Context, to string, wait bool) (id string, changed []string, err error) {
	started := w.now()
	id, err = w.change(ctx, wait, func(v *lake.View, id string) error {
		p, err := w.At(ctx, v, to)
		if err != nil {
			return err
		}
		var drafts []*lake.Draft
		var dropped []*lake.Table
		for _, name := range v.Names() {
			if name == RunsTable {
				continue
			}
			t := v.Table(name)
			snapshot, existed := p.State[name]
			if existed && t.LooksAs(snapshot) {
				continue
			}
			changed = append(changed, name)
			if !existed {
				dropped = append(dropped, t)
				continue
			}
			then := t
			if _, kept := t.At(snapshot); !kept {
				// The table was dropped and made anew since.
				if then, err = w.Lake.Find(name, snapshot); err != nil {
					return err
				}
			}
			d, err := w.Lake.Revert(ctx, then, t, snapshot, map[string]string{"tarn.rollback": id})
			if err != nil {
				return err
			}
			drafts = append(drafts, d)
		}
		for _, name := range slices.Sorted(maps.Keys(p.State)) {
			if v.Table(name) != nil {
				continue
			}
			then, err := w.Lake.Find(name, p.State[name])
			if err != nil {
				return err
			}
			d, err := w.Lake.Revert(ctx, then, nil, p.State[name], map[string]string{"tarn.rollback": id})
			if err != nil {
				return err
			}
			changed = append(changed, name)
			drafts = append(drafts, d)
		}
		if len(changed) == 0 {
			return nil
		}
		return w.publishChange(ctx, v, id, "rollback", started, drafts, dropped)
	})
	return id, changed, err
}

// Drop takes a table out of the catalog whose definition is gone; its files stay until gc. The files that a landing table
// had loaded are forgotten with it.
func (w *Workspace) Drop(ctx context.Context, name string, wait bool) (id string, err error) {
	started := w.now()
	return w.change(ctx, wait, func(v *lake.View, id string) error {
		if t := w.Graph.Table(name); t != nil {
			return fmt.Errorf("%s %w: remove its file first, or the next run makes the table again", t.Name, ErrDefined)
		}
		stored := name
		if v.Table(stored) == nil {
			stored = name + "__rows"
		}
		t := v.Table(stored)
		if t == nil || strings.HasPrefix(name, "tarn__") {
			return fmt.Errorf("%w: %s", ErrUnknownTable, name)
		}
		var drafts []*lake.Draft
		for _, own := range []struct {
			name    string
			columns []schema.Column
		}{{FilesTable, filesColumns()}, {load.QuarantineTable, load.QuarantineColumns()}} {
			have := v.Table(own.name)
			if have == nil {
				continue
			}
			files, err := have.Files()
			if err != nil {
				return err
			}
			query := "SELECT * FROM " + scanFiles(have, files) + " WHERE table_name <> " + schema.Literal(strings.TrimSuffix(name, "__rows"))
			d, err := w.replaceOwn(ctx, v, own.name, own.columns, query, id)
			if err != nil {
				return err
			}
			drafts = append(drafts, d)
		}
		return w.publishChange(ctx, v, id, "drop", started, drafts, []*lake.Table{t})
	})
}

// publishChange records and publishes a change that is not a run.
func (w *Workspace) publishChange(ctx context.Context, v *lake.View, id, kind string, started time.Time, drafts []*lake.Draft, dropped []*lake.Table) error {
	record := &Record{Run: id, Status: Published, Started: utc(started), Finished: utc(w.now()), Published: []string{}, Versions: versions()}
	for _, d := range drafts {
		record.Published = append(record.Published, d.Name())
	}
	gone := make([]string, len(dropped))
	for i, t := range dropped {
		gone[i] = t.Name()
	}
	d, err := w.stageRun(ctx, v.Without(gone), id, kind, record, drafts)
	if err != nil {
		return err
	}
	return w.Lake.Publish(ctx, append(drafts, d), dropped...)
}

// GCOptions says what garbage is.
type GCOptions struct {
	// OlderThan is the age that snapshots and unneeded files must have to go.
	OlderThan time.Duration
	// DryRun looks and removes nothing.
	DryRun bool
	Wait   bool
}

// ErrDefined says that a table cannot be dropped while its definition is there.
var ErrDefined = errors.New("is still defined")

// ErrReaders says that gc found somebody reading.
var ErrReaders = errors.New("a query is reading the lake's files: nothing was removed, run gc again later")

// nobodyReads keeps readers out until it is closed, or fails with [ErrReaders] where there are some.
func (w *Workspace) nobodyReads() (io.Closer, error) {
	f, err := flock(w.readersPath(), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, ErrReaders
	}
	return f, err
}

// GC expires old snapshots, and removes files that no kept snapshot needs. Files that a running tarn query reads stay.
func (w *Workspace) GC(ctx context.Context, o GCOptions) (lake.Garbage, error) {
	var found lake.Garbage
	_, err := w.change(ctx, o.Wait, func(v *lake.View, _ string) error {
		if !o.DryRun {
			// Looking before anything is done: with readers about, snapshots are not expired either.
			nobody, err := w.nobodyReads()
			if err != nil {
				return err
			}
			if err := nobody.Close(); err != nil {
				return err
			}
		}
		before := w.now().Add(-o.OlderThan)
		var drafts []*lake.Draft
		expired := 0
		for _, name := range v.Names() {
			if o.DryRun {
				expired += w.Lake.Expirable(v.Table(name), before)
				continue
			}
			d, n, err := w.Lake.Expire(v.Table(name), before)
			if err != nil {
				return err
			}
			if d != nil {
				drafts = append(drafts, d)
			}
			expired += n
		}
		if o.DryRun {
			var err error
			found, err = w.Lake.UnreachableAfter(ctx, v, before)
			found.Expired = expired
			return err
		}
		if len(drafts) > 0 {
			if err := w.Lake.Publish(ctx, drafts); err != nil {
				return err
			}
			var err error
			if v, err = w.Lake.View(ctx); err != nil {
				return err
			}
		}
		var err error
		if found, err = w.Lake.Unreachable(ctx, v, before); err != nil {
			return err
		}
		found.Expired = expired
		nobody, err := w.nobodyReads()
		if err != nil {
			found.Files, found.Bytes = nil, 0
			return err
		}
		return errors.Join(w.Lake.Remove(ctx, found), nobody.Close())
	})
	slices.Sort(found.Files)
	return found, err
}
