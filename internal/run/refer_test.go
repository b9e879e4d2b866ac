package run_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tarn/internal/awsconf"
	"tarn/internal/run"
	"tarn/internal/store"
	"tarn/internal/store/registry"
)

const orders = "CREATE EXTERNAL TABLE orders (id bigint, item string, price double, at timestamp)\nSTORED AS PARQUET\nLOCATION 's3://raw/orders/'\n"

// landParquet writes the rows of a query as a raw file.
func (l *testLake) landParquet(name, query string) {
	l.t.Helper()
	path := filepath.Join(l.t.TempDir(), "x.parquet")
	db, err := sql.Open("duckdb", "")
	if err != nil {
		l.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("COPY (" + query + ") TO '" + path + "' (FORMAT parquet)"); err != nil {
		l.t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		l.t.Fatal(err)
	}
	l.land(name, string(raw))
}

func (l *testLake) unland(name string) {
	l.t.Helper()
	if l.raw == "" {
		l.remove("data/" + name)
		return
	}
	s, key, err := registry.New(awsconf.Settings{}).Locate(l.t.Context(), l.raw+name)
	if err == nil {
		err = s.Delete(l.t.Context(), key)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

func row(id int, item string) string {
	return fmt.Sprintf("SELECT %d::BIGINT AS id, '%s' AS item, 1.5::DOUBLE AS price, TIMESTAMP '2024-01-0%d 10:00:00' AS at", id, item, id%9+1)
}

// asked gives the one column of a query's rows.
func (l *testLake) asked(query string) string {
	l.t.Helper()
	code, stdout, stderr := l.cli("query", "--format", "csv", query)
	if code != 0 {
		l.t.Fatal(stderr)
	}
	_, rows, _ := strings.Cut(strings.TrimSpace(stdout), "\n")
	return strings.ReplaceAll(rows, "\n", " ")
}

// TestReference takes Parquet files as data files of their table: nothing is copied, and no clean-up of tarn touches them.
func TestReference(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, newLake func(t *testing.T) *testLake) {
		l := newLake(t)
		for name := range definitions {
			if name != "tarn.yaml" {
				l.remove(name)
			}
		}
		l.write("landing/orders.sql", orders)
		l.write("landing/orders.yml", "load: reference\nchecks: [{not_null: id}, {unique: id}]\n")
		l.write("trusted/items.sql", "SELECT item, count(*) AS n\nFROM orders\nGROUP BY item\n")
		l.landParquet("orders/1.parquet", row(1, "a")+" UNION ALL "+row(2, "b"))
		rec := l.run()
		if rec.Tables[0].Rows != 2 || rec.Load[0].Loaded != 2 {
			t.Errorf("%+v", rec.Tables[0])
		}
		if got := l.asked("SELECT id || item FROM orders ORDER BY 1"); got != "1a 2b" {
			t.Error(got)
		}
		if n := l.dataFiles("orders__rows"); n != 0 {
			t.Errorf("%d files were copied", n)
		}
		l.landParquet("orders/2.parquet", row(3, "b"))
		// These cannot be data files of the table.
		l.landParquet("orders/3.parquet", "SELECT 4::INTEGER AS id, 'c' AS item, 1.5::DOUBLE AS price, TIMESTAMP '2024-01-01' AS at")
		l.landParquet("orders/4.parquet", row(5, "c")+", true AS more")
		l.land("orders/5.parquet", "no parquet")
		first := l.run()
		if first.Load[0].Quarantined != 3 || first.Tables[0].Rows != 3 {
			t.Errorf("%+v %+v", first.Load[0], first.Tables[0])
		}
		if code, stdout, _ := l.cli("quarantine", "show"); code != 0 || !strings.Contains(stdout, "exactly the columns of the definition, (id BIGINT") {
			t.Errorf("%d %s", code, stdout)
		}
		if got := l.asked("SELECT item || n FROM items ORDER BY 1"); got != "a1 b2" {
			t.Error(got)
		}
		if rec := l.run(); rec.Status != run.NothingToDo {
			t.Errorf("again: %s", rec.Status)
		}
		// A file that is gone or another stops the run, and says which.
		l.unland("orders/2.parquet")
		for _, args := range [][]string{{"run"}, {"run", "--full-refresh"}} {
			if code, _, stderr := l.cli(args...); code != 5 || !strings.Contains(stderr, "s3://raw/orders/2.parquet is gone") || !strings.Contains(stderr, "--prune") {
				t.Errorf("%v: %d %s", args, code, stderr)
			}
		}
		if code, _, stderr := l.cli("run", "--prune"); code != 0 {
			t.Error(stderr)
		}
		if got := l.asked("SELECT id || item FROM orders ORDER BY 1"); got != "1a 2b" {
			t.Errorf("pruned: %s", got)
		}
		l.landParquet("orders/1.parquet", row(1, "z")+" UNION ALL "+row(2, "b"))
		if code, _, stderr := l.cli("run"); code != 5 || !strings.Contains(stderr, "s3://raw/orders/1.parquet has changed") || !strings.Contains(stderr, "--full-refresh") {
			t.Errorf("changed: %d %s", code, stderr)
		}
		if code, _, stderr := l.cli("run", "--full-refresh"); code != 0 {
			t.Error(stderr)
		}
		if got := l.asked("SELECT id || item FROM orders ORDER BY 1"); got != "1z 2b" {
			t.Errorf("taken anew: %s", got)
		}
		// No clean-up takes the raw files, which no snapshot needs any more or all do.
		if _, err := l.gc(run.GCOptions{OlderThan: -1, OverHalf: true}); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"1", "3", "4", "5"} {
			if !l.landed("orders/" + name + ".parquet") {
				t.Errorf("%s.parquet is gone", name)
			}
		}
		// Copied after all, and back.
		l.remove("landing/orders.yml")
		l.run()
		if got := l.asked("SELECT id || item FROM orders ORDER BY 1"); got != "1z 2b 4c 5c" || l.dataFiles("orders__rows") == 0 {
			t.Errorf("copied: %s", got)
		}
		l.write("landing/orders.yml", "load: reference\n")
		l.run()
		if got := l.asked("SELECT id || item FROM orders ORDER BY 1"); got != "1z 2b" {
			t.Errorf("by reference again: %s", got)
		}
		l.landParquet("orders/6.parquet", row(6, "z"))
		l.run()
		if got := l.asked("SELECT item || n FROM items ORDER BY 1"); got != "b1 z2" {
			t.Error(got)
		}
	})
}

// dataFiles counts the data files in a landing table's folder.
func (l *testLake) dataFiles(table string) int {
	l.t.Helper()
	w := l.open(run.Options{})
	defer w.Close()
	return l.filesBelow(w.Lake.Warehouse() + "/" + w.Lake.Database() + "/landing/" + table + "/data/")
}

// filesBelow counts what is stored below a location.
func (l *testLake) filesBelow(location string) (n int) {
	l.t.Helper()
	w := l.open(run.Options{})
	defer w.Close()
	s, key, err := w.Lake.Stores().Locate(l.t.Context(), location)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, err := range s.List(context.Background(), key, store.ListOptions{}) {
		if err != nil {
			l.t.Fatal(err)
		}
		n++
	}
	return n
}

// landed reports whether a raw file is there.
func (l *testLake) landed(name string) bool {
	l.t.Helper()
	location := l.raw + name
	if l.raw == "" {
		location = l.path("data/" + name)
	}
	s, key, err := registry.New(awsconf.Settings{}).Locate(l.t.Context(), location)
	if err != nil {
		l.t.Fatal(err)
	}
	_, err = s.Stat(l.t.Context(), key)
	return err == nil
}
