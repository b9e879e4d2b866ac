package sqltree

import (
	"slices"
	"strings"

	"tarn/internal/diag"
)

// judge walks the whole tree and notes what lies outside the portable subset.
type judge struct {
	q    *Query
	bare string // the text with comments and quoted parts blanked
	list diag.List
}

func (q *Query) portable() diag.List {
	j := &judge{q: q, bare: blank(q.text)}
	j.spellings()
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
			what := strings.ReplaceAll(n.SetOp, "_", " ")
			j.refuse(j.word(what), what, "write UNION ALL with the columns in the same order")
		}
		for _, arm := range n.arms() {
			j.node(arm, false)
		}
	case "RECURSIVE_CTE_NODE":
		j.refuse(j.word("RECURSIVE"), "WITH RECURSIVE", "how deep it goes depends on the data: write one SELECT per level and UNION ALL, or prepare it in another model")
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
		if m.Limit != nil && m.Limit.Class != "CONSTANT" {
			j.refuse(at, "a computed LIMIT", "write the number")
		}
		if m.Offset != nil {
			j.refuse(m.Offset.At, "OFFSET", "write row_number() OVER (ORDER BY …) in a subquery")
		}
	default:
		j.refuse(j.word("LIMIT"), "LIMIT with a percentage", "write row_number() OVER (ORDER BY …) in a subquery and compare it with a count")
	}
}

func (j *judge) selectNode(n *node) {
	if bool(n.Sample) {
		j.refuse(j.word("USING SAMPLE"), "USING SAMPLE", "a rerun would give another table: choose rows by a condition, such as one on md5 of the key")
	}
	if n.Qualify != nil {
		j.refuse(j.word("QUALIFY"), "QUALIFY", "compute the window function in a subquery and filter outside")
	}
	if n.Aggregates == "FORCE_AGGREGATES" {
		j.refuse(j.word("GROUP BY ALL"), "GROUP BY ALL", "name the columns")
	}
	if len(n.GroupSets) > 1 || len(n.GroupSets) == 1 && len(n.GroupSets[0]) != len(n.Groups) || len(n.GroupSets) == 1 && len(n.Groups) == 0 {
		j.refuse(j.word("GROUPING SETS", "ROLLUP", "CUBE", "GROUP BY"), "GROUPING SETS, ROLLUP, CUBE or GROUP BY ()", "write one SELECT per grouping and UNION ALL")
	}
	j.from(n.From)
	for _, e := range n.SelectList {
		j.expr(e)
	}
	j.expr(n.Where)
	j.members(n)
	for _, e := range n.Groups {
		j.expr(e)
	}
	j.expr(n.Having)
	if using := usingColumns(n.From); len(using) > 0 {
		for _, list := range [][]*expr{n.SelectList, n.Groups, {n.Where, n.Having}} {
			for _, e := range list {
				j.joinedColumn(e, using)
			}
		}
	}
}

// members refuses x IN (SELECT …) where it decides more than whether a row stays: with a null in it, Spark gives false there
// where the standard gives null.
func (j *judge) members(n *node) {
	fine := map[*expr]bool{}
	var kept func(e *expr)
	kept = func(e *expr) {
		if e.Class == "CONJUNCTION" {
			for _, c := range e.Children {
				kept(c)
			}
		}
		fine[e] = true
	}
	for _, c := range append(conjuncts(n.Where), conjuncts(n.Having)...) {
		if c.Type == "OPERATOR_NOT" {
			fine[c.Children[0]] = true
			continue
		}
		kept(c)
	}
	var visit func(e *expr)
	visit = func(e *expr) {
		if e == nil {
			return
		}
		if e.Class == "SUBQUERY" && e.SubqueryType == "ANY" && e.Comparison == "COMPARE_EQUAL" && !fine[e] {
			j.refuse(e.first(), "IN (SELECT …) anywhere but as a condition of WHERE or HAVING", "write EXISTS (SELECT 1 FROM … WHERE …), or move it into WHERE")
		}
		e.each(visit)
	}
	for _, list := range [][]*expr{n.SelectList, n.Groups, {n.Where, n.Having}, conditions(n.From)} {
		for _, e := range list {
			visit(e)
		}
	}
}

// conditions lists what stands in ON.
func conditions(r *tableRef) []*expr {
	if r == nil || r.Type != "JOIN" {
		return nil
	}
	return append(append(conditions(r.Left), conditions(r.Right)...), r.Condition)
}

// usingColumns lists the columns, in lower case, that joins of a FROM have in USING.
func usingColumns(r *tableRef) []string {
	if r == nil || r.Type != "JOIN" {
		return nil
	}
	out := append(usingColumns(r.Left), usingColumns(r.Right)...)
	for _, c := range r.Using {
		out = append(out, strings.ToLower(c))
	}
	return out
}

// joinedColumn refuses a table's name before a column of USING, which belongs to neither table in Trino.
func (j *judge) joinedColumn(e *expr, using []string) {
	if e == nil {
		return
	}
	if e.Class == "COLUMN_REF" && len(e.Columns) > 1 && slices.Contains(using, strings.ToLower(e.name())) {
		j.refuse(e.At, "a table before a column of USING", "write "+e.name()+" alone, or join with ON")
	}
	e.each(func(c *expr) { j.joinedColumn(c, using) })
}

func (j *judge) from(r *tableRef) {
	if r == nil {
		return
	}
	if bool(r.Sample) {
		j.refuse(r.At, "TABLESAMPLE", "a rerun would give another table: choose rows by a condition, such as one on md5 of the key")
	}
	if bool(r.AtClause) {
		j.refuse(r.At, "AT (VERSION …)", "a model reads its inputs as they are; for a look back use `tarn query --at`")
	}
	switch r.Type {
	case "BASE_TABLE":
		if r.Catalog != "" {
			j.refuse(r.At, "a table with a catalog", "write database.table, or the table alone")
		}
		if r.Table == "" || strings.ContainsAny(r.Table, "./*") {
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
	case "EXPRESSION_LIST":
		j.refuse(j.word("VALUES"), "VALUES", "write SELECT … UNION ALL SELECT …, or put the values into a landing file")
	case "SHOW_REF":
		j.refuse(j.word("DESCRIBE", "SHOW", "SUMMARIZE"), "DESCRIBE, SHOW or SUMMARIZE", "a model is one SELECT; `tarn query` runs these")
	case "TABLE_FUNCTION":
		name := "a table function"
		if r.Function != nil {
			name = r.Function.Function + "()"
		}
		hint := "read landing tables and models only"
		if name == "unnest()" {
			hint = "how arrays are flattened differs between engines: land one row per value"
		}
		j.refuse(r.At, name, hint)
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
	case "ASOF":
		j.refuse(at, "ASOF JOIN", "join on the key and an inequality of the times, and keep row_number() OVER (PARTITION BY … ORDER BY …) = 1")
	case "POSITIONAL":
		j.refuse(at, "POSITIONAL JOIN", "rows have no place in a table: join on a key")
	default:
		j.refuse(at, r.RefType+" JOIN", "write JOIN, LEFT JOIN, RIGHT JOIN, FULL JOIN or CROSS JOIN")
	}
	switch r.JoinType {
	case "INNER", "LEFT", "RIGHT", "FULL", "OUTER":
	case "SEMI":
		j.refuse(at, "SEMI JOIN", "write WHERE EXISTS (SELECT 1 FROM … WHERE …)")
	case "ANTI":
		j.refuse(at, "ANTI JOIN", "write WHERE NOT EXISTS (SELECT 1 FROM … WHERE …)")
	default:
		j.refuse(at, r.JoinType+" JOIN", "write JOIN, LEFT JOIN, RIGHT JOIN, FULL JOIN or CROSS JOIN")
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
