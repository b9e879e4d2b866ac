package run

import (
	"context"
	"fmt"

	"tarn/internal/plan"
)

// unchanged notes the tables that this run does not touch as they are published.
func (x *execution) unchanged(ctx context.Context) error {
	busy, held := map[string]bool{}, map[string]plan.Step{}
	for _, s := range x.plan.Steps {
		busy[s.Table.Name] = s.Works()
		if s.Action == plan.Hold {
			held[s.Table.Name] = s
		}
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
		if s, ok := held[t.Name]; ok {
			st.record.Action, st.record.Reasons = s.Action, s.Reasons
		}
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
		if err := x.open(ctx, st); err != nil {
			return err
		}
	}
	return nil
}

func (x *execution) open(ctx context.Context, st *state) error {
	st.opening.Lock()
	defer st.opening.Unlock()
	if st.open {
		return nil
	}
	paths, err := x.held.Table(ctx, x.view.Table(st.table.Stored()))
	if err != nil {
		return err
	}
	st.open = true
	return x.w.Engine.SetTable(ctx, st.table.Name, st.table.Columns, paths)
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
