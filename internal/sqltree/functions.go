package sqltree

// kind says where a function can stand.
type kind int

const (
	scalar kind = iota
	aggregate
	window // only with OVER; aggregates can stand there as well
)

// function is one function of the portable subset. Its name is one that a real engine has, Spark's where they differ.
type function struct {
	name     string
	kind     kind
	min, max int // arguments; max -1 is any number
	meaning  string
	// duckdb writes the call: $1 and so on stand for arguments, $* for all. "" means the same name with all arguments.
	duckdb string
}

// functions is the portable subset's function table; docs/sql.md is checked against it.
var functions = []function{
	{"abs", scalar, 1, 1, "absolute value", ""},
	{"ceil", scalar, 1, 1, "the least whole number not below", ""},
	{"floor", scalar, 1, 1, "the greatest whole number not above", ""},
	{"round", scalar, 1, 2, "rounded to so many decimals, halves away from zero", ""},
	{"sqrt", scalar, 1, 1, "square root", ""},
	{"exp", scalar, 1, 1, "e to the power of", ""},
	{"ln", scalar, 1, 1, "natural logarithm", ""},
	{"log10", scalar, 1, 1, "logarithm to base 10", ""},
	{"power", scalar, 2, 2, "first to the power of second, as double", "pow($1, $2)"},
	{"sign", scalar, 1, 1, "-1, 0 or 1", ""},
	{"mod", scalar, 2, 2, "remainder, with the sign of the first", "($1 % $2)"},
	{"sin", scalar, 1, 1, "sine of radians", ""},
	{"cos", scalar, 1, 1, "cosine of radians", ""},
	{"tan", scalar, 1, 1, "tangent of radians", ""},
	{"atan2", scalar, 2, 2, "angle of (y, x) in radians", "atan2($1 + 0e0, $2 + 0e0)"},
	{"degrees", scalar, 1, 1, "radians as degrees", ""},
	{"radians", scalar, 1, 1, "degrees as radians", ""},
	{"approx_equal", scalar, 3, 3, "first and second differ by at most the third", "(abs(($1) - ($2)) <= ($3))"},
	{"coalesce", scalar, 1, -1, "the first that is not null", ""},
	{"nullif", scalar, 2, 2, "null if both are equal, else the first", ""},
	{"greatest", scalar, 2, -1, "the greatest; null if one is null", "CASE WHEN $null THEN NULL ELSE greatest($*) END"},
	{"least", scalar, 2, -1, "the least; null if one is null", "CASE WHEN $null THEN NULL ELSE least($*) END"},
	{"lower", scalar, 1, 1, "in lower case", ""},
	{"upper", scalar, 1, 1, "in upper case", ""},
	{"trim", scalar, 1, 1, "without spaces at both ends", ""},
	{"ltrim", scalar, 1, 1, "without spaces at the start", ""},
	{"rtrim", scalar, 1, 1, "without spaces at the end", ""},
	{"length", scalar, 1, 1, "number of characters", ""},
	{"substring", scalar, 2, 3, "from a character (the first is 1), so many characters", ""},
	{"replace", scalar, 3, 3, "every second replaced by the third", ""},
	{"concat", scalar, 1, -1, "joined; null if one is null", "($||)"},
	{"starts_with", scalar, 2, 2, "the first begins with the second", ""},
	{"strpos", scalar, 2, 2, "place of the second in the first, from 1; 0 if it is not there", ""},
	{"reverse", scalar, 1, 1, "characters in opposite order", ""},
	{"lpad", scalar, 3, 3, "filled up or cut at the left to a length", ""},
	{"rpad", scalar, 3, 3, "filled up or cut at the right to a length", ""},
	{"split_part", scalar, 3, 3, "the n-th part (from 1) between separators", ""},
	{"regexp_like", scalar, 2, 2, "a part matches the regular expression", "regexp_matches($1, $2)"},
	{"regexp_replace", scalar, 3, 3, "every match replaced; $1 stands for a group in Spark and Trino and \\1 in DuckDB, so use no groups", "regexp_replace($1, $2, $3, 'g')"},
	{"regexp_extract", scalar, 3, 3, "the n-th group of the first match (0 is all of it)", "nullif(regexp_extract($1, $2, $3), '')"},
	{"timestamp_millis", scalar, 1, 1, "epoch milliseconds as a UTC timestamp", "make_timestamp(CAST($1 AS BIGINT) * 1000)"},
	{"timestamp_seconds", scalar, 1, 1, "epoch seconds as a UTC timestamp", "make_timestamp(CAST($1 AS BIGINT) * 1000000)"},
	{"timestamp_micros", scalar, 1, 1, "epoch microseconds as a UTC timestamp", "make_timestamp(CAST($1 AS BIGINT))"},
	{"unix_millis", scalar, 1, 1, "a UTC timestamp as epoch milliseconds", "epoch_ms(date_trunc('milliseconds', CAST($1 AS TIMESTAMP)))"},
	{"unix_seconds", scalar, 1, 1, "a UTC timestamp as epoch seconds", "CAST(epoch(date_trunc('second', CAST($1 AS TIMESTAMP))) AS BIGINT)"},
	{"date_trunc", scalar, 2, 2, "cut to 'year', 'quarter', 'month', 'week', 'day', 'hour', 'minute' or 'second'", "CAST(date_trunc($1, $2) AS TIMESTAMP)"},
	{"year", scalar, 1, 1, "year of a date or timestamp", ""},
	{"quarter", scalar, 1, 1, "quarter, 1 to 4", ""},
	{"month", scalar, 1, 1, "month, 1 to 12", ""},
	{"day", scalar, 1, 1, "day of the month", ""},
	{"hour", scalar, 1, 1, "hour, 0 to 23", ""},
	{"minute", scalar, 1, 1, "minute, 0 to 59", ""},
	{"second", scalar, 1, 1, "second, 0 to 59", ""},
	{"get_json_object", scalar, 2, 2, "the text of the value at a path such as '$.a.b' of a JSON text; null if the text is no JSON", "CASE WHEN json_valid($1) THEN json_extract_string($1, $2) END"},
	{"md5", scalar, 1, 1, "MD5 of a text, 32 hexadecimal digits", ""},
	{"sha256", scalar, 1, 1, "SHA-256 of a text, 64 hexadecimal digits", ""},
	{"count", aggregate, 0, 1, "number of rows, or of values that are not null", ""},
	{"sum", aggregate, 1, 1, "sum; of whole numbers write CAST(sum(x) AS BIGINT)", ""},
	{"min", aggregate, 1, 1, "the least", ""},
	{"max", aggregate, 1, 1, "the greatest", ""},
	{"avg", aggregate, 1, 1, "mean, as double", ""},
	{"stddev_samp", aggregate, 1, 1, "standard deviation of a sample", ""},
	{"stddev_pop", aggregate, 1, 1, "standard deviation of all", ""},
	{"var_samp", aggregate, 1, 1, "variance of a sample", ""},
	{"var_pop", aggregate, 1, 1, "variance of all", ""},
	{"corr", aggregate, 2, 2, "correlation", ""},
	{"min_by", aggregate, 2, 2, "first argument of the row with the least second", ""},
	{"max_by", aggregate, 2, 2, "first argument of the row with the greatest second", ""},
	{"bool_and", aggregate, 1, 1, "true if all are", ""},
	{"bool_or", aggregate, 1, 1, "true if one is", ""},
	{"row_number", window, 0, 0, "place in the order, from 1", ""},
	{"rank", window, 0, 0, "place in the order, with gaps behind equals", ""},
	{"dense_rank", window, 0, 0, "place in the order, without gaps", ""},
	{"ntile", window, 1, 1, "which of n equal parts", ""},
	{"lag", window, 1, 3, "value of an earlier row", ""},
	{"lead", window, 1, 3, "value of a later row", ""},
	{"first_value", window, 1, 1, "value of the frame's first row", ""},
	{"last_value", window, 1, 1, "value of the frame's last row", ""},
}

// synonyms are other names under which DuckDB's parser can report functions of the table.
var synonyms = map[string]string{
	"count_star": "count", "ceiling": "ceil", "pow": "power", "substr": "substring", "stddev": "stddev_samp", "variance": "var_samp",
	"position": "strpos", "instr": "strpos", "%": "mod", "mean": "avg", "arg_min": "min_by", "arg_max": "max_by",
	"prefix": "starts_with",
}

// instead says what to write for functions that are not portable.
var instead = map[string]string{
	"epoch_ms": "timestamp_millis(ms) makes a timestamp, unix_millis(ts) makes milliseconds", "make_timestamp": "write timestamp_millis(ms), timestamp_seconds(s) or timestamp_micros(us)",
	"to_timestamp": "write timestamp_seconds(s), or CAST(text AS TIMESTAMP)", "epoch": "write unix_seconds(ts) or unix_millis(ts)", "from_unixtime": "write timestamp_seconds(s)",
	"now": "a rerun would give another table: compare with a column, or use a freshness check", "current_timestamp": "a rerun would give another table: compare with a column, or use a freshness check",
	"get_current_timestamp": "a rerun would give another table: compare with a column, or use a freshness check", "current_date": "a rerun would give another table",
	"today": "a rerun would give another table", "random": "a rerun would give another table", "uuid": "a rerun would give another table: md5 of the key columns is stable", "gen_random_uuid": "a rerun would give another table: md5 of the key columns is stable",
	"regexp_matches": "write regexp_like(text, pattern)", "regexp_full_match": "write regexp_like(text, '^…$')", "json_extract": "write get_json_object(text, '$.path')", "json_extract_string": "write get_json_object(text, '$.path')",
	"->>": "write get_json_object(text, '$.path')", "->": "write get_json_object(text, '$.path')", "~~*": "write lower(a) LIKE lower(b)", "!~~*": "write NOT lower(a) LIKE lower(b)", "~": "write regexp_like(text, pattern)", "regexp_split_to_array": "write split_part(text, separator, n)",
	"//": "write floor(a / b) and CAST it to a whole type", "^": "write power(a, b)", "**": "write power(a, b)", "ifnull": "write coalesce(a, b)", "nvl": "write coalesce(a, b)", "len": "write length(text)", "strlen": "write length(text)", "char_length": "write length(text)",
	"~~~": "write LIKE, or regexp_like(text, pattern)", "unnest": "how arrays are flattened differs between engines: land one row per value", "row": "compare the columns one by one: EXISTS (SELECT 1 FROM … WHERE … AND …)",
	"timezone": "times are UTC here", "&": "bits are not portable: write mod(floor(a / 2), 2) for a bit", "|": "bits are not portable", "<<": "write a * power(2, n)", ">>": "write floor(a / power(2, n))", "@": "write abs(x)", "&&": "arrays are not portable here",
	"log": "write ln(x) or log10(x)", "log2": "write ln(x) / ln(2)", "regexp_extract_all": "write regexp_extract(text, pattern, group)", "concat_ws": "write concat(a, ',', b)", "printf": "write concat(…)", "format": "write concat(…)", "trunc": "write floor(x), or CASE WHEN x < 0 THEN ceil(x) ELSE floor(x) END",
	"dayofweek": "engines count the days of a week differently: take mod(floor(unix_seconds(ts) / 86400) + 3, 7) for Monday = 0", "weekday": "engines count the days of a week differently: take mod(floor(unix_seconds(ts) / 86400) + 3, 7) for Monday = 0", "dayname": "names depend on the engine's language", "monthname": "names depend on the engine's language",
	"hash": "each engine has its own: write md5(text)", "approx_count_distinct": "engines approximate differently: write count(DISTINCT x)", "quantile": "engines approximate it differently", "quantile_cont": "engines approximate it differently", "percent_rank": "write (rank() OVER (…) - 1) / (count(*) OVER (…) - 1)", "cume_dist": "write count(*) OVER (ORDER BY x) / count(*) OVER ()", "nth_value": "number the rows with row_number() in a subquery and take the n-th",
	"getvariable": "write the value", "date_add": "write ts + INTERVAL 1 DAY", "date_sub": "write ts - INTERVAL 1 DAY", "dateadd": "write ts + INTERVAL 1 DAY", "age": "subtract unix_millis of both", "last_day": "write date_trunc('month', ts) + INTERVAL 1 MONTH - INTERVAL 1 DAY", "make_date": "write CAST('2024-01-31' AS DATE)", "strptime": "write CAST(text AS TIMESTAMP) for ISO 8601", "try_strptime": "write TRY_CAST(text AS TIMESTAMP) for ISO 8601",
	"overlay": "write concat(substring(…), …, substring(…))", "initcap": "write concat(upper(substring(s, 1, 1)), lower(substring(s, 2)))", "chr": "write the character", "ascii": "not portable beyond ASCII", "hex": "write md5 or sha256 for keys", "list_apply": "arrays are not portable here: one row per value", "list_transform": "arrays are not portable here: one row per value", "map": "write one column per value", "array_length": "arrays are not portable here", "cardinality": "arrays are not portable here",
	"list": "arrays are not portable here: one row per value", "array_agg": "the order of its values differs between engines", "string_agg": "the order of its values differs between engines", "list_value": "write one column per value", "struct_pack": "write one column per field",
	"if": "write CASE WHEN … THEN … ELSE … END", "strftime": "use year(), month(), day(), or CAST(CAST(ts AS DATE) AS VARCHAR)", "datediff": "subtract unix_millis of both", "date_diff": "subtract unix_millis of both", "any_value": "write min(x)", "median": "use avg, or min and max: engines approximate it differently", "mode": "engines choose differently among equals",
	"count_if": "write count(*) FILTER (WHERE …)", "ilike_escape": "write lower(a) LIKE lower(b)", "error": "use a check", "contains": "write strpos(text, part) > 0", "left": "write substring(text, 1, n)", "right": "write substring(text, length(text) - n + 1, n)",
}

func findFunction(name string) (function, bool) {
	if s, ok := synonyms[name]; ok {
		name = s
	}
	for _, f := range functions {
		if f.name == name {
			return f, true
		}
	}
	return function{}, false
}

func functionNames() []string {
	out := make([]string, len(functions))
	for i, f := range functions {
		out[i] = f.name
	}
	return out
}

// Macros makes DuckDB understand the portable names that it does not have, so that the text of a model can be bound as it
// is written, with its own places in errors. `| 0` refuses what is no whole
// number, and `- to_seconds(0)` what is no time; a cast alone would take both.
func Macros() []string {
	return []string{
		"CREATE OR REPLACE MACRO main.timestamp_millis(ms) AS make_timestamp(CAST(ms | 0 AS BIGINT) * 1000)",
		"CREATE OR REPLACE MACRO main.timestamp_seconds(s) AS make_timestamp(CAST(s | 0 AS BIGINT) * 1000000)",
		"CREATE OR REPLACE MACRO main.timestamp_micros(us) AS make_timestamp(CAST(us | 0 AS BIGINT))",
		"CREATE OR REPLACE MACRO main.unix_millis(ts) AS epoch_ms(date_trunc('milliseconds', CAST(ts - to_seconds(0) AS TIMESTAMP)))",
		"CREATE OR REPLACE MACRO main.unix_seconds(ts) AS CAST(epoch(date_trunc('second', CAST(ts - to_seconds(0) AS TIMESTAMP))) AS BIGINT)",
		"CREATE OR REPLACE MACRO main.regexp_like(t, p) AS regexp_matches(t, p)",
		"CREATE OR REPLACE MACRO main.get_json_object(j, p) AS CASE WHEN json_valid(j) THEN json_extract_string(j, p) END",
		"CREATE OR REPLACE MACRO main.approx_equal(a, b, e) AS abs(a - b) <= e",
	}
}

const again = "a rerun would give another table"

// sessionWords are what DuckDB takes for a call where no column has that name, and says what to write instead.
var sessionWords = map[string]string{
	"current_date": again + ": compare with a column, or use a freshness check", "current_time": again, "current_timestamp": again + ": compare with a column, or use a freshness check",
	"localtime": again, "localtimestamp": again + ": compare with a column, or use a freshness check", "current_user": again + " for another user", "session_user": again + " for another user",
	"current_role": again + " for another user", "current_catalog": "write the name", "current_schema": "write the name", "current_database": "write the name",
}
