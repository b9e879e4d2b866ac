package run

import (
	"context"
	"fmt"

	"tarn/internal/plan"
)

// unchanged notes the tables that this run does not touch as they are published.
func (x *execution) unchanged(ctx context.Context) error {
	busy := map[string]bool{}
	for _, s := range x.plan.Steps {
		busy[s.Table.Name] = s.Action != plan.None
	}
	for _, t := range x.w.Graph.Tables {
		if busy[t.Name] {
			continue
		}
		st := &state{table: t, version: plan.Version(x.view, t), published: true}
		if have := x.view.Table(t.Stored()); have != nil {
			var err error
			if st.rows, err = have.Rows(ctx); err != nil {
				return err
			}
		}
		st.record = TableRecord{Name: t.Name, Zone: t.Zone, Action: plan.None, Rows: st.rows}
		x.states[t.Name] = st
	}
	return nil
}

// readable makes tables readable by the engine which this run does not touch: their files can be far away, and many a
// run needs few of them.
func (x *execution) readable(ctx context.Context, names ...string) error {
	for _, name := range names {
		t := x.w.Graph.Table(name)
		st := x.state(t.Name)
		if st == nil || !st.published {
			// It is made by this run, which makes it readable itself.
			continue
		}
		if err := x.open(ctx, st, x.needed(ctx)[t.Name]); err != nil {
			return err
		}
	}
	return nil
}

// whole makes all columns of tables readable that this run does not touch.
func (x *execution) whole(ctx context.Context, names ...string) error {
	for _, name := range names {
		t := x.w.Graph.Table(name)
		if st := x.state(t.Name); st != nil && st.published {
			if err := x.open(ctx, st, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// open makes a table readable by the engine, with some of its columns at least; nil is all.
func (x *execution) open(ctx context.Context, st *state, columns []string) error {
	st.opening.Lock()
	defer st.opening.Unlock()
	if st.open == opened || st.open == openedInPart && columns != nil {
		return nil
	}
	have := x.view.Table(st.table.Stored())
	if have == nil {
		st.open = opened
		return x.w.Engine.SetTable(ctx, st.table.Name, st.table.Columns, nil)
	}
	files, err := have.Files(ctx)
	if err != nil {
		return err
	}
	paths, whole, err := x.held.Only(ctx, files, columns)
	if err != nil {
		return fmt.Errorf("table %s: %w", have.Name(), err)
	}
	if whole {
		st.open = opened
		return x.w.Engine.SetTable(ctx, st.table.Name, st.table.Columns, paths)
	}
	st.open = openedInPart
	return x.w.Engine.SetTableOnly(ctx, st.table.Name, st.table.Columns, columns, paths)
}

// adopt turns what a step has brought to a remote warehouse into copies for the steps that read it, so that it counts as
// such against the bound of the disk. stay are the paths of the table's other files.
func (x *execution) adopt(ctx context.Context, st *state, fresh, stay []string) error {
	paths, moved, err := x.held.Adopt(st.draft, fresh)
	if err != nil {
		return fmt.Errorf("table %s: %w", st.table.Name, err)
	}
	if !moved {
		return nil
	}
	return x.w.Engine.SetTable(ctx, st.table.Name, st.table.Columns, append(paths, stay...))
}
