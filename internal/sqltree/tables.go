package sqltree

import (
	"slices"
	"strings"
)

// TableRef is one mention of a table in a query.
type TableRef struct {
	Database string // "" where it is not written
	Name     string
	Alias    string
	Offset   int // bytes, in the file
}

// Tables lists every table that the query mentions, in the order of the tree: FROM, joins, subqueries, WITH. Names that WITH
// defines are not tables.
func (q *Query) Tables() []TableRef {
	var out []TableRef
	w := walker{table: func(r *tableRef) { out = append(out, q.ref(r)) }}
	w.node(q.root, nil)
	slices.SortStableFunc(out, func(a, b TableRef) int { return a.Offset - b.Offset })
	return out
}

// Mentions reports whether the query has a column of this name, in any case, or a star that would show it.
func (q *Query) Mentions(column string) bool {
	found := false
	walker{expression: func(e *expr) {
		found = found || e.Class == "COLUMN_REF" && strings.EqualFold(e.name(), column) || e.Class == "STAR"
	}}.node(q.root, nil)
	return found
}

func (q *Query) ref(r *tableRef) TableRef {
	return TableRef{Database: r.Schema, Name: r.Table, Alias: r.Alias, Offset: q.at(r.At)}
}

// walker visits base tables, with the scoping of WITH, and expressions, outer ones first. Either function can be nil.
type walker struct {
	table      func(*tableRef)
	expression func(*expr)
}

func (w walker) node(n *node, hidden []string) {
	if n == nil {
		return
	}
	for _, c := range n.CTEs.Map {
		if c.Value.Query != nil {
			w.node(c.Value.Query.Node, hidden)
		}
		// Each name hides a table in the queries after it.
		hidden = append(slices.Clip(hidden), strings.ToLower(c.Key))
	}
	if n.Type == "SET_OPERATION_NODE" {
		for _, arm := range n.arms() {
			w.node(arm, hidden)
		}
	}
	w.from(n.From, hidden)
	for _, list := range [][]*expr{n.SelectList, n.Groups, {n.Where, n.Having, n.Qualify}} {
		for _, e := range list {
			w.expr(e, hidden)
		}
	}
	for _, m := range n.Modifiers {
		for _, o := range m.Orders {
			w.expr(o.Expr, hidden)
		}
	}
}

func (w walker) from(r *tableRef, hidden []string) {
	if r == nil {
		return
	}
	switch r.Type {
	case "BASE_TABLE":
		if w.table != nil && (r.Schema != "" || !slices.Contains(hidden, strings.ToLower(r.Table))) {
			w.table(r)
		}
	case "SUBQUERY":
		w.node(r.Subquery.Node, hidden)
	case "JOIN":
		w.from(r.Left, hidden)
		w.from(r.Right, hidden)
		w.expr(r.Condition, hidden)
	}
}

func (w walker) expr(e *expr, hidden []string) {
	if e == nil {
		return
	}
	if w.expression != nil {
		w.expression(e)
	}
	if e.Subquery != nil {
		w.node(e.Subquery.Node, hidden)
	}
	e.each(func(c *expr) { w.expr(c, hidden) })
}
