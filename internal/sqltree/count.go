package sqltree

import (
	"fmt"
	"slices"
	"strings"
)

// Simple reports whether rows in and rows out alone tell what each condition dropped: at most one condition, no join, no
// merging. reason is the condition's name, "" where there is none.
func (f *Flow) Simple() (reason string, ok bool) {
	if f.Opaque != "" || f.Multiplies || f.Merges != "" || len(f.Steps) > 1 {
		return "", false
	}
	if len(f.Steps) == 1 {
		return f.Steps[0].Name, true
	}
	return "", true
}

// Counts writes the query that counts the driving table's rows: its one row has, for each step, how many are left after
// it, and then how many rows the joins make of the last of them. That last number is NULL where the rows that the query
// gives are those very rows, so that nobody has to count them a second time. single are the answers to [Flow.Uniques].
func (f *Flow) Counts(d Dialect, rename func(TableRef) string, single []bool) (string, error) {
	p := &printer{q: f.query, d: d, rename: rename}
	with := f.with(p)
	var body string
	if f.Multiplies {
		body = f.joined(p, single)
	} else {
		body = f.filtered(p)
	}
	return with + body, p.err
}

// with writes the query's WITH, and hides the names that it defines.
func (f *Flow) with(p *printer) string {
	if len(f.root.CTEs.Map) == 0 {
		return ""
	}
	parts := make([]string, len(f.root.CTEs.Map))
	for i, c := range f.root.CTEs.Map {
		parts[i] = p.d.quote(c.Key) + p.names2(c.Value.Aliases) + " AS (" + p.node(c.Value.Query.Node) + ")"
		p.hidden = append(p.hidden, strings.ToLower(c.Key))
	}
	return "WITH " + strings.Join(parts, ", ") + " "
}

func (p *printer) names2(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return " (" + p.names(list) + ")"
}

// filtered judges all conditions in one pass over the driving table.
func (f *Flow) filtered(p *printer) string {
	flags := make([]string, len(f.Steps))
	counts := make([]string, 0, len(f.Steps)+1)
	so := "true"
	for i, s := range f.Steps {
		flags[i] = fmt.Sprintf("coalesce(%s, false) AS k%d", p.expr(s.expr), i)
		so += fmt.Sprintf(" AND k%d", i)
		counts = append(counts, "count(*) FILTER (WHERE "+so+")")
	}
	counts = append(counts, "count(*) FILTER (WHERE "+so+")")
	if len(flags) == 0 {
		flags = append(flags, "1 AS one")
	}
	return "SELECT " + strings.Join(counts, ", ") + " FROM (SELECT " + strings.Join(flags, ", ") + " FROM " + p.from(f.root.From) + ")"
}

// Uniques writes one query for each join, in the order of the joins: whether its right side has at most one row for each
// key, so that it cannot make two rows of one. "" stands for a join of which this cannot be told.
func (f *Flow) Uniques(d Dialect, rename func(TableRef) string) ([]string, error) {
	p := &printer{q: f.query, d: d, rename: rename}
	with := f.with(p)
	joins := joinChain(f.root.From)
	out := make([]string, len(joins))
	for i, j := range joins {
		keys := p.keys(j)
		if len(keys) == 0 {
			continue
		}
		there := strings.Join(keys, " IS NOT NULL AND ") + " IS NOT NULL"
		out[i] = with + "SELECT count(*) = count(DISTINCT " + p.d.row(strings.Join(keys, ", ")) + ") FROM " + p.from(j.Right) + " WHERE " + there
	}
	return out, p.err
}

// keys lists the columns of a join's right side that have to equal something of the left.
func (p *printer) keys(j *tableRef) []string {
	if j.Right.Type != "BASE_TABLE" {
		return nil
	}
	alias := j.Right.Alias
	if alias == "" {
		alias = j.Right.Table
	}
	var keys []string
	for _, u := range j.Using {
		keys = append(keys, p.d.quote(alias)+"."+p.d.quote(u))
	}
	for _, c := range conjuncts(j.Condition) {
		if c.Type != "COMPARE_EQUAL" {
			continue
		}
		for _, side := range [][2]*expr{{c.Left, c.Right}, {c.Right, c.Left}} {
			if side[0].columnOf(alias) && !side[1].mentions(alias) {
				keys = append(keys, p.expr(side[0]))
				break
			}
		}
	}
	return keys
}

// columnOf reports whether the expression is a column that is written with this alias.
func (e *expr) columnOf(alias string) bool {
	return e.Class == "COLUMN_REF" && len(e.Columns) == 2 && strings.EqualFold(e.Columns[0], alias)
}

// mentions reports whether the expression may depend on the table with this alias. A subquery may depend on anything, and
// so may a column without an alias.
func (e *expr) mentions(alias string) bool {
	if e.Class == "SUBQUERY" || e.Class == "COLUMN_REF" && (len(e.Columns) == 1 || e.columnOf(alias)) {
		return true
	}
	found := false
	e.each(func(c *expr) { found = found || c.mentions(alias) })
	return found
}

// rowNumber is the column that tells the driving table's rows apart.
const rowNumber = "__tarn_row"

// joined counts the rows of the driving table that are left after each join and condition. While no join so far can make
// two rows of one, counting is enough, and the next join only has to be asked if there is a match; after that, the rows
// are told apart by number, which costs several times as much.
func (f *Flow) joined(p *printer, single []bool) string {
	driving := f.root.From
	for driving.Type == "JOIN" {
		driving = driving.Left
	}
	alias := driving.Alias
	if alias == "" {
		alias = driving.Table
	}
	plain := p.from(driving)
	numbered := "(SELECT *, " + p.d.rowID + " AS " + rowNumber + " FROM " + p.rename(f.query.ref(driving)) + ") AS " + p.d.quote(alias) + p.aliases(driving)
	distinct := "count(DISTINCT " + p.d.quote(alias) + "." + rowNumber + ")"
	joins := joinChain(f.root.From)
	// from writes the driving table with the first joins.
	from := func(start string, n int, lastWord string) string {
		for i, j := range joins[:n] {
			word := joinWord(j)
			if i == n-1 && lastWord != "" {
				word = lastWord
			}
			start = p.joinTo(start, word, j)
		}
		return start
	}
	allSingle := func(n int) bool {
		for i := range joins[:n] {
			if i >= len(single) || !single[i] {
				return false
			}
		}
		return true
	}
	counts := make([]string, 0, len(f.Steps)+1)
	where := ""
	for _, s := range f.Steps {
		if s.Join {
			n := slices.Index(joins, s.from) + 1
			switch {
			case allSingle(n - 1):
				counts = append(counts, "(SELECT count(*) FROM "+from(plain, n, p.d.semiJoin)+")")
			default:
				counts = append(counts, "(SELECT "+distinct+" FROM "+from(numbered, n, "")+")")
			}
			continue
		}
		if where == "" {
			where = " WHERE "
		} else {
			where += " AND "
		}
		where += p.expr(s.expr)
		if allSingle(len(joins)) {
			counts = append(counts, "(SELECT count(*) FROM "+from(plain, len(joins), "")+where+")")
		} else {
			counts = append(counts, "(SELECT "+distinct+" FROM "+from(numbered, len(joins), "")+where+")")
		}
	}
	made := "CAST(NULL AS BIGINT)"
	if f.Merges != "" {
		made = "(SELECT count(*) FROM " + from(plain, len(joins), "") + where + ")"
	}
	return "SELECT " + strings.Join(append(counts, made), ", ")
}

// joinChain lists the joins from the driving table outwards.
func joinChain(r *tableRef) []*tableRef {
	if r.Type != "JOIN" {
		return nil
	}
	return append(joinChain(r.Left), r)
}

func (p *printer) joinTo(left, word string, r *tableRef) string {
	right := p.from(r.Right)
	if r.Right.Type == "JOIN" {
		right = "(" + right + ")"
	}
	switch {
	case r.RefType == "CROSS" && word == p.d.semiJoin:
		return left + " " + word + " " + right + " ON true"
	case r.RefType == "CROSS":
		return left + " CROSS JOIN " + right
	case len(r.Using) > 0:
		return left + " " + word + " " + right + " USING (" + p.names(r.Using) + ")"
	}
	return left + " " + word + " " + right + " ON " + p.expr(r.Condition)
}

// Traced writes the query with one more column at its end: a column of the driving table that the query itself need not
// select, such as the landing file of a row. It is possible only where rows are neither opaque nor merged.
func (f *Flow) Traced(d Dialect, rename func(TableRef) string, column string) (text string, ok bool, err error) {
	if f.Opaque != "" || f.Merges != "" {
		return "", false, nil
	}
	driving := f.root.From
	for driving.Type == "JOIN" {
		driving = driving.Left
	}
	alias := driving.Alias
	if alias == "" {
		alias = driving.Table
	}
	root := *f.root
	root.SelectList = append(root.SelectList[:len(root.SelectList):len(root.SelectList)], &expr{Class: "COLUMN_REF", Columns: flexible{alias, column}, At: -1})
	p := &printer{q: f.query, d: d, rename: rename}
	text = p.node(&root)
	return text, p.err == nil, p.err
}
