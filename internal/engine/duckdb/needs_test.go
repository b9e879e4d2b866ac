package duckdb

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/schema"
)

func TestNeeds(t *testing.T) {
	t.Parallel()
	long, text := schema.Type{Kind: schema.BigInt}, schema.Type{Kind: schema.String}
	pair := schema.Type{Kind: schema.Struct, Fields: []schema.Field{{Name: "p", Type: long}, {Name: "q", Type: text}}}
	tables := []Stored{
		{Name: "a", Columns: []schema.Column{{Name: "x", Type: long}, {Name: "y", Type: text}, {Name: "z", Type: long}, {Name: "w", Type: pair}, {Name: "a b", Type: long}}},
		{Name: "b", Columns: []schema.Column{{Name: "x", Type: long}, {Name: "k", Type: text}, {Name: "v", Type: long}}},
	}
	for sql, want := range map[string]map[string][]string{
		"SELECT a.y FROM a JOIN b USING (x) WHERE b.v > 3":                                {"a": {"x", "y"}, "b": {"x", "v"}},
		"SELECT count(*) FROM a WHERE z = 1 AND EXISTS (SELECT 1 FROM b WHERE b.k = a.y)": {"a": {"y", "z"}, "b": {"k"}},
		"SELECT w.p FROM lake.a":                         {"a": {"w"}},
		"SELECT * EXCLUDE (x) FROM a ORDER BY y LIMIT 3": {"a": {"y", "z", "w", "a b"}},
		"SELECT count(*) FROM a":                         {"a": {}},
		"SELECT 1":                                       {},
		"SELECT A.X FROM A WHERE 1 = 0":                  {"a": {"x"}},
		"WITH c AS (SELECT x, y, z FROM a) SELECT l.z FROM c l, c r WHERE l.y = r.y AND l.x > r.x": {"a": {"x", "y", "z"}},
		"SELECT a FROM a": {"a": {"x", "y", "z", "w", "a b"}},
		"SELECT max(z) FROM (SELECT *, row_number() OVER (PARTITION BY x ORDER BY y) r FROM a) WHERE r = 1": {"a": {"x", "y", "z"}},
		"SELECT k FROM b UNION SELECT y FROM a":    {"a": {"y"}, "b": {"k"}},
		"SELECT \"a b\" FROM a":                    {"a": {"a b"}},
		"SELECT y FROM a NATURAL JOIN b":           {"a": {"x", "y"}, "b": {"x"}},
		"SELECT y FROM a SEMI JOIN b ON a.x = b.x": {"a": {"x", "y"}, "b": {"x"}},
		"SELECT max(COLUMNS('^[xy]$')) FROM a":     {"a": {"x", "y"}},
	} {
		got, err := Needs(t.Context(), "lake", tables, nil, sql)
		if err != nil {
			t.Errorf("%s: %v", sql, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s", sql, diff)
		}
	}
	for _, sql := range []string{"SELECT nothing FROM a", "SELECT * FROM none", "SELECT * FROM read_csv('/etc/passwd')", "SELEKT"} {
		if got, err := Needs(t.Context(), "lake", tables, nil, sql); err == nil {
			t.Errorf("%s needs %v", sql, got)
		}
	}
}

// A column that was not fetched is an error where it is read, and costs nothing where it is not.
func TestScanOnly(t *testing.T) {
	t.Parallel()
	e, err := Open(t.Context(), Options{TempDir: filepath.Join(t.TempDir(), "spill")})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	path := filepath.Join(t.TempDir(), "a.parquet")
	if _, err := e.DB().ExecContext(t.Context(), "COPY (SELECT i AS x, 'text ' || i AS y FROM range(10) t(i)) TO "+schema.Literal(path)+" (FORMAT parquet)"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	columns := []schema.Column{{Name: "x", Type: schema.Type{Kind: schema.BigInt}}, {Name: "y", Type: schema.Type{Kind: schema.String}}}
	if err := e.SetTableOnly(t.Context(), "a", columns, []string{"x"}, []string{path}); err != nil {
		t.Fatal(err)
	}
	var n int64
	for _, sql := range []string{"SELECT sum(x) FROM a", "SELECT 45 FROM (SELECT * FROM a) WHERE x = 3", "SELECT 40 + x FROM (SELECT * EXCLUDE (y) FROM a) WHERE x = 5"} {
		if err := e.DB().QueryRowContext(t.Context(), sql).Scan(&n); err != nil || n != 45 {
			t.Errorf("%s: %d, %v", sql, n, err)
		}
	}
	for _, sql := range []string{"SELECT count(*) FROM a WHERE y > ''", "SELECT count(y) FROM a", "SELECT count(DISTINCT a) FROM a"} {
		if err := e.DB().QueryRowContext(t.Context(), sql).Scan(&n); err == nil || !strings.Contains(err.Error(), notFetched+"y") {
			t.Errorf("%s: %d, %v", sql, n, err)
		}
	}
}
