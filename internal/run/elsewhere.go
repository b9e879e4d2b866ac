package run

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tarn/internal/check"
	"tarn/internal/diag"
	"tarn/internal/engine/spark"
	"tarn/internal/ledger"
	"tarn/internal/model"
	"tarn/internal/project"
	"tarn/internal/schema"
	"tarn/internal/sqltree"
)

// elsewhere is a lake's work written for an engine that gets a whole run at once.
type elsewhere struct {
	engine *spark.Engine
	// scratch is the folder of this machine for what belongs to one job.
	scratch string
	// tables has what is asked about each table.
	tables map[string]*written
	// used says that there is something to tidy up, noted that another process can go on with it.
	used, noted bool
}

// written is one table in the engine's SQL.
type written struct {
	sql    string
	checks map[string]check.Asked // by name
	ledger *ledger.Asks
}

// write writes all models and checks for the engine. What cannot be said to it is in the list.
func (w *Workspace) write(ctx context.Context) (map[string]*written, diag.List) {
	out := map[string]*written{}
	var list diag.List
	asker := check.Asker{DB: w.Engine.DB(), Typed: w.Engine.Name, Dialect: sqltree.SparkDialect, From: w.sparkFrom,
		Files: func(column string) string { return "slice(collect_set(" + column + "), 1, 5)" }}
	for _, t := range w.Graph.Tables {
		wr := &written{checks: map[string]check.Asked{}}
		out[t.Name] = wr
		if t.Model != nil {
			list = append(list, w.writeModel(t, wr)...)
		}
		now, later := w.when(t)
		asked := later
		if t.Model != nil {
			asked = t.Header().Checks
		} else {
			list = append(list, w.waitsForModel(t, now)...)
		}
		for _, c := range asked {
			traced, err := w.traced(t, sqltree.SparkDialect, w.sparkFrom)
			if err != nil {
				// The checks can do without.
				traced = ""
			}
			a, more := asker.Ask(ctx, t.Name, c, traced)
			wr.checks[c.Name], list = a, append(list, more...)
		}
	}
	return out, list
}

func (w *Workspace) writeModel(t *model.Table, wr *written) diag.List {
	src := t.Model.Source
	rename := func(r sqltree.TableRef) string { return w.sparkFrom(r.Name) }
	var err error
	if wr.sql, err = t.Query.Print(sqltree.SparkDialect, rename); err == nil {
		wr.ledger, err = ledger.Ask(t.Query.Flow(), sqltree.SparkDialect, rename)
	}
	if err != nil {
		return diag.List{src.At(t.Model.SQLStart, "not-portable", err.Error(), "")}
	}
	return nil
}

// waitsForModel refuses checks that leave out rows of a landing table by what stands in a model: landing tables are loaded
// before the job that makes the models.
func (w *Workspace) waitsForModel(t *model.Table, now []project.Check) (list diag.List) {
	for _, c := range now {
		for _, other := range w.mentioned(c) {
			if o := w.Graph.Table(other); o.Model != nil {
				list = append(list, diag.Diagnostic{File: c.File, Line: c.Line, Col: c.Col, Severity: diag.Error, Code: "not-portable",
					Message: fmt.Sprintf("check %s leaves out landing rows by what stands in %s, which Spark makes after they are loaded", c.Name, other),
					Hint:    "let the check fail or warn, or put it beside a model"})
			}
		}
	}
	return list
}

// sparkFrom is what stands in FROM for a table of the plan.
func (w *Workspace) sparkFrom(name string) string {
	t := w.Graph.Table(name)
	if t == nil {
		return schema.SparkQuote(name)
	}
	at := spark.Catalog + "." + schema.SparkQuote(w.Project.Config.Database) + "." + schema.SparkQuote(t.Name)
	columns := make([]string, len(t.Columns))
	plain := true
	for i, c := range t.Columns {
		stored := schema.StoredName(c.Name)
		columns[i] = schema.SparkQuote(stored)
		if stored != c.Name {
			plain = false
			columns[i] += " AS " + schema.SparkQuote(c.Name)
		}
	}
	if plain {
		return at
	}
	return "(SELECT " + strings.Join(columns, ", ") + " FROM " + at + ")"
}

// asks gives what is asked about some checks of a table, in their order.
func (wr *written) asks(checks []project.Check, aside func(c project.Check, i int) string) []spark.Check {
	out := []spark.Check{}
	for i, c := range checks {
		a := wr.checks[c.Name]
		p := spark.Check{Name: c.Name, OnFail: string(c.OnFail), Good: a.Good, Aggregate: a.Aggregate, Count: a.Count, Newest: a.Newest,
			Failing: a.Failing, Traced: a.Traced}
		for _, column := range a.Full {
			p.Full = append(p.Full, schema.StoredName(column))
		}
		if c.OnFail == project.Quarantine && aside != nil {
			p.Aside = aside(c, i)
		}
		out = append(out, p)
	}
	return out
}

// inOrder sorts the models' steps so that each comes after what it reads and what its checks leave out rows by.
func inOrder(names []string, first map[string][]string) []string {
	var out []string
	var add func(name string)
	add = func(name string) {
		if slices.Contains(out, name) {
			return
		}
		for _, before := range first[name] {
			add(before)
		}
		out = append(out, name)
	}
	for _, name := range names {
		add(name)
	}
	return slices.DeleteFunc(out, func(name string) bool { return !slices.Contains(names, name) })
}
