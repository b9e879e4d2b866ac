package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tarn/internal/lake"
	"tarn/internal/load"
	"tarn/internal/schema"
)

// Rollback brings all tables back to what they were after an earlier run, in one step and as new snapshots; tables that
// did not exist then leave the catalog, and tables that were dropped since come back while gc has not removed their files.
// It gives the id under which that is recorded, and the tables that changed.
//
// The account of loaded files goes back with the tables, and so do the definitions that the rows were made under. The next
// run therefore does again what was done since: it loads the files that came later and rebuilds what the present SQL makes
// otherwise. To keep a state, take the SQL back or move the files away as well.
func (w *Workspace) Rollback(ctx context.Context, to string, wait bool) (id string, changed []string, err error) {
	started := w.now()
	id, err = w.change(ctx, wait, func(ctx context.Context, c change) error {
		v := c.view
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
				if then, err = w.Lake.Find(ctx, name, t, snapshot); err != nil {
					return err
				}
			}
			d, err := w.Lake.Revert(ctx, then, t, snapshot, map[string]string{"tarn.rollback": c.id})
			if err != nil {
				return err
			}
			drafts = append(drafts, d)
		}
		for _, name := range slices.Sorted(maps.Keys(p.State)) {
			if v.Table(name) != nil {
				continue
			}
			then, err := w.Lake.Find(ctx, name, nil, p.State[name])
			if err != nil {
				return err
			}
			d, err := w.Lake.Revert(ctx, then, nil, p.State[name], map[string]string{"tarn.rollback": c.id})
			if err != nil {
				return err
			}
			changed = append(changed, name)
			drafts = append(drafts, d)
		}
		if len(changed) == 0 {
			return nil
		}
		if err := notHeld(dropped); err != nil {
			return err
		}
		return w.publishChange(ctx, c, "rollback", started, drafts, dropped)
	})
	return id, changed, err
}

// ErrDefined says that a table cannot be dropped while its definition is there.
var ErrDefined = errors.New("is still defined")

// Drop takes a table out of the catalog whose definition is gone; its files stay until gc. The files that a landing table
// had loaded are forgotten with it, and where the catalog shows the landing table itself, it goes too; warnings say what
// could not be done about that, which the next run does.
func (w *Workspace) Drop(ctx context.Context, name string, wait bool) (id string, warnings []string, err error) {
	started := w.now()
	id, err = w.change(ctx, wait, func(ctx context.Context, c change) error {
		seen, err := w.look(ctx, c.view)
		if err != nil {
			return err
		}
		v := seen.own
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
		if err := notHeld([]*lake.Table{t}); err != nil {
			return err
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
			files, err := have.Files(ctx)
			if err != nil {
				return err
			}
			from, err := w.scanFiles(ctx, have, files)
			if err != nil {
				return err
			}
			query := "SELECT * FROM " + from + " WHERE table_name <> " + schema.Literal(strings.TrimSuffix(name, "__rows"))
			d, err := w.replaceOwn(ctx, v, own.name, own.columns, query, c.id)
			if err != nil {
				return err
			}
			drafts = append(drafts, d)
		}
		if err := w.publishChange(ctx, c, "drop", started, drafts, []*lake.Table{t}); err != nil {
			return err
		}
		warnings = w.externalAfter(ctx, v)
		return nil
	})
	return id, warnings, err
}

// publishChange records and publishes a change that is not a run.
func (w *Workspace) publishChange(ctx context.Context, c change, kind string, started time.Time, drafts []*lake.Draft, dropped []*lake.Table) error {
	record := &Record{Run: c.id, Status: Published, Started: utc(started), Finished: utc(w.now()), Published: []string{}, Versions: versions()}
	for _, d := range drafts {
		record.Published = append(record.Published, d.Name())
	}
	gone := make([]string, len(dropped))
	for i, t := range dropped {
		gone[i] = t.Name()
	}
	seen, err := w.look(ctx, c.view)
	if err != nil {
		return err
	}
	d, err := w.stageRun(ctx, seen.own.Without(gone), c.id, kind, record, drafts)
	if err != nil {
		return err
	}
	err = w.Lake.Publish(ctx, c.writer, append(drafts, d), dropped...)
	if err != nil && w.visible(ctx, c.id) {
		return &unfinishedError{c.id, err}
	}
	return err
}
