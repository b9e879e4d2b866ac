package run

import (
	"context"
	"fmt"
	"sync"

	"tarn/internal/lake"
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
		st := &state{table: t, version: plan.Version(x.view, t), stored: true, now: x.view.Table(t.Stored())}
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

// use makes tables readable by the engine until release is called: their files can be far away, and the disk for copies of
// them is bounded. Only the columns that the models of this run read are there for certain, or all with whole.
func (x *execution) use(ctx context.Context, whole bool, names ...string) (release func(), err error) {
	var used []*state
	release = sync.OnceFunc(func() {
		for _, st := range used {
			x.shut(st)
		}
	})
	for _, name := range names {
		t := x.w.Graph.Table(name)
		st := x.state(t.Name)
		if st == nil || !st.stored {
			// It is being made, or its files are on this disk anyway.
			continue
		}
		var columns []string
		if !whole {
			columns = x.needed(ctx)[t.Name]
		}
		if err := x.open(ctx, st, columns); err != nil {
			release()
			return nil, err
		}
		used = append(used, st)
	}
	return release, nil
}

// open makes a table readable by the engine, with some of its columns at least; nil is all. Each needs a shut.
func (x *execution) open(ctx context.Context, st *state, columns []string) error {
	st.opening.Lock()
	defer st.opening.Unlock()
	if st.open == opened || st.open == openedInPart && columns != nil {
		st.users++
		return nil
	}
	var files []lake.DataFile
	if st.now != nil {
		var err error
		if files, err = st.now.Files(ctx); err != nil {
			return err
		}
	}
	if st.reader == nil {
		st.reader = x.w.Lake.Reader()
	}
	paths, whole, err := st.reader.Only(ctx, files, lake.Wanted{Columns: columns})
	if err == nil && whole {
		err = x.w.Engine.SetTable(ctx, st.table.Name, st.table.Columns, paths)
	} else if err == nil {
		err = x.w.Engine.SetTableOnly(ctx, st.table.Name, st.table.Columns, columns, paths)
	}
	if err != nil {
		if st.users == 0 {
			st.reader.Close()
		}
		return fmt.Errorf("table %s: %w", st.table.Name, err)
	}
	if st.open = openedInPart; whole {
		st.open = opened
	}
	st.users++
	return nil
}

// shut lets the copies of a table's files go when nobody reads them any more.
func (x *execution) shut(st *state) {
	st.opening.Lock()
	defer st.opening.Unlock()
	if st.users--; st.users == 0 {
		st.open = shut
		st.reader.Close()
	}
}

// adopt hands over what a step has made to the steps that read it. What was brought to a remote warehouse becomes copies,
// which go when the room is needed and come again when they are; on this disk it can be read where it is.
func (x *execution) adopt(st *state, fresh []string) error {
	held := x.w.Lake.Reader()
	defer held.Close()
	_, moved, err := held.Adopt(st.draft, fresh)
	if err != nil {
		return fmt.Errorf("table %s: %w", st.table.Name, err)
	}
	if moved {
		st.stored, st.now = true, st.draft.Table()
	}
	return nil
}
