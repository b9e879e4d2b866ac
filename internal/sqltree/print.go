package sqltree

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tarn/internal/schema"
)

// Dialect is how one engine writes what the portable subset can say. The zero value is unusable; see [DuckDBDialect].
type Dialect struct {
	// Name is the engine's, for messages.
	Name string
	// call writes a function's template: see function.
	call func(f function) string
	// interval writes so many units, such as 1 and DAY.
	interval func(n, unit string) string
	// castType writes a type by DuckDB's name for it.
	castType func(t typeInfo) string
	// datePart writes EXTRACT of a field.
	datePart func(field, from string) string
	// quote writes an identifier.
	quote func(string) string
}

// DuckDBDialect is the SQL of the engine in the process.
var DuckDBDialect = Dialect{
	Name:     "DuckDB",
	call:     func(f function) string { return f.duckdb },
	interval: func(n, unit string) string { return "INTERVAL (" + n + ") " + unit },
	castType: func(t typeInfo) string {
		if t.ID == "DECIMAL" && t.Info != nil {
			return fmt.Sprintf("DECIMAL(%d,%d)", t.Info.Width, t.Info.Scale)
		}
		if t.ID == "BLOB" {
			return "BLOB"
		}
		return castTypes[t.ID]
	},
	datePart: func(field, from string) string { return "date_part(" + schema.Literal(field) + ", " + from + ")" },
	quote:    schema.Quote,
}

// printer writes a tree. It never passes through what it does not know: err is set instead.
type printer struct {
	q      *Query
	d      Dialect
	rename func(TableRef) string
	hidden []string // names that WITH defines
	lifts  lifts
	err    error
}

// Print writes the query for an engine. rename says, already quoted, what stands there for each table.
func (q *Query) Print(d Dialect, rename func(TableRef) string) (string, error) {
	p := &printer{q: q, d: d, rename: rename}
	text := p.node(q.root)
	return text, p.err
}

func (p *printer) fail(at location, what string) string {
	if p.err == nil {
		p.err = fmt.Errorf("%s", p.q.src.At(p.q.at(at), "not-portable", what+" cannot be written for "+p.d.Name, "").String())
	}
	return "NULL"
}

func (p *printer) node(n *node) string {
	var b strings.Builder
	before := p.hidden
	if len(n.CTEs.Map) > 0 {
		parts := make([]string, len(n.CTEs.Map))
		for i, c := range n.CTEs.Map {
			name := p.d.quote(c.Key)
			if len(c.Value.Aliases) > 0 {
				name += " (" + p.names(c.Value.Aliases) + ")"
			}
			parts[i] = name + " AS (" + p.node(c.Value.Query.Node) + ")"
			p.hidden = append(p.hidden[:len(p.hidden):len(p.hidden)], strings.ToLower(c.Key))
		}
		b.WriteString("WITH " + strings.Join(parts, ",\n") + "\n")
	}
	if n.Type == "SET_OPERATION_NODE" {
		op := n.SetOp
		if n.SetOpAll {
			op += " ALL"
		}
		parts := make([]string, 0, 2)
		for _, arm := range n.arms() {
			parts = append(parts, "("+p.node(arm)+")")
		}
		b.WriteString(strings.Join(parts, "\n"+op+"\n"))
	} else {
		p.selectNode(&b, n)
	}
	for _, m := range n.Modifiers {
		switch m.Type {
		case "ORDER_MODIFIER":
			b.WriteString("\nORDER BY " + p.orders(m.Orders))
		case "LIMIT_MODIFIER":
			b.WriteString("\nLIMIT " + p.expr(m.Limit))
		}
	}
	p.hidden = before
	return b.String()
}

func (p *printer) selectNode(b *strings.Builder, n *node) {
	b.WriteString("SELECT ")
	for _, m := range n.Modifiers {
		if m.Type == "DISTINCT_MODIFIER" {
			b.WriteString("DISTINCT ")
		}
	}
	for i, e := range n.SelectList {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.expr(e))
		if e.Alias != "" {
			b.WriteString(" AS " + p.d.quote(e.Alias))
		}
	}
	if n.From != nil && n.From.Type != "EMPTY" {
		b.WriteString("\nFROM " + p.from(n.From))
	}
	if n.Where != nil {
		b.WriteString("\nWHERE " + p.expr(n.Where))
	}
	if len(n.Groups) > 0 {
		b.WriteString("\nGROUP BY " + p.list(n.Groups))
	}
	if n.Having != nil {
		b.WriteString("\nHAVING " + p.expr(n.Having))
	}
}

func (p *printer) from(r *tableRef) string {
	switch r.Type {
	case "BASE_TABLE":
		name := p.d.quote(r.Table)
		alias := r.Alias
		if r.Schema != "" || !contains(p.hidden, r.Table) {
			name = p.lifted(r, p.rename(p.q.ref(r)))
			if alias == "" {
				alias = r.Table
			}
		}
		if alias != "" {
			name += " AS " + p.d.quote(alias)
		}
		return name + p.aliases(r)
	case "SUBQUERY":
		return "(" + p.node(r.Subquery.Node) + ") AS " + p.d.quote(r.Alias) + p.aliases(r)
	case "JOIN":
		left, right := p.from(r.Left), p.from(r.Right)
		if r.Right.Type == "JOIN" {
			right = "(" + right + ")"
		}
		switch {
		case r.RefType == "CROSS":
			return left + "\nCROSS JOIN " + right
		case len(r.Using) > 0:
			return left + "\n" + joinWord(r) + " " + right + " USING (" + p.names(r.Using) + ")"
		case r.Condition != nil:
			return left + "\n" + joinWord(r) + " " + right + " ON " + p.expr(r.Condition)
		}
	}
	return p.fail(r.At, "this item of FROM")
}

func contains(list []string, name string) bool {
	for _, l := range list {
		if strings.EqualFold(l, name) {
			return true
		}
	}
	return false
}

func joinWord(r *tableRef) string {
	switch r.JoinType {
	case "LEFT", "RIGHT":
		return r.JoinType + " JOIN"
	case "FULL", "OUTER":
		return "FULL JOIN"
	}
	return "JOIN"
}

func (p *printer) aliases(r *tableRef) string {
	if len(r.ColumnAliases) == 0 {
		return ""
	}
	return " (" + p.names(r.ColumnAliases) + ")"
}

func (p *printer) names(list []string) string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = p.d.quote(n)
	}
	return strings.Join(out, ", ")
}

func (p *printer) list(list []*expr) string {
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = p.expr(e)
	}
	return strings.Join(out, ", ")
}

// orders writes a sort order with the place of nulls always said, as engines differ in what they do otherwise.
func (p *printer) orders(list []orderBy) string {
	out := make([]string, len(list))
	for i, o := range list {
		out[i] = p.expr(o.Expr)
		descending := o.Type == "DESCENDING"
		if descending {
			out[i] += " DESC"
		}
		if o.Null == "NULLS FIRST" {
			out[i] += " NULLS FIRST"
		} else {
			out[i] += " NULLS LAST"
		}
	}
	return strings.Join(out, ", ")
}

var comparisons = map[string]string{"COMPARE_EQUAL": "=", "COMPARE_NOTEQUAL": "<>", "COMPARE_LESSTHAN": "<", "COMPARE_GREATERTHAN": ">",
	"COMPARE_LESSTHANOREQUALTO": "<=", "COMPARE_GREATERTHANOREQUALTO": ">=", "COMPARE_DISTINCT_FROM": "IS DISTINCT FROM", "COMPARE_NOT_DISTINCT_FROM": "IS NOT DISTINCT FROM"}

func (p *printer) expr(e *expr) string {
	switch e.Class {
	case "COLUMN_REF":
		return p.column(e)
	case "STAR":
		if e.Relation != "" {
			return p.d.quote(e.Relation) + ".*"
		}
		return "*"
	case "CONSTANT":
		return p.constant(e)
	case "COMPARISON":
		if op, ok := comparisons[e.Type]; ok {
			return "(" + p.expr(e.Left) + " " + op + " " + p.expr(e.Right) + ")"
		}
	case "CONJUNCTION":
		op := " AND "
		if e.Type == "CONJUNCTION_OR" {
			op = " OR "
		}
		parts := make([]string, len(e.Children))
		for i, c := range e.Children {
			parts[i] = p.expr(c)
		}
		return "(" + strings.Join(parts, op) + ")"
	case "BETWEEN":
		not := ""
		if e.Type == "COMPARE_NOT_BETWEEN" {
			not = "NOT "
		}
		return "(" + p.expr(e.Input) + " " + not + "BETWEEN " + p.expr(e.Lower) + " AND " + p.expr(e.Upper) + ")"
	case "CASE":
		var b strings.Builder
		b.WriteString("CASE")
		for _, c := range e.Checks {
			b.WriteString(" WHEN " + p.expr(c.When) + " THEN " + p.expr(c.Then))
		}
		if e.Else != nil {
			b.WriteString(" ELSE " + p.expr(e.Else))
		}
		return b.String() + " END"
	case "CAST":
		return p.cast(e)
	case "OPERATOR":
		return p.operator(e)
	case "SUBQUERY":
		return p.subquery(e)
	case "FUNCTION":
		if column, ok := p.liftedCall(e); ok {
			return column
		}
		return p.function(e)
	case "WINDOW":
		return p.window(e)
	}
	return p.fail(e.At, strings.ToLower(e.Class))
}

// column writes a column's name. A database before the table is left out, as FROM gives the table its name alone.
func (p *printer) column(e *expr) string {
	names := e.Columns
	if len(names) > 2 && slices.ContainsFunc(p.q.Tables(), func(r TableRef) bool {
		return r.Alias == "" && strings.EqualFold(r.Database, names[0]) && strings.EqualFold(r.Name, names[1])
	}) {
		names = names[1:]
	}
	parts := make([]string, len(names))
	for i, c := range names {
		parts[i] = p.d.quote(c)
	}
	return strings.Join(parts, ".")
}

func (p *printer) constant(e *expr) string {
	v := e.Value
	if v == nil || v.IsNull {
		return "NULL"
	}
	switch v.Type.ID {
	case "VARCHAR":
		s, ok := e.text()
		if !ok {
			return p.fail(e.At, "this text")
		}
		return schema.Literal(s)
	case "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT":
		return string(v.Value)
	case "DOUBLE":
		// Without an exponent it would be a decimal.
		if text := string(v.Value); strings.ContainsAny(text, "eE") {
			return text
		}
		return string(v.Value) + "e0"
	case "HUGEINT":
		return strings.Trim(string(v.Value), `"`)
	case "DECIMAL":
		digits := strings.Trim(string(v.Value), `"`)
		return unscaled(digits, v.Type.Info.Scale)
	}
	return p.fail(e.At, "a constant of type "+v.Type.ID)
}

// unscaled writes an unscaled whole number with its decimal point.
func unscaled(digits string, scale int) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	if scale == 0 {
		return sign + digits
	}
	for len(digits) <= scale {
		digits = "0" + digits
	}
	return sign + digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
}

func (p *printer) cast(e *expr) string {
	if e.At < 0 && e.Child.Class == "CONSTANT" && e.Child.Value != nil && !e.Child.Value.IsNull {
		var s string
		if json.Unmarshal(e.Child.Value.Value, &s) == nil {
			switch {
			case e.CastType.ID == "BOOLEAN" && s == "t":
				return "TRUE"
			case e.CastType.ID == "BOOLEAN" && s == "f":
				return "FALSE"
			}
		}
	}
	word := "CAST"
	if e.TryCast {
		word = "TRY_CAST"
	}
	return word + "(" + p.expr(e.Child) + " AS " + p.d.castType(*e.CastType) + ")"
}

func (p *printer) operator(e *expr) string {
	switch e.Type {
	case "OPERATOR_IS_NULL":
		return "(" + p.expr(e.Children[0]) + " IS NULL)"
	case "OPERATOR_IS_NOT_NULL":
		return "(" + p.expr(e.Children[0]) + " IS NOT NULL)"
	case "OPERATOR_NOT":
		return "(NOT " + p.expr(e.Children[0]) + ")"
	case "COMPARE_IN", "COMPARE_NOT_IN":
		not := ""
		if e.Type == "COMPARE_NOT_IN" {
			not = "NOT "
		}
		return "(" + p.expr(e.Children[0]) + " " + not + "IN (" + p.list(e.Children[1:]) + "))"
	case "OPERATOR_COALESCE":
		return "coalesce(" + p.list(e.Children) + ")"
	case "OPERATOR_NULLIF":
		return "nullif(" + p.list(e.Children) + ")"
	}
	return p.fail(e.At, strings.ToLower(e.Type))
}

func (p *printer) subquery(e *expr) string {
	inner := "(" + p.node(e.Subquery.Node) + ")"
	switch e.SubqueryType {
	case "SCALAR":
		return inner
	case "EXISTS":
		return "EXISTS " + inner
	case "NOT_EXISTS":
		return "NOT EXISTS " + inner
	case "ANY":
		return "(" + p.expr(e.Child) + " IN " + inner + ")"
	}
	return p.fail(e.At, e.SubqueryType)
}

func (p *printer) function(e *expr) string {
	if n, unit, ok := e.interval(); ok {
		return p.d.interval(n, unit)
	}
	args := make([]string, len(e.Children))
	for i, c := range e.Children {
		args[i] = p.expr(c)
	}
	switch e.Function {
	case "+", "-", "*", "/":
		if len(args) == 1 {
			return "(" + e.Function + args[0] + ")"
		}
		return "(" + args[0] + " " + e.Function + " " + args[1] + ")"
	case "||":
		return "(" + strings.Join(args, " || ") + ")"
	case "~~":
		return "(" + args[0] + " LIKE " + args[1] + ")"
	case "!~~":
		return "(" + args[0] + " NOT LIKE " + args[1] + ")"
	case "like_escape":
		return "(" + args[0] + " LIKE " + args[1] + " ESCAPE " + args[2] + ")"
	case "not_like_escape":
		return "(" + args[0] + " NOT LIKE " + args[1] + " ESCAPE " + args[2] + ")"
	case "date_part":
		var field string
		if e.Children[0].Value == nil || json.Unmarshal(e.Children[0].Value.Value, &field) != nil {
			return p.fail(e.At, "date_part of a computed field")
		}
		return p.d.datePart(field, args[1])
	}
	f, ok := findFunction(e.Function)
	if !ok {
		return p.fail(e.At, "function "+e.Function)
	}
	call := p.call(f, args, e.Distinct)
	if e.Filter != nil {
		call += " FILTER (WHERE " + p.expr(e.Filter) + ")"
	}
	return call
}

// call fills a function's template.
func (p *printer) call(f function, args []string, distinct bool) string {
	template := p.d.call(f)
	if template == "" {
		inner := strings.Join(args, ", ")
		if f.name == "count" && len(args) == 0 {
			inner = "*"
		}
		if distinct {
			inner = "DISTINCT " + inner
		}
		return f.name + "(" + inner + ")"
	}
	nulls := make([]string, len(args))
	pairs := []string{"$*", strings.Join(args, ", "), "$||", strings.Join(args, " || ")}
	for i, a := range args {
		nulls[i] = a + " IS NULL"
		pairs = append(pairs, "$"+strconv.Itoa(i+1), a)
	}
	pairs = append(pairs, "$null", strings.Join(nulls, " OR "))
	return strings.NewReplacer(pairs...).Replace(template)
}

var bounds = map[string]string{"UNBOUNDED_PRECEDING": "UNBOUNDED PRECEDING", "UNBOUNDED_FOLLOWING": "UNBOUNDED FOLLOWING",
	"CURRENT_ROW_ROWS": "CURRENT ROW", "CURRENT_ROW_RANGE": "CURRENT ROW", "EXPR_PRECEDING_ROWS": "PRECEDING", "EXPR_FOLLOWING_ROWS": "FOLLOWING",
	"EXPR_PRECEDING_RANGE": "PRECEDING", "EXPR_FOLLOWING_RANGE": "FOLLOWING"}

func (p *printer) window(e *expr) string {
	f, ok := findFunction(e.Function)
	if !ok {
		return p.fail(e.At, "window function "+e.Function)
	}
	args := make([]string, 0, 3)
	for _, c := range e.Children {
		args = append(args, p.expr(c))
	}
	for _, c := range []*expr{e.OffsetExpr, e.DefaultExpr} {
		if c != nil {
			args = append(args, p.expr(c))
		}
	}
	call := p.call(f, args, e.Distinct)
	if e.FilterExpr != nil {
		call += " FILTER (WHERE " + p.expr(e.FilterExpr) + ")"
	}
	var over []string
	if len(e.Partitions) > 0 {
		over = append(over, "PARTITION BY "+p.list(e.Partitions))
	}
	if len(e.Orders) > 0 {
		over = append(over, "ORDER BY "+p.orders(e.Orders))
	}
	if frame := p.frame(e); frame != "" {
		over = append(over, frame)
	}
	return call + " OVER (" + strings.Join(over, " ") + ")"
}

// frame writes the window's frame unless it is the one that every engine takes where none is written.
func (p *printer) frame(e *expr) string {
	if e.Start == "UNBOUNDED_PRECEDING" && e.End == "CURRENT_ROW_RANGE" || e.Start == "" {
		return ""
	}
	unit := "ROWS"
	if strings.HasSuffix(e.Start, "_RANGE") || strings.HasSuffix(e.End, "_RANGE") {
		unit = "RANGE"
	}
	bound := func(kind string, n *expr) string {
		word, ok := bounds[kind]
		if !ok {
			return p.fail(e.At, "this window frame")
		}
		if n != nil {
			return p.expr(n) + " " + word
		}
		return word
	}
	return unit + " BETWEEN " + bound(e.Start, e.StartExpr) + " AND " + bound(e.End, e.EndExpr)
}

var units = map[string]string{"to_years": "YEAR", "to_months": "MONTH", "to_weeks": "WEEK", "to_days": "DAY", "to_hours": "HOUR",
	"to_minutes": "MINUTE", "to_seconds": "SECOND"}

// interval recognises INTERVAL n UNIT, which DuckDB's parser turns into calls.
func (e *expr) interval() (n, unit string, ok bool) {
	unit, ok = units[e.Function]
	if !ok || len(e.Children) != 1 {
		return "", "", false
	}
	c := e.Children[0]
	for c.Class == "CAST" || c.Class == "FUNCTION" && c.Function == "trunc" {
		if c.Class == "CAST" {
			c = c.Child
		} else {
			c = c.Children[0]
		}
	}
	if c.Class != "CONSTANT" || c.Value == nil || c.Value.IsNull {
		return "", "", false
	}
	n = strings.Trim(string(c.Value.Value), `"`)
	if _, err := strconv.Atoi(n); err != nil {
		return "", "", false
	}
	return n, unit, true
}
