package run

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"tarn/internal/engine"
)

// tables are a run's tables for an engine: [engine.Tables].
type tables struct {
	x *execution
	// made are those that the engine makes, by name.
	made map[string]*state
}

// Open implements [engine.Tables].
func (t tables) Open(ctx context.Context, whole bool, names ...string) (release func(), err error) {
	return t.x.use(ctx, whole, t.state, names...)
}

// state finds how a table looks: as it is being made, or as the run has made it before.
func (t tables) state(name string) *state {
	if st := t.made[name]; st != nil {
		return st
	}
	return t.x.state(name)
}

// Output implements [engine.Tables].
func (t tables) Output(table, part string) engine.Output { return t.x.output(t.made[table], part) }

// Rest implements [engine.Tables].
func (t tables) Rest(table, check string) string {
	return filepath.Join(t.x.w.failedDir(), table+"."+check+".json")
}

// Metadata implements [engine.Tables]: the table is as this run has loaded it, as it is published, or one without rows.
func (t tables) Metadata(ctx context.Context, name string) (json.RawMessage, error) {
	x, table := t.x, t.x.w.Graph.Table(name)
	if table == nil {
		return nil, fmt.Errorf("%w: %s", ErrUnknownTable, name)
	}
	if st := x.state(table.Name); st != nil && st.draft != nil && table.Landing != nil {
		return st.draft.Table().Handed()
	}
	if have := x.view.Table(table.Stored()); have != nil {
		return have.Handed()
	}
	d, err := x.w.Lake.Draft(ctx, x.view, table.Stored(), shape(table))
	if err != nil {
		return nil, err
	}
	return d.Table().Handed()
}

// Staged implements [engine.Tables].
func (t tables) Staged(table, folder string) (json.RawMessage, error) {
	return t.made[table].draft.Handed(t.x.id, folder)
}

// Aside implements [engine.Tables].
func (t tables) Aside(table, folder string) (json.RawMessage, error) {
	return t.made[table].draft.HandedAside(folder)
}
