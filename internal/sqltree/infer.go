package sqltree

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"tarn/internal/diag"
	"tarn/internal/schema"
)

// types are DuckDB's types of everything in a query, in DuckDB's words. An engine that decides differently about types
// needs them to write casts where DuckDB has none.
type types struct {
	of map[*expr]string
	// common is the type in which an expression compares or joins its operands, where that is not its own.
	common map[*expr]string
	// means is what a macro of the subset stands for.
	means map[*expr]*expr
	// rows marks a table's name where a column could stand: the whole row, as a struct.
	rows map[*expr]bool
	// output is what a query gives.
	output map[*node][]described
	// bound are the columns of the whole query as DuckDB describes them.
	bound []described
}

// nullType is the type of NULL alone.
const nullType = `"NULL"`

// inference finds the types. DuckDB decides all that is not written down in the text: it is asked about one call at a
// time, over columns of the types found before. A constant can change a type, as in DECIMAL(4,1) + 1; so constants stay.
type inference struct {
	ctx    context.Context
	conn   *sql.Conn
	q      *Query
	rename func(TableRef) string
	types  *types
	asked  map[string]string
	tables map[string][]described
	// within says whether the subquery of an expression that is being read mentions the query around it; nil outside of one.
	within *outward
	list   diag.List
	err    error
}

// infer finds the types of a query that binds.
func (q *Query) infer(ctx context.Context, conn *sql.Conn, rename func(TableRef) string, bound []described) (diag.List, error) {
	t := &types{of: map[*expr]string{}, common: map[*expr]string{}, means: map[*expr]*expr{}, rows: map[*expr]bool{}, output: map[*node][]described{}, bound: bound}
	f := &inference{ctx: ctx, conn: conn, q: q, rename: rename, types: t, asked: map[string]string{}, tables: map[string][]described{}}
	f.node(q.root, nil, nil)
	if f.err == nil {
		q.types = t
	}
	return f.list, f.err
}

func (f *inference) refuse(at location, what, hint string) {
	f.list = append(f.list, f.q.src.At(f.q.at(at), "not-portable", what+" is not in the portable subset", hint))
}

// item is a table of FROM as names see it.
type item struct {
	alias, database, table string
	columns                []described
}

// sight is what names can mean inside one SELECT.
type sight struct {
	items  []item
	merged []string // columns of USING, in lower case
	outer  *sight
	query  *node
	clause clause
}

// clause is the part of a SELECT in which an expression stands.
type clause int

const (
	inSelect clause = iota
	inOn
	inWhere
	inOther
)

// with are the queries of WITH that are in sight, by name in lower case.
type with map[string][]described

func (f *inference) node(n *node, known with, outer *sight) []described {
	if len(n.CTEs.Map) > 0 {
		inner := with{}
		for k, v := range known {
			inner[k] = v
		}
		for _, c := range n.CTEs.Map {
			inner[strings.ToLower(c.Key)] = renamed(f.node(c.Value.Query.Node, inner, outer), c.Value.Aliases)
		}
		known = inner
	}
	var out []described
	if n.Type == "SET_OPERATION_NODE" {
		defer f.within.inSet()()
		for i, arm := range n.arms() {
			columns := f.node(arm, known, outer)
			if i == 0 {
				out = slices.Clone(columns)
				continue
			}
			for j := range out {
				if j < len(columns) {
					out[j].typ = f.widest(out[j].typ, columns[j].typ)
				}
			}
		}
	} else {
		out = f.selectNode(n, known, outer)
	}
	f.types.output[n] = out
	return out
}

func (f *inference) selectNode(n *node, known with, outer *sight) []described {
	s := &sight{outer: outer, query: n, clause: inOn}
	f.from(n.From, known, s)
	s.clause = inSelect
	var out []described
	for _, e := range n.SelectList {
		if e.Class == "STAR" {
			out = append(out, s.star(e.Relation)...)
			continue
		}
		d := described{e.Alias, f.expr(e, known, s)}
		if d.name == "" {
			d.name = e.name()
		}
		out = append(out, d)
	}
	s.clause = inWhere
	f.expr(n.Where, known, s)
	s.clause = inOther
	for _, list := range [][]*expr{n.Groups, {n.Having}} {
		for _, e := range list {
			f.expr(e, known, s)
		}
	}
	ordered := &sight{items: append(slices.Clip(s.items), item{columns: out}), merged: s.merged, outer: outer, query: n, clause: inOther}
	for _, m := range n.Modifiers {
		for _, o := range m.Orders {
			f.expr(o.Expr, known, ordered)
		}
	}
	return out
}

// renamed gives columns the names of a list such as q (a, b).
func renamed(columns []described, names []string) []described {
	out := slices.Clone(columns)
	for i, n := range names {
		if i < len(out) {
			out[i].name = n
		}
	}
	return out
}

func (f *inference) from(r *tableRef, known with, s *sight) {
	if r == nil {
		return
	}
	switch r.Type {
	case "BASE_TABLE":
		columns, hidden := known[strings.ToLower(r.Table)]
		if r.Schema != "" || !hidden {
			columns = f.table(f.rename(f.q.ref(r)))
		}
		alias := r.Alias
		if alias == "" {
			alias = r.Table
		}
		s.items = append(s.items, item{alias, r.Schema, r.Table, renamed(columns, r.ColumnAliases)})
	case "SUBQUERY":
		s.items = append(s.items, item{alias: r.Alias, columns: renamed(f.node(r.Subquery.Node, known, s.outer), r.ColumnAliases)})
	case "JOIN":
		f.from(r.Left, known, s)
		left := len(s.items)
		f.from(r.Right, known, s)
		for _, u := range r.Using {
			a, _ := (&sight{items: s.items[:left]}).column([]string{u})
			if b, _ := (&sight{items: s.items[left:]}).column([]string{u}); a.typ != b.typ {
				f.refuse(rightmost(r), "USING with columns of different types ("+a.typ+" and "+b.typ+")", "join with ON, and cast one of them")
			}
			s.merged = append(s.merged, strings.ToLower(u))
		}
		f.expr(r.Condition, known, s)
	}
}

func (f *inference) table(name string) []described {
	if _, ok := f.tables[name]; !ok {
		columns, err := describe(f.ctx, f.conn, describeStart+"SELECT * FROM "+name+")")
		if err != nil {
			f.fail(err)
		}
		f.tables[name] = columns
	}
	return f.tables[name]
}

func (f *inference) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// star gives the columns that * or alias.* stands for; one of USING comes once.
func (s *sight) star(relation string) []described {
	var out []described
	seen := map[string]bool{}
	for _, i := range s.items {
		if relation != "" && !strings.EqualFold(relation, i.alias) {
			continue
		}
		for _, c := range i.columns {
			name := strings.ToLower(c.name)
			if relation == "" && slices.Contains(s.merged, name) {
				if seen[name] {
					continue
				}
				seen[name] = true
			}
			out = append(out, c)
		}
	}
	return out
}

// found is what a name means: a value of a type; whole says that it is a table's whole row, and levels how many queries further out.
type found struct {
	typ    string
	whole  bool
	levels int
}

// column finds what a name means.
func (s *sight) column(names []string) (found, bool) {
	for levels := 0; s != nil; s, levels = s.outer, levels+1 {
		for _, i := range s.items {
			rest := names
			switch {
			case len(names) > 2 && strings.EqualFold(names[0], i.database) && strings.EqualFold(names[1], i.table):
				rest = names[2:]
			case len(names) > 1 && strings.EqualFold(names[0], i.alias):
				rest = names[1:]
			}
			if len(rest) < len(names) {
				if typ, ok := i.field(rest); ok {
					return found{typ, false, levels}, true
				}
			}
		}
		for _, i := range s.items {
			if typ, ok := i.field(names); ok {
				return found{typ, false, levels}, true
			}
		}
		for _, i := range s.items {
			if len(names) == 1 && strings.EqualFold(names[0], i.alias) {
				return found{i.row(), true, levels}, true
			}
		}
	}
	return found{}, false
}

// field finds a column, and in it the field of a struct for each further name.
func (i item) field(names []string) (string, bool) {
	at := slices.IndexFunc(i.columns, func(c described) bool { return strings.EqualFold(c.name, names[0]) })
	if at < 0 {
		return "", false
	}
	typ := i.columns[at].typ
	for _, name := range names[1:] {
		t, err := schema.FromDuckDB(typ)
		if err != nil {
			return "", false
		}
		at := slices.IndexFunc(t.Fields, func(c schema.Field) bool { return strings.EqualFold(c.Name, name) })
		if at < 0 {
			return "", false
		}
		typ = t.Fields[at].Type.DuckDB()
	}
	return typ, true
}

func (i item) row() string {
	fields := make([]string, len(i.columns))
	for at, c := range i.columns {
		fields[at] = schema.Quote(c.name) + " " + c.typ
	}
	return "STRUCT(" + strings.Join(fields, ", ") + ")"
}

// typeText writes a type of the tree as DuckDB does.
func typeText(t typeInfo) string {
	if t.ID == "DECIMAL" && t.Info != nil {
		return fmt.Sprintf("DECIMAL(%d,%d)", t.Info.Width, t.Info.Scale)
	}
	return t.ID
}
