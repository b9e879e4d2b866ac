package conformance

import (
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/sqltree"
)

const page = "../../docs/conformance.md"

// The corpus has a case for every construct and function of docs/sql.md, and the page says what the corpus has. That the
// engines agree is what TestSparkGivesTheSame finds out; only it can write the page anew.
func TestPage(t *testing.T) {
	t.Parallel()
	cases := corpus(t)
	reference, err := os.ReadFile("../../docs/sql.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range listed(string(reference)) {
		if !slices.ContainsFunc(cases, func(c test) bool { return c.about == what }) {
			t.Errorf("no case for %s of docs/sql.md", what)
		}
	}
	for _, c := range cases {
		if c.about != account && !slices.Contains(listed(string(reference)), c.about) {
			t.Errorf("docs/sql.md does not have %s", c.about)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	db := lake(t)
	if d := cmp.Diff(written(t, db, boundAll(t, db)), string(got)); d != "" {
		t.Errorf("docs/conformance.md is not what the corpus says (-corpus +page); TARN_SPARK_PYTHON=… go test ./internal/conformance -update\n%s", d)
	}
}

// listed gives the constructs and functions of docs/sql.md.
func listed(reference string) []string {
	var out []string
	part := ""
	for _, line := range strings.Split(reference, "\n") {
		if heading, is := strings.CutPrefix(line, "## "); is {
			part = heading
		}
		cells := strings.Split(line, " | ")
		first, is := strings.CutPrefix(cells[0], "| ")
		switch {
		case !is || len(cells) < 3 || first == "what" || first == "function":
		case part == "Constructs":
			out = append(out, first)
		case part == "Functions":
			out = append(out, strings.Trim(first, "`"))
		}
	}
	return out
}

// written is the page, for cases that came out the same.
func written(t *testing.T, db *sql.DB, cases []bound) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(pageStart)
	fmt.Fprintf(&b, "Compared on DuckDB %s and Spark %s, %d cases. The session of Spark has these settings:\n\n| setting | value |\n|---|---|\n", duckVersion(t, db), sparkVersion, len(cases))
	for _, s := range sqltree.SparkSettings() {
		fmt.Fprintf(&b, "| `%s` | `%s` |\n", s[0], s[1])
	}
	b.WriteString("\n## Results\n\n| construct or function | cases | rows | errors on both | numbers | result |\n|---|---|---|---|---|---|\n")
	for start := 0; start < len(cases); {
		end := start
		rows, fails, numbers := 0, 0, "exact"
		for ; end < len(cases) && cases[end].about == cases[start].about; end++ {
			c := cases[end]
			if c.fails {
				fails++
				continue
			}
			if c.near {
				numbers = "12 digits"
			}
			r, err := result(t.Context(), db, c.duckdb)
			if err != nil {
				t.Errorf("%s: %v", c.sql, err)
			}
			rows += len(r.rows)
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %s | the same |\n", strings.ReplaceAll(cases[start].about, "|", `\|`), end-start, rows, fails, numbers)
		start = end
	}
	b.WriteString(pageEnd)
	return b.String()
}

func duckVersion(t *testing.T, db *sql.DB) string {
	t.Helper()
	var v string
	if err := db.QueryRow("SELECT version()").Scan(&v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(v, "v")
}

const pageStart = `<!-- Written by TARN_SPARK_PYTHON=… go test ./internal/conformance -update. -->
# Conformance: the same SQL on DuckDB and Spark

Every construct and function of [sql.md](sql.md) is run on DuckDB and on real Spark over edge values: nulls, empty texts, Unicode, the least
and the greatest of each type, NaN, infinities, -0.0, the hours in which clocks change, dates before 1970 and before 1582, decimals at full
precision, duplicates, empty tables. Both results have to have the same columns of the same types and the same rows, each as often. The cases are
in ` + "`internal/conformance/testdata/cases.txt`, their tables in `tables.sql`" + ` beside it; ` + "`test/peers/spark.sh`" + ` runs them.

`

const pageEnd = `
## What the results leave open

As in SQL, -0.0 equals 0.0, and which of the two comes out is not compared. What depends on the order in which an engine happens to read rows is
not in the cases, as it is not the same in two runs of one engine either:

- the last digits of a sum or mean of floating-point numbers, and of functions of which each engine has its own (12 digits are compared);
- which of several rows with equal keys ` + "`min_by`, `max_by`, `row_number`, `first_value`, `last_value` and LIMIT" + ` take.

Known to differ:

- letters of scripts that came to Unicode after version 13 keep their case in ` + "`upper` and `lower`" + ` on Spark with Java 17;
- a sum of decimals of more than 38 digits is an error on Spark, and a number with too many digits on DuckDB;
- JSON that was made to look like the end of a document, such as ` + "`1], \"end\"`" + `, can be read by ` + "`get_json_object`" + ` on Spark.
`
