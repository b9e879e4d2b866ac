package run

import (
	"context"
	"fmt"

	"tarn/internal/engine/duckdb"
	"tarn/internal/ledger"
	"tarn/internal/model"
	"tarn/internal/plan"
	"tarn/internal/sqltree"
)

// Compiled writes the SQL that the engine runs for a model.
func Compiled(e *duckdb.Engine, t *model.Table) (string, error) {
	return t.Query.PrintLifted(sqltree.DuckDBDialect, func(r sqltree.TableRef) string { return e.Name(r.Name) })
}

// account follows the rows of a model that was built and judged.
func (x *execution) account(ctx context.Context, st *state, made int64) error {
	t := st.table
	var in int64
	if f := t.Query.Flow(); f.Opaque == "" {
		input := x.w.Graph.Table(f.Driving.Name)
		if input == nil {
			return fmt.Errorf("table %s: its input %s is not there", t.Name, f.Driving.Name)
		}
		in = x.state(input.Name).rows
	}
	a, err := ledger.Model(ctx, x.w.Engine.DB(), t.Query, func(r sqltree.TableRef) string { return x.w.Engine.Name(r.Name) }, in, made)
	if err != nil && a == nil {
		return fmt.Errorf("account of %s: %w", t.Name, err)
	}
	st.record.Ledger = a
	if err != nil {
		return &LedgerError{Table: t.Name, Err: err}
	}
	a.Without(st.putAside, st.dropped)
	if err := a.Check(); err != nil {
		return &LedgerError{Table: t.Name, Err: err}
	}
	return nil
}

// landed is the account of a load.
func (x *execution) landed(s plan.Step, st *state) error {
	r := st.load
	a := ledger.Landing(r.Objects, r.Loaded, r.Quarantined)
	a.Without(st.putAside, st.dropped)
	st.record.Ledger = a
	if err := a.Check(); err != nil {
		return &LedgerError{Table: s.Table.Name, Err: err}
	}
	return nil
}
