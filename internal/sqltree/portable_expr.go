package sqltree

import (
	"encoding/json"
	"strings"
)

// operators are the calls that stand between or before their arguments.
var operators = []string{"+", "-", "*", "/", "||", "~~", "!~~", "like_escape", "not_like_escape"}

// castTypes are the types that a model can cast to, by DuckDB's name.
var castTypes = map[string]string{"BOOLEAN": "BOOLEAN", "TINYINT": "TINYINT", "SMALLINT": "SMALLINT", "INTEGER": "INTEGER", "BIGINT": "BIGINT",
	"FLOAT": "REAL", "DOUBLE": "DOUBLE", "VARCHAR": "VARCHAR", "DATE": "DATE", "TIMESTAMP": "TIMESTAMP", "DECIMAL": "DECIMAL", "BLOB": "VARBINARY"}

func (j *judge) expr(e *expr) {
	if e == nil {
		return
	}
	switch e.Class {
	case "CONSTANT", "COMPARISON", "CONJUNCTION", "BETWEEN", "CASE":
	case "COLUMN_REF":
		if hint, ok := sessionWords[strings.ToLower(e.name())]; ok && len(e.Columns) == 1 && !j.quotedAt(e.At) {
			j.refuse(e.At, e.name(), hint)
		}
	case "STAR":
		if bool(e.ExcludeList) || bool(e.ReplaceList) || bool(e.RenameList) {
			j.refuse(e.At, "* EXCLUDE, REPLACE or RENAME", "name the columns")
		}
		if e.ColumnsStar || e.StarExpr != nil {
			j.refuse(e.At, "COLUMNS(…)", "name the columns")
		}
	case "CAST":
		j.cast(e)
	case "OPERATOR":
		j.operator(e)
	case "SUBQUERY":
		if e.SubqueryType == "ANY" && e.Comparison != "COMPARE_EQUAL" {
			j.refuse(e.At, "ANY or ALL", "write EXISTS (SELECT 1 FROM … WHERE …)")
		}
		if e.Subquery != nil {
			j.node(e.Subquery.Node, false)
		}
	case "FUNCTION":
		j.function(e)
		return
	case "WINDOW":
		j.window(e)
	case "COLLATE":
		j.refuse(e.first(), "COLLATE", "texts are compared byte by byte: write lower(a) = lower(b) to compare without case")
	case "LAMBDA":
		// The function that takes it is refused already.
		return
	case "PARAMETER":
		j.refuse(j.word("?", "$"), "a parameter", "write the value")
		return
	case "POSITIONAL_REFERENCE":
		j.refuse(e.At, "a column by its number", "write the column's name")
		return
	default:
		j.refuse(e.At, strings.ToLower(strings.ReplaceAll(e.Class, "_", " ")), "docs/sql.md lists what all engines have")
		return
	}
	e.each(j.expr)
}

// name gives the last part of a column's name.
func (e *expr) name() string {
	if len(e.Columns) == 0 {
		return ""
	}
	return e.Columns[len(e.Columns)-1]
}

func (j *judge) quotedAt(l location) bool {
	return l >= 0 && int(l) < len(j.q.text) && j.q.text[l] == '"'
}

func (j *judge) operator(e *expr) {
	switch e.Type {
	case "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "OPERATOR_NOT", "COMPARE_IN", "COMPARE_NOT_IN", "OPERATOR_COALESCE", "OPERATOR_NULLIF":
	case "ARRAY_EXTRACT", "ARRAY_SLICE":
		at := e.first()
		if open := strings.IndexByte(j.bare[max(at, 0):], '['); at >= 0 && open >= 0 {
			at += location(open)
		}
		j.refuse(at, "[…]", "places in arrays and texts are counted differently: write substring(text, from, length), or land one column per value")
	case "STRUCT_EXTRACT":
		j.refuse(e.At, "this way to take a part of a struct", "write column.field")
	case "GROUPING_FUNCTION":
		j.refuse(e.At, "GROUPING", "write one SELECT per grouping and UNION ALL")
	default:
		j.refuse(e.At, strings.ToLower(strings.ReplaceAll(e.Type, "_", " ")), "docs/sql.md lists what all engines have")
	}
}

const castHint = "cast to BOOLEAN, TINYINT, SMALLINT, INTEGER, BIGINT, REAL, DOUBLE, DECIMAL(p,s), VARCHAR, DATE or TIMESTAMP"

func (j *judge) cast(e *expr) {
	id := e.CastType.ID
	if _, ok := castTypes[id]; !ok {
		at, hint := e.At, castHint
		if at < 0 {
			at = e.first()
		}
		switch id {
		case "INTERVAL":
			j.refuse(at, "an interval from text", "write INTERVAL 1 DAY, with the number outside the quotes")
			return
		case "TIMESTAMP WITH TIME ZONE":
			hint = "times are UTC here: cast to TIMESTAMP"
		case "UNBOUND":
			if id = "this type"; e.CastType.Info != nil && e.CastType.Info.Name != "" {
				id = e.CastType.Info.Name
			}
		}
		j.refuse(at, "a cast to "+id, hint)
		return
	}
	switch written := strings.ToUpper(j.castText(e)); {
	case id == "VARCHAR" && (strings.HasSuffix(written, ")") || written == "CHAR" || written == "CHARACTER" || written == "BPCHAR"):
		j.refuse(e.At, "a cast to "+written, "engines differ in whether they cut or pad: cast to VARCHAR, and write substring(text, 1, n) to cut")
	case id == "DECIMAL" && written != "" && !strings.HasSuffix(written, ")"):
		j.refuse(e.At, "a cast to "+written+" without digits", "each engine takes other ones: write DECIMAL(p,s), such as DECIMAL(10,2)")
	}
}

// text gives the text of a constant.
func (e *expr) text() (string, bool) {
	if e.Class != "CONSTANT" || e.Value == nil || e.Value.IsNull || e.Value.Type.ID != "VARCHAR" {
		return "", false
	}
	var s string
	if len(e.Value.Value) > 0 && json.Unmarshal(e.Value.Value, &s) != nil {
		return "", false
	}
	return s, true
}

// each calls f for every direct part of an expression.
func (e *expr) each(f func(*expr)) {
	for _, c := range []*expr{e.Left, e.Right, e.Input, e.Lower, e.Upper, e.Else, e.Child, e.Filter, e.FilterExpr, e.StartExpr, e.EndExpr, e.OffsetExpr, e.DefaultExpr} {
		if c != nil {
			f(c)
		}
	}
	for _, list := range [][]*expr{e.Children, e.Partitions} {
		for _, c := range list {
			f(c)
		}
	}
	for _, c := range e.Checks {
		f(c.When)
		f(c.Then)
	}
	for _, o := range e.Orders {
		f(o.Expr)
	}
}
