package sqltree

import (
	"slices"
	"strings"
)

// sparkExpr writes the expressions whose operands Spark would bring to another type than DuckDB, and those that it
// spells in its own way.
func sparkExpr(p *printer, e *expr) (string, bool) {
	if means := p.q.types.means[e]; means != nil {
		return p.expr(means), true
	}
	common := p.q.types.common[e]
	switch e.Class {
	case "COLUMN_REF":
		if p.q.types.rows[e] {
			return "struct(" + p.d.quote(e.name()) + ".*)", true
		}
	case "CONSTANT":
		return sparkConstant(p, e)
	case "COMPARISON":
		return "(" + p.as(e.Left, common) + " " + comparisons[e.Type] + " " + p.as(e.Right, common) + ")", true
	case "BETWEEN":
		not := ""
		if e.Type == "COMPARE_NOT_BETWEEN" {
			not = "NOT "
		}
		return "(" + p.as(e.Input, common) + " " + not + "BETWEEN " + p.as(e.Lower, common) + " AND " + p.as(e.Upper, common) + ")", true
	case "CASE":
		return sparkCase(p, e), true
	case "CAST":
		return sparkCastOf(p, e), true
	case "OPERATOR":
		return sparkOperator(p, e, common)
	case "SUBQUERY":
		if e.SubqueryType == "ANY" {
			return sparkMember(p, e, common)
		}
	case "FUNCTION":
		return sparkFunction(p, e)
	case "WINDOW":
		f, ok := findFunction(e.Function)
		if !ok {
			return "", false
		}
		// The order alone decides what these give; Spark takes no frame with them.
		framed := f.kind == aggregate || f.name == "first_value" || f.name == "last_value"
		return sparkCall(p, f, e, p.over(e, framed)), true
	}
	return "", false
}

func sparkConstant(p *printer, e *expr) (string, bool) {
	v := e.Value
	if v == nil || v.IsNull {
		return "", false
	}
	switch v.Type.ID {
	case "BIGINT":
		return string(v.Value) + "L", true
	case "TINYINT", "SMALLINT":
		return sparkCast(string(v.Value), v.Type.ID), true
	case "DOUBLE":
		return string(v.Value) + "D", true
	case "DECIMAL":
		digits := strings.Trim(string(v.Value), `"`)
		return sparkCast(unscaled(digits, v.Type.Info.Scale), p.typeOf(e)), true
	case "HUGEINT":
		return sparkCast(strings.Trim(string(v.Value), `"`), "HUGEINT"), true
	}
	return "", false
}

func sparkCase(p *printer, e *expr) string {
	typ := p.typeOf(e)
	var b strings.Builder
	b.WriteString("CASE")
	for _, c := range e.Checks {
		b.WriteString(" WHEN " + p.expr(c.When) + " THEN " + p.as(c.Then, typ))
	}
	if e.Else != nil {
		b.WriteString(" ELSE " + p.as(e.Else, typ))
	}
	return b.String() + " END"
}

func sparkOperator(p *printer, e *expr, common string) (string, bool) {
	switch e.Type {
	case "COMPARE_IN", "COMPARE_NOT_IN":
		not := ""
		if e.Type == "COMPARE_NOT_IN" {
			not = "NOT "
		}
		list := p.allAs(e.Children, common)
		return "(" + list[0] + " " + not + "IN (" + strings.Join(list[1:], ", ") + "))", true
	case "OPERATOR_COALESCE":
		return "coalesce(" + strings.Join(p.allAs(e.Children, p.typeOf(e)), ", ") + ")", true
	case "OPERATOR_NULLIF":
		return sparkNullif(p, e), true
	}
	return "", false
}

func (p *printer) allAs(list []*expr, typ string) []string {
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = p.as(e, typ)
	}
	return out
}

// sparkNullif compares in one type and gives the first as it is.
func sparkNullif(p *printer, e *expr) string {
	common := p.q.types.common[e]
	a, b := e.Children[0], e.Children[1]
	if p.typeOf(a) == common && p.typeOf(e) == common {
		return "nullif(" + p.expr(a) + ", " + p.as(b, common) + ")"
	}
	return "CASE WHEN (" + p.as(a, common) + " = " + p.as(b, common) + ") THEN NULL ELSE " + p.as(a, p.typeOf(e)) + " END"
}

// sparkMember writes x IN (SELECT …).
func sparkMember(p *printer, e *expr, common string) (string, bool) {
	inner := p.node(e.Subquery.Node)
	if out := p.q.types.output[e.Subquery.Node]; len(out) == 1 && out[0].typ != common {
		inner = "SELECT " + sparkCast("member", common) + " FROM (" + inner + ") AS members (member)"
	}
	return "(" + p.as(e.Child, common) + " IN (" + inner + "))", true
}

// sparkFunction writes operators and calls.
func sparkFunction(p *printer, e *expr) (string, bool) {
	if _, _, ok := e.interval(); ok {
		return "", false
	}
	switch e.Function {
	case "+", "-", "*":
		return sparkArithmetic(p, e), true
	case "/":
		return sparkDivision(p, e), true
	case "%", "mod":
		return sparkRemainder(p, e), true
	case "nullif":
		return sparkNullif(p, e), true
	case "~~", "!~~":
		// Without ESCAPE, a backslash is one in Spark and a character in DuckDB.
		word := " LIKE "
		if e.Function == "!~~" {
			word = " NOT LIKE "
		}
		pattern := p.expr(e.Children[1])
		if _, constant := e.Children[1].text(); !constant {
			pattern = `replace(` + pattern + `, '\\', '\\\\')`
		}
		return "(" + p.expr(e.Children[0]) + word + pattern + ")", true
	case "date_part":
		field, ok := e.Children[0].text()
		if !ok {
			return "", false
		}
		return sparkCast(p.d.datePart(field, p.as(e.Children[1], "TIMESTAMP")), p.typeOf(e)), true
	}
	if slices.Contains(operators, e.Function) {
		return "", false
	}
	f, ok := findFunction(e.Function)
	if !ok {
		return "", false
	}
	return sparkCall(p, f, e, p.filter(e.Filter)), true
}

// sparkArithmetic writes sums, differences and products. Decimals are worked out exactly and then brought to DuckDB's digits.
func sparkArithmetic(p *printer, e *expr) string {
	typ := p.typeOf(e)
	if typ == "TIMESTAMP" {
		list := make([]string, len(e.Children))
		for i, c := range e.Children {
			if list[i] = p.expr(c); p.typeOf(c) == "DATE" {
				list[i] = sparkCast(list[i], typ)
			}
		}
		return "(" + strings.Join(list, " "+e.Function+" ") + ")"
	}
	decimal := strings.HasPrefix(typ, "DECIMAL") || typ == "HUGEINT"
	list := make([]string, len(e.Children))
	for i, c := range e.Children {
		if list[i] = p.as(c, typ); decimal && p.typeOf(c) != nullType && !strings.HasPrefix(p.typeOf(c), "FLOAT") && p.typeOf(c) != "DOUBLE" {
			list[i] = p.expr(c)
		}
	}
	text := "(" + strings.Join(list, " "+e.Function+" ") + ")"
	if len(list) == 1 {
		text = "(" + e.Function + apart(list[0]) + ")"
	}
	if decimal {
		return sparkCast(text, typ)
	}
	return text
}

// sparkDivision divides as IEEE 754 has it: by zero gives infinity or NaN, where Spark would stop.
func sparkDivision(p *printer, e *expr) string {
	typ := p.typeOf(e)
	text := ieeeDivision(p.as(e.Children[0], "DOUBLE"), p.as(e.Children[1], "DOUBLE"), e.Children[1].notZero())
	return castUnless(text, "DOUBLE", typ)
}

func ieeeDivision(a, b string, notZero bool) string {
	if notZero {
		return "(" + a + " / " + b + ")"
	}
	return "coalesce(" + a + " / nullif(" + b + ", 0D), " + a + " * power(" + b + ", -1D))"
}

// sparkRemainder gives null for whole numbers and decimals by zero, as DuckDB does, and NaN for floating-point ones.
func sparkRemainder(p *printer, e *expr) string {
	typ := p.typeOf(e)
	a, b := p.as(e.Children[0], typ), p.as(e.Children[1], typ)
	text := "(" + a + " % " + b + ")"
	if wholeType(typ) && (!e.Children[1].notZero() || strings.HasPrefix(e.Children[1].valueText(), "-")) {
		// The least number by -1 is an error in DuckDB, as its negation is.
		return "CASE WHEN " + b + " = -1 THEN -" + apart(a) + " * " + sparkZero(typ) + " ELSE " + a + " % nullif(" + b + ", " + sparkZero(typ) + ") END"
	}
	if !e.Children[1].notZero() {
		text = "(" + a + " % nullif(" + b + ", " + sparkZero(typ) + "))"
		if typ == "DOUBLE" || typ == "FLOAT" {
			return "coalesce(" + text + ", " + a + " * " + b + " * CAST('NaN' AS " + typ + "))"
		}
	}
	if strings.HasPrefix(typ, "DECIMAL") {
		return sparkCast(text, typ)
	}
	return text
}

func wholeType(typ string) bool { return narrow(typ) || typ == "BIGINT" }

func sparkZero(typ string) string {
	switch typ {
	case "DOUBLE":
		return "0D"
	case "FLOAT":
		return "0F"
	case "INTEGER":
		return "0"
	}
	return sparkCast("0", typ)
}

// notZero reports whether an operand is a constant other than zero.
func (e *expr) notZero() bool {
	if e.Class != "CONSTANT" || e.Value == nil || e.Value.IsNull {
		return false
	}
	digits, _, _ := strings.Cut(strings.ToLower(string(e.Value.Value)), "e")
	return e.Value.Type.ID != "VARCHAR" && strings.ContainsAny(digits, "123456789")
}
