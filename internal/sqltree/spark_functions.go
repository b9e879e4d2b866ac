package sqltree

import "strings"

// sparkText is how Spark writes a function: $1 and so on stand for arguments, $* for all, $null for whether one is null,
// $T for the type of the result, $over for FILTER and OVER where they do not stand at the end.
type sparkText struct {
	text string // "" is the same name with all arguments
	args string // the type to which each argument is cast, between commas, the last one for all further ones; "=" is the result's, "" is its own
	give string // the type of what Spark's call gives, where it is not that of DuckDB
}

// fails stops a query where DuckDB stops, with an error.
func fails(when, message, otherwise string) string {
	return "CASE WHEN " + when + " THEN CAST(raise_error('" + message + "') AS $T) ELSE " + otherwise + " END"
}

// spaces are what DuckDB trims: the characters of Unicode's category Zs.
const spaces = `' \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000'`

// sparkTexts has every function of the subset that [sparkSpecial] does not have.
var sparkTexts = map[string]sparkText{
	"abs": {}, "sqrt": {fails("$1 < 0", "sqrt of a negative number", "sqrt($1)"), "DOUBLE", "DOUBLE"},
	"exp": {"", "DOUBLE", "DOUBLE"}, "ln": {fails("$1 <= 0", "ln of a number that is not positive", "ln($1)"), "DOUBLE", "DOUBLE"},
	"log10": {fails("$1 <= 0", "log10 of a number that is not positive", "log10($1)"), "DOUBLE", "DOUBLE"}, "power": {"", "DOUBLE", "DOUBLE"},
	"sign": {"CASE WHEN isnan($1) THEN 0D ELSE sign($1) END", "DOUBLE", "DOUBLE"},
	"sin":  {fails(infinite, "sin of infinity", "sin($1)"), "DOUBLE", "DOUBLE"}, "cos": {fails(infinite, "cos of infinity", "cos($1)"), "DOUBLE", "DOUBLE"},
	"tan": {fails(infinite, "tan of infinity", "tan($1)"), "DOUBLE", "DOUBLE"}, "atan2": {"", "DOUBLE", "DOUBLE"},
	"degrees": {"", "DOUBLE", "DOUBLE"}, "radians": {"", "DOUBLE", "DOUBLE"},
	"coalesce": {"", "=", ""}, "greatest": {"CASE WHEN $null THEN NULL ELSE greatest($*) END", "=", ""}, "least": {"CASE WHEN $null THEN NULL ELSE least($*) END", "=", ""},
	"lower": {"lower(translate($1, 'İΣ', 'iσ'))", "", ""},
	// Java makes several letters of some; DuckDB never does.
	"upper": {"CASE WHEN length(upper($1)) = length($1) THEN upper($1) ELSE array_join(transform(regexp_extract_all($1, '(?s).', 0), " +
		"c -> CASE WHEN length(upper(c)) = 1 THEN upper(c) ELSE translate(initcap(c), 'ß', 'ẞ') END), '') END", "", ""},
	"trim": {"trim(BOTH " + spaces + " FROM $1)", "", ""}, "ltrim": {"trim(LEADING " + spaces + " FROM $1)", "", ""}, "rtrim": {"trim(TRAILING " + spaces + " FROM $1)", "", ""},
	"length": {"", "", "INTEGER"}, "replace": {}, "concat": {}, "starts_with": {"startswith($*)", "", ""}, "strpos": {"instr($*)", "", "INTEGER"},
	"reverse": {`array_join(reverse(regexp_extract_all($1, '(\\X)', 1)), '')`, "", ""},
	"lpad":    {"", ",INTEGER,VARCHAR", ""}, "rpad": {"", ",INTEGER,VARCHAR", ""}, "split_part": {"", ",VARCHAR,INTEGER", ""},
	"timestamp_millis": {"", "BIGINT", zoned}, "timestamp_seconds": {"", "BIGINT", zoned}, "timestamp_micros": {"", "BIGINT", zoned},
	"unix_millis": {"unix_millis(CAST($1 AS TIMESTAMP_LTZ))", "TIMESTAMP", ""}, "unix_seconds": {"unix_seconds(CAST($1 AS TIMESTAMP_LTZ))", "TIMESTAMP", ""},
	"date_trunc": {"", ",TIMESTAMP", zoned},
	"year":       {"", "", "INTEGER"}, "quarter": {"", "", "INTEGER"}, "month": {"", "", "INTEGER"}, "day": {"", "", "INTEGER"},
	"hour": {"", "TIMESTAMP", "INTEGER"}, "minute": {"", "TIMESTAMP", "INTEGER"}, "second": {"", "TIMESTAMP", "INTEGER"},
	"get_json_object": {"CASE WHEN try_element_at(" + wrapped + ", 2) = 'end' THEN get_json_object($*) END", "", ""}, "md5": {}, "sha256": {"sha2($1, 256)", "", ""},
	"count": {}, "min": {}, "max": {}, "bool_and": {}, "bool_or": {},
	"stddev_samp": {"", "DOUBLE", "DOUBLE"}, "stddev_pop": {"", "DOUBLE", "DOUBLE"}, "var_samp": {"", "DOUBLE", "DOUBLE"}, "var_pop": {"", "DOUBLE", "DOUBLE"},
	// DuckDB leaves out rows in which either is null.
	"min_by": {"min_by($1, CASE WHEN $1 IS NOT NULL THEN $2 END)", "", ""}, "max_by": {"max_by($1, CASE WHEN $1 IS NOT NULL THEN $2 END)", "", ""},
	"row_number": {"", "", "INTEGER"}, "rank": {"", "", "INTEGER"}, "dense_rank": {"", "", "INTEGER"}, "ntile": {"", "INTEGER", "INTEGER"},
	"lag": {"", "=,INTEGER,=", ""}, "lead": {"", "=,INTEGER,=", ""}, "first_value": {}, "last_value": {},
}

const (
	infinity = "CAST('Infinity' AS DOUBLE)"
	infinite = "abs($1) = " + infinity
	// wrapped reads a text as the first of two elements, so that nothing can follow the value in it.
	wrapped = "from_json(concat('[', $1, ',\"end\"]'), 'ARRAY<STRING>', map('allowSingleQuotes', 'false', 'allowNonNumericNumbers', 'false'))"
	zoned   = "TIMESTAMP WITH TIME ZONE"
)

// sparkSpecial are functions whose text depends on more than the number of arguments.
var sparkSpecial map[string]func(p *printer, e *expr, suffix string) (text, gives string)

func init() {
	sparkSpecial = map[string]func(p *printer, e *expr, suffix string) (text, gives string){
		"ceil": sparkCeil, "floor": sparkFloor, "round": sparkRound, "substring": sparkSubstring,
		"regexp_like": sparkRegexpLike, "regexp_replace": sparkRegexpReplace, "regexp_extract": sparkRegexpExtract,
		"sum": sparkSum, "avg": sparkAvg, "corr": sparkCorr,
	}
}

// sparkCall writes a call, with what follows it, as a value of the type that DuckDB gives it.
func sparkCall(p *printer, f function, e *expr, suffix string) string {
	typ := p.typeOf(e)
	if special := sparkSpecial[f.name]; special != nil {
		text, gives := special(p, e, suffix)
		return castUnless(text, gives, typ)
	}
	t, ok := sparkTexts[f.name]
	if !ok {
		return p.fail(e.At, "function "+f.name)
	}
	arguments := e.arguments()
	wanted := strings.Split(t.args, ",")
	args := make([]string, len(arguments))
	for i, a := range arguments {
		want := wanted[min(i, len(wanted)-1)]
		if want == "=" {
			want = typ
		}
		args[i] = p.as(a, want)
	}
	d := p.d
	d.call = func(function) string { return strings.ReplaceAll(t.text, "$T", sparkType(typ)) }
	text := (&printer{q: p.q, d: d}).call(f, args, e.Distinct) + suffix
	if t.give == "" {
		return text
	}
	return castUnless(text, t.give, typ)
}

func castUnless(text, have, want string) string {
	if have == want || want == "" {
		return text
	}
	return sparkCast(text, want)
}
