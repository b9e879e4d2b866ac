package sqltree

import (
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
		inner = f.node(e.Subquery.Node, known, s)
	}
	typ := f.decide(e, inner, known, s)
	f.types.of[e] = typ
	return typ
}

func (f *inference) decide(e *expr, inner []described, known with, s *sight) string {
	switch e.Class {
	case "COLUMN_REF":
		typ, whole := s.column(e.Columns)
		if whole {
			f.types.rows[e] = true
		}
		return typ
	case "CONSTANT":
		if e.Value == nil || e.Value.IsNull {
			return nullType
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
			f.types.common[e] = f.widest(f.operand(e.Child), nullOf(inner[0].typ))
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

// operand writes an operand whose type is known: a constant as it is, everything else as a null.
func (f *inference) operand(e *expr) string {
	if e.Class == "CONSTANT" || f.types.of[e] == "INTERVAL" {
		p := &printer{q: f.q, d: DuckDBDialect, rename: f.rename}
		return p.expr(e)
	}
	return nullOf(f.types.of[e])
}

func (f *inference) common(operands ...*expr) string {
	first, same := f.types.of[operands[0]], true
	texts := make([]string, len(operands))
	for i, o := range operands {
		texts[i] = f.operand(o)
		same = same && f.types.of[o] == first
	}
	if same {
		return first
	}
	return f.widest(texts...)
}

// widest gives the type that DuckDB takes for values that have to be of one type.
func (f *inference) widest(operands ...string) string {
	if len(operands) == 2 && operands[0] == operands[1] {
		if typ, ok := strings.CutPrefix(operands[0], "CAST(NULL AS "); ok {
			return strings.TrimSuffix(typ, ")")
		}
	}
	return f.probe("coalesce(" + strings.Join(operands, ", ") + ")")
}

// ask lets DuckDB type a call over operands that are typed already.
func (f *inference) ask(e *expr) string {
	p := &printer{q: f.q, d: DuckDBDialect, rename: f.rename}
	p.stub = func(c *expr) (string, bool) {
		if _, typed := f.types.of[c]; !typed || c == e {
			return "", false
		}
		return f.operand(c), true
	}
	text := p.expr(e)
	if p.err != nil {
		f.fail(p.err)
		return ""
	}
	return f.probe(text)
}

func (f *inference) probe(text string) string {
	if typ, ok := f.asked[text]; ok {
		return typ
	}
	typ := ""
	columns, err := describe(f.ctx, f.conn, describeStart+"SELECT "+text+" AS x)")
	if err != nil {
		f.fail(err)
	} else if len(columns) == 1 {
		typ = columns[0].typ
	}
	f.asked[text] = typ
	return typ
}
