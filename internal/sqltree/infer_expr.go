package sqltree

import (
	"fmt"
	"slices"
	"strings"
)

// expr finds the types of an expression and of all its parts.
func (f *inference) expr(e *expr, known with, s *sight) string {
	if e == nil {
		return ""
	}
	if typ, ok := f.types.of[e]; ok {
		return typ
	}
	if _, _, ok := e.interval(); ok {
		f.types.of[e] = "INTERVAL"
		return "INTERVAL"
	}
	e.each(func(c *expr) { f.expr(c, known, s) })
	var inner []described
	if e.Subquery != nil {
		inner = f.subquery(e, known, s)
	}
	typ := f.decide(e, inner, known, s)
	f.types.of[e] = typ
	return typ
}

func (f *inference) decide(e *expr, inner []described, known with, s *sight) string {
	switch e.Class {
	case "COLUMN_REF":
		c, _ := s.column(e.Columns)
		f.types.rows[e] = c.whole
		if c.levels > 0 {
			f.reachesOut(e, c.levels, s)
		}
		return c.typ
	case "CONSTANT":
		if e.Value == nil || e.Value.IsNull {
			return nullType
		}
		if e.Value.Type.ID == "DECIMAL" {
			return f.ask(e) // zeros at its start or end count only as they are printed
		}
		return typeText(e.Value.Type)
	case "CAST":
		return typeText(*e.CastType)
	case "CONJUNCTION":
		return "BOOLEAN"
	case "COMPARISON":
		f.types.common[e] = f.common(e.Left, e.Right)
		return "BOOLEAN"
	case "BETWEEN":
		f.types.common[e] = f.common(e.Input, e.Lower, e.Upper)
		return "BOOLEAN"
	case "SUBQUERY":
		if e.SubqueryType == "SCALAR" && len(inner) > 0 {
			return inner[0].typ
		}
		if e.SubqueryType == "ANY" && len(inner) > 0 {
			f.types.common[e] = f.widest(f.types.of[e.Child], inner[0].typ)
		}
		return "BOOLEAN"
	case "OPERATOR":
		switch e.Type {
		case "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "OPERATOR_NOT":
			return "BOOLEAN"
		case "COMPARE_IN", "COMPARE_NOT_IN":
			f.types.common[e] = f.common(e.Children...)
			return "BOOLEAN"
		case "OPERATOR_NULLIF":
			f.types.common[e] = f.common(e.Children...)
		}
	case "FUNCTION":
		switch e.Function {
		case "nullif":
			f.types.common[e] = f.common(e.Children...)
		case "approx_equal":
			// It has no type of its own: the difference decides.
			difference := &expr{Class: "FUNCTION", Function: "-", IsOperator: true, Children: e.Children[:2], At: e.At}
			means := &expr{Class: "COMPARISON", Type: "COMPARE_LESSTHANOREQUALTO", Left: &expr{Class: "FUNCTION", Function: "abs", Children: []*expr{difference}, At: e.At}, Right: e.Children[2], At: e.At}
			f.types.means[e] = means
			return f.expr(means, known, s)
		}
	}
	return f.ask(e)
}

// stands are the columns that stand for operands where only a type is asked for, one for each type. They cannot be
// nulls, from which DuckDB would conclude other types than it has for a column.
type stands struct{ types []string }

// of writes a value of a type.
func (o *stands) of(typ string) string {
	if typ == nullType || typ == "" {
		return "NULL"
	}
	at := slices.Index(o.types, typ)
	if at < 0 {
		at = len(o.types)
		o.types = append(o.types, typ)
	}
	return fmt.Sprintf("c%d", at)
}

// from writes a table with these columns.
func (o *stands) from() string {
	if len(o.types) == 0 {
		return ""
	}
	columns := make([]string, len(o.types))
	for i, typ := range o.types {
		columns[i] = fmt.Sprintf("CAST(NULL AS %s) AS c%d", typ, i)
	}
	return " FROM (SELECT " + strings.Join(columns, ", ") + ")"
}

// operand writes an operand whose type is known: a constant as it is, everything else as a column.
func (f *inference) operand(e *expr, o *stands) string {
	if e.Class == "CONSTANT" || f.types.of[e] == "INTERVAL" {
		p := &printer{q: f.q, d: DuckDBDialect, rename: f.rename}
		return p.expr(e)
	}
	return o.of(f.types.of[e])
}

// common gives the type that DuckDB takes for operands that have to be of one type.
func (f *inference) common(of ...*expr) string {
	first, same := f.types.of[of[0]], true
	var o stands
	texts := make([]string, len(of))
	for i, e := range of {
		texts[i] = f.operand(e, &o)
		same = same && f.types.of[e] == first
	}
	if same {
		return first
	}
	return f.probe("coalesce("+strings.Join(texts, ", ")+")", &o)
}

// widest does the same for two types.
func (f *inference) widest(a, b string) string {
	if a == b {
		return a
	}
	var o stands
	return f.probe("coalesce("+o.of(a)+", "+o.of(b)+")", &o)
}

// ask lets DuckDB type a call over operands that are typed already.
func (f *inference) ask(e *expr) string {
	var o stands
	p := &printer{q: f.q, d: DuckDBDialect, rename: f.rename}
	p.stub = func(c *expr) (string, bool) {
		if _, typed := f.types.of[c]; !typed || c == e {
			return "", false
		}
		return f.operand(c, &o), true
	}
	text := p.expr(e)
	if p.err != nil {
		f.fail(p.err)
		return ""
	}
	return f.probe(text, &o)
}

func (f *inference) probe(text string, o *stands) string {
	text += " AS x" + o.from()
	if typ, ok := f.asked[text]; ok {
		return typ
	}
	typ := ""
	columns, err := describe(f.ctx, f.conn, describeStart+"SELECT "+text+")")
	if err != nil {
		f.fail(err)
	} else if len(columns) == 1 {
		typ = columns[0].typ
	}
	f.asked[text] = typ
	return typ
}
