package sqltree

import (
	"strconv"
	"strings"
)

// sparkCeil and sparkFloor: Spark's give a bigint, which a large double does not fit into.
func sparkCeil(p *printer, e *expr, _ string) (text, gives string) {
	return sparkWhole(p, e, "ceil", "CASE WHEN rint($1) < $1 THEN -(-rint($1) - 1D) ELSE rint($1) END")
}

func sparkFloor(p *printer, e *expr, _ string) (text, gives string) {
	return sparkWhole(p, e, "floor", "CASE WHEN rint($1) > $1 THEN rint($1) - 1D ELSE rint($1) END")
}

func sparkWhole(p *printer, e *expr, name, double string) (text, gives string) {
	a := e.Children[0]
	switch have := p.typeOf(a); {
	case strings.HasPrefix(have, "DECIMAL"):
		return name + "(" + p.expr(a) + ")", ""
	case have == "DOUBLE" || have == "FLOAT":
		return strings.ReplaceAll(double, "$1", p.as(a, "DOUBLE")), "DOUBLE"
	default:
		return p.expr(a), have
	}
}

// sparkRound: Spark rounds the decimal text of a double; DuckDB multiplies, rounds and divides.
func sparkRound(p *printer, e *expr, _ string) (text, gives string) {
	a, typ := e.Children[0], p.typeOf(e)
	digits := 0
	if len(e.Children) == 2 {
		n, err := strconv.Atoi(strings.Trim(string(e.Children[1].valueText()), `"`))
		if err != nil {
			return p.fail(e.At, "round to a computed number of decimals"), typ
		}
		digits = n
	}
	if typ != "DOUBLE" && typ != "FLOAT" {
		return "round(" + p.expr(a) + ", " + strconv.Itoa(digits) + ")", ""
	}
	x, unit := p.as(a, "DOUBLE"), "1E"+strconv.Itoa(max(digits, -digits))+"D"
	switch {
	case digits == 0:
		return "round(" + x + ")", "DOUBLE"
	case digits > 0:
		return "CASE WHEN abs(" + x + " * " + unit + ") < " + infinity + " THEN round(" + x + " * " + unit + ") / " + unit + " ELSE " + x + " END", "DOUBLE"
	}
	return "CASE WHEN abs(" + x + ") < " + infinity + " THEN round(" + x + " / " + unit + ") * " + unit + " WHEN " + x + " IS NOT NULL THEN 0D END", "DOUBLE"
}

// valueText gives the text of a constant's value, "" for anything else.
func (e *expr) valueText() string {
	if e.Class != "CONSTANT" || e.Value == nil || e.Value.IsNull {
		return ""
	}
	return string(e.Value.Value)
}

// sparkSubstring: place 0 stands before the first character, and takes one of the length.
func sparkSubstring(p *printer, e *expr, _ string) (text, gives string) {
	typ := p.typeOf(e)
	args := p.allAs(e.Children[1:], "INTEGER")
	text, from := p.expr(e.Children[0]), args[0]
	all := text + ", " + strings.Join(args, ", ")
	switch {
	case len(args) == 1 || e.Children[1].notZero():
		return "substring(" + all + ")", typ
	case e.Children[1].Class == "CONSTANT":
		return "substring(" + text + ", 1, " + args[1] + " - 1)", typ
	}
	return "substring(" + all + " - CASE WHEN " + from + " = 0 THEN 1 ELSE 0 END)", typ
}

// sparkSum: DuckDB sums whole numbers in 128 bits, so that only the sum itself has to fit.
func sparkSum(p *printer, e *expr, suffix string) (text, gives string) {
	typ := p.typeOf(e)
	return "sum(" + distinct(e) + p.as(e.Children[0], summed(p.typeOf(e.Children[0]), typ)) + ")" + suffix, sumType(typ)
}

// summed is the type in which values are summed up.
func summed(of, typ string) string {
	switch {
	case typ == "HUGEINT" && of == "HUGEINT":
		return of
	case typ == "HUGEINT":
		return "DECIMAL(28,0)"
	case strings.HasPrefix(typ, "DECIMAL"):
		return of
	}
	return typ
}

// sumType is the type of Spark's sum where it is known to be the one that is wanted; a sum of decimals has to be cast.
func sumType(typ string) string {
	if typ == "HUGEINT" || typ == "DOUBLE" {
		return typ
	}
	return ""
}

func distinct(e *expr) string {
	if e.Distinct {
		return "DISTINCT "
	}
	return ""
}

// sparkAvg: DuckDB divides the exact sum, once; Spark sums whole numbers as doubles and gives decimals for decimals.
func sparkAvg(p *printer, e *expr, suffix string) (text, gives string) {
	a := e.Children[0]
	switch have := p.typeOf(a); {
	case have == "BIGINT" || have == "HUGEINT":
		return averaged(p, e, "CAST(sum("+distinct(e)+p.as(a, "DECIMAL(28,0)")+")"+suffix+" AS DOUBLE)", "", suffix), "DOUBLE"
	case strings.HasPrefix(have, "DECIMAL"):
		scale := strings.TrimSuffix(have[strings.Index(have, ",")+1:], ")")
		if scale == "0" {
			return averaged(p, e, "CAST(sum("+distinct(e)+p.expr(a)+")"+suffix+" AS DOUBLE)", "", suffix), "DOUBLE"
		}
		n, _ := strconv.Atoi(scale)
		unscaled := "CAST(sum(" + distinct(e) + p.expr(a) + ")" + suffix + " * CAST(1E" + scale + " AS DECIMAL(" + strconv.Itoa(n+1) + ",0)) AS DOUBLE)"
		return averaged(p, e, unscaled, " * 1E"+scale+"D", suffix), "DOUBLE"
	case have == "FLOAT":
		return "avg(" + distinct(e) + p.as(a, "DOUBLE") + ")" + suffix, "DOUBLE"
	}
	return "avg(" + distinct(e) + p.expr(a) + ")" + suffix, "DOUBLE"
}

func averaged(p *printer, e *expr, sum, scale, suffix string) string {
	return "(" + sum + " / nullif(count(" + distinct(e) + p.expr(e.Children[0]) + ")" + suffix + scale + ", 0D))"
}

// sparkCorr: Spark's stops where one side is always the same; NaN is what IEEE 754 and DuckDB make of 0 / 0.
func sparkCorr(p *printer, e *expr, suffix string) (text, gives string) {
	x, y := p.as(e.Children[0], "DOUBLE"), p.as(e.Children[1], "DOUBLE")
	deviation := func(of, other string) string {
		return "stddev_pop(CASE WHEN " + other + " IS NOT NULL THEN " + of + " END)" + suffix
	}
	return ieeeDivision("covar_pop("+x+", "+y+")"+suffix, "("+deviation(x, y)+" * "+deviation(y, x)+")", false), "DOUBLE"
}
