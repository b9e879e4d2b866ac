package sqltree

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"tarn/internal/ddl"
	"tarn/internal/diag"
	"tarn/internal/golden"
	"tarn/internal/schema"
)

const referenceFile = "../../docs/sql.md"

// docs/sql.md is written from the function table, from what Parse and Bind say of the examples here, and from what DuckDB
// gives for them, so that no line of it can be untrue. `go test ./internal/sqltree -run Reference -update` rewrites it.
func TestReference(t *testing.T) {
	t.Parallel()
	db := open(t, exampleTables...)
	var b strings.Builder
	b.WriteString(referenceStart)
	writeConstructs(t, &b, db)
	b.WriteString("\n## Types\n\nA cast, `CAST(x AS type)`, knows these. `TRY_CAST` gives null where a value does not fit.\n\n| type | in Athena DDL |\n|---|---|\n")
	for _, id := range slices.Sorted(maps.Keys(castTypes)) {
		hive := map[string]string{"DECIMAL": "decimal(p,s)"}[id]
		if typ, err := schema.FromDuckDB(id); err == nil {
			hive = typ.Hive()
		}
		name := castTypes[id]
		if name == "DECIMAL" {
			name = "DECIMAL(p,s)"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` |\n", name, hive)
	}
	writeFunctions(t, &b, db)
	writeRefused(t, &b, db)
	b.WriteString(referenceEnd + "\n" + ddl.ReferenceMarkdown())
	golden.Equal(t, referenceFile, b.String())
}

// cell makes text fit into a cell of a Markdown table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func writeConstructs(t *testing.T, b *strings.Builder, db *sql.DB) {
	t.Helper()
	b.WriteString("\n## Constructs\n\nThe examples read `readings (user, ts, day, n, ms, x, price, ok, note)` and `people (email, agreed)`.\n\n| what | example | column types |\n|---|---|---|\n")
	for _, c := range constructs {
		q, list := Parse(t.Context(), DuckDB(db), diag.Source{File: "m.sql", Text: c[1]}, 0)
		if list.Err() != nil {
			t.Errorf("%s: %v", c[1], list.Err())
			continue
		}
		columns, list := Bind(t.Context(), db, q, plainNames)
		if list.Err() != nil {
			t.Errorf("%s: %v", c[1], list.Err())
			continue
		}
		var types []string
		for _, col := range columns {
			if typ := col.Type.Hive(); !slices.Contains(types, typ) {
				types = append(types, typ)
			}
		}
		fmt.Fprintf(b, "| %s | `%s` | %s |\n", cell(c[0]), cell(c[1]), strings.Join(types, ", "))
	}
}

func writeFunctions(t *testing.T, b *strings.Builder, db *sql.DB) {
	t.Helper()
	b.WriteString("\n## Functions\n\nThe names are those of a real engine, Spark's where engines differ. Dates and times are UTC.\n")
	for _, k := range []struct {
		kind  kind
		title string
	}{{scalar, "For each row"}, {aggregate, "Aggregates"}, {window, "Window functions"}} {
		fmt.Fprintf(b, "\n### %s\n\n| function | meaning | example | gives | type |\n|---|---|---|---|---|\n", k.title)
		for _, f := range functions {
			if f.kind != k.kind {
				continue
			}
			example, ok := examples[f.name]
			if !ok {
				t.Errorf("function %s has no example", f.name)
				continue
			}
			gives, typ := firstValue(t, db, "SELECT "+example+" AS v FROM readings")
			fmt.Fprintf(b, "| `%s` | %s | `%s` | %s | %s |\n", f.name, cell(f.meaning), cell(example), cell(gives), typ)
		}
	}
	b.WriteString("\nEvery aggregate can stand with `OVER (…)`. `count`, `sum`, `avg`, `min` and `max` take `DISTINCT`; all take `FILTER (WHERE …)` without `OVER`.\n")
}

// firstValue gives what a model of one column has in its first row, and its type.
func firstValue(t *testing.T, db *sql.DB, text string) (gives, typ string) {
	t.Helper()
	q, list := Parse(t.Context(), DuckDB(db), diag.Source{File: "m.sql", Text: text}, 0)
	if list.Err() != nil {
		t.Errorf("%s: %v", text, list.Err())
		return "", ""
	}
	columns, list := Bind(t.Context(), db, q, plainNames)
	if list.Err() != nil {
		t.Errorf("%s: %v", text, list.Err())
		return "", ""
	}
	printed, err := q.Print(DuckDBDialect, plainNames)
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return "", ""
	}
	var v sql.NullString
	if err := db.QueryRow("SELECT CAST(v AS VARCHAR) FROM (" + printed + ") ORDER BY 1 LIMIT 1").Scan(&v); err != nil {
		t.Errorf("%s: %v", printed, err)
	}
	if !v.Valid {
		return "null", columns[0].Type.Hive()
	}
	return "`" + v.String + "`", columns[0].Type.Hive()
}

func writeRefused(t *testing.T, b *strings.Builder, db *sql.DB) {
	t.Helper()
	b.WriteString("\n## What is refused\n\n`tarn validate` says so with file, line and column, and what to write instead.\n\n| refused | why, and what to write |\n|---|---|\n")
	for _, text := range refused {
		q, list := Parse(t.Context(), DuckDB(db), diag.Source{File: "m.sql", Text: text}, 0)
		if q != nil {
			_, more := Bind(t.Context(), db, q, plainNames)
			list = append(list, more...)
		}
		if list.Err() == nil {
			t.Errorf("%s is not refused", text)
			continue
		}
		d := list[0]
		said := d.Message
		if d.Hint != "" {
			said += "; " + d.Hint
		}
		fmt.Fprintf(b, "| `%s` | %s |\n", cell(text), cell(said))
	}
	b.WriteString("\n### Functions and operators of other engines\n\n| refused | what to write |\n|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(instead)) {
		fmt.Fprintf(b, "| `%s` | %s |\n", cell(name), cell(instead[name]))
	}
}

const referenceStart = `<!-- Written by go test ./internal/sqltree -run Reference -update. -->
# SQL: models and landing tables

## Models

A model is one file in ` + "`trusted/` or `curated/`" + ` with one ` + "`SELECT`" + `. The file's name is the table's. Column names, types and dependencies
come from the SQL; nothing of that is listed by hand. ` + "`tarn compile MODEL`" + ` prints what is executed.

` + "```sql" + `
/* @tarn
description: Readings of people who agreed to research.
partitioned_by: [day(timestamp)]
checks: [{not_null: [user, timestamp]}]
*/
SELECT
  a.user,                                     -- e-mail address
  timestamp_millis(a.timestamp) AS timestamp, -- UTC
  a.x, a.y, a.z                               -- g, phone frame
FROM accelerometer_landing a
WHERE EXISTS (SELECT 1 FROM customer_trusted c WHERE c.email = a.user) -- drop: no_consent
  AND a.x IS NOT NULL -- drop: no_x
` + "```" + `

- **Header.** The keys of the first comment, ` + "`/* @tarn … */`" + `, can stand in ` + "`NAME.yml`" + ` beside the file instead, never in both.
- **Column comments.** A comment at the end of a line of the SELECT list becomes the comment of the last column on that line.
- **Drop comments.** ` + "`-- drop: name`" + ` behind a condition of WHERE or ON names it in the account of rows; without one, the
  condition's own text is its name. Behind a condition of several lines it stands on the last.
- **Tables.** Landing tables and models by their name, with or without the lake's database before it. A landing table also has
  the column ` + "`_file`" + `, the file that a row comes from; Athena's table does not. (In the Iceberg table NAME__rows, as other programs
  read it, it is ` + "`tarn__file`" + `, as Iceberg reserves the name.)
- **The subset.** Only what DuckDB, Spark and Trino (Athena) all have, so that a model that runs on the laptop runs in the cloud.
  ` + "`tarn run`" + ` accepts nothing else. ` + "`tarn query`" + ` and the SQL of checks take all of DuckDB.
- **Every column has a name**, and no two differ only in case.
`

const referenceEnd = `
## Where engines differ, and what is done about it

| what | here, on every engine |
|---|---|
| ` + "`a / b`" + ` of whole numbers | a fraction, as double: ` + "`3 / 2`" + ` is 1.5. Write ` + "`CAST(floor(a / b) AS BIGINT)`" + ` for a whole number |
| order of nulls | last, ascending and descending, unless NULLS FIRST is written; printed always |
| ` + "`a \\|\\| b` and `concat`" + ` with a null | null |
| ` + "`greatest`, `least`" + ` with a null | null |
| whole numbers that overflow | an error, never another number |
| sum of whole numbers | larger than a bigint in DuckDB: write ` + "`CAST(sum(n) AS BIGINT)`" + ` |
| comparison of texts | byte by byte, no collation |
| ` + "`LIKE`" + ` | distinguishes case; the escape character has to be named |
| ` + "`x NOT IN (SELECT …)`" + ` with a null in the subquery | never true, as in the standard: write NOT EXISTS |
| regular expressions | RE2's, written out; Spark gets a Java expression that matches the same texts. No look-around, no back-references |
| numbers, dates and truth values from text | in one form each, with white space around numbers: ` + "`-12`, `1.25`, `1.25e-3` (REAL, DOUBLE), `true`, `2024-01-31`, `2024-01-31 12:00:00.5`" + `; any other text is an error, and null for TRY_CAST |
| division by zero | infinity or NaN; ` + "`%` and `mod`" + ` of whole numbers and decimals give null |
| logarithm of zero, root of a negative number, sine of infinity | an error |
| NaN | equal to itself and greater than all else, also in ORDER BY |
| DOUBLE to DECIMAL | multiplied, rounded half away from zero, at most 18 digits |
| ` + "`upper`, `lower`" + ` | letter by letter: ` + "`upper('ß')` is `ẞ`" + `, no letter becomes two |
| ` + "`trim`" + ` | all spaces of Unicode, no tabs and line breaks |
| ` + "`get_json_object`" + ` of a text that is not JSON | null |
| subqueries that mention the query around them | in WHERE of the subquery, one level out; a value needs an aggregate |
| ` + "`EXTRACT(week …)`, `date_trunc('week', …)`" + ` | ISO weeks, from Monday |
| ` + "`::`, `ifnull`, `x: expr`, `IS TRUE`, `count()`" + ` | read, and printed as what every engine knows |
| names | any case; printed in quotes, so that ` + "`user`, `timestamp` and `date`" + ` are no trouble |
`

// constructs are what can be written, with an example of each.
var constructs = [][2]string{
	{"columns, names", "SELECT r.user, r.n AS number FROM readings r"},
	{"all columns", "SELECT p.* FROM people p"},
	{"numbers", "SELECT 1 AS a, -2.50 AS b, 1e3 AS c FROM people"},
	{"texts, truth values, typed null", "SELECT 'it''s' AS a, TRUE AS b, CAST(NULL AS DOUBLE) AS c FROM people"},
	{"dates and times", "SELECT DATE '2024-01-31' AS a, TIMESTAMP '2024-01-31 12:00:00' AS b FROM people"},
	{"arithmetic", "SELECT r.n + 1 AS a, -r.x * 2 AS b, r.n / 2 AS c, r.n % 2 AS d FROM readings r"},
	{"joined texts", "SELECT r.user || '!' AS a FROM readings r"},
	{"date arithmetic", "SELECT r.ts + INTERVAL 1 DAY AS a, r.ts - INTERVAL 3 HOUR AS b FROM readings r"},
	{"parts of a time", "SELECT EXTRACT(year FROM r.ts) AS a, EXTRACT(doy FROM r.day) AS b FROM readings r"},
	{"comparison", "SELECT r.n FROM readings r WHERE r.n >= 1 AND r.x <> 0 OR NOT r.ok"},
	{"nulls", "SELECT r.n FROM readings r WHERE r.note IS NULL OR r.note IS DISTINCT FROM 'x'"},
	{"ranges and lists", "SELECT r.n FROM readings r WHERE r.n BETWEEN 1 AND 5 AND r.user NOT IN ('x', 'y')"},
	{"patterns", "SELECT r.n FROM readings r WHERE r.user LIKE '%!_%' ESCAPE '!'"},
	{"choice", "SELECT CASE WHEN r.n > 5 THEN 'high' ELSE 'low' END AS a, CASE r.n WHEN 1 THEN 'one' END AS b FROM readings r"},
	{"conversion", "SELECT CAST(r.n AS BIGINT) AS a, TRY_CAST(r.note AS DOUBLE) AS b, r.day::VARCHAR AS c FROM readings r"},
	{"fields of structs", "SELECT q.person.email AS a FROM (SELECT p AS person FROM people p) q"},
	{"joins: JOIN, LEFT, RIGHT, FULL", "SELECT r.n, p.agreed FROM readings r LEFT JOIN people p ON p.email = r.user"},
	{"join by equal names", "SELECT email, a.agreed FROM people a JOIN people b USING (email)"},
	{"all pairs", "SELECT a.email, b.n FROM people a CROSS JOIN readings b"},
	{"semi-join", "SELECT r.n FROM readings r WHERE EXISTS (SELECT 1 FROM people p WHERE p.email = r.user AND p.agreed)"},
	{"anti-join", "SELECT r.n FROM readings r WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.email = r.user)"},
	{"membership", "SELECT r.n FROM readings r WHERE r.user IN (SELECT p.email FROM people p)"},
	{"scalar subquery", "SELECT r.n, (SELECT count(*) FROM people p WHERE p.email = r.user) AS k FROM readings r"},
	{"subquery in FROM", "SELECT q.top FROM (SELECT max(r.x) AS top FROM readings r) AS q"},
	{"WITH", "WITH known (email) AS (SELECT p.email FROM people p) SELECT k.email FROM known k"},
	{"groups", "SELECT r.user, count(*) AS n, avg(r.x) AS mean FROM readings r GROUP BY r.user HAVING count(*) > 1"},
	{"groups by place", "SELECT date_trunc('day', r.ts) AS day, count(*) AS n FROM readings r GROUP BY 1"},
	{"filtered aggregates", "SELECT count(*) FILTER (WHERE r.ok) AS good, count(DISTINCT r.user) AS users FROM readings r"},
	{"windows", "SELECT r.n, row_number() OVER (PARTITION BY r.user ORDER BY r.ts DESC) AS k FROM readings r"},
	{"frames", "SELECT avg(r.x) OVER (ORDER BY r.ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS a FROM readings r"},
	{"frames of time", "SELECT avg(r.x) OVER (ORDER BY r.ts RANGE BETWEEN INTERVAL 1 HOUR PRECEDING AND CURRENT ROW) AS a FROM readings r"},
	{"distinct rows", "SELECT DISTINCT r.user FROM readings r"},
	{"set operations: UNION, INTERSECT, EXCEPT, each also ALL", "SELECT p.email FROM people p UNION ALL SELECT r.user FROM readings r"},
	{"the first rows, in a subquery", "SELECT q.n FROM (SELECT r.n FROM readings r ORDER BY r.n DESC NULLS LAST LIMIT 10) q"},
}

// examples are calls over readings, one for each function.
var examples = map[string]string{
	"abs": "abs(-1.5)", "ceil": "ceil(1.2)", "floor": "floor(-1.2)", "round": "round(2.345, 2)", "sqrt": "sqrt(2.25)", "exp": "exp(0)", "ln": "ln(1)", "log10": "log10(1000)", "power": "power(2, 10)", "sign": "sign(-3)",
	"mod": "mod(-7, 3)", "sin": "sin(0)", "cos": "cos(0)", "tan": "tan(0)", "atan2": "atan2(0, 1)", "degrees": "degrees(0)", "radians": "radians(0)", "approx_equal": "approx_equal(0.1 + 0.2, 0.3, 0.000001)",
	"coalesce": "coalesce(note, '-')", "nullif": "nullif(note, 'a-b')", "greatest": "greatest(1, 3, 2)", "least": "least(1, 3, 2)", "lower": "lower('ÄB')", "upper": "upper('äb')", "trim": "trim('  a ')", "ltrim": "ltrim('  a')", "rtrim": "rtrim('a  ')",
	"length": "length('zwölf')", "substring": "substring('abcdef', 2, 3)", "replace": "replace('a-b-c', '-', '')", "concat": "concat('a', 'b', 'c')", "starts_with": "starts_with('abc', 'ab')", "strpos": "strpos('abc', 'c')", "reverse": "reverse('abc')",
	"lpad": "lpad('7', 3, '0')", "rpad": "rpad('7', 3, '.')", "split_part": "split_part('a-b-c', '-', 2)", "regexp_like": "regexp_like('abc', '^a.c$')", "regexp_replace": "regexp_replace('a1b22', '[0-9]+', '#')", "regexp_extract": "regexp_extract('id=42;', 'id=([0-9]+)', 1)",
	"timestamp_millis": "timestamp_millis(1706933106789)", "timestamp_seconds": "timestamp_seconds(1706933106)", "timestamp_micros": "timestamp_micros(1706933106789012)", "unix_millis": "unix_millis(TIMESTAMP '2024-02-03 04:05:06.789')", "unix_seconds": "unix_seconds(TIMESTAMP '2024-02-03 04:05:06.789')",
	"date_trunc": "date_trunc('week', TIMESTAMP '2024-02-03 04:05:06')", "year": "year(DATE '2024-02-03')", "quarter": "quarter(DATE '2024-02-03')", "month": "month(DATE '2024-02-03')", "day": "day(DATE '2024-02-03')", "hour": "hour(TIMESTAMP '2024-02-03 04:05:06')", "minute": "minute(TIMESTAMP '2024-02-03 04:05:06')", "second": "second(TIMESTAMP '2024-02-03 04:05:06.789')",
	"get_json_object": `get_json_object('{"a":{"b":1}}', '$.a.b')`, "md5": "md5('a')", "sha256": "sha256('a')",
	"count": "count(note)", "sum": "sum(x)", "min": "min(user)", "max": "max(ts)", "avg": "avg(n)", "stddev_samp": "stddev_samp(n)", "stddev_pop": "stddev_pop(n)", "var_samp": "var_samp(n)", "var_pop": "var_pop(n)", "corr": "corr(n, x)", "min_by": "min_by(user, x)", "max_by": "max_by(user, x)", "bool_and": "bool_and(ok)", "bool_or": "bool_or(ok)",
	"row_number": "row_number() OVER (ORDER BY ts)", "rank": "rank() OVER (ORDER BY ts)", "dense_rank": "dense_rank() OVER (ORDER BY ts)", "ntile": "ntile(2) OVER (ORDER BY ts)", "lag": "lag(n, 1, 0) OVER (ORDER BY ts)", "lead": "lead(n, 1, 0) OVER (ORDER BY ts)", "first_value": "first_value(n) OVER (ORDER BY ts)", "last_value": "last_value(n) OVER (ORDER BY ts)",
}

// refused are examples of what cannot be written.
var refused = []string{
	"FROM readings", "SELECT * EXCLUDE (n) FROM readings", "SELECT DISTINCT ON (user) n FROM readings", "SELECT n FROM readings ORDER BY n", "SELECT q.n FROM (SELECT n FROM readings LIMIT 3) q",
	"SELECT q.n FROM (SELECT n FROM readings ORDER BY n OFFSET 3) q", "SELECT n FROM readings USING SAMPLE 10", "SELECT n FROM readings QUALIFY row_number() OVER (ORDER BY n) = 1", "SELECT user, count(*) AS k FROM readings GROUP BY ALL",
	"SELECT user, count(*) AS k FROM readings GROUP BY ROLLUP (user)", "SELECT n + 1 AS k, k + 1 AS l FROM readings", "SELECT lower(note) AS k, count(*) AS c FROM readings GROUP BY k", "SELECT current_date AS today FROM readings",
	"WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n FROM r", "SELECT v.a FROM (VALUES (1)) AS v (a)", "SELECT r.n FROM readings r NATURAL JOIN people p", "SELECT r.n FROM readings r SEMI JOIN people p ON p.email = r.user",
	"SELECT r.n FROM readings r ASOF JOIN readings s ON r.ts >= s.ts", "SELECT r.n FROM readings r, LATERAL (SELECT p.email FROM people p WHERE p.email = r.user) q", "SELECT n FROM 'readings.parquet'", "SELECT n FROM readings UNION BY NAME SELECT n FROM readings",
	"SELECT n FROM readings WHERE user ILIKE 'a%'", `SELECT n FROM readings WHERE user LIKE 'a\_%'`, "SELECT n FROM readings WHERE n = ANY (SELECT 1) OR n > ALL (SELECT 1)", "SELECT n FROM readings WHERE ts > '2024-01-01'", "SELECT n FROM readings WHERE user = n", "SELECT user || n AS k FROM readings",
	"SELECT day - day AS k FROM readings", "SELECT day + 1 AS k FROM readings", "SELECT ts + INTERVAL '1 day' AS k FROM readings", "SELECT EXTRACT(dow FROM ts) AS k FROM readings", "SELECT CAST(x AS INTEGER) AS k FROM readings", "SELECT CAST(x AS VARCHAR) AS k FROM readings",
	"SELECT CAST(ts AS VARCHAR) AS k FROM readings", "SELECT CAST(note AS VARCHAR(3)) AS k FROM readings", "SELECT CAST(note AS DECIMAL) AS k FROM readings", "SELECT sum(n) AS k FROM readings", "SELECT NULL AS k FROM readings", "SELECT n + 1 FROM readings", "SELECT [1, 2] AS k FROM readings", "SELECT user[1] AS k FROM readings",
	"SELECT {'a': 1} AS k FROM readings", "SELECT row_number() OVER () AS k FROM readings", "SELECT count(DISTINCT n) OVER () AS k FROM readings", "SELECT lag(n IGNORE NULLS) OVER (ORDER BY ts) AS k FROM readings", "SELECT n FROM readings WHERE user COLLATE NOCASE = 'a'", "SELECT e'a\\n' AS k FROM readings", "SELECT n, FROM readings", "SELECT regexp_like(user, '(?<=a)b') AS k FROM readings", "SELECT regexp_replace(user, '(a)', '<$1>') AS k FROM readings", "SELECT a.email FROM people a JOIN people b USING (email)",
	"SELECT n, user IN (SELECT email FROM people) AS k FROM readings", "SELECT (SELECT p.agreed FROM people p WHERE p.email = r.user) AS k FROM readings r", "SELECT n FROM readings r WHERE EXISTS (SELECT 1 FROM people p WHERE EXISTS (SELECT 1 FROM people q WHERE q.email = r.user))",
	"SELECT n FROM readings r WHERE EXISTS (SELECT p.agreed AND r.ok FROM people p)", "SELECT n FROM readings r WHERE EXISTS (SELECT p.email FROM people p WHERE p.email = r.user UNION ALL SELECT p.email FROM people p)", "SELECT r.n FROM readings r JOIN people p ON EXISTS (SELECT 1 FROM people q WHERE q.email = p.email)",
	"SELECT n FROM readings r WHERE EXISTS (SELECT 1 FROM people p WHERE p.email = r.user ORDER BY p.email LIMIT 1)", "SELECT r.user, (SELECT count(*) FROM people p WHERE p.email = r.user) AS k, count(*) AS n FROM readings r GROUP BY r.user", "SELECT n AS k FROM readings JOIN (SELECT ms AS n FROM readings) q USING (n)",
	"SELECT n FROM readings WHERE ts - ts > INTERVAL 1 HOUR", "SELECT CAST(x AS DECIMAL(30,2)) AS k FROM readings", "SELECT CAST(note AS VARBINARY) AS k FROM readings", "SELECT TIMESTAMP '2024-01-31 12:00:00+01' AS k FROM readings", "SELECT DATE '2024/1/31' AS k FROM readings", "SELECT CAST('1.5' AS INTEGER) AS k FROM readings",
	"SELECT avg(ts) AS k FROM readings", "SELECT round(x, n) AS k FROM readings", "SELECT lpad(note, 5, user) AS k FROM readings", "SELECT split_part(note, user, 1) AS k FROM readings", "SELECT lag(n, n) OVER (ORDER BY ts) AS k FROM readings", "SELECT regexp_like(note, user) AS k FROM readings", "SELECT regexp_replace(note, 'x*', '-') AS k FROM readings", "SELECT regexp_extract(note, '(a)', 2) AS k FROM readings",
	"SELECT get_json_object(note, '$.*') AS k FROM readings", "SELECT substring(note, 2, -1) AS k FROM readings", "SELECT n FROM readings WHERE note LIKE 'a!b' ESCAPE '!'",
}

// testdata/spark.golden has the Spark text of every construct and function.
func TestSparkText(t *testing.T) {
	t.Parallel()
	db := open(t, exampleTables...)
	var b strings.Builder
	write := func(about, text string) {
		q, list := Parse(t.Context(), DuckDB(db), diag.Source{File: about, Text: text}, 0)
		if list.Err() == nil {
			_, more := Bind(t.Context(), db, q, plainNames)
			list = append(list, more...)
		}
		if list.Err() != nil {
			t.Errorf("%s: %v", text, list)
			return
		}
		printed, err := q.Print(SparkDialect, func(r TableRef) string { return schema.SparkQuote(r.Name) })
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		fmt.Fprintf(&b, "-- %s: %s\n%s\n\n", about, text, printed)
	}
	for _, c := range constructs {
		write(c[0], c[1])
	}
	for _, f := range functions {
		_, plain := sparkTexts[f.name]
		_, special := sparkSpecial[f.name]
		if f.name != "mod" && f.name != "nullif" && f.name != "approx_equal" && plain == special {
			t.Errorf("how Spark writes %s has to be said once", f.name)
		}
		write(f.name, "SELECT "+examples[f.name]+" AS v FROM readings")
	}
	golden.Equal(t, "testdata/spark.golden", b.String())
}

var exampleTables = []string{`CREATE TABLE readings ("user" VARCHAR, "ts" TIMESTAMP, "day" DATE, n INTEGER, ms BIGINT, x DOUBLE, price DECIMAL(10,2), ok BOOLEAN, note VARCHAR)`,
	`INSERT INTO readings VALUES ('a@x.org', '2024-02-03 04:05:06.789', '2024-02-03', 1, 1706933106789, 0.5, 9.95, true, 'a-b'), ('b@x.org', '2024-02-04 00:00:00', '2024-02-04', 7, 1707004800000, -1.5, 0.05, false, NULL)`,
	`CREATE TABLE people (email VARCHAR, agreed BOOLEAN)`, `INSERT INTO people VALUES ('a@x.org', true)`}
