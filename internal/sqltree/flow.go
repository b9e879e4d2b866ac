package sqltree

import (
	"strings"
)

// Flow says what becomes of the rows of a query's driving table, the first of FROM.
type Flow struct {
	// Driving is where the rows come from. It is zero, and Opaque says why, where that is not one table.
	Driving TableRef
	Opaque  string
	// Steps are the conditions that can drop rows, in the order written: inner joins, then the parts of WHERE.
	Steps []Step
	// Multiplies says that a join can give several rows for one.
	Multiplies bool
	// Merges says why rows are merged: "GROUP BY", "DISTINCT" or "aggregate"; "" where they are not.
	Merges string

	query *Query
	root  *node
}

// Step is one condition.
type Step struct {
	// Name is what `-- drop: name` on the condition's last line says, or the condition's own text.
	Name string
	// Join says that it is a join's condition.
	Join   bool
	Offset int // bytes, in the file

	expr *expr
	from *tableRef
}

// Flow follows the rows of the driving table.
func (q *Query) Flow() *Flow {
	f := &Flow{query: q, root: q.root}
	n := q.root
	switch {
	case n.Type != "SELECT_NODE":
		f.Opaque = "rows come from " + strings.ToUpper(n.SetOp)
		return f
	case n.From == nil || n.From.Type == "EMPTY":
		f.Opaque = "there is no FROM"
		return f
	}
	if !f.from(n.From, q.ctes(n)) {
		return f
	}
	for _, c := range conjuncts(n.Where) {
		f.Steps = append(f.Steps, q.step(c, nil))
	}
	switch {
	case len(n.Groups) > 0 || n.Having != nil:
		f.Merges = "GROUP BY"
	case hasAggregate(n):
		f.Merges = "an aggregate"
	}
	for _, m := range n.Modifiers {
		if m.Type == "DISTINCT_MODIFIER" {
			f.Merges = "DISTINCT"
		}
	}
	return f
}

func (q *Query) ctes(n *node) map[string]bool {
	out := map[string]bool{}
	for _, c := range n.CTEs.Map {
		out[strings.ToLower(c.Key)] = true
	}
	return out
}

// from follows joins to the left, down to the driving table.
func (f *Flow) from(r *tableRef, hidden map[string]bool) bool {
	switch r.Type {
	case "BASE_TABLE":
		if r.Schema == "" && hidden[strings.ToLower(r.Table)] {
			f.Opaque = "the first of FROM is " + r.Table + " of WITH"
			return false
		}
		f.Driving = f.query.ref(r)
		return true
	case "JOIN":
		if r.JoinType == "RIGHT" || r.JoinType == "FULL" || r.JoinType == "OUTER" {
			f.Opaque = "a " + joinWord(r) + " has no driving side"
			return false
		}
		if !f.from(r.Left, hidden) {
			return false
		}
		f.Multiplies = true
		if r.JoinType == "INNER" {
			s := f.query.step(r.Condition, r.Right)
			s.Join, s.from = true, r
			f.Steps = append(f.Steps, s)
		}
		return true
	}
	f.Opaque = "the first of FROM is a subquery"
	return false
}

// conjuncts splits a condition at its outermost ANDs.
func conjuncts(e *expr) []*expr {
	if e == nil {
		return nil
	}
	if e.Class == "CONJUNCTION" && e.Type == "CONJUNCTION_AND" {
		var out []*expr
		for _, c := range e.Children {
			out = append(out, conjuncts(c)...)
		}
		return out
	}
	return []*expr{e}
}

func (q *Query) step(e *expr, right *tableRef) Step {
	s := Step{expr: e, Offset: q.at(-1)}
	first, last := location(-1), location(-1)
	if e != nil {
		first, last = e.first(), q.deepest(e)
	}
	if right != nil && right.At >= 0 {
		if first < 0 || right.At < first {
			first = right.At
		}
		last = max(last, right.At)
	}
	if first < 0 {
		s.Name = "condition"
		return s
	}
	s.Offset = q.base + int(first)
	if name, ok := q.dropName(int(last)); ok {
		s.Name = name
		return s
	}
	s.Name = q.shorten(int(first), int(last))
	return s
}

// deepest gives the last known place in an expression, also inside its subqueries.
func (q *Query) deepest(e *expr) location {
	most := e.At
	if e.Subquery != nil && e.Subquery.Node != nil {
		most = max(most, q.deepestNode(e.Subquery.Node))
	}
	e.each(func(c *expr) { most = max(most, q.deepest(c)) })
	return most
}

func (q *Query) deepestNode(n *node) location {
	most := location(-1)
	for _, list := range [][]*expr{n.SelectList, n.Groups, {n.Where, n.Having}} {
		for _, e := range list {
			if e != nil {
				most = max(most, q.deepest(e))
			}
		}
	}
	if n.From != nil {
		most = max(most, n.From.At)
	}
	return most
}

// dropName finds `-- drop: name` behind a place: on its line, or on the following ones up to the line in which brackets
// that are open there close again, as in EXISTS ( … ) -- drop: name.
func (q *Query) dropName(from int) (string, bool) {
	rest := blank(q.text)
	for at := from; at <= len(rest); {
		end := at + lineEnd(rest[at:])
		if c, ok := lineComment(q.text, at); ok {
			if name, ok := strings.CutPrefix(c, "drop:"); ok {
				return strings.TrimSpace(name), true
			}
		}
		next := end + 1
		if next >= len(rest) || !strings.HasPrefix(strings.TrimLeft(rest[next:next+lineEnd(rest[next:])], " \t)"), "") {
			return "", false
		}
		line := strings.TrimSpace(rest[next : next+lineEnd(rest[next:])])
		if line != "" && strings.Trim(line, ") \t;") != "" {
			return "", false
		}
		at = next
	}
	return "", false
}

// shorten gives the text of a condition in at most 60 characters on one line.
func (q *Query) shorten(first, last int) string {
	end := last + lineEnd(q.text[last:])
	if c := strings.Index(blank(q.text)[last:end], "  "); c > 0 && strings.Contains(q.text[last+c:end], "--") {
		end = last + c
	}
	text := []rune(strings.Join(strings.Fields(q.text[first:end]), " "))
	if len(text) > 60 {
		return string(text[:59]) + "…"
	}
	return string(text)
}

func hasAggregate(n *node) bool {
	found := false
	var look func(e *expr)
	look = func(e *expr) {
		if e.Class == "FUNCTION" {
			if f, ok := findFunction(e.Function); ok && f.kind == aggregate {
				found = true
			}
		}
		if e.Class != "SUBQUERY" {
			e.each(look)
		}
	}
	for _, e := range n.SelectList {
		look(e)
	}
	return found
}
