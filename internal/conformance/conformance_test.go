// Package conformance compares engines: every construct and function of docs/sql.md over edge values, on DuckDB and on real
// Spark. It needs a Python with test/peers/spark.txt installed, named by TARN_SPARK_PYTHON; CI installs one.
package conformance

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"

	"tarn/internal/diag"
	"tarn/internal/golden"
	"tarn/internal/schema"
	"tarn/internal/sqltree"
)

func name(r sqltree.TableRef) string { return schema.Quote(r.Name) }

func sparkName(r sqltree.TableRef) string { return schema.SparkQuote(r.Name) }

// lake opens DuckDB with the tables of the corpus.
func lake(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	tables, err := os.ReadFile("testdata/tables.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range append(sqltree.Macros(), string(tables)) {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// bound is a case as it is printed for each engine.
type bound struct {
	test
	duckdb, spark string
}

func bind(t *testing.T, db *sql.DB, c test) (bound, *sqltree.Query, bool) {
	t.Helper()
	q, list := sqltree.Parse(t.Context(), sqltree.DuckDB(db), diag.Source{File: c.about, Text: c.sql}, 0)
	if list.Err() == nil {
		_, more := sqltree.Bind(t.Context(), db, q, name)
		list = append(list, more...)
	}
	if list.Err() != nil {
		t.Errorf("%s: %v", c.sql, list)
		return bound{}, nil, false
	}
	b := bound{test: c}
	var err error
	if b.duckdb, err = q.Print(sqltree.DuckDBDialect, name); err != nil {
		t.Errorf("%s: %v", c.sql, err)
		return b, nil, false
	}
	if b.spark, err = q.Print(sqltree.SparkDialect, sparkName); err != nil {
		t.Errorf("%s: %v", c.sql, err)
		return b, nil, false
	}
	return b, q, true
}

// boundAll prints all cases. Those of the account are the queries with which it counts what becomes of a model's rows.
func boundAll(t *testing.T, db *sql.DB) []bound {
	t.Helper()
	var out []bound
	for _, c := range corpus(t) {
		b, q, ok := bind(t, db, c)
		switch {
		case !ok:
		case c.about == account:
			out = append(out, counted(t, c, q)...)
		default:
			out = append(out, b)
		}
	}
	return out
}

// account is the heading of the cases for the account of rows.
const account = "the account of rows"

func counted(t *testing.T, c test, q *sqltree.Query) []bound {
	t.Helper()
	f := q.Flow()
	pair := func(write func(d sqltree.Dialect, rename func(sqltree.TableRef) string) ([]string, error), columns ...string) []bound {
		a, err := write(sqltree.DuckDBDialect, name)
		if err != nil {
			t.Errorf("%s: %v", c.sql, err)
		}
		b, err := write(sqltree.SparkDialect, sparkName)
		if err != nil {
			t.Errorf("%s: %v", c.sql, err)
		}
		var out []bound
		for i := range a {
			if a[i] == "" {
				continue
			}
			x := bound{test: c, duckdb: a[i], spark: b[i]}
			if len(columns) > 0 {
				x.duckdb = "SELECT * FROM (" + x.duckdb + ") AS counts (" + strings.Join(columns, ", ") + ")"
				x.spark = "SELECT * FROM (" + x.spark + ") AS counts (" + strings.Join(columns, ", ") + ")"
			}
			out = append(out, x)
		}
		return out
	}
	columns := []string{"made"}
	for i := range f.Steps {
		columns = append([]string{fmt.Sprintf("k%d", i)}, columns...)
	}
	out := pair(f.Uniques, "single")
	for _, single := range [][]bool{nil, {true, true, true}} {
		out = append(out, pair(func(d sqltree.Dialect, rename func(sqltree.TableRef) string) ([]string, error) {
			text, err := f.Counts(d, rename, single)
			return []string{text}, err
		}, columns...)...)
	}
	return append(out, pair(func(d sqltree.Dialect, rename func(sqltree.TableRef) string) ([]string, error) {
		text, _, err := f.Traced(d, rename, "x")
		return []string{text}, err
	})...)
}

// sparkPython is a Python with Spark; without one the test is skipped, and fails in CI.
func sparkPython(t *testing.T) string {
	t.Helper()
	python := os.Getenv("TARN_SPARK_PYTHON")
	if python == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("CI has to install test/peers/spark.txt and name its Python in TARN_SPARK_PYTHON")
		}
		t.Skip("TARN_SPARK_PYTHON does not name a Python with test/peers/spark.txt installed")
	}
	return python
}

// TestSparkGivesTheSame runs each case on DuckDB and on Spark.
func TestSparkGivesTheSame(t *testing.T) {
	python := sparkPython(t)
	db := lake(t)
	cases := boundAll(t, db)
	compare(t, db, python, cases, func(c bound, duck error, spark string) {
		if c.fails && duck != nil && spark != "" {
			return
		}
		t.Errorf("%s: %s\nDuckDB: %v\nSpark: %s\n%s", c.about, c.sql, duck, spark, c.spark)
	})
	if !t.Failed() {
		golden.Equal(t, page, written(t, db, cases))
	}
}

// compare runs cases on both engines and tells differences; failed is called for those that an engine refuses.
func compare(t *testing.T, db *sql.DB, python string, cases []bound, failed func(c bound, duck error, spark string)) {
	t.Helper()
	dir := t.TempDir()
	said := spark(t, db, python, dir, cases)
	for i, c := range cases {
		duck, err := result(t.Context(), db, c.duckdb)
		if c.fails || err != nil || said[i] != "" {
			failed(c, err, said[i])
			continue
		}
		got, err := result(t.Context(), db, "SELECT * FROM read_parquet("+schema.Literal(filepath.Join(dir, fmt.Sprintf("case%d", i), "*.parquet"))+")")
		if err != nil {
			t.Errorf("%s: %v", c.sql, err)
			continue
		}
		if d := differ(duck, got, c.near); d != "" {
			t.Errorf("%s: %s\n%s\n%s", c.about, c.sql, c.spark, d)
		}
	}
}

// spark runs the cases on Spark in one session. It gives the error of each, "" where there is none.
func spark(t *testing.T, db *sql.DB, python, dir string, cases []bound) []string {
	t.Helper()
	tables := map[string]string{}
	rows, err := db.Query("SELECT table_name FROM information_schema.tables")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		names = append(names, n)
	}
	for _, n := range names {
		tables[n] = filepath.Join(dir, n+".parquet")
		if _, err := db.Exec("COPY (FROM " + schema.Quote(n) + ") TO " + schema.Literal(tables[n]) + " (FORMAT parquet)"); err != nil {
			t.Fatal(err)
		}
	}
	texts := make([]string, len(cases))
	for i, c := range cases {
		texts[i] = c.spark
	}
	raw, err := json.Marshal(map[string]any{"dir": dir, "settings": sqltree.SparkSettings(), "tables": tables, "cases": texts})
	if err != nil {
		t.Fatal(err)
	}
	plan := filepath.Join(dir, "plan.json")
	if err := os.WriteFile(plan, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), python, "testdata/spark.py", plan).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var said struct {
		Version string
		Errors  []string
	}
	if raw, err = os.ReadFile(filepath.Join(dir, "said.json")); err == nil {
		err = json.Unmarshal(raw, &said)
	}
	if err != nil {
		t.Fatal(err)
	}
	if said.Version != sparkVersion {
		t.Errorf("this is Spark %s, and the corpus is for %s", said.Version, sparkVersion)
	}
	return said.Errors
}

// sparkVersion is the one of AWS Glue 5.0.
const sparkVersion = "3.5.4"

// table is the typed result of a query.
type table struct {
	columns []string
	rows    [][]any
}

func result(ctx context.Context, db *sql.DB, query string) (table, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return table{}, err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return table{}, err
	}
	var out table
	for _, c := range types {
		out.columns = append(out.columns, strings.ToLower(c.Name())+" "+c.DatabaseTypeName())
	}
	for rows.Next() {
		values, places := make([]any, len(types)), make([]any, len(types))
		for i := range values {
			places[i] = &values[i]
		}
		if err := rows.Scan(places...); err != nil {
			return table{}, err
		}
		out.rows = append(out.rows, values)
	}
	return out, rows.Err()
}
