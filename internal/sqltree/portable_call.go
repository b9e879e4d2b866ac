package sqltree

import (
	"fmt"
	"slices"
	"strings"

	"tarn/internal/diag"
)

func (j *judge) function(e *expr) {
	if _, _, ok := e.interval(); ok {
		return
	}
	name := e.Function
	if unit, ok := units[name]; ok {
		j.refuse(e.At, "an interval of a computed number of "+strings.ToLower(unit)+"s", "write the number, or compute with milliseconds: timestamp_millis(unix_millis(ts) + n)")
		return
	}
	if e.Schema != "" && e.Schema != "main" {
		j.refuse(e.At, e.Schema+"."+name+"(…)", "write "+name+"("+e.Schema+", …)")
		return
	}
	defer e.each(j.expr)
	if most, ok := operands[name]; ok && (len(e.Children) > most || len(e.Children) < most && (len(e.Children) != 1 || name != "+" && name != "-")) {
		j.refuse(e.At, name+" with "+counts(len(e.Children)), "write it as an operator")
		return
	}
	switch {
	case name == "~~" || name == "!~~":
		if pattern, ok := e.Children[1].text(); ok && strings.Contains(pattern, `\`) {
			j.refuse(e.At, `a backslash in LIKE without ESCAPE`, `engines take it differently: write LIKE 'a!_b' ESCAPE '!'`)
		}
		return
	case name == "like_escape" || name == "not_like_escape":
		if escape, ok := e.Children[2].text(); !ok || len([]rune(escape)) != 1 {
			j.refuse(e.At, "ESCAPE with anything but one character", "write ESCAPE '!'")
		} else if pattern, ok := e.Children[1].text(); !ok {
			j.refuse(e.At, "a computed pattern with ESCAPE", "write the pattern, or use strpos or starts_with")
		} else if !escapes(pattern, escape) {
			j.refuse(e.At, "an escape character before another character than % and _", "leave it out there, or write it twice for itself")
		}
		return
	case slices.Contains(operators, name):
		return
	case name == "date_part":
		j.unit(e, "EXTRACT of", extractFields)
		return
	case name == "date_trunc":
		j.unit(e, "date_trunc to", truncUnits)
	case name == "first" || name == "last" || name == "arbitrary":
		j.refuse(e.At, "function "+name, "rows have no order: write min_by(value, key) or max_by(value, key)")
		return
	}
	f, ok := findFunction(name)
	switch {
	case !ok:
		hint := instead[name]
		if hint == "" && len(name) > 2 {
			hint = diag.DidYouMean(name, functionNames())
		}
		if hint == "" {
			hint = "docs/sql.md lists the functions that all engines have"
		}
		what := "function " + name
		if e.IsOperator || strings.IndexFunc(name, letter) < 0 {
			what = "operator " + strings.TrimSuffix(name, "__postfix")
		}
		j.refuse(e.At, what, hint)
	case f.kind == window:
		j.list = append(j.list, j.q.src.At(j.q.at(e.At), "not-portable", name+" needs OVER (…)", "for example "+name+"() OVER (PARTITION BY … ORDER BY …)"))
	case len(e.Children) < f.min || f.max >= 0 && len(e.Children) > f.max:
		j.list = append(j.list, j.q.src.At(j.q.at(e.At), "arguments", fmt.Sprintf("%s takes %s, not %d", f.name, counted(f), len(e.Children)), f.meaning))
	case f.kind == scalar && (e.Distinct || e.Filter != nil):
		j.refuse(e.At, "DISTINCT or FILTER with "+name, "those are for aggregates such as count and sum")
	case e.OrderBys != nil && len(e.OrderBys.Orders) > 0:
		j.refuse(e.At, "ORDER BY inside "+name, "for the value of the first or last row write min_by(value, key) or max_by(value, key)")
	case e.Distinct && !slices.Contains([]string{"count", "sum", "avg", "min", "max"}, f.name):
		j.refuse(e.At, "DISTINCT inside "+name, "take the distinct rows in a subquery")
	default:
		j.literals(f.name, e.Children)
	}
}

// operands tells how many arguments stand around an operator; all of them can be written as calls too.
var operands = map[string]int{"+": 2, "-": 2, "*": 2, "/": 2, "||": 2, "~~": 2, "!~~": 2, "like_escape": 3, "not_like_escape": 3, "date_part": 2}

func counts(n int) string {
	if n == 1 {
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", n)
}

func letter(r rune) bool { return r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

// extractFields and truncUnits are what every engine counts alike; days of the week are not.
var (
	extractFields = []string{"year", "quarter", "month", "week", "day", "doy", "hour", "minute", "second"}
	truncUnits    = []string{"year", "quarter", "month", "week", "day", "hour", "minute", "second"}
)

func (j *judge) unit(e *expr, what string, known []string) {
	if len(e.Children) == 0 {
		return
	}
	field, ok := e.Children[0].text()
	switch low := strings.ToLower(field); {
	case !ok:
		j.refuse(e.At, what+" a computed unit", "write one of "+strings.Join(known, ", "))
	case !slices.Contains(known, low):
		hint := "write one of " + strings.Join(known, ", ")
		switch low {
		case "dow", "isodow", "weekday", "dayofweek":
			hint = "engines count the days of a week differently: take mod(floor(unix_seconds(ts) / 86400) + 3, 7) for Monday = 0"
		case "epoch":
			hint = "write unix_seconds(ts) or unix_millis(ts)"
		}
		j.refuse(e.At, what+" "+field, hint)
	}
}

func counted(f function) string {
	switch {
	case f.max < 0:
		return fmt.Sprintf("%d or more arguments", f.min)
	case f.min == f.max && f.min == 1:
		return "1 argument"
	case f.min == f.max:
		return fmt.Sprintf("%d arguments", f.min)
	}
	return fmt.Sprintf("%d to %d arguments", f.min, f.max)
}

func (j *judge) window(e *expr) {
	f, ok := findFunction(e.Function)
	switch {
	case !ok || f.kind == scalar:
		hint := instead[e.Function]
		if hint == "" {
			hint = "docs/sql.md lists the functions that all engines have"
		}
		j.refuse(e.At, "window function "+e.Function, hint)
	case f.kind == window && len(e.Orders) == 0:
		j.list = append(j.list, j.q.src.At(j.q.at(e.At), "not-portable", f.name+" needs ORDER BY inside OVER (…)", "without it, a rerun would give another table"))
	}
	if args := e.arguments(); ok && (len(args) < f.min || f.max >= 0 && len(args) > f.max) {
		n := len(args)
		j.list = append(j.list, j.q.src.At(j.q.at(e.At), "arguments", fmt.Sprintf("%s takes %s, not %d", f.name, counted(f), n), f.meaning))
	} else if ok {
		j.literals(f.name, args)
	}
	if e.Distinct {
		j.refuse(e.At, "DISTINCT in a window function", "join with a subquery that counts with GROUP BY")
	}
	if e.FilterExpr != nil {
		j.refuse(e.At, "FILTER in a window function", "write sum(CASE WHEN … THEN 1 ELSE 0 END) OVER (…)")
	}
	if e.IgnoreNulls {
		j.refuse(e.At, "IGNORE NULLS", "leave the rows with nulls out in a subquery")
	}
	if e.Exclude != "" && e.Exclude != "NO_OTHER" {
		j.refuse(e.At, "EXCLUDE in a window frame", "subtract the row's own value")
	}
	if len(e.ArgOrders) > 0 {
		j.refuse(e.At, "ORDER BY inside "+e.Function, "order inside OVER (…)")
	}
	for _, bound := range []string{e.Start, e.End} {
		if _, known := bounds[bound]; !known && bound != "" {
			j.refuse(e.At, "a window frame by GROUPS", "write ROWS or RANGE")
			break
		}
	}
	for _, n := range []*expr{e.StartExpr, e.EndExpr} {
		if n == nil {
			continue
		}
		if _, _, interval := n.interval(); !interval && n.Class != "CONSTANT" {
			j.refuse(e.At, "a window frame with a computed bound", "write the number or the INTERVAL")
		}
	}
}
