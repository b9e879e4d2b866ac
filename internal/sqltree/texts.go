package sqltree

import (
	"regexp"
	"strings"
)

// textForm is how a text has to look to be cast to a type. Engines read further forms, each other ones: DuckDB rounds '1.5' to a
// whole number and reads '1_000' and '2024/1/31', Spark reads '1f' and '2024'. Those are errors here, and null for TRY_CAST.
type textForm struct {
	written *regexp.Regexp
	hint    string
	// What is cast instead of $1, so that the engine finds a mistake in all texts of other forms; "" where it does by itself.
	duckdb, spark string
}

const (
	wholeForm   = `\s*[+-]?[0-9]+\s*`
	decimalForm = `\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)\s*`
	floatForm   = `\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*|(?i:\s*[+-]?(nan|inf|infinity)\s*)`
	truthForm   = `(?i:t|true|f|false|y|yes|n|no|1|0)`
	dayForm     = `[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}`
	clockForm   = `[ T]([01]?[0-9]|2[0-3]):[0-9]{1,2}(:[0-9]{1,2}(\.[0-9]{1,9})?)?Z?`
	dateForm    = `\s*` + dayForm + `(` + clockForm + `)?\s*`
	timeForm    = dayForm + `(` + clockForm + `)?`
)

var (
	whole = textForm{form(wholeForm), "write digits alone, such as '12'", `translate($1, '._eExXbB', '????????')`, ""}
	exact = textForm{form(decimalForm), "write a number such as '1.25'", `translate($1, '_eE', '???')`, `regexp_replace($1, '[^\\x00-\\x7f]|[eE]', '?')`}
	float = textForm{form(floatForm), "write a number such as '1.25e-3'", `translate($1, '_', '?')`, `CASE WHEN regexp_like($1, '\\A(?:` + sparkEscaped(floatForm) + `)\\z') THEN regexp_replace($1, '[+-](?i:nan)', 'NaN') ELSE concat('?', $1) END`}
	truth = textForm{form(truthForm), "write TRUE or FALSE", "", `regexp_replace($1, '\\s', '?')`}
	date  = textForm{form(dateForm), "write DATE 'yyyy-mm-dd'", matching(dateForm), sparkMatching(dateForm)}
	stamp = textForm{form(timeForm), "write TIMESTAMP 'yyyy-mm-dd hh:mm:ss'", matching(timeForm), sparkMatching(timeForm)}
)

var textForms = map[string]textForm{"TINYINT": whole, "SMALLINT": whole, "INTEGER": whole, "BIGINT": whole, "DECIMAL": exact,
	"FLOAT": float, "DOUBLE": float, "BOOLEAN": truth, "DATE": date, "TIMESTAMP": stamp}

func form(pattern string) *regexp.Regexp { return regexp.MustCompile(`\A(?:` + pattern + `)\z`) }

func matching(pattern string) string {
	return `CASE WHEN regexp_full_match($1, '` + pattern + `') THEN $1 ELSE '?' || $1 END`
}

func sparkMatching(pattern string) string {
	return `CASE WHEN regexp_like($1, '\\A(?:` + sparkEscaped(pattern) + `)\\z') THEN $1 ELSE concat('?', $1) END`
}

func sparkEscaped(pattern string) string { return strings.ReplaceAll(pattern, `\`, `\\`) }

// formOf gives the form for a type of DuckDB.
func formOf(typ string) (textForm, bool) {
	f, ok := textForms[typeName(typ)]
	return f, ok
}

// typeName is a type without its digits.
func typeName(typ string) string {
	name, _, _ := strings.Cut(typ, "(")
	return name
}

// fromText writes a text that is cast, so that only the forms that all engines read come through. The query has to be bound.
func (p *printer) fromText(e *expr, text string) string {
	f, ok := formOf(typeText(*e.CastType))
	if _, constant := e.Child.text(); !ok || constant || p.typeOf(e.Child) != "VARCHAR" {
		return text
	}
	template := p.d.form(f)
	if template == "" {
		return text
	}
	return strings.ReplaceAll(template, "$1", text)
}
