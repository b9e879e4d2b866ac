package sqltree

import (
	"fmt"
	"slices"
	"strings"
)

// PrintLifted writes the query like [Query.Print], with the cleaning functions of single columns (trim, lower, upper) worked
// out where their table is read instead of after its joins. The rows are the same; the time is not: Parquet gives texts
// as dictionaries, and DuckDB cleans each entry of one once, while behind a join it would clean, copy and keep each row.
// For 8 million readings that halves the time of the step and takes a third of the memory.
func (q *Query) PrintLifted(d Dialect, rename func(TableRef) string) (string, error) {
	p := &printer{q: q, d: d, rename: rename, lifts: q.liftable()}
	text := p.node(q.root)
	return text, p.err
}

// lifts are the calls that are worked out where a table is read, by the table's alias in lower case.
type lifts map[string][]lift

type lift struct{ function, column string }

// name is the column that holds the call's value.
func (l lift) name() string { return "__tarn_" + l.function + "_" + l.column }

// strictCleaners are functions that give null for null, cannot fail and depend on nothing but the text.
var strictCleaners = []string{"trim", "lower", "upper"}

// cleans recognises trim(alias.column) and its like.
func (e *expr) cleans() (alias string, l lift, ok bool) {
	if e.Class != "FUNCTION" || !slices.Contains(strictCleaners, e.Function) || len(e.Children) != 1 || e.Filter != nil {
		return "", lift{}, false
	}
	c := e.Children[0]
	if c.Class != "COLUMN_REF" || len(c.Columns) != 2 {
		return "", lift{}, false
	}
	return strings.ToLower(c.Columns[0]), lift{e.Function, strings.ToLower(c.Columns[1])}, true
}

// liftable finds what can be lifted. A query with a star is left alone, as the star would show the extra columns, and so
// is an alias that stands for more than one thing.
func (q *Query) liftable() lifts {
	found := lifts{}
	stands := map[string]int{}
	never := func(alias string) { stands[alias] += 2 }
	with := map[string]bool{}
	star := false
	var query func(n *node)
	var from func(r *tableRef)
	var visit func(e *expr)
	visit = func(e *expr) {
		if e == nil {
			return
		}
		if e.Class == "STAR" {
			star = true
		}
		if alias, l, ok := e.cleans(); ok && !slices.Contains(found[alias], l) {
			found[alias] = append(found[alias], l)
		}
		if e.Subquery != nil {
			query(e.Subquery.Node)
		}
		e.each(visit)
	}
	from = func(r *tableRef) {
		if r == nil {
			return
		}
		switch r.Type {
		case "BASE_TABLE":
			if len(r.ColumnAliases) > 0 || r.Schema == "" && with[strings.ToLower(r.Table)] {
				never(r.alias())
			}
			stands[r.alias()]++
		case "SUBQUERY":
			never(r.alias())
			query(r.Subquery.Node)
		case "JOIN":
			from(r.Left)
			from(r.Right)
			visit(r.Condition)
		}
	}
	query = func(n *node) {
		if n == nil {
			return
		}
		for _, c := range n.CTEs.Map {
			with[strings.ToLower(c.Key)] = true
			never(strings.ToLower(c.Key))
			if c.Value.Query != nil {
				query(c.Value.Query.Node)
			}
		}
		for _, arm := range n.arms() {
			query(arm)
		}
		from(n.From)
		for _, e := range n.SelectList {
			if alias, _, ok := e.cleans(); ok && e.Alias == "" {
				never(alias) // the column's name would be the lifted one's
			}
		}
		for _, list := range [][]*expr{n.SelectList, n.Groups, {n.Where, n.Having, n.Qualify}} {
			for _, e := range list {
				visit(e)
			}
		}
		for _, m := range n.Modifiers {
			for _, o := range m.Orders {
				visit(o.Expr)
			}
		}
	}
	query(q.root)
	for alias := range found {
		if star || stands[alias] != 1 {
			delete(found, alias)
		}
	}
	return found
}

// alias is the name, in lower case, that columns of the item are written with.
func (r *tableRef) alias() string {
	if r.Alias != "" {
		return strings.ToLower(r.Alias)
	}
	return strings.ToLower(r.Table)
}

// lifted writes a base table with the values that were lifted to it.
func (p *printer) lifted(r *tableRef, name string) string {
	calls := p.lifts[r.alias()]
	if len(calls) == 0 {
		return name
	}
	out := make([]string, len(calls))
	for i, l := range calls {
		f, ok := findFunction(l.function)
		if !ok {
			return p.fail(r.At, "function "+l.function)
		}
		out[i] = p.call(f, []string{p.d.quote(l.column)}, false) + " AS " + p.d.quote(l.name())
	}
	return fmt.Sprintf("(SELECT *, %s FROM %s)", strings.Join(out, ", "), name)
}

// liftedCall writes a call that was lifted.
func (p *printer) liftedCall(e *expr) (string, bool) {
	alias, l, ok := e.cleans()
	if !ok || !slices.Contains(p.lifts[alias], l) {
		return "", false
	}
	return p.d.quote(e.Children[0].Columns[0]) + "." + p.d.quote(l.name()), true
}
