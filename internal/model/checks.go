package model

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tarn/internal/diag"
	"tarn/internal/engine/duckdb"
	"tarn/internal/project"
	"tarn/internal/schema"
	"tarn/internal/sqltree"
)

// checker judges the checks of one table, once the columns of all tables are known.
type checker struct {
	engine  *duckdb.Engine
	graph   *Graph
	defined []string
	table   *Table
	check   project.Check
	columns []string // of the tables that the check's SQL mentions
	list    diag.List
}

// checks finds what is wrong with the checks of all tables that are in order themselves.
func checks(ctx context.Context, e *duckdb.Engine, g *Graph, defined []string) (diag.List, error) {
	var list diag.List
	for _, t := range g.Tables {
		for _, c := range t.Header().Checks {
			k := &checker{engine: e, graph: g, defined: defined, table: t, check: c}
			if err := k.judge(ctx); err != nil {
				return nil, fmt.Errorf("%s:%d: check %s: %w", c.File, c.Line, c.Name, err)
			}
			list = append(list, k.list...)
		}
	}
	return list, nil
}

// tell notes a mistake at a byte of the check's SQL, or at the check where offset is negative.
func (k *checker) tell(offset int, code, message, hint string) {
	line, col := k.check.Place(offset)
	k.list = append(k.list, k.table.Header().Source.AtLine(line, col, code, "check "+k.check.Name+": "+message, hint))
}

func (k *checker) judge(ctx context.Context) error {
	switch c := k.check; c.Kind {
	case "expect":
		return k.expect(ctx)
	case "sql":
		return k.sql(ctx)
	}
	for _, name := range k.check.Columns {
		column, ok := k.column(k.table, name)
		if !ok {
			continue
		}
		switch k.check.Kind {
		case "freshness":
			if !timed(column.Type) {
				k.tell(-1, "type", name+" is "+column.Type.Hive()+", and freshness needs a timestamp or a date", "for epoch milliseconds write timestamp_millis("+name+") AS "+name+" in the model")
			}
		case "accepted_values":
			for _, v := range k.check.Values {
				k.value(column, v)
			}
		case "range":
			k.value(column, k.check.Min)
			k.value(column, k.check.Max)
		case "references":
			k.references(column)
		}
	}
	return nil
}

// column finds a column of a table, or notes that there is none.
func (k *checker) column(t *Table, name string) (schema.Column, bool) {
	for _, c := range t.Columns {
		if strings.EqualFold(c.Name, name) {
			return c, true
		}
	}
	hint := diag.DidYouMean(name, names(t))
	if hint == "" {
		hint = "there are: " + strings.Join(names(t), ", ")
	}
	k.tell(-1, "unknown-column", "no column "+name+" in "+t.Name, hint)
	return schema.Column{}, false
}

func names(t *Table) []string {
	out := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		out[i] = c.Name
	}
	return out
}

func timed(t schema.Type) bool {
	return t.Kind == schema.Timestamp || t.Kind == schema.TimestampTZ || t.Kind == schema.Date
}

func numeric(t schema.Type) bool {
	return t.Whole() || t.Kind == schema.Float || t.Kind == schema.Double || t.Kind == schema.Decimal
}

// value holds a value of the YAML against the column that it is compared with.
func (k *checker) value(c schema.Column, v any) {
	kind, fits, shown := "", true, fmt.Sprint(v)
	switch v := v.(type) {
	case nil:
	case string:
		kind, fits = "text", c.Type.Text() || timed(c.Type)
	case int64, float64:
		kind, fits = "number", numeric(c.Type)
	case bool:
		kind, fits = "truth value", c.Type.Kind == schema.Boolean
	case time.Time:
		kind, fits, shown = "time", timed(c.Type), v.Format(time.DateTime)
	}
	if fits {
		return
	}
	hint := "a value of type " + c.Type.Hive() + " is expected"
	if c.Type.Text() {
		hint = "put the value into quotes"
	}
	k.tell(-1, "type", fmt.Sprintf("%s is a %s, and %s is %s", shown, kind, c.Name, c.Type.Hive()), hint)
}

func (k *checker) references(c schema.Column) {
	other := k.reads(-1, k.check.Table)
	if other == nil {
		return
	}
	to, ok := k.column(other, k.check.To)
	if !ok {
		return
	}
	same := numeric(c.Type) && numeric(to.Type) || c.Type.Text() && to.Type.Text() || timed(c.Type) && timed(to.Type) || c.Type.Equal(to.Type)
	if !same {
		k.tell(-1, "type", fmt.Sprintf("%s is %s, and %s of %s is %s", c.Name, c.Type.Hive(), to.Name, other.Name, to.Type.Hive()), "compare columns of one type")
	}
}

// reads finds a table that the check reads beside its own, or notes that there is none; nil also for one with mistakes of
// its own. One that is not among those its table is made from may not have this run's rows yet when the check is tested.
func (k *checker) reads(offset int, name string) *Table {
	t := k.graph.Table(name)
	switch {
	case t == nil && slices.ContainsFunc(k.defined, func(d string) bool { return strings.EqualFold(d, name) }):
	case t == nil:
		k.tell(offset, "unknown-table", "no table "+name+" in this lake", diag.DidYouMean(name, k.defined))
	case t != k.table && !k.graph.upstream(k.table, t):
		k.tell(offset, "check-order", t.Name+" is not among the tables that "+k.table.Name+" is made from, so its rows may be those of the run before", "put the check beside a table that reads both")
		k.list[len(k.list)-1].Severity = diag.Warning
	}
	return t
}

// upstream reports whether a table is made from another, directly or not.
func (g *Graph) upstream(t, from *Table) bool {
	for _, name := range t.Inputs {
		if in := g.Table(name); in == from || in != nil && g.upstream(in, from) {
			return true
		}
	}
	return false
}

func (k *checker) expect(ctx context.Context) error {
	const before = "SELECT 1 WHERE ("
	if !k.mentions(ctx, before, k.check.Expect, "\n)") {
		return nil
	}
	types, problem, err := sqltree.BindText(ctx, k.engine.DB(), "SELECT (", k.check.Expect, "\n) FROM "+k.engine.Name(k.table.Name)+" AS "+schema.Quote(k.table.Name), names(k.table))
	switch {
	case err != nil:
		return err
	case problem != nil:
		k.tell(problem.Offset, problem.Code, problem.Message, problem.Hint)
	case len(types) != 1 || types[0] != "BOOLEAN":
		k.tell(0, "type", "expected a condition, found "+strings.Join(types, ", "), "write a comparison, such as x > 0")
	}
	return nil
}

func (k *checker) sql(ctx context.Context) error {
	if !k.mentions(ctx, "", k.check.SQL, "") {
		return nil
	}
	_, problem, err := sqltree.BindText(ctx, k.engine.DB(), "", k.check.SQL, "", k.columns)
	if err != nil {
		return err
	}
	if problem != nil {
		k.tell(problem.Offset, problem.Code, problem.Message, problem.Hint)
	}
	return nil
}

// mentions judges the tables that a check's SQL names, and reports whether it can be bound.
func (k *checker) mentions(ctx context.Context, before, text, after string) bool {
	refs, err := sqltree.Mentions(ctx, sqltree.DuckDB(k.engine.DB()), before+text+after)
	if err != nil {
		k.tell(0, "syntax", err.Error(), "a check's SQL is one SELECT that gives the rows that are wrong")
		if k.check.Kind == "expect" {
			k.list[len(k.list)-1].Hint = "write one condition, such as x > 0"
		}
		return false
	}
	fine := true
	for _, r := range refs {
		t := k.reads(r.Offset-len(before), r.Name)
		if t == nil {
			fine = false
			continue
		}
		k.columns = append(k.columns, names(t)...)
	}
	return fine
}
