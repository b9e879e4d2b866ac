package sqltree

import (
	"slices"
	"strings"

	"tarn/internal/diag"
)

// kinds judges what depends on the types that were inferred: what no engine but DuckDB can say, or each says differently.
func (q *Query) kinds() diag.List {
	var list diag.List
	told := map[*expr]bool{}
	refuse := func(e *expr, what, hint string) {
		if !told[e] {
			told[e] = true
			list = append(list, q.src.At(q.at(e.first()), "not-portable", what+" is not in the portable subset", hint))
		}
	}
	walker{expression: func(e *expr) {
		typ := q.types.of[e]
		_, _, written := e.interval()
		if typ == "INTERVAL" && !written {
			refuse(e, "a computed interval", "write unix_millis(a) - unix_millis(b), in milliseconds")
			return
		}
		if written {
			return
		}
		added := e.Class == "FUNCTION" && typ == "TIMESTAMP" && (e.Function == "+" || e.Function == "-")
		if e.Class != "WINDOW" && !added {
			e.each(func(c *expr) {
				if _, _, interval := c.interval(); interval {
					refuse(e, "an interval here", "write time + INTERVAL 1 DAY, or compute with unix_millis(a) - unix_millis(b), in milliseconds")
				}
			})
		}
		switch e.Class {
		case "CAST":
			q.castKinds(e, refuse)
		case "FUNCTION", "WINDOW":
			f, _ := findFunction(e.Function)
			if slices.Contains(numeric, f.name) && len(e.Children) > 0 {
				if of := q.types.of[e.Children[0]]; family(typeName(of)) != "number" && of != nullType {
					refuse(e, f.name+" of a "+familyWord(of), "write a number: unix_millis(ts) of a time, CASE WHEN x THEN 1 ELSE 0 END of a truth value")
				}
			}
		}
	}}.node(q.root, nil)
	return list
}

// numeric are aggregates of numbers alone.
var numeric = []string{"sum", "avg", "stddev_samp", "stddev_pop", "var_samp", "var_pop", "corr"}

func familyWord(typ string) string {
	if f := family(typeName(typ)); f != "" {
		return f
	}
	return strings.ToLower(typ)
}

func (q *Query) castKinds(e *expr, refuse func(e *expr, what, hint string)) {
	from, to := q.types.of[e.Child], typeText(*e.CastType)
	switch {
	case (from == "DOUBLE" || from == "FLOAT") && e.CastType.ID == "DECIMAL" && e.CastType.Info != nil && e.CastType.Info.Width > 18:
		refuse(e, "a floating-point number with more than 18 digits", "engines write its last digits differently: cast to DECIMAL(18,s) or less")
	case from == "VARCHAR" && to == "BLOB" || from == "BLOB" && to == "VARCHAR":
		refuse(e, "a cast between text and bytes", "engines read and write bytes as different texts")
	}
	text, constant := e.Child.text()
	if form, ok := formOf(to); ok && constant && !form.written.MatchString(text) {
		refuse(e, "'"+text+"' as "+to, form.hint)
	}
}
