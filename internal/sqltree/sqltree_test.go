package sqltree

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/google/go-cmp/cmp"

	"tarn/internal/diag"
	"tarn/internal/golden"
	"tarn/internal/schema"
)

func open(t testing.TB, statements ...string) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, s := range append(Macros(), statements...) {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	return db
}

func plainNames(r TableRef) string { return schema.Quote(r.Name) }

// Each testdata/NAME.sql is a model over the tables of testdata/tables.sql. NAME.golden has its tables, columns, account
// of rows and printed SQL, or what is wrong with it. Printed SQL must give the rows that the text itself gives.
func TestGolden(t *testing.T) {
	t.Parallel()
	tables, err := os.ReadFile("testdata/tables.sql")
	if err != nil {
		t.Fatal(err)
	}
	db := open(t, string(tables))
	golden.Cases(t, "testdata/*.sql", func(t *testing.T, file string) {
		if filepath.Base(file) == "tables.sql" {
			t.Skip("the tables of the others")
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got := summarise(t, db, diag.Source{File: filepath.Base(file), Text: string(raw)})
		golden.Equal(t, strings.TrimSuffix(file, ".sql")+".golden", got)
	})
}

func summarise(t *testing.T, db *sql.DB, src diag.Source) string {
	t.Helper()
	var b strings.Builder
	q, list := Parse(context.Background(), DuckDB(db), src, 0)
	var columns []schema.Column
	if q != nil {
		var more diag.List
		columns, more = Bind(context.Background(), db, q, plainNames)
		list = append(list, more...)
	}
	for _, d := range list {
		b.WriteString(d.Text() + "\n")
	}
	if list.Err() != nil {
		return b.String()
	}
	for _, r := range q.Tables() {
		line, col := src.Place(r.Offset)
		b.WriteString(strings.TrimSpace("table "+r.Database+" "+r.Name+" "+r.Alias) + " at " + itoa(line) + ":" + itoa(col) + "\n")
	}
	comments := q.ColumnComments()
	for i, c := range columns {
		b.WriteString(strings.TrimSpace("column "+c.Name+" "+c.Type.Hive()+" "+comments[i]) + "\n")
	}
	f := q.Flow()
	b.WriteString("driving " + f.Driving.Name + f.Opaque + "\n")
	for _, s := range f.Steps {
		b.WriteString("step " + s.Name + "\n")
	}
	if f.Merges != "" {
		b.WriteString("merges " + f.Merges + "\n")
	}
	printed, err := q.Print(DuckDBDialect, plainNames)
	if err != nil {
		t.Fatal(err)
	}
	b.WriteString(printed + "\n")
	if diff := cmp.Diff(rows(t, db, q.Text()), rows(t, db, printed)); diff != "" {
		t.Errorf("the printed SQL gives other rows:\n%s", diff)
	}
	return b.String()
}

func itoa(n int) string {
	var digits []byte
	for ; n > 0; n /= 10 {
		digits = append([]byte{byte('0' + n%10)}, digits...)
	}
	return string(digits)
}

func rows(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	body := statements(query)[0]
	r, err := db.Query("SELECT to_json(whole_row)::VARCHAR FROM (" + query[body.start:body.end] + "\n) whole_row")
	if err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	defer r.Close()
	var out []string
	for r.Next() {
		var s string
		if err := r.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	sort.Strings(out)
	return out
}

// Every function of the table prints to something that DuckDB runs.
func TestFunctionsRun(t *testing.T) {
	t.Parallel()
	db := open(t, "CREATE TABLE t (n BIGINT, d DOUBLE, s VARCHAR, ts TIMESTAMP, b BOOLEAN, p VARCHAR)", "INSERT INTO t VALUES (1700000000000, 0.5, 'a-b', '2024-02-03 04:05:06', true, 'day')")
	arguments := map[string]string{
		"round": "d, 1", "power": "d, 2", "mod": "n, 7", "atan2": "d, d", "approx_equal": "d, 0.51, 0.1", "coalesce": "s, 'x'", "nullif": "s, 'x'", "greatest": "d, 1, 2", "least": "d, 1, 2",
		"substring": "s, 1, 2", "replace": "s, 'a', 'b'", "concat": "s, 'x'", "starts_with": "s, 'a'", "strpos": "s, 'b'", "lpad": "s, 5, 'x'", "rpad": "s, 5, 'x'", "split_part": "s, '-', 1",
		"regexp_like": "s, '^a'", "regexp_replace": "s, '[ab]', 'c'", "regexp_extract": "s, '(a)', 1", "date_trunc": "'day', ts", "get_json_object": `'{"a":{"b":1}}', '$.a.b'`, "count": "*",
		"corr": "d, d", "min_by": "s, d", "max_by": "s, d", "row_number": "", "rank": "", "dense_rank": "", "ntile": "2", "lag": "d, 1", "lead": "d", "count_if": "b", "bool_and": "b", "bool_or": "b",
	}
	texts := "lower upper trim ltrim rtrim length reverse md5 sha256"
	stamps := "unix_millis unix_seconds year quarter month day hour minute second"
	wholes := "timestamp_millis timestamp_seconds timestamp_micros"
	for _, f := range functions {
		args, ok := arguments[f.name]
		switch {
		case ok:
		case strings.Contains(" "+texts+" ", " "+f.name+" "):
			args = "s"
		case strings.Contains(" "+stamps+" ", " "+f.name+" "):
			args = "ts"
		case strings.Contains(" "+wholes+" ", " "+f.name+" "):
			args = "n"
		default:
			args = "d"
		}
		if f.name == "timestamp_seconds" {
			args = "17000"
		}
		text := "SELECT " + f.name + "(" + args + ")"
		if f.kind == window {
			text += " OVER (ORDER BY n)"
		}
		text += " AS x FROM t"
		q, list := Parse(t.Context(), DuckDB(db), diag.Source{File: f.name, Text: text}, 0)
		if list.Err() != nil {
			t.Errorf("%s: %v", text, list)
			continue
		}
		printed, err := q.Print(DuckDBDialect, plainNames)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if _, list := Bind(t.Context(), db, q, plainNames); list.Err() != nil {
			t.Errorf("%s cannot be bound: %v", text, list)
		}
		rows(t, db, printed)
	}
}

func FuzzParse(f *testing.F) {
	golden.Seed(f, "testdata/*.sql")
	db := open(f)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2000 || strings.Count(text, "(") > 40 {
			return
		}
		q, list := Parse(context.Background(), DuckDB(db), diag.Source{File: "f.sql", Text: text}, 0)
		if q == nil {
			if list.Err() == nil {
				t.Error("no query and no error")
			}
			return
		}
		q.Tables()
		q.ColumnComments()
		q.Flow()
		printed, err := q.Print(DuckDBDialect, plainNames)
		if err != nil {
			return
		}
		again, list := Parse(context.Background(), DuckDB(db), diag.Source{File: "f.sql", Text: printed}, 0)
		if again == nil && !strings.Contains(list.Err().Error(), "portable") {
			t.Errorf("%s\nis printed as\n%s\n%v", text, printed, list)
		}
	})
}
