package sqltree

import (
	"context"
	"database/sql"
	"encoding/json"
	"strconv"
	"strings"

	"tarn/internal/diag"
)

// typed judges what depends on types: DuckDB converts silently between texts, numbers, truth values and times where other
// engines refuse or give something else. The types come from DuckDB's bound plan, whose expressions have the places of
// the parsed ones. Plans that DuckDB cannot write are not judged.
func (q *Query) typed(ctx context.Context, conn *sql.Conn) diag.List {
	body := statements(q.text)[0]
	var raw string
	if err := conn.QueryRowContext(ctx, "SELECT json_serialize_plan(?::VARCHAR, skip_null := true, skip_empty := true, skip_default := true)::VARCHAR", q.text[body.start:body.end]).Scan(&raw); err != nil {
		return nil
	}
	var plan any
	if json.Unmarshal([]byte(raw), &plan) != nil {
		return nil
	}
	t := &typeJudge{q: q, shift: body.start, parsed: map[location]*expr{}, told: map[location]bool{}}
	walker{expression: func(e *expr) {
		if e.At >= 0 {
			// A cast and what it casts never share a place; of other nodes that do, the inner one is meant.
			t.parsed[e.At] = e
		}
	}}.node(q.root, nil)
	t.walk(plan)
	return t.list
}

type typeJudge struct {
	q      *Query
	shift  int
	parsed map[location]*expr
	told   map[location]bool
	list   diag.List
}

func (t *typeJudge) tell(at location, message, hint string) {
	if !t.told[at] {
		t.told[at] = true
		t.list = append(t.list, t.q.src.At(t.q.at(at), "not-portable", message, hint))
	}
}

func (t *typeJudge) walk(v any) {
	switch v := v.(type) {
	case []any:
		for _, c := range v {
			t.walk(c)
		}
	case map[string]any:
		at, placed := v["query_location"].(float64)
		if e := t.parsed[location(at)+location(t.shift)]; placed && e != nil {
			switch v["expression_class"] {
			case "BOUND_CAST":
				t.cast(v, e)
			case "BOUND_FUNCTION":
				t.arithmetic(v, e)
			}
		}
		for _, c := range v {
			t.walk(c)
		}
	}
}

// typeID gives DuckDB's name of a bound expression's type.
func typeID(v any) string {
	m, _ := v.(map[string]any)
	if value, ok := m["value"].(map[string]any); ok {
		m, _ = value["type"].(map[string]any)
	} else {
		m, _ = m["return_type"].(map[string]any)
	}
	id, _ := m["id"].(string)
	return id
}

// family groups the types between which every engine converts by itself.
func family(id string) string {
	switch id {
	case "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL":
		return "number"
	case "VARCHAR":
		return "text"
	case "DATE", "TIMESTAMP", "TIMESTAMP_MS", "TIMESTAMP_S", "TIMESTAMP_NS":
		return "time"
	case "BOOLEAN":
		return "truth value"
	}
	return ""
}

func (t *typeJudge) cast(v map[string]any, e *expr) {
	from, to := typeID(v["child"]), typeID(v)
	if e.Class == "CAST" {
		if to == e.CastType.ID {
			t.explicit(e, from, to)
		}
		return
	}
	a, b := family(from), family(to)
	if a == "" || b == "" || a == b || !t.same(v["child"], e) {
		return
	}
	hint := "write CAST(… AS " + to + ")"
	if text, ok := e.text(); ok && b != "text" {
		switch hint = "write " + text; b {
		case "time":
			hint = "write " + to + " '" + text + "'"
		case "truth value":
			hint = "write TRUE or FALSE"
		default:
			if _, err := strconv.ParseFloat(text, 64); err != nil {
				hint = "make both sides one type with CAST"
			}
		}
	}
	t.tell(e.At, "a "+a+" stands where a "+b+" is expected; other engines do not convert it by themselves", hint)
}

// same reports whether a bound expression is what was parsed at its place: bodies of views and macros have places of their own.
func (t *typeJudge) same(bound any, e *expr) bool {
	m, _ := bound.(map[string]any)
	alias, _ := m["alias"].(string)
	name, _ := m["name"].(string)
	switch e.Class {
	case "COLUMN_REF":
		return strings.EqualFold(alias, e.name())
	case "CONSTANT":
		return m["expression_class"] == "BOUND_CONSTANT"
	case "FUNCTION":
		return strings.EqualFold(name, e.Function)
	}
	return m["expression_class"] != "BOUND_CONSTANT" && m["expression_class"] != "BOUND_REF"
}

func (t *typeJudge) explicit(e *expr, from, to string) {
	whole := to == "TINYINT" || to == "SMALLINT" || to == "INTEGER" || to == "BIGINT"
	switch {
	case whole && (from == "DOUBLE" || from == "FLOAT" || from == "DECIMAL") && !isRounded(e.Child):
		t.tell(e.At, "engines differ in whether a cast to a whole number rounds or cuts", "write CAST(floor(…) AS "+to+") or CAST(round(…) AS "+to+")")
	case to == "VARCHAR" && (from == "DOUBLE" || from == "FLOAT"):
		t.tell(e.At, "engines write floating-point numbers as different texts", "cast to DECIMAL(p,s) first")
	case to == "VARCHAR" && family(from) == "time" && from != "DATE":
		t.tell(e.At, "engines write timestamps as different texts", "cast to DATE first, or use year(…), month(…) and so on")
	case family(from) == "time" && family(to) == "number" || family(from) == "number" && family(to) == "time":
		t.tell(e.At, "engines do not agree on times as numbers", "write unix_millis(ts) or timestamp_millis(n)")
	}
}

// isRounded reports whether a number is whole by the way it is made.
func isRounded(e *expr) bool {
	switch e.Class {
	case "FUNCTION", "WINDOW":
		switch e.Function {
		case "floor", "ceil", "ceiling", "sign":
			return true
		case "round":
			return len(e.Children) == 1
		case "sum", "min", "max", "abs", "coalesce", "mod", "%", "+", "-", "*", "lag", "lead", "greatest", "least":
			for _, c := range e.Children {
				if !isRounded(c) {
					return false
				}
			}
			return len(e.Children) > 0
		}
	case "CONSTANT":
		return e.Value != nil && (e.Value.IsNull || e.Value.Type.ID == "INTEGER" || e.Value.Type.ID == "BIGINT")
	case "CASE":
		for _, c := range e.Checks {
			if !isRounded(c.Then) {
				return false
			}
		}
		return e.Else == nil || isRounded(e.Else)
	case "OPERATOR":
		if e.Type == "OPERATOR_COALESCE" {
			for _, c := range e.Children {
				if !isRounded(c) {
					return false
				}
			}
			return true
		}
	case "CAST":
		switch e.CastType.ID {
		case "TINYINT", "SMALLINT", "INTEGER", "BIGINT":
			return true
		}
	}
	return false
}

// arithmetic refuses sums and differences of dates and whole numbers: a difference of dates is a number in one engine and an
// interval in another.
func (t *typeJudge) arithmetic(v map[string]any, e *expr) {
	name, _ := v["name"].(string)
	if e.Class != "FUNCTION" || e.Function != name || name != "+" && name != "-" {
		return
	}
	arguments, _ := v["arguments"].([]any)
	var ids []string
	for _, a := range arguments {
		m, _ := a.(map[string]any)
		id, _ := m["id"].(string)
		ids = append(ids, id)
	}
	if len(ids) != 2 || ids[0] != "DATE" && ids[1] != "DATE" {
		return
	}
	switch {
	case ids[0] == ids[1]:
		t.tell(e.At, "a difference of dates is a number in one engine and an interval in another", "write (unix_seconds(a) - unix_seconds(b)) / 86400")
	case family(ids[0]) == "number" || family(ids[1]) == "number":
		t.tell(e.At, "a date and a number cannot be added in every engine", "write d + INTERVAL 1 DAY")
	}
}
