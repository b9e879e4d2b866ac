package sqltree

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

var comparisons = map[string]string{"COMPARE_EQUAL": "=", "COMPARE_NOTEQUAL": "<>", "COMPARE_LESSTHAN": "<", "COMPARE_GREATERTHAN": ">",
	"COMPARE_LESSTHANOREQUALTO": "<=", "COMPARE_GREATERTHANOREQUALTO": ">=", "COMPARE_DISTINCT_FROM": "IS DISTINCT FROM", "COMPARE_NOT_DISTINCT_FROM": "IS NOT DISTINCT FROM"}

func (p *printer) expr(e *expr) string {
	if p.marks && e.At >= 0 {
		return mark + strconv.Itoa(p.q.at(e.At)) + mark + p.unmarked(e)
	}
	return p.unmarked(e)
}

func (p *printer) unmarked(e *expr) string {
	if p.stub != nil {
		if text, ok := p.stub(e); ok {
			return text
		}
	}
	if p.d.own != nil {
		if text, ok := p.d.own(p, e); ok {
			return text
		}
	}
	switch e.Class {
	case "COLUMN_REF":
		return p.column(e)
	case "STAR":
		if e.Relation != "" {
			return p.d.quote(e.Relation) + ".*"
		}
		return "*"
	case "CONSTANT":
		return p.constant(e)
	case "COMPARISON":
		if op, ok := comparisons[e.Type]; ok {
			return "(" + p.expr(e.Left) + " " + op + " " + p.expr(e.Right) + ")"
		}
	case "CONJUNCTION":
		op := " AND "
		if e.Type == "CONJUNCTION_OR" {
			op = " OR "
		}
		parts := make([]string, len(e.Children))
		for i, c := range e.Children {
			parts[i] = p.expr(c)
		}
		return "(" + strings.Join(parts, op) + ")"
	case "BETWEEN":
		not := ""
		if e.Type == "COMPARE_NOT_BETWEEN" {
			not = "NOT "
		}
		return "(" + p.expr(e.Input) + " " + not + "BETWEEN " + p.expr(e.Lower) + " AND " + p.expr(e.Upper) + ")"
	case "CASE":
		var b strings.Builder
		b.WriteString("CASE")
		for _, c := range e.Checks {
			b.WriteString(" WHEN " + p.expr(c.When) + " THEN " + p.expr(c.Then))
		}
		if e.Else != nil {
			b.WriteString(" ELSE " + p.expr(e.Else))
		}
		return b.String() + " END"
	case "CAST":
		return p.cast(e)
	case "OPERATOR":
		return p.operator(e)
	case "SUBQUERY":
		return p.subquery(e)
	case "FUNCTION":
		if column, ok := p.liftedCall(e); ok {
			return column
		}
		return p.function(e)
	case "WINDOW":
		return p.window(e)
	}
	return p.fail(e.At, strings.ToLower(e.Class))
}

// column writes a column's name. A database before the table is left out, as FROM gives the table its name alone.
func (p *printer) column(e *expr) string {
	names := e.Columns
	if len(names) > 2 && slices.ContainsFunc(p.q.Tables(), func(r TableRef) bool {
		return r.Alias == "" && strings.EqualFold(r.Database, names[0]) && strings.EqualFold(r.Name, names[1])
	}) {
		names = names[1:]
	}
	parts := make([]string, len(names))
	for i, c := range names {
		parts[i] = p.d.quote(c)
	}
	return strings.Join(parts, ".")
}

func (p *printer) constant(e *expr) string {
	v := e.Value
	if v == nil || v.IsNull {
		return "NULL"
	}
	switch v.Type.ID {
	case "VARCHAR":
		s, ok := e.text()
		if !ok {
			return p.fail(e.At, "this text")
		}
		return p.d.literal(s)
	case "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT":
		return string(v.Value)
	case "DOUBLE":
		// Without an exponent it would be a decimal.
		if text := string(v.Value); strings.ContainsAny(text, "eE") {
			return text
		}
		return string(v.Value) + "e0"
	case "HUGEINT":
		return strings.Trim(string(v.Value), `"`)
	case "DECIMAL":
		digits := strings.Trim(string(v.Value), `"`)
		return unscaled(digits, v.Type.Info.Scale)
	}
	return p.fail(e.At, "a constant of type "+v.Type.ID)
}

// unscaled writes an unscaled whole number with its decimal point.
func unscaled(digits string, scale int) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	if scale == 0 {
		return sign + digits
	}
	for len(digits) <= scale {
		digits = "0" + digits
	}
	return sign + digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
}

func (p *printer) cast(e *expr) string {
	if e.At < 0 && e.Child.Class == "CONSTANT" && e.Child.Value != nil && !e.Child.Value.IsNull {
		var s string
		if json.Unmarshal(e.Child.Value.Value, &s) == nil {
			switch {
			case e.CastType.ID == "BOOLEAN" && s == "t":
				return "TRUE"
			case e.CastType.ID == "BOOLEAN" && s == "f":
				return "FALSE"
			}
		}
	}
	word := "CAST"
	if e.TryCast {
		word = "TRY_CAST"
	}
	return word + "(" + p.fromText(e, p.expr(e.Child)) + " AS " + p.d.castType(*e.CastType) + ")"
}

func (p *printer) operator(e *expr) string {
	switch e.Type {
	case "OPERATOR_IS_NULL":
		return "(" + p.expr(e.Children[0]) + " IS NULL)"
	case "OPERATOR_IS_NOT_NULL":
		return "(" + p.expr(e.Children[0]) + " IS NOT NULL)"
	case "OPERATOR_NOT":
		return "(NOT " + p.expr(e.Children[0]) + ")"
	case "COMPARE_IN", "COMPARE_NOT_IN":
		not := ""
		if e.Type == "COMPARE_NOT_IN" {
			not = "NOT "
		}
		return "(" + p.expr(e.Children[0]) + " " + not + "IN (" + p.list(e.Children[1:]) + "))"
	case "OPERATOR_COALESCE":
		return "coalesce(" + p.list(e.Children) + ")"
	case "OPERATOR_NULLIF":
		return "nullif(" + p.list(e.Children) + ")"
	}
	return p.fail(e.At, strings.ToLower(e.Type))
}

func (p *printer) subquery(e *expr) string {
	inner := "(" + p.node(e.Subquery.Node) + ")"
	switch e.SubqueryType {
	case "SCALAR":
		return inner
	case "EXISTS":
		return "EXISTS " + inner
	case "NOT_EXISTS":
		return "NOT EXISTS " + inner
	case "ANY":
		return "(" + p.expr(e.Child) + " IN " + inner + ")"
	}
	return p.fail(e.At, e.SubqueryType)
}
