package sqltree

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

func (p *printer) function(e *expr) string {
	if n, unit, ok := e.interval(); ok {
		return p.d.interval(n, unit)
	}
	args := make([]string, len(e.Children))
	for i, c := range e.Children {
		args[i] = p.expr(c)
	}
	switch e.Function {
	case "+", "-", "*", "/":
		if len(args) == 1 {
			return "(" + e.Function + apart(args[0]) + ")"
		}
		return "(" + args[0] + " " + e.Function + " " + args[1] + ")"
	case "||":
		return "(" + strings.Join(args, " || ") + ")"
	case "~~":
		return "(" + args[0] + " LIKE " + args[1] + ")"
	case "!~~":
		return "(" + args[0] + " NOT LIKE " + args[1] + ")"
	case "like_escape":
		return "(" + args[0] + " LIKE " + args[1] + " ESCAPE " + args[2] + ")"
	case "not_like_escape":
		return "(" + args[0] + " NOT LIKE " + args[1] + " ESCAPE " + args[2] + ")"
	case "date_part":
		var field string
		if e.Children[0].Value == nil || json.Unmarshal(e.Children[0].Value.Value, &field) != nil {
			return p.fail(e.At, "date_part of a computed field")
		}
		return p.d.datePart(field, args[1])
	}
	f, ok := findFunction(e.Function)
	if !ok {
		return p.fail(e.At, "function "+e.Function)
	}
	return p.call(f, args, e.Distinct) + p.filter(e.Filter)
}

func (p *printer) filter(condition *expr) string {
	if condition == nil {
		return ""
	}
	return " FILTER (WHERE " + p.expr(condition) + ")"
}

// apart keeps two minus signs from making a comment.
func apart(operand string) string {
	if strings.HasPrefix(operand, "-") {
		return " " + operand
	}
	return operand
}

// call fills a function's template.
func (p *printer) call(f function, args []string, distinct bool) string {
	template := p.d.call(f)
	if template == "" {
		inner := strings.Join(args, ", ")
		if f.name == "count" && len(args) == 0 {
			inner = "*"
		}
		if distinct {
			inner = "DISTINCT " + inner
		}
		return f.name + "(" + inner + ")"
	}
	nulls := make([]string, len(args))
	pairs := []string{"$*", strings.Join(args, ", "), "$||", strings.Join(args, " || ")}
	for i, a := range args {
		nulls[i] = a + " IS NULL"
		pairs = append(pairs, "$"+strconv.Itoa(i+1), a)
	}
	pairs = append(pairs, "$null", strings.Join(nulls, " OR "))
	return strings.NewReplacer(pairs...).Replace(template)
}

var bounds = map[string]string{"UNBOUNDED_PRECEDING": "UNBOUNDED PRECEDING", "UNBOUNDED_FOLLOWING": "UNBOUNDED FOLLOWING",
	"CURRENT_ROW_ROWS": "CURRENT ROW", "CURRENT_ROW_RANGE": "CURRENT ROW", "EXPR_PRECEDING_ROWS": "PRECEDING", "EXPR_FOLLOWING_ROWS": "FOLLOWING",
	"EXPR_PRECEDING_RANGE": "PRECEDING", "EXPR_FOLLOWING_RANGE": "FOLLOWING"}

func (p *printer) window(e *expr) string {
	f, ok := findFunction(e.Function)
	if !ok {
		return p.fail(e.At, "window function "+e.Function)
	}
	arguments := e.arguments()
	args := make([]string, len(arguments))
	for i, c := range arguments {
		args[i] = p.expr(c)
	}
	return p.call(f, args, e.Distinct) + p.over(e, true)
}

// arguments lists what stands in the brackets of a call; lag and lead keep theirs apart.
func (e *expr) arguments() []*expr {
	out := slices.Clone(e.Children)
	for _, c := range []*expr{e.OffsetExpr, e.DefaultExpr} {
		if c != nil {
			out = append(out, c)
		}
	}
	return out
}

// over writes what follows the call of a window function.
func (p *printer) over(e *expr, framed bool) string {
	var over []string
	if len(e.Partitions) > 0 {
		over = append(over, "PARTITION BY "+p.list(e.Partitions))
	}
	if len(e.Orders) > 0 {
		over = append(over, "ORDER BY "+p.frameOrders(e))
	}
	if frame := p.frame(e); framed && frame != "" {
		over = append(over, frame)
	}
	return p.filter(e.FilterExpr) + " OVER (" + strings.Join(over, " ") + ")"
}

// frameOrders writes the order of a window. Dates that a frame counts by intervals are times, as a date with an interval is.
func (p *printer) frameOrders(e *expr) string {
	list := slices.Clone(e.Orders)
	for _, bound := range []*expr{e.StartExpr, e.EndExpr} {
		if bound == nil || len(list) != 1 || p.d.own == nil || p.typeOf(list[0].Expr) != "DATE" {
			continue
		}
		if _, _, interval := bound.interval(); interval {
			list[0].Expr = &expr{Class: "CAST", CastType: &typeInfo{ID: "TIMESTAMP"}, Child: list[0].Expr, At: -1}
		}
	}
	return p.orders(list)
}

// frame writes the window's frame unless it is the one that every engine takes where none is written.
func (p *printer) frame(e *expr) string {
	if e.Start == "UNBOUNDED_PRECEDING" && e.End == "CURRENT_ROW_RANGE" || e.Start == "" {
		return ""
	}
	unit := "ROWS"
	if strings.HasSuffix(e.Start, "_RANGE") || strings.HasSuffix(e.End, "_RANGE") {
		unit = "RANGE"
	}
	bound := func(kind string, n *expr) string {
		word, ok := bounds[kind]
		if !ok {
			return p.fail(e.At, "this window frame")
		}
		if n == nil {
			return word
		}
		if _, _, interval := n.interval(); unit == "RANGE" && !interval && len(e.Orders) == 1 {
			return p.as(n, p.typeOf(e.Orders[0].Expr)) + " " + word
		}
		return p.expr(n) + " " + word
	}
	return unit + " BETWEEN " + bound(e.Start, e.StartExpr) + " AND " + bound(e.End, e.EndExpr)
}

var units = map[string]string{"to_years": "YEAR", "to_months": "MONTH", "to_weeks": "WEEK", "to_days": "DAY", "to_hours": "HOUR",
	"to_minutes": "MINUTE", "to_seconds": "SECOND"}

// interval recognises INTERVAL n UNIT, which DuckDB's parser turns into calls.
func (e *expr) interval() (n, unit string, ok bool) {
	unit, ok = units[e.Function]
	if !ok || len(e.Children) != 1 {
		return "", "", false
	}
	c := e.Children[0]
	for c.Class == "CAST" || c.Class == "FUNCTION" && c.Function == "trunc" {
		if c.Class == "CAST" {
			c = c.Child
		} else {
			c = c.Children[0]
		}
	}
	if c.Class != "CONSTANT" || c.Value == nil || c.Value.IsNull {
		return "", "", false
	}
	n = strings.Trim(string(c.Value.Value), `"`)
	if _, err := strconv.Atoi(n); err != nil {
		return "", "", false
	}
	return n, unit, true
}
