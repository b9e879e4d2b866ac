package run_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2" // to look into Parquet files
	"github.com/google/go-cmp/cmp"

	"tarn/internal/run"
)

// TestColumnsComeAndGo changes a model's columns in every way, and looks after each whether every value still stands under
// its name and every data file has the field ids of the table.
func TestColumnsComeAndGo(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.batch(0)
	l.write("curated/daily.sql", "SELECT 1 AS one FROM people\n")
	l.write("curated/joined.sql", "SELECT 1 AS one FROM people\n")
	id := func(columns map[string]int, name string) int {
		t.Helper()
		if columns[name] == 0 {
			t.Fatalf("no column %s in %v", name, columns)
		}
		return columns[name]
	}
	type step struct {
		sql, partition string
		check          func(now, before map[string]int)
	}
	var states []string
	var before map[string]int
	model := func(sql, partition string) {
		l.write("curated/wide.sql", "/* @tarn\npartitioned_by: "+partition+"\n*/\nSELECT "+sql+" FROM readings_landing r\n")
	}
	same := func(names ...string) func(now, before map[string]int) {
		return func(now, before map[string]int) {
			for _, n := range names {
				if id(now, n) != id(before, n) {
					t.Errorf("column %s had field id %d and has %d", n, before[n], now[n])
				}
			}
		}
	}
	seen := map[int]string{}
	for i, s := range []step{
		{"r.person AS a, r.v AS b, CAST(r.person AS integer) AS c, timestamp_millis(r.ts) AS ts", "[day(ts)]", nil},
		{"timestamp_millis(r.ts) AS ts, CAST(r.person AS integer) AS c, r.v AS b, r.person AS a", "[day(ts)]", same("a", "b", "c", "ts")},
		{"r.v AS b, CAST(r.person AS integer) AS c, timestamp_millis(r.ts) AS ts", "[month(ts), c]", same("b", "c", "ts")},
		{"r.person AS c, r.v AS b, timestamp_millis(r.ts) AS ts", "[c]", same("b", "c", "ts")}, // int to long
		{"r.person AS c, r.v AS b", "[]", same("b", "c")},                                      // without the column of old partitions
		{"r.person AS c, r.v AS b, r.person AS a, timestamp_millis(r.ts) AS ts", "['truncate(4, c)']", func(now, before map[string]int) {
			same("b", "c")(now, before)
			for _, n := range []string{"a", "ts"} {
				if old, ok := seen[id(now, n)]; ok {
					t.Errorf("column %s came back with field id %d of an earlier %s", n, now[n], old)
				}
			}
		}},
		{"r.v AS c, r.person AS b", "[]", func(now, before map[string]int) {
			// The names are swapped: neither may be taken for the other.
			if now["c"] == before["c"] || now["b"] == before["b"] || now["c"] == before["b"] || now["b"] == before["c"] {
				t.Errorf("swapped names kept an id: %v, before %v", now, before)
			}
		}},
		{"trim(CAST(r.person AS varchar)) AS b, r.v AS c", "['truncate(1, b)']", nil},
	} {
		model(s.sql, s.partition)
		rec := l.run()
		if !slices.Contains(files(rec), "wide") {
			t.Fatalf("step %d was not run", i)
		}
		now := l.looksRight(t, "wide")
		if s.check != nil {
			s.check(now, before)
		}
		for n, id := range now {
			seen[id] = n
		}
		before = now
		states = append(states, rec.Run)
		l.same(t, "wide", s.sql)
	}
	// All earlier states can still be read, each under its own columns.
	for i, at := range states {
		code, out, stderr := l.cli("query", "--at", at, "--format", "csv", "SELECT * FROM wide LIMIT 1")
		if code != 0 || strings.Count(out, "\n") != 2 {
			t.Errorf("state %d: %d %s %s", i, code, out, stderr)
		}
	}
	w := l.open(run.Options{})
	if _, _, err := w.Rollback(t.Context(), states[0], false); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l.same(t, "wide", "r.person AS a, r.v AS b, CAST(r.person AS integer) AS c, timestamp_millis(r.ts) AS ts")
	l.run()
	l.looksRight(t, "wide")
	l.same(t, "wide", "trim(CAST(r.person AS varchar)) AS b, r.v AS c")
	if _, err := l.gc(run.GCOptions{OverHalf: true}); err != nil {
		t.Error(err)
	}
	l.tables()
}

// same holds a table against its SELECT, asked of the landed rows.
func (l *testLake) same(t *testing.T, table, selected string) {
	t.Helper()
	selected = strings.NewReplacer("timestamp_millis(r.ts)", "make_timestamp(r.ts * 1000)").Replace(selected)
	// By name, so that a reader's order of columns does not matter.
	query := fmt.Sprintf("SELECT count(*) FROM ((FROM %[1]s) EXCEPT ALL (SELECT %[2]s FROM readings_landing r)) UNION ALL SELECT count(*) FROM ((SELECT %[2]s FROM readings_landing r) EXCEPT ALL (FROM %[1]s))", table, selected)
	code, out, stderr := l.cli("query", "--format", "csv", query)
	if code != 0 || strings.Count(out, "\n0") != 2 {
		t.Errorf("%s is not SELECT %s: %d %s %s", table, selected, code, out, stderr)
	}
}

// looksRight reads the table's metadata and data files as another program would, and gives its columns' field ids.
func (l *testLake) looksRight(t *testing.T, table string) map[string]int {
	t.Helper()
	tables, err := run.OpenTables(t.Context(), l.dir, run.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer tables.Close()
	v, err := tables.View(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(strings.TrimPrefix(v.Table(table).MetadataLocation(), "file://"))
	if err != nil {
		t.Fatal(err)
	}
	var meta struct {
		Version int `json:"format-version"`
		Current int `json:"current-schema-id"`
		Schemas []struct {
			ID     int `json:"schema-id"`
			Fields []struct {
				ID   int    `json:"id"`
				Name string `json:"name"`
			} `json:"fields"`
		} `json:"schemas"`
		Spec  int `json:"default-spec-id"`
		Specs []struct {
			ID     int `json:"spec-id"`
			Fields []struct {
				ID   int    `json:"field-id"`
				Name string `json:"name"`
			} `json:"fields"`
		} `json:"partition-specs"`
	}
	if err := json.Unmarshal(raw, &meta); err != nil {
		t.Fatal(err)
	}
	if meta.Version != 2 {
		t.Errorf("format version %d", meta.Version)
	}
	want := map[string]int{}
	for _, s := range meta.Schemas {
		if s.ID == meta.Current {
			for _, f := range s.Fields {
				want[f.Name] = f.ID
			}
		}
	}
	parts := map[int]string{}
	for _, s := range meta.Specs {
		for _, f := range s.Fields {
			if have := parts[f.ID]; have != "" && have != f.Name {
				t.Errorf("partition field id %d is both %s and %s", f.ID, have, f.Name)
			}
			parts[f.ID] = f.Name
		}
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	list, err := v.Table(table).Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// The summary's totals have to follow the files through every kind of snapshot.
	for _, name := range v.Names() {
		all, err := v.Table(name).Files(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var sum int64
		for _, f := range all {
			sum += f.Rows
		}
		if s, _ := v.Table(name).Snapshot(); s.Summary["total-records"] != fmt.Sprint(sum) || s.Summary["total-data-files"] != fmt.Sprint(len(all)) {
			t.Errorf("table %s: the summary says %s rows in %s files, and there are %d in %d", name, s.Summary["total-records"], s.Summary["total-data-files"], sum, len(all))
		}
	}
	for _, f := range list {
		rows, err := db.Query("SELECT name, field_id FROM parquet_schema(?) WHERE field_id IS NOT NULL", strings.TrimPrefix(f.Location, "file://"))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for rows.Next() {
			var name string
			var id int
			if err := rows.Scan(&name, &id); err != nil {
				t.Fatal(err)
			}
			if name == "_file" { // which Iceberg reserves, so that the table calls it by another name
				name = "tarn__file"
			}
			got[name] = id
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: field ids (-table +file):\n%s", filepath.Base(strings.TrimPrefix(f.Location, "file://")), diff)
		}
		var codecs string
		var n int64
		if err := db.QueryRow("SELECT string_agg(DISTINCT compression), sum(DISTINCT row_group_num_rows) FROM parquet_metadata(?)", strings.TrimPrefix(f.Location, "file://")).Scan(&codecs, &n); err != nil {
			t.Fatal(err)
		}
		if codecs != "ZSTD" || n != f.Rows {
			t.Errorf("%s: %s, %d rows, the table says %d", strings.TrimPrefix(f.Location, "file://"), codecs, n, f.Rows)
		}
	}
	return want
}

func TestPartitionsAreAsDeclared(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	for n := range 3 {
		l.batch(n)
	}
	l.write("data/readings/odd.json", `{"person": null, "ts": null, "v": 1}`+"\n"+`{"person": -5, "ts": -1000, "v": 1}`+"\n")
	l.write("curated/parts.sql", "/* @tarn\npartitioned_by: [day(ts), 'truncate(10, person)', name]\n*/\n"+
		"SELECT timestamp_millis(r.ts) AS ts, r.person, CASE WHEN r.v > 5 THEN 'a/b=%20 c' WHEN r.v > 3 THEN trim(' ') END AS name FROM readings_landing r\n")
	l.run()
	l.looksRight(t, "parts")
	tables, err := run.OpenTables(t.Context(), l.dir, run.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer tables.Close()
	v, err := tables.View(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	list, err := v.Table("parts").Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	seen := map[string]bool{}
	for _, f := range list {
		key := fmt.Sprint(f.Partition["ts_day"], "|", f.Partition["person_truncate"], "|", f.Partition["name"])
		if seen[key] {
			t.Errorf("two files of partition %s", key)
		}
		seen[key] = true
		var got string
		var n int
		err := db.QueryRow(`SELECT count(DISTINCT k), coalesce(any_value(k), '') FROM (SELECT concat(coalesce((epoch(ts::DATE) / 86400)::INT::VARCHAR, '<nil>'), '|',
			coalesce((floor(person / 10) * 10)::INT::VARCHAR, '<nil>'), '|', coalesce(name, '<nil>')) AS k FROM read_parquet(?))`, strings.TrimPrefix(f.Location, "file://")).Scan(&n, &got)
		if err != nil {
			t.Fatal(err)
		}
		if n != 1 || got != key {
			t.Errorf("the table says partition %s, and the file holds %s (%d in all)", key, got, n)
		}
	}
	if len(seen) < 10 {
		t.Errorf("only %d partitions", len(seen))
	}
}

// TestDDLChanges changes the columns of a landing table: values stay under their names, also those of vanished files.
func TestDDLChanges(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.write("data/people/a.json", `{"id": 1, "name": "Ann", "consent": true, "age": 31}`+"\n")
	l.write("data/people/b.json", `{"id": 2, "name": "Ben", "consent": true, "age": 32}`+"\n")
	l.run()
	l.looksRight(t, "daily") // which has no rows
	l.write("curated/daily.yml", "description: Amended without a change of rows.\n")
	l.run()
	l.looksRight(t, "daily")
	l.remove("data/people/b.json")
	for _, step := range []struct{ old, with, want string }{
		{"id bigint, name string, consent boolean", "consent boolean, name string, age int, id bigint", "true,Ann,31,1\ntrue,Ben,NULL,2\n"},
		{"age int, ", "", "true,Ann,1\ntrue,Ben,2\n"},
		{"consent boolean", "consent boolean, age bigint", "true,31,Ann,1\ntrue,NULL,Ben,2\n"},
	} {
		l.replace("landing/people_landing.sql", step.old, step.with)
		l.run()
		l.looksRight(t, "people_landing__rows")
		code, out, stderr := l.cli("query", "--format", "csv", "SELECT COLUMNS(c -> c <> '_file')::VARCHAR FROM people_landing ORDER BY id")
		out = strings.ReplaceAll(out[strings.Index(out, "\n")+1:], ",,", ",NULL,")
		if code != 0 {
			t.Fatal(stderr)
		}
		if diff := cmp.Diff(step.want, out); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.with, diff)
		}
	}
}
