package sqltree

import (
	"fmt"
	"slices"
	"strings"

	"tarn/internal/diag"
)

// judge walks the whole tree and notes what lies outside the portable subset.
type judge struct {
	q    *Query
	list diag.List
}

func (q *Query) portable() diag.List {
	j := &judge{q: q}
	j.node(q.root, true)
	return j.list
}

func (j *judge) refuse(at location, what, hint string) {
	j.list = append(j.list, j.q.src.At(j.q.at(at), "not-portable", what+" is not in the portable subset", hint))
}

func (j *judge) node(n *node, top bool) {
	if n == nil {
		return
	}
	for _, c := range n.CTEs.Map {
		if c.Value.Query != nil {
			j.node(c.Value.Query.Node, false)
		}
	}
	for _, m := range n.Modifiers {
		j.modifier(n, m, top)
	}
	switch n.Type {
	case "SELECT_NODE":
		j.selectNode(n)
	case "SET_OPERATION_NODE":
		if n.SetOp != "UNION" && n.SetOp != "INTERSECT" && n.SetOp != "EXCEPT" {
			j.refuse(-1, strings.ReplaceAll(n.SetOp, "_", " "), "write UNION ALL with the columns in the same order")
		}
		for _, arm := range n.arms() {
			j.node(arm, false)
		}
	case "RECURSIVE_CTE_NODE":
		j.refuse(-1, "WITH RECURSIVE", "")
	default:
		j.refuse(-1, strings.ToLower(strings.TrimSuffix(n.Type, "_NODE")), "write a SELECT")
	}
}

// arms gives the queries that a set operation combines.
func (n *node) arms() []*node {
	if len(n.Children) > 0 {
		return n.Children
	}
	return []*node{n.Left, n.Right}
}

func (j *judge) modifier(n *node, m modifier, top bool) {
	at := location(-1)
	if len(m.Orders) > 0 && m.Orders[0].Expr != nil {
		at = m.Orders[0].Expr.At
	}
	switch m.Type {
	case "DISTINCT_MODIFIER":
		if len(m.DistinctOn) > 0 {
			j.refuse(m.DistinctOn[0].At, "DISTINCT ON", "write row_number() OVER (PARTITION BY … ORDER BY …) in a subquery and keep 1")
		}
	case "ORDER_MODIFIER":
		if top {
			j.list = append(j.list, j.q.src.At(j.q.at(at), "not-portable", "a table has no order: ORDER BY at the end of a model has no effect", "remove it; ORDER BY inside OVER (…) or together with LIMIT in a subquery is possible"))
		}
		for _, o := range m.Orders {
			j.expr(o.Expr)
		}
	case "LIMIT_MODIFIER":
		ordered := slices.ContainsFunc(n.Modifiers, func(o modifier) bool { return o.Type == "ORDER_MODIFIER" })
		if m.Limit != nil {
			at = m.Limit.At
		}
		if !ordered || top {
			j.refuse(at, "LIMIT without an ORDER BY in a subquery", "a rerun would keep other rows: choose them by a condition")
		}
		if m.Offset != nil {
			j.refuse(m.Offset.At, "OFFSET", "write row_number() OVER (ORDER BY …) in a subquery")
		}
	default:
		j.refuse(-1, strings.ToLower(m.Type), "")
	}
}

func (j *judge) selectNode(n *node) {
	if bool(n.Sample) {
		j.refuse(-1, "sampling", "a rerun would give another table")
	}
	if n.Qualify != nil {
		j.refuse(n.Qualify.At, "QUALIFY", "compute the window function in a subquery and filter outside")
	}
	if n.Aggregates == "FORCE_AGGREGATES" {
		j.refuse(-1, "GROUP BY ALL", "name the columns")
	}
	if len(n.GroupSets) > 1 {
		j.refuse(-1, "GROUPING SETS, ROLLUP or CUBE", "write one SELECT per grouping and UNION ALL")
	}
	j.from(n.From)
	for _, e := range n.SelectList {
		j.expr(e)
	}
	j.expr(n.Where)
	for _, e := range n.Groups {
		j.expr(e)
	}
	j.expr(n.Having)
}

func (j *judge) from(r *tableRef) {
	if r == nil {
		return
	}
	if bool(r.Sample) {
		j.refuse(r.At, "TABLESAMPLE", "a rerun would give another table")
	}
	if bool(r.AtClause) {
		j.refuse(r.At, "AT (VERSION …)", "")
	}
	switch r.Type {
	case "BASE_TABLE":
		if r.Catalog != "" {
			j.refuse(r.At, "a table with a catalog", "write database.table, or the table alone")
		}
		if strings.ContainsAny(r.Table, "./*") {
			j.refuse(r.At, "reading a file", "define a landing table for it")
		}
	case "SUBQUERY":
		if r.Alias == "" {
			at := r.At
			if r.Subquery != nil && at < 0 {
				at = firstAt(r.Subquery.Node)
			}
			j.list = append(j.list, j.q.src.At(j.q.at(at), "not-portable", "a subquery in FROM needs a name", "write (SELECT …) AS name"))
		}
		if r.Subquery != nil {
			j.node(r.Subquery.Node, false)
		}
	case "JOIN":
		j.join(r)
	case "EMPTY":
	case "TABLE_FUNCTION":
		name := "a table function"
		if r.Function != nil {
			name = r.Function.Function + "()"
		}
		j.refuse(r.At, name, "read landing tables and models only")
	default:
		j.refuse(r.At, strings.ToLower(strings.ReplaceAll(r.Type, "_", " ")), "write a SELECT over tables, joins and subqueries")
	}
}

func firstAt(n *node) location {
	if n != nil {
		for _, e := range n.SelectList {
			if e.At >= 0 {
				return e.At
			}
		}
	}
	return -1
}

func (j *judge) join(r *tableRef) {
	at := rightmost(r)
	switch r.RefType {
	case "REGULAR", "CROSS":
	case "NATURAL":
		j.refuse(at, "NATURAL JOIN", "a new column would change what is joined: write ON or USING")
	default:
		j.refuse(at, r.RefType+" JOIN", "")
	}
	switch r.JoinType {
	case "INNER", "LEFT", "RIGHT", "OUTER":
	case "SEMI":
		j.refuse(at, "SEMI JOIN", "write WHERE EXISTS (SELECT 1 FROM … WHERE …)")
	case "ANTI":
		j.refuse(at, "ANTI JOIN", "write WHERE NOT EXISTS (SELECT 1 FROM … WHERE …)")
	default:
		j.refuse(at, r.JoinType+" JOIN", "")
	}
	j.from(r.Left)
	j.from(r.Right)
	j.expr(r.Condition)
}

func rightmost(r *tableRef) location {
	if r.Right != nil && r.Right.At >= 0 {
		return r.Right.At
	}
	return r.At
}

// operators are the calls that stand between or before their arguments.
var operators = []string{"+", "-", "*", "/", "||", "~~", "!~~", "like_escape", "not_like_escape"}

// castTypes are the types that a model can cast to, by DuckDB's name.
var castTypes = map[string]string{"BOOLEAN": "BOOLEAN", "TINYINT": "TINYINT", "SMALLINT": "SMALLINT", "INTEGER": "INTEGER", "BIGINT": "BIGINT",
	"FLOAT": "REAL", "DOUBLE": "DOUBLE", "VARCHAR": "VARCHAR", "DATE": "DATE", "TIMESTAMP": "TIMESTAMP", "DECIMAL": "DECIMAL", "BLOB": "VARBINARY"}

func (j *judge) expr(e *expr) {
	if e == nil {
		return
	}
	switch e.Class {
	case "COLUMN_REF", "CONSTANT", "COMPARISON", "CONJUNCTION", "BETWEEN", "CASE":
	case "STAR":
		if bool(e.ExcludeList) || bool(e.ReplaceList) || bool(e.RenameList) {
			j.refuse(e.At, "* EXCLUDE, REPLACE or RENAME", "name the columns")
		}
		if e.ColumnsStar || e.StarExpr != nil {
			j.refuse(e.At, "COLUMNS(…)", "name the columns")
		}
	case "CAST":
		if _, ok := castTypes[e.CastType.ID]; !ok {
			j.refuse(e.At, "a cast to "+e.CastType.ID, "cast to BOOLEAN, INTEGER, BIGINT, REAL, DOUBLE, DECIMAL(p,s), VARCHAR, DATE or TIMESTAMP")
		}
	case "OPERATOR":
		switch e.Type {
		case "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "OPERATOR_NOT", "COMPARE_IN", "COMPARE_NOT_IN", "OPERATOR_COALESCE", "OPERATOR_NULLIF":
		default:
			j.refuse(e.At, strings.ToLower(strings.ReplaceAll(e.Type, "_", " ")), "arrays and structs are not portable here: write one column per value")
		}
	case "SUBQUERY":
		if e.SubqueryType == "ANY" && e.Comparison != "COMPARE_EQUAL" {
			j.refuse(e.At, "ANY and ALL", "write EXISTS (SELECT 1 FROM … WHERE …)")
		}
		if e.Subquery != nil {
			j.node(e.Subquery.Node, false)
		}
	case "FUNCTION":
		j.function(e)
		return
	case "WINDOW":
		j.window(e)
	default:
		hint := ""
		if e.Class == "PARAMETER" {
			hint = "write the value"
		}
		j.refuse(e.At, strings.ToLower(e.Class), hint)
		return
	}
	e.each(j.expr)
}

func (j *judge) function(e *expr) {
	if _, _, ok := e.interval(); ok {
		return
	}
	name := e.Function
	defer e.each(j.expr)
	if slices.Contains(operators, name) {
		return
	}
	if name == "date_part" {
		return
	}
	f, ok := findFunction(name)
	switch {
	case !ok:
		hint := instead[name]
		if hint == "" {
			hint = diag.DidYouMean(name, functionNames())
		}
		if hint == "" {
			hint = "docs/sql.md lists the functions that all engines have"
		}
		j.refuse(e.At, "function "+name, hint)
	case f.kind == window:
		j.list = append(j.list, j.q.src.At(j.q.at(e.At), "not-portable", name+" needs OVER (…)", ""))
	case len(e.Children) < f.min || f.max >= 0 && len(e.Children) > f.max:
		j.list = append(j.list, j.q.src.At(j.q.at(e.At), "arguments", fmt.Sprintf("%s takes %s, not %d", f.name, counted(f), len(e.Children)), f.meaning))
	case f.kind == scalar && (e.Distinct || e.Filter != nil):
		j.refuse(e.At, "DISTINCT or FILTER with "+name, "")
	case e.OrderBys != nil && len(e.OrderBys.Orders) > 0:
		j.refuse(e.At, "ORDER BY inside "+name, "")
	}
}

func counted(f function) string {
	switch {
	case f.max < 0:
		return fmt.Sprintf("%d or more arguments", f.min)
	case f.min == f.max:
		return fmt.Sprintf("%d arguments", f.min)
	}
	return fmt.Sprintf("%d to %d arguments", f.min, f.max)
}

func (j *judge) window(e *expr) {
	f, ok := findFunction(e.Function)
	if !ok || f.kind == scalar {
		j.refuse(e.At, "window function "+e.Function, instead[e.Function])
	}
	if e.IgnoreNulls {
		j.refuse(e.At, "IGNORE NULLS", "")
	}
	if e.Exclude != "" && e.Exclude != "NO_OTHER" {
		j.refuse(e.At, "EXCLUDE in a window frame", "")
	}
	if len(e.ArgOrders) > 0 {
		j.refuse(e.At, "ORDER BY inside "+e.Function, "")
	}
}

// each calls f for every direct part of an expression.
func (e *expr) each(f func(*expr)) {
	for _, c := range []*expr{e.Left, e.Right, e.Input, e.Lower, e.Upper, e.Else, e.Child, e.Filter, e.FilterExpr, e.StartExpr, e.EndExpr, e.OffsetExpr, e.DefaultExpr} {
		if c != nil {
			f(c)
		}
	}
	for _, list := range [][]*expr{e.Children, e.Partitions} {
		for _, c := range list {
			f(c)
		}
	}
	for _, c := range e.Checks {
		f(c.When)
		f(c.Then)
	}
	for _, o := range e.Orders {
		f(o.Expr)
	}
}
