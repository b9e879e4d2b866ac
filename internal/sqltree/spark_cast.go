package sqltree

import (
	"fmt"
	"strings"
)

// sparkCastOf writes a cast that is written in the model.
func sparkCastOf(p *printer, e *expr) string {
	to, from := typeText(*e.CastType), p.typeOf(e.Child)
	text := p.fromText(e, p.expr(e.Child))
	if e.At < 0 && e.Child.Class == "CONSTANT" && to == "BOOLEAN" {
		if s, ok := e.Child.text(); ok && (s == "t" || s == "f") {
			return map[string]string{"t": "TRUE", "f": "FALSE"}[s]
		}
	}
	if sum := e.Child; to == "BIGINT" && from == "HUGEINT" && (sum.Function == "sum") && len(sum.Children) == 1 && narrow(p.typeOf(sum.Children[0])) {
		// Even billions of such numbers fit into a bigint.
		suffix := p.filter(sum.Filter)
		if sum.Class == "WINDOW" {
			suffix = p.over(sum, true)
		}
		return "sum(" + distinct(sum) + p.expr(sum.Children[0]) + ")" + suffix
	}
	word := "CAST"
	if e.TryCast {
		word = "TRY_CAST"
	}
	cast := func(text, to string) string { return word + "(" + text + " AS " + sparkType(to) + ")" }
	switch {
	case from == "DOUBLE" && to == "FLOAT":
		otherwise := "CAST(raise_error('a double that no float can hold') AS FLOAT)"
		if e.TryCast {
			otherwise = "NULL"
		}
		return "CASE WHEN abs(" + cast(text, "FLOAT") + ") = " + infinity + " AND abs(" + text + ") < " + infinity + " THEN " + otherwise + " ELSE " + cast(text, "FLOAT") + " END"
	case (from == "DOUBLE" || from == "FLOAT") && strings.HasPrefix(to, "DECIMAL"):
		// DuckDB multiplies and rounds; Spark would round the number's decimal text.
		var width, scale int
		if _, err := fmt.Sscanf(to, "DECIMAL(%d,%d)", &width, &scale); err != nil || scale == 0 {
			return cast(cast("round("+text+")", "BIGINT"), to)
		}
		unit := fmt.Sprintf("CAST(1E-%d AS DECIMAL(%d,%d))", scale, scale, scale)
		return cast(cast(cast(fmt.Sprintf("round(%s * 1E%dD)", text, scale), "BIGINT"), "DECIMAL(18,0)")+" * "+unit, to)
	}
	return cast(text, to)
}

// narrow reports whether a type has at most 32 bits.
func narrow(typ string) bool { return typ == "TINYINT" || typ == "SMALLINT" || typ == "INTEGER" }
