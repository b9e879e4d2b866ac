package sqltree

import (
	"fmt"
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
	// literal writes a text.
	literal func(string) string
	// form gives what the engine casts instead of a text.
	form func(textForm) string
	// own writes what only this engine writes in its own way; nil if it writes everything as DuckDB does. It needs the
	// types that [Bind] finds.
	own func(p *printer, e *expr) (string, bool)
	// row writes the type of a row of several columns that is counted by DISTINCT.
	row func(columns string) string
	// semiJoin is the word for a join that keeps the left rows with a match.
	semiJoin string
	// rowID gives each row of a table a number of its own.
	rowID string
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
	literal:  schema.Literal,
	form:     func(f textForm) string { return f.duckdb },
	row:      func(columns string) string { return "(" + columns + ")" },
	semiJoin: "SEMI JOIN",
	rowID:    "row_number() OVER ()",
}

// printer writes a tree. It never passes through what it does not know: err is set instead.
type printer struct {
	q      *Query
	d      Dialect
	rename func(TableRef) string
	hidden []string // names that WITH defines
	lifts  lifts
	// stub writes some expressions in another way, where only the type of what is around them is asked for.
	stub func(*expr) (string, bool)
	// spread puts each column of a SELECT list on a line of its own.
	spread bool
	// marks puts the offset of each expression before it: see [Query.Places].
	marks bool
	err   error
}

// Print writes the query for an engine. rename says, already quoted, what stands there for each table.
func (q *Query) Print(d Dialect, rename func(TableRef) string) (string, error) {
	if d.own != nil && q.types == nil {
		return "", fmt.Errorf("%s: types are not known, so that nothing can be written for %s", q.src.File, d.Name)
	}
	p := &printer{q: q, d: d, rename: rename}
	text := p.top()
	return text, p.err
}

// PrintSpread writes the query like [Query.Print], for people: each column stands on a line of its own.
func (q *Query) PrintSpread(d Dialect, rename func(TableRef) string) (string, error) {
	if d.own != nil && q.types == nil {
		return q.Print(d, rename)
	}
	p := &printer{q: q, d: d, rename: rename, spread: true}
	text := p.top()
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
			parts = append(parts, "("+p.arm(n, arm)+")")
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
	b.WriteString("SELECT")
	for _, m := range n.Modifiers {
		if m.Type == "DISTINCT_MODIFIER" {
			b.WriteString(" DISTINCT")
		}
	}
	before := " "
	if p.spread && len(n.SelectList) > 1 {
		before = "\n  "
	}
	for i, e := range n.SelectList {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(before)
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
