package run

import (
	"fmt"
	"strings"

	"tarn/internal/engine"
	"tarn/internal/engine/duckdb"
	"tarn/internal/ledger"
	"tarn/internal/model"
	"tarn/internal/plan"
	"tarn/internal/schema"
	"tarn/internal/sqltree"
)

// The dialects of [Workspace.Compile].
const (
	DuckDB = "duckdb"
	Spark  = "spark"
)

// Dialects lists them, the one of the engine in the process first.
var Dialects = []string{DuckDB, Spark}

// Compile writes the SQL that is executed for a model, in a dialect of [Dialects].
func (w *Workspace) Compile(name, dialect string) (string, error) {
	t, err := named(w.Graph, w.Project.Config.Database, name)
	if err != nil {
		return "", err
	}
	if t.Model == nil {
		return "", fmt.Errorf("%w: %s is a landing table, which has no SQL to compile", ErrUnknownTable, t.Name)
	}
	if dialect == Spark {
		return t.Query.Print(sqltree.SparkDialect, w.sparkName)
	}
	return Compiled(w.Engine, t)
}

// sparkName is where Spark finds the rows of a table in the catalog.
func (w *Workspace) sparkName(r sqltree.TableRef) string {
	name := r.Name
	if t := w.Graph.Table(name); t != nil {
		name = t.Stored()
	}
	return schema.SparkQuote(w.Project.Config.Database) + "." + schema.SparkQuote(strings.ToLower(name))
}

// Compiled writes the SQL that the engine runs for a model.
func Compiled(e *duckdb.Engine, t *model.Table) (string, error) {
	return t.Query.PrintLifted(sqltree.DuckDBDialect, func(r sqltree.TableRef) string { return e.Name(r.Name) })
}

// account follows the rows of a model that was built and judged.
func (x *execution) account(st *state, answer *engine.LedgerResult, made int64) error {
	t := st.table
	f := t.Query.Flow()
	var in int64
	if f.Opaque == "" {
		input := x.w.Graph.Table(f.Driving.Name)
		if input == nil {
			return fmt.Errorf("table %s: its input %s is not there", t.Name, f.Driving.Name)
		}
		in = x.state(input.Name).rows
	}
	a, err := ledger.Model(f, answer, in, made)
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
