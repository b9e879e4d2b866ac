package run

import (
	"context"
	"fmt"
	"sync"

	"tarn/internal/check"
	"tarn/internal/diag"
	"tarn/internal/engine"
	"tarn/internal/ledger"
	"tarn/internal/model"
	"tarn/internal/project"
	"tarn/internal/sqltree"
)

// maker is an engine, and what was written for it.
type maker struct {
	engine.Engine
	// kind is what tarn.yaml calls the engine.
	kind   string
	mu     sync.Mutex
	tables map[string]*written
}

// written is what is asked of an engine about one table, in its SQL.
type written struct {
	sql    string
	checks map[string]check.Asked // by name
	ledger *engine.Ledger
}

// write writes all models and checks for an engine. What cannot be said to it is in the list.
func (w *Workspace) write(ctx context.Context, m *maker) (list diag.List) {
	for _, t := range w.Graph.Tables {
		_, more := w.written(ctx, m, t)
		list = append(list, more...)
	}
	return list
}

// written gives what is written for an engine about a table. What cannot be said to it is in the list, the first time.
func (w *Workspace) written(ctx context.Context, m *maker, t *model.Table) (*written, diag.List) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if have := m.tables[t.Name]; have != nil {
		return have, nil
	}
	wr := &written{checks: map[string]check.Asked{}}
	m.tables[t.Name] = wr
	if m.Language().Native {
		return wr, w.writeNative(m, t, wr)
	}
	return wr, w.writePortable(ctx, m, t, wr)
}

// writeNative writes a table for DuckDB.
func (w *Workspace) writeNative(m *maker, t *model.Table, wr *written) diag.List {
	if t.Model != nil {
		if list := w.writeModel(m, t, wr); list != nil {
			return list
		}
	}
	traced := w.tracedOrNot(m, t)
	for _, c := range t.Header().Checks {
		wr.checks[c.Name] = check.Native(w.from(m.Language()), t.Name, c, traced)
	}
	return nil
}

// writePortable writes a table for an engine that takes only what is portable. Landing tables are loaded in this process, so that
// engine is asked only those of their checks that wait for models.
func (w *Workspace) writePortable(ctx context.Context, m *maker, t *model.Table, wr *written) (list diag.List) {
	l := m.Language()
	asker := check.Asker{DB: w.Engine.DB(), Typed: w.Engine.Name, Dialect: l.Dialect, From: w.from(l), Files: l.Some}
	now, asked := w.when(t)
	if t.Model != nil {
		list = append(list, w.writeModel(m, t, wr)...)
		asked = t.Header().Checks
	} else {
		list = append(list, w.waitsForModel(m, t, now)...)
	}
	traced := w.tracedOrNot(m, t)
	for _, c := range asked {
		a, more := asker.Ask(ctx, t.Name, c, traced)
		wr.checks[c.Name], list = a, append(list, more...)
	}
	return list
}

// tracedOrNot is traced for an engine's checks, which can do without.
func (w *Workspace) tracedOrNot(m *maker, t *model.Table) string {
	if len(t.Header().Checks) == 0 {
		return ""
	}
	traced, err := w.traced(t, m.Language().Dialect, w.from(m.Language()))
	if err != nil {
		return ""
	}
	return traced
}

// writeModel writes a model's SQL and the questions of its account.
func (w *Workspace) writeModel(m *maker, t *model.Table, wr *written) diag.List {
	l, from := m.Language(), w.from(m.Language())
	rename := func(r sqltree.TableRef) string { return from(r.Name) }
	printed := t.Query.Print
	if l.Native {
		printed = t.Query.PrintLifted
	}
	var err error
	if wr.sql, err = printed(l.Dialect, rename); err == nil {
		wr.ledger, err = ledger.Ask(t.Query.Flow(), l.Dialect, rename)
	}
	if err != nil {
		return diag.List{t.Model.Source.At(t.Model.SQLStart, "not-portable", err.Error(), "")}
	}
	return nil
}

// waitsForModel refuses checks that leave out rows of a landing table by what stands in a model: landing tables are loaded
// before the job that makes the models.
func (w *Workspace) waitsForModel(m *maker, t *model.Table, now []project.Check) (list diag.List) {
	for _, c := range now {
		for _, other := range w.mentioned(c) {
			if o := w.Graph.Table(other); o.Model != nil {
				list = append(list, diag.Diagnostic{File: c.File, Line: c.Line, Col: c.Col, Severity: diag.Error, Code: "not-portable",
					Message: fmt.Sprintf("check %s leaves out landing rows by what stands in %s, which %s makes after they are loaded", c.Name, other, m.Language().Dialect.Name),
					Hint:    "let the check fail or warn, or put it beside a model"})
			}
		}
	}
	return list
}

// from writes what stands in FROM for a table of the lake in an engine's SQL.
func (w *Workspace) from(l engine.Language) func(name string) string {
	return func(name string) string {
		t := w.Graph.Table(name)
		switch {
		case l.Native:
			return l.From(w.Project.Config.Database, name)
		case t == nil:
			return l.Dialect.Quote(name)
		}
		return l.Rows(w.Project.Config.Database, t.Name, t.Columns)
	}
}

// asks gives what is asked about some checks of a table, in their order.
func (wr *written) asks(checks []project.Check) []engine.Check {
	out := []engine.Check{}
	for _, c := range checks {
		out = append(out, wr.checks[c.Name].Question())
	}
	return out
}
