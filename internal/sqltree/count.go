package sqltree

import (
	"fmt"
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
// it, and then how many rows the joins make of the last of them.
func (f *Flow) Counts(d Dialect, rename func(TableRef) string) (string, error) {
	p := &printer{q: f.query, d: d, rename: rename}
	with := ""
	if len(f.root.CTEs.Map) > 0 {
		parts := make([]string, len(f.root.CTEs.Map))
		for i, c := range f.root.CTEs.Map {
			parts[i] = d.quote(c.Key) + p.names2(c.Value.Aliases) + " AS (" + p.node(c.Value.Query.Node) + ")"
			p.hidden = append(p.hidden, strings.ToLower(c.Key))
		}
		with = "WITH " + strings.Join(parts, ", ") + " "
	}
	var body string
	if f.Multiplies {
		body = f.joined(p)
	} else {
		body = f.filtered(p)
	}
	return with + body, p.err
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

// rowNumber is the column that tells the driving table's rows apart.
const rowNumber = "__tarn_row"

// joined counts distinct rows of the driving table after each join and condition.
func (f *Flow) joined(p *printer) string {
	driving := f.root.From
	for driving.Type == "JOIN" {
		driving = driving.Left
	}
	alias := driving.Alias
	if alias == "" {
		alias = driving.Table
	}
	numbered := "(SELECT *, row_number() OVER () AS " + rowNumber + " FROM " + p.rename(f.query.ref(driving)) + ") AS " + p.d.quote(alias) + p.aliases(driving)
	distinct := "count(DISTINCT " + p.d.quote(alias) + "." + rowNumber + ")"
	counts := make([]string, 0, len(f.Steps)+1)
	where := ""
	from := numbered
	joins := joinChain(f.root.From)
	done := 0
	for i, s := range f.Steps {
		if s.Join {
			for ; done < len(joins); done++ {
				from = p.joinTo(from, joins[done])
				if joins[done] == s.from {
					done++
					break
				}
			}
		} else {
			for ; done < len(joins); done++ {
				from = p.joinTo(from, joins[done])
			}
			if where == "" {
				where = " WHERE "
			} else {
				where += " AND "
			}
			where += p.expr(s.expr)
		}
		if i < len(f.Steps)-1 {
			counts = append(counts, "(SELECT "+distinct+" FROM "+from+where+")")
		}
	}
	for ; done < len(joins); done++ {
		from = p.joinTo(from, joins[done])
	}
	last := "SELECT " + distinct + " AS d, count(*) AS n FROM " + from + where
	if len(f.Steps) > 0 {
		counts = append(counts, "d")
	}
	counts = append(counts, "n")
	if len(f.Steps) == 0 {
		return "SELECT n FROM (" + last + ")"
	}
	return "SELECT " + strings.Join(counts, ", ") + " FROM (" + last + ")"
}

// joinChain lists the joins from the driving table outwards.
func joinChain(r *tableRef) []*tableRef {
	if r.Type != "JOIN" {
		return nil
	}
	return append(joinChain(r.Left), r)
}

func (p *printer) joinTo(left string, r *tableRef) string {
	right := p.from(r.Right)
	switch {
	case r.RefType == "CROSS":
		return left + " CROSS JOIN " + right
	case len(r.Using) > 0:
		return left + " " + joinWord(r) + " " + right + " USING (" + p.names(r.Using) + ")"
	}
	return left + " " + joinWord(r) + " " + right + " ON " + p.expr(r.Condition)
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
