package sqltree

import (
	"context"
	"database/sql"
	"strings"

	"tarn/internal/diag"
)

// scope looks for names that DuckDB resolves in a way that other engines do not: an output column's alias used beside it
// or in WHERE, GROUP BY and HAVING, a word such as user where no column has that name, and a subquery in FROM that reads
// the tables beside it. The tree does not tell these from columns, so DuckDB is asked whether FROM has them.
type scope struct {
	q      *Query
	conn   *sql.Conn
	p      *printer
	with   []string // definitions of WITH that are in sight
	outer  []*tableRef
	inside int // how many expressions' subqueries we are in
	list   diag.List
}

func (q *Query) scopes(ctx context.Context, conn *sql.Conn, rename func(TableRef) string) diag.List {
	s := &scope{q: q, conn: conn, p: &printer{q: q, d: DuckDBDialect, rename: rename}}
	s.node(ctx, q.root)
	return s.list
}

func (s *scope) refuse(at location, what, hint string) {
	s.list = append(s.list, s.q.src.At(s.q.at(at), "not-portable", what+" is not in the portable subset", hint))
}

func (s *scope) node(ctx context.Context, n *node) {
	if n == nil {
		return
	}
	hidden, with := s.p.hidden, s.with
	for _, c := range n.CTEs.Map {
		s.node(ctx, c.Value.Query.Node)
		s.with = append(s.with[:len(s.with):len(s.with)], s.p.d.quote(c.Key)+s.p.names2(c.Value.Aliases)+" AS ("+s.p.node(c.Value.Query.Node)+")")
		s.p.hidden = append(s.p.hidden[:len(s.p.hidden):len(s.p.hidden)], strings.ToLower(c.Key))
	}
	if n.Type == "SET_OPERATION_NODE" {
		for _, arm := range n.arms() {
			s.node(ctx, arm)
		}
	} else {
		s.selectNode(ctx, n)
	}
	s.p.hidden, s.with = hidden, with
}

func (s *scope) selectNode(ctx context.Context, n *node) {
	aliases := map[string]bool{}
	for _, e := range n.SelectList {
		if e.Alias != "" && !(e.Class == "COLUMN_REF" && strings.EqualFold(e.name(), e.Alias)) {
			aliases[strings.ToLower(e.Alias)] = true
		}
	}
	s.outer = append(s.outer, n.From)
	for i, list := range [][]*expr{n.SelectList, {n.Where}, n.Groups, {n.Having}} {
		for _, e := range list {
			s.expr(ctx, e, aliases, i == 2)
		}
	}
	s.from(ctx, n.From, false)
	s.outer = s.outer[:len(s.outer)-1]
}

func (s *scope) expr(ctx context.Context, e *expr, aliases map[string]bool, group bool) {
	if e == nil {
		return
	}
	if e.Subquery != nil {
		s.inside++
		s.node(ctx, e.Subquery.Node)
		s.inside--
	}
	if e.Class == "COLUMN_REF" && len(e.Columns) == 1 {
		name := strings.ToLower(e.name())
		word := name == "user" && !(&judge{q: s.q}).quotedAt(e.At)
		if (aliases[name] || word) && !s.column(ctx, e) {
			switch {
			case !aliases[name]:
				s.refuse(e.At, e.name(), again+" for another user")
			case group:
				s.refuse(e.At, "the name of an output column in GROUP BY", "write GROUP BY with its place in the list, such as GROUP BY 1, or with the expression")
			default:
				s.refuse(e.At, "the name of an output column in the same SELECT", "write the expression again, or compute "+e.name()+" in a subquery")
			}
		}
	}
	e.each(func(c *expr) { s.expr(ctx, c, aliases, group) })
}

// column reports whether one of the FROMs in sight has the column.
func (s *scope) column(ctx context.Context, e *expr) bool {
	for i := len(s.outer) - 1; i >= 0; i-- {
		if r := s.outer[i]; r != nil && r.Type != "EMPTY" && s.binds(ctx, "SELECT t.* FROM (SELECT * FROM "+s.p.from(r)+") t WHERE t."+s.p.d.quote(e.name())+" IS NULL") {
			return true
		}
	}
	return false
}

func (s *scope) binds(ctx context.Context, query string) bool {
	if len(s.with) > 0 {
		query = "WITH " + strings.Join(s.with, ", ") + " " + query
	}
	_, err := describe(ctx, s.conn, "SELECT column_name, column_type FROM ("+describePrefix+query+"\n)")
	return err == nil
}

func (s *scope) from(ctx context.Context, r *tableRef, beside bool) {
	if r == nil {
		return
	}
	switch r.Type {
	case "SUBQUERY":
		if beside && s.inside == 0 && !s.binds(ctx, s.p.node(r.Subquery.Node)) {
			s.refuse(firstAt(r.Subquery.Node), "a subquery in FROM that reads a table beside it", "join it with ON, or write it as a subquery in the SELECT list")
		}
		// What stands beside a subquery of FROM is not in its sight.
		outer := s.outer
		s.outer = s.outer[: len(s.outer)-1 : len(s.outer)-1]
		s.node(ctx, r.Subquery.Node)
		s.outer = outer
	case "JOIN":
		s.from(ctx, r.Left, beside)
		s.from(ctx, r.Right, true)
		s.expr(ctx, r.Condition, nil, false)
	}
}
