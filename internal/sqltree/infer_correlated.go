package sqltree

import "slices"

// outward is what becomes known of an expression's subquery while it is read.
type outward struct {
	mentions bool // a column of the query around it
	sets     int  // how many set operations are around what is being read
}

// inSet notes that what is read next stands in a set operation, until the function that it gives is called.
func (o *outward) inSet() func() {
	if o == nil {
		return func() {}
	}
	o.sets++
	return func() { o.sets-- }
}

const inWhereAlone = "an engine that runs it as a join needs it so: write the condition in the subquery's own WHERE, or join"

// subquery reads the subquery of an expression. Spark runs one that mentions the query around it as a join, and so takes only
// some of them.
func (f *inference) subquery(e *expr, known with, s *sight) []described {
	outside := f.within
	f.within = &outward{}
	out := f.node(e.Subquery.Node, known, s)
	mentions := f.within.mentions
	f.within = outside
	if !mentions {
		return out
	}
	n := e.Subquery.Node
	switch {
	case s.clause == inOn:
		f.refuse(e.At, "a subquery in ON that mentions the tables that are joined", "put it into WHERE")
	case e.SubqueryType != "SCALAR":
	case n.Type != "SELECT_NODE" || !hasAggregate(n):
		f.refuse(e.At, "a subquery for a value, without an aggregate, that mentions the query around it", "it could give several rows: write max(…) or min(…) in it, or join")
	case s.clause == inSelect && s.query != nil && (len(s.query.Groups) > 0 || hasAggregate(s.query)):
		f.refuse(e.At, "a subquery that mentions the query around it, beside groups", "group in a subquery of FROM first")
	}
	return out
}

// reachesOut judges a mention of a query further out.
func (f *inference) reachesOut(e *expr, levels int, s *sight) {
	if f.within == nil {
		return
	}
	f.within.mentions = true
	limited := s.query != nil && slices.ContainsFunc(s.query.Modifiers, func(m modifier) bool { return m.Type == "LIMIT_MODIFIER" })
	switch {
	case levels > 1:
		f.refuse(e.At, "a column of a query two levels further out", "join the tables in one subquery")
	case s.clause != inWhere:
		f.refuse(e.At, "a column of the query around, anywhere but in the WHERE of a subquery", inWhereAlone)
	case f.within.sets > 0:
		f.refuse(e.At, "a column of the query around, in a set operation", "write two subqueries, with OR between them")
	case limited || s.query != nil && hasWindow(s.query):
		f.refuse(e.At, "a column of the query around, beside LIMIT or a window function", "number the rows in a subquery of FROM, and join")
	}
}

func hasWindow(n *node) bool {
	found := false
	var look func(e *expr)
	look = func(e *expr) {
		found = found || e.Class == "WINDOW"
		e.each(look)
	}
	for _, e := range n.SelectList {
		look(e)
	}
	return found
}
