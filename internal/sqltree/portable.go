package sqltree

import (
	"encoding/json"
	"fmt"
	"regexp"
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
	case "CONSTANT", "COMPARISON", "CONJUNCTION", "BETWEEN", "CASE":
	case "COLUMN_REF":
		if hint, ok := sessionWords[strings.ToLower(e.name())]; ok && len(e.Columns) == 1 && !j.quotedAt(e.At) {
			j.refuse(e.At, e.name(), hint)
		}
	case "STAR":
		if bool(e.ExcludeList) || bool(e.ReplaceList) || bool(e.RenameList) {
			j.refuse(e.At, "* EXCLUDE, REPLACE or RENAME", "name the columns")
		}
		if e.ColumnsStar || e.StarExpr != nil {
			j.refuse(e.At, "COLUMNS(…)", "name the columns")
		}
	case "CAST":
		j.cast(e)
	case "OPERATOR":
		j.operator(e)
	case "SUBQUERY":
		if e.SubqueryType == "ANY" && e.Comparison != "COMPARE_EQUAL" {
			j.refuse(e.At, "ANY or ALL", "write EXISTS (SELECT 1 FROM … WHERE …)")
		}
		if e.Subquery != nil {
			j.node(e.Subquery.Node, false)
		}
	case "FUNCTION":
		j.function(e)
		return
	case "WINDOW":
		j.window(e)
	case "COLLATE":
		j.refuse(e.first(), "COLLATE", "texts are compared byte by byte: write lower(a) = lower(b) to compare without case")
	case "LAMBDA":
		// The function that takes it is refused already.
		return
	case "PARAMETER":
		j.refuse(j.word("?", "$"), "a parameter", "write the value")
		return
	case "POSITIONAL_REFERENCE":
		j.refuse(e.At, "a column by its number", "write the column's name")
		return
	default:
		j.refuse(e.At, strings.ToLower(strings.ReplaceAll(e.Class, "_", " ")), "docs/sql.md lists what all engines have")
		return
	}
	e.each(j.expr)
}

// name gives the last part of a column's name.
func (e *expr) name() string {
	if len(e.Columns) == 0 {
		return ""
	}
	return e.Columns[len(e.Columns)-1]
}

func (j *judge) quotedAt(l location) bool {
	return l >= 0 && int(l) < len(j.q.text) && j.q.text[l] == '"'
}

func (j *judge) operator(e *expr) {
	switch e.Type {
	case "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "OPERATOR_NOT", "COMPARE_IN", "COMPARE_NOT_IN", "OPERATOR_COALESCE", "OPERATOR_NULLIF":
	case "ARRAY_EXTRACT", "ARRAY_SLICE":
		at := e.first()
		if open := strings.IndexByte(j.bare[max(at, 0):], '['); at >= 0 && open >= 0 {
			at += location(open)
		}
		j.refuse(at, "[…]", "places in arrays and texts are counted differently: write substring(text, from, length), or land one column per value")
	case "STRUCT_EXTRACT":
		j.refuse(e.At, "this way to take a part of a struct", "write column.field")
	case "GROUPING_FUNCTION":
		j.refuse(e.At, "GROUPING", "write one SELECT per grouping and UNION ALL")
	default:
		j.refuse(e.At, strings.ToLower(strings.ReplaceAll(e.Type, "_", " ")), "docs/sql.md lists what all engines have")
	}
}

const castHint = "cast to BOOLEAN, TINYINT, SMALLINT, INTEGER, BIGINT, REAL, DOUBLE, DECIMAL(p,s), VARCHAR, DATE or TIMESTAMP"

func (j *judge) cast(e *expr) {
	id := e.CastType.ID
	if _, ok := castTypes[id]; !ok {
		at, hint := e.At, castHint
		if at < 0 {
			at = e.first()
		}
		switch id {
		case "INTERVAL":
			j.refuse(at, "an interval from text", "write INTERVAL 1 DAY, with the number outside the quotes")
			return
		case "TIMESTAMP WITH TIME ZONE":
			hint = "times are UTC here: cast to TIMESTAMP"
		case "UNBOUND":
			if id = "this type"; e.CastType.Info != nil && e.CastType.Info.Name != "" {
				id = e.CastType.Info.Name
			}
		}
		j.refuse(at, "a cast to "+id, hint)
		return
	}
	switch written := strings.ToUpper(j.castText(e)); {
	case id == "VARCHAR" && (strings.HasSuffix(written, ")") || written == "CHAR" || written == "CHARACTER" || written == "BPCHAR"):
		j.refuse(e.At, "a cast to "+written, "engines differ in whether they cut or pad: cast to VARCHAR, and write substring(text, 1, n) to cut")
	case id == "DECIMAL" && written != "" && !strings.HasSuffix(written, ")"):
		j.refuse(e.At, "a cast to "+written+" without digits", "each engine takes other ones: write DECIMAL(p,s), such as DECIMAL(10,2)")
	}
}

func (j *judge) function(e *expr) {
	if _, _, ok := e.interval(); ok {
		return
	}
	name := e.Function
	if unit, ok := units[name]; ok {
		j.refuse(e.At, "an interval of a computed number of "+strings.ToLower(unit)+"s", "write the number, or compute with milliseconds: timestamp_millis(unix_millis(ts) + n)")
		return
	}
	if e.Schema != "" && e.Schema != "main" {
		j.refuse(e.At, e.Schema+"."+name+"(…)", "write "+name+"("+e.Schema+", …)")
		return
	}
	defer e.each(j.expr)
	if most, ok := operands[name]; ok && (len(e.Children) > most || len(e.Children) < most && (len(e.Children) != 1 || name != "+" && name != "-")) {
		j.refuse(e.At, name+" with "+counts(len(e.Children)), "write it as an operator")
		return
	}
	switch {
	case name == "~~" || name == "!~~":
		if pattern, ok := e.Children[1].text(); ok && strings.Contains(pattern, `\`) {
			j.refuse(e.At, `a backslash in LIKE without ESCAPE`, `engines take it differently: write LIKE 'a!_b' ESCAPE '!'`)
		}
		return
	case name == "like_escape" || name == "not_like_escape":
		if escape, ok := e.Children[2].text(); !ok || len([]rune(escape)) != 1 {
			j.refuse(e.At, "ESCAPE with anything but one character", "write ESCAPE '!'")
		}
		return
	case slices.Contains(operators, name):
		return
	case name == "date_part":
		j.unit(e, "EXTRACT of", extractFields)
		return
	case name == "date_trunc":
		j.unit(e, "date_trunc to", truncUnits)
	case strings.HasPrefix(name, "regexp_") && len(e.Children) > 1:
		j.pattern(e)
	case name == "first" || name == "last" || name == "arbitrary":
		j.refuse(e.At, "function "+name, "rows have no order: write min_by(value, key) or max_by(value, key)")
		return
	}
	f, ok := findFunction(name)
	switch {
	case !ok:
		hint := instead[name]
		if hint == "" && len(name) > 2 {
			hint = diag.DidYouMean(name, functionNames())
		}
		if hint == "" {
			hint = "docs/sql.md lists the functions that all engines have"
		}
		what := "function " + name
		if e.IsOperator || strings.IndexFunc(name, letter) < 0 {
			what = "operator " + strings.TrimSuffix(name, "__postfix")
		}
		j.refuse(e.At, what, hint)
	case f.kind == window:
		j.list = append(j.list, j.q.src.At(j.q.at(e.At), "not-portable", name+" needs OVER (…)", "for example "+name+"() OVER (PARTITION BY … ORDER BY …)"))
	case len(e.Children) < f.min || f.max >= 0 && len(e.Children) > f.max:
		j.list = append(j.list, j.q.src.At(j.q.at(e.At), "arguments", fmt.Sprintf("%s takes %s, not %d", f.name, counted(f), len(e.Children)), f.meaning))
	case f.kind == scalar && (e.Distinct || e.Filter != nil):
		j.refuse(e.At, "DISTINCT or FILTER with "+name, "those are for aggregates such as count and sum")
	case e.OrderBys != nil && len(e.OrderBys.Orders) > 0:
		j.refuse(e.At, "ORDER BY inside "+name, "for the value of the first or last row write min_by(value, key) or max_by(value, key)")
	case e.Distinct && !slices.Contains([]string{"count", "sum", "avg", "min", "max"}, f.name):
		j.refuse(e.At, "DISTINCT inside "+name, "take the distinct rows in a subquery")
	}
}

// operands tells how many arguments stand around an operator; all of them can be written as calls too.
var operands = map[string]int{"+": 2, "-": 2, "*": 2, "/": 2, "||": 2, "~~": 2, "!~~": 2, "like_escape": 3, "not_like_escape": 3, "date_part": 2}

func counts(n int) string {
	if n == 1 {
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", n)
}

func letter(r rune) bool { return r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

// text gives the text of a constant.
func (e *expr) text() (string, bool) {
	if e.Class != "CONSTANT" || e.Value == nil || e.Value.IsNull || e.Value.Type.ID != "VARCHAR" {
		return "", false
	}
	var s string
	if len(e.Value.Value) > 0 && json.Unmarshal(e.Value.Value, &s) != nil {
		return "", false
	}
	return s, true
}

var groupReference = regexp.MustCompile(`[$\\]\d`)

// pattern judges a regular expression that is written out: Go's are RE2's, which are DuckDB's, and Java knows all of them.
func (j *judge) pattern(e *expr) {
	if p, ok := e.Children[1].text(); ok {
		if _, err := regexp.Compile(p); err != nil {
			reason := err.Error()
			if i := strings.LastIndex(reason, "parsing regexp: "); i >= 0 {
				reason = reason[i+len("parsing regexp: "):]
			}
			j.refuse(e.Children[1].At, "this regular expression ("+reason+")", "write it without look-around and back-references")
		}
	}
	if e.Function == "regexp_replace" && len(e.Children) > 2 {
		if with, ok := e.Children[2].text(); ok && groupReference.MatchString(with) {
			j.refuse(e.Children[2].At, "a group in the replacement", "engines write it differently: put texts together with regexp_extract and concat")
		}
	}
}

// extractFields and truncUnits are what every engine counts alike; days of the week are not.
var (
	extractFields = []string{"year", "quarter", "month", "week", "day", "doy", "hour", "minute", "second"}
	truncUnits    = []string{"year", "quarter", "month", "week", "day", "hour", "minute", "second"}
)

func (j *judge) unit(e *expr, what string, known []string) {
	if len(e.Children) == 0 {
		return
	}
	field, ok := e.Children[0].text()
	switch low := strings.ToLower(field); {
	case !ok:
		j.refuse(e.At, what+" a computed unit", "write one of "+strings.Join(known, ", "))
	case !slices.Contains(known, low):
		hint := "write one of " + strings.Join(known, ", ")
		switch low {
		case "dow", "isodow", "weekday", "dayofweek":
			hint = "engines count the days of a week differently: take mod(floor(unix_seconds(ts) / 86400) + 3, 7) for Monday = 0"
		case "epoch":
			hint = "write unix_seconds(ts) or unix_millis(ts)"
		}
		j.refuse(e.At, what+" "+field, hint)
	}
}

func counted(f function) string {
	switch {
	case f.max < 0:
		return fmt.Sprintf("%d or more arguments", f.min)
	case f.min == f.max && f.min == 1:
		return "1 argument"
	case f.min == f.max:
		return fmt.Sprintf("%d arguments", f.min)
	}
	return fmt.Sprintf("%d to %d arguments", f.min, f.max)
}

func (j *judge) window(e *expr) {
	f, ok := findFunction(e.Function)
	switch {
	case !ok || f.kind == scalar:
		hint := instead[e.Function]
		if hint == "" {
			hint = "docs/sql.md lists the functions that all engines have"
		}
		j.refuse(e.At, "window function "+e.Function, hint)
	case f.kind == window && len(e.Orders) == 0:
		j.list = append(j.list, j.q.src.At(j.q.at(e.At), "not-portable", f.name+" needs ORDER BY inside OVER (…)", "without it, a rerun would give another table"))
	}
	if n := e.windowArguments(); ok && (n < f.min || f.max >= 0 && n > f.max) {
		j.list = append(j.list, j.q.src.At(j.q.at(e.At), "arguments", fmt.Sprintf("%s takes %s, not %d", f.name, counted(f), n), f.meaning))
	}
	if e.Distinct {
		j.refuse(e.At, "DISTINCT in a window function", "join with a subquery that counts with GROUP BY")
	}
	if e.FilterExpr != nil {
		j.refuse(e.At, "FILTER in a window function", "write sum(CASE WHEN … THEN 1 ELSE 0 END) OVER (…)")
	}
	if e.IgnoreNulls {
		j.refuse(e.At, "IGNORE NULLS", "leave the rows with nulls out in a subquery")
	}
	if e.Exclude != "" && e.Exclude != "NO_OTHER" {
		j.refuse(e.At, "EXCLUDE in a window frame", "subtract the row's own value")
	}
	if len(e.ArgOrders) > 0 {
		j.refuse(e.At, "ORDER BY inside "+e.Function, "order inside OVER (…)")
	}
	for _, bound := range []string{e.Start, e.End} {
		if _, known := bounds[bound]; !known && bound != "" {
			j.refuse(e.At, "a window frame by GROUPS", "write ROWS or RANGE")
			break
		}
	}
	for _, n := range []*expr{e.StartExpr, e.EndExpr} {
		if n == nil {
			continue
		}
		if _, _, interval := n.interval(); !interval && n.Class != "CONSTANT" {
			j.refuse(e.At, "a window frame with a computed bound", "write the number or the INTERVAL")
		}
	}
}

// windowArguments counts arguments; lag and lead keep theirs apart.
func (e *expr) windowArguments() int {
	n := len(e.Children)
	for _, c := range []*expr{e.OffsetExpr, e.DefaultExpr} {
		if c != nil {
			n++
		}
	}
	return n
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
