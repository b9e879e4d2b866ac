package enginetest

import (
	"slices"

	"tarn/internal/check"
	"tarn/internal/diag"
	"tarn/internal/engine"
	"tarn/internal/ledger"
	"tarn/internal/project"
	"tarn/internal/sqltree"
)

// from writes what stands in FROM for a table, in the engine's language.
func (w *world) from(name string) string { return w.engine.Language().From(database, name) }

// step writes a model for the engine. The table has to be declared.
func (w *world) step(name, text string, checks ...project.Check) engine.Step {
	w.t.Helper()
	q := w.parsed(text)
	rename := func(r sqltree.TableRef) string { return w.from(r.Name) }
	printed, err := q.Print(w.engine.Language().Dialect, rename)
	w.ok(err)
	out := engine.Step{Table: name, Columns: w.tables[name].columns, SQL: printed, Checks: w.asks(name, checks...)}
	out.Ledger, err = ledger.Ask(q.Flow(), w.engine.Language().Dialect, rename)
	w.ok(err)
	for other := range w.tables {
		if other != name {
			out.Reads = append(out.Reads, other)
		}
	}
	slices.Sort(out.Reads)
	return out
}

func (w *world) parsed(text string) *sqltree.Query {
	w.t.Helper()
	q, list := sqltree.Parse(w.t.Context(), sqltree.DuckDB(w.db.DB()), diag.Source{File: "model.sql", Text: text}, 0)
	w.ok(list.Err())
	_, list = sqltree.Bind(w.t.Context(), w.db.DB(), q, func(r sqltree.TableRef) string { return w.db.Name(r.Name) })
	w.ok(list.Err())
	return q
}

// asked are the questions of checks, in the engine's language.
func (w *world) asked(name string, checks ...project.Check) []check.Asked {
	w.t.Helper()
	l := w.engine.Language()
	asker := check.Asker{DB: w.db.DB(), Typed: w.db.Name, Dialect: l.Dialect, From: w.from, Files: l.Some}
	var out []check.Asked
	for _, c := range checks {
		if l.Native {
			out = append(out, check.Native(w.from, name, c, ""))
			continue
		}
		a, list := asker.Ask(w.t.Context(), name, c, "")
		w.ok(list.Err())
		out = append(out, a)
	}
	return out
}

func (w *world) asks(name string, checks ...project.Check) []engine.Check {
	w.t.Helper()
	var out []engine.Check
	for _, a := range w.asked(name, checks...) {
		out = append(out, a.Question())
	}
	return out
}
