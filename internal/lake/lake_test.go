package lake

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/iceberg-go/table"
	"github.com/google/go-cmp/cmp"

	"tarn/internal/awsconf"
	"tarn/internal/cache"
	"tarn/internal/catalog"
	"tarn/internal/catalog/sqlite"
	"tarn/internal/deployconf"
	"tarn/internal/engine/duckdb"
	"tarn/internal/schema"
	"tarn/internal/store/registry"
	"tarn/internal/store/s3/s3test"
)

type bench struct {
	*Lake
	engine *duckdb.Engine
}

// everywhere runs a test with a warehouse on this disk, and with one in a bucket.
func everywhere(t *testing.T, test func(*testing.T, bench)) {
	t.Run("disk", func(t *testing.T) { test(t, setup(t, filepath.Join(t.TempDir(), "ware house"))) })
	t.Run("bucket", func(t *testing.T) {
		s3test.Server(t)
		test(t, setup(t, "s3://"+s3test.Bucket(t)+"/ware house"))
	})
}

func setup(t *testing.T, warehouse string) bench {
	t.Helper()
	dir := t.TempDir()
	c, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(dir, "catalog.db"), Lock: filepath.Join(dir, "lock"), Database: "db"})
	if err != nil {
		t.Fatal(err)
	}
	stores := registry.New(awsconf.Settings{})
	l, err := Open(t.Context(), Options{Catalog: c, Stores: stores, Cache: cache.New(filepath.Join(dir, "cache"), 1<<30, stores),
		Staging: filepath.Join(dir, "staging"), Warehouse: warehouse, Database: "db"})
	if err != nil {
		t.Fatal(err)
	}
	e, err := duckdb.Open(t.Context(), duckdb.Options{Database: "db"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(l.Close(), e.Close()); err != nil {
			t.Error(err)
		}
	})
	return bench{l, e}
}

func col(name string, kind schema.Kind) schema.Column {
	return schema.Column{Name: name, Type: schema.Type{Kind: kind}}
}

func (b bench) view(t *testing.T) *View {
	t.Helper()
	v, err := b.View(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// publish takes the lock for as long as it takes.
func (b bench) publish(t *testing.T, drafts []*Draft) error {
	t.Helper()
	w, err := b.Catalog().Lock(t.Context(), catalog.LockOptions{Run: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return errors.Join(b.Publish(t.Context(), w, drafts), w.Release(t.Context()))
}

// replace stages a table with the rows of a query.
func (b bench) replace(t *testing.T, name, runID string, s Shape, query string, partition ...string) *Draft {
	t.Helper()
	d, err := b.Draft(t.Context(), b.view(t), name, s)
	if err != nil {
		t.Fatal(err)
	}
	files, err := b.engine.Copy(t.Context(), query, duckdb.Output{Dir: d.DataDir(runID), FieldIDs: d.FieldIDs(), Partition: partition})
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range files {
		paths = append(paths, f.Path)
	}
	if err := d.Replace(t.Context(), paths, map[string]string{"tarn.run": runID}); err != nil {
		t.Fatal(err)
	}
	return d
}

func (b bench) rows(t *testing.T, table *Table) []string {
	t.Helper()
	paths, err := b.Reader().Table(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	columns, err := table.Columns()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := b.engine.DB().Query("SELECT whole_row::VARCHAR FROM " + duckdb.Scan(columns, paths) + " whole_row ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := []string{}
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

func TestPublishShowsAllTablesAtOnce(t *testing.T) { everywhere(t, testPublishShowsAllTablesAtOnce) }

func testPublishShowsAllTablesAtOnce(t *testing.T, b bench) {
	s := Shape{Columns: []schema.Column{col("a", schema.BigInt)}}
	one := b.replace(t, "one", "r1", s, "SELECT 1::BIGINT AS a")
	two := b.replace(t, "two", "r1", s, "SELECT 2::BIGINT AS a WHERE false")
	if n := len(b.view(t).Names()); n != 0 {
		t.Fatalf("%d tables are visible before the publish", n)
	}
	if err := b.publish(t, []*Draft{one, two}); err != nil {
		t.Fatal(err)
	}
	v := b.view(t)
	if diff := cmp.Diff([]string{"one", "two"}, v.Names()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"{'a': 1}"}, b.rows(t, v.Table("one"))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{}, b.rows(t, v.Table("two"))); diff != "" {
		t.Error(diff)
	}
	if s, ok := v.Table("two").Snapshot(); !ok || s.Summary["tarn.run"] != "r1" {
		t.Errorf("an empty table has snapshot %v, %v", s, ok)
	}
}

func TestStaleDraftIsAConflict(t *testing.T) { everywhere(t, testStaleDraftIsAConflict) }

func testStaleDraftIsAConflict(t *testing.T, b bench) {
	s := Shape{Columns: []schema.Column{col("a", schema.BigInt)}}
	first := b.replace(t, "x", "r1", s, "SELECT 1::BIGINT AS a")
	second := b.replace(t, "x", "r2", s, "SELECT 2::BIGINT AS a")
	if err := b.publish(t, []*Draft{first}); err != nil {
		t.Fatal(err)
	}
	if err := b.publish(t, []*Draft{second}); !errors.Is(err, catalog.ErrConflict) {
		t.Errorf("got %v, want a conflict", err)
	}
	if diff := cmp.Diff([]string{"{'a': 1}"}, b.rows(t, b.view(t).Table("x"))); diff != "" {
		t.Error(diff)
	}
}

func TestPartitionsFollowTheRows(t *testing.T) { everywhere(t, testPartitionsFollowTheRows) }

func testPartitionsFollowTheRows(t *testing.T, b bench) {
	s := Shape{Columns: []schema.Column{col("ts", schema.Timestamp), col("v", schema.String)},
		PartitionBy: []PartitionField{{Transform: "day", Column: "ts"}, {Transform: "identity", Column: "v"}}}
	d := b.replace(t, "p", "r1", s, `SELECT * FROM (VALUES (TIMESTAMP '2024-01-01 10:00:00', 'a longer text than sixteen characters'), (TIMESTAMP '2024-01-01 11:00:00', 'a longer text than sixteen charms'),
		(TIMESTAMP '2024-01-02 00:00:00', 'b'), (NULL, NULL)) t(ts, v)`, "CAST(ts AS DATE)", "v")
	if err := b.publish(t, []*Draft{d}); err != nil {
		t.Fatal(err)
	}
	files, err := b.view(t).Table("p").Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 4 {
		t.Fatalf("%d files, want 4", len(files))
	}
	got := map[string]int{}
	for _, f := range files {
		got[fmt.Sprint(f.Partition["ts_day"], " ", f.Partition["v"])]++
	}
	want := map[string]int{"19723 a longer text than sixteen characters": 1, "19723 a longer text than sixteen charms": 1, "19724 b": 1, "<nil> <nil>": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n, err := b.view(t).Table("p").Rows(t.Context()); err != nil || n != 4 {
		t.Errorf("%d rows, %v", n, err)
	}
}

// Columns that are moved, dropped, added again or retyped must never be mistaken for each other.
func TestReshapeKeepsIdsApart(t *testing.T) { everywhere(t, testReshapeKeepsIdsApart) }

func testReshapeKeepsIdsApart(t *testing.T, b bench) {
	publish := func(d *Draft) *Table {
		t.Helper()
		if err := b.publish(t, []*Draft{d}); err != nil {
			t.Fatal(err)
		}
		return b.view(t).Table("x")
	}
	ids := func(table *Table) map[string]int {
		out := map[string]int{}
		for _, f := range table.icebergSchema().Fields() {
			out[f.Name] = f.ID
		}
		return out
	}
	publish(b.replace(t, "x", "r1", Shape{Columns: []schema.Column{col("x", schema.Double), col("y", schema.Double), col("gone", schema.String)}}, "SELECT 1.0::DOUBLE x, 2.0::DOUBLE y, 'g' gone"))
	table := publish(b.replace(t, "x", "r2", Shape{Columns: []schema.Column{col("y", schema.Double), col("x", schema.Double), col("new", schema.BigInt)}}, "SELECT 2.0::DOUBLE y, 1.0::DOUBLE x, 3::BIGINT AS \"new\""))
	if diff := cmp.Diff(map[string]int{"x": 1, "y": 2, "new": 4}, ids(table)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"{'y': 2.0, 'x': 1.0, 'new': 3}"}, b.rows(t, table)); diff != "" {
		t.Error(diff)
	}
	table = publish(b.replace(t, "x", "r3", Shape{Columns: []schema.Column{col("x", schema.String), col("gone", schema.String)}}, "SELECT '1' x, 'h' gone"))
	if diff := cmp.Diff(map[string]int{"x": 5, "gone": 6}, ids(table)); diff != "" {
		t.Error(diff)
	}
	old, ok := table.At(table.Snapshots()[0].ID)
	if !ok {
		t.Fatal("the first snapshot is gone")
	}
	if diff := cmp.Diff([]string{"{'x': 1.0, 'y': 2.0, 'gone': g}"}, b.rows(t, old)); diff != "" {
		t.Error(diff)
	}
}

func TestNestedColumns(t *testing.T) { everywhere(t, testNestedColumns) }

func testNestedColumns(t *testing.T, b bench) {
	typ, err := schema.FromDuckDB(`STRUCT(a INTEGER, b VARCHAR[], m MAP(VARCHAR, DECIMAL(10,2)))`)
	if err != nil {
		t.Fatal(err)
	}
	d := b.replace(t, "n", "r1", Shape{Columns: []schema.Column{{Name: "s", Type: typ}, col("k", schema.Date)}},
		`SELECT {'a': 1, 'b': ['x', NULL], 'm': MAP {'k': 1.25::DECIMAL(10,2)}} AS s, DATE '2024-02-29' AS k`)
	if err := b.publish(t, []*Draft{d}); err != nil {
		t.Fatal(err)
	}
	table := b.view(t).Table("n")
	columns, err := table.Columns()
	if err != nil {
		t.Fatal(err)
	}
	if got := columns[0].Type.Hive(); got != "struct<a:int,b:array<string>,m:map<string,decimal(10,2)>>" {
		t.Error(got)
	}
	if diff := cmp.Diff([]string{"{'s': {'a': 1, 'b': [x, NULL], 'm': {k=1.25}}, 'k': 2024-02-29}"}, b.rows(t, table)); diff != "" {
		t.Error(diff)
	}
}

func TestRevertAndCollect(t *testing.T) { everywhere(t, testRevertAndCollect) }

func testRevertAndCollect(t *testing.T, b bench) {
	publish := func(d *Draft) {
		t.Helper()
		if err := b.publish(t, []*Draft{d}); err != nil {
			t.Fatal(err)
		}
	}
	publish(b.replace(t, "x", "r1", Shape{Columns: []schema.Column{col("a", schema.BigInt)}}, "SELECT 1::BIGINT AS a"))
	first, _ := b.view(t).Table("x").Snapshot()
	publish(b.replace(t, "x", "r2", Shape{Columns: []schema.Column{col("b", schema.String)}}, "SELECT 'two' AS b"))
	d, err := b.Revert(t.Context(), b.view(t).Table("x"), b.view(t).Table("x"), first.ID, map[string]string{"tarn.rollback": "r3"})
	if err != nil {
		t.Fatal(err)
	}
	publish(d)
	table := b.view(t).Table("x")
	if diff := cmp.Diff([]string{"{'a': 1}"}, b.rows(t, table)); diff != "" {
		t.Error(diff)
	}
	if s, _ := table.Snapshot(); s.Summary["tarn.run"] != "r1" || len(table.Snapshots()) != 3 {
		t.Errorf("summary %v, %d snapshots", s.Summary, len(table.Snapshots()))
	}
	// A table can go on after it was reverted.
	publish(b.replace(t, "x", "r4", Shape{Columns: []schema.Column{col("b", schema.String)}}, "SELECT 'four' AS b"))

	future := time.Now().Add(time.Hour)
	g, err := b.Unreachable(t.Context(), b.view(t), future)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range g.Files {
		if !strings.HasSuffix(f, ".metadata.json") {
			t.Errorf("%s is kept by a snapshot, but was found unreachable", f)
		}
	}
	expired, n, err := b.Expire(t.Context(), b.view(t).Table("x"), future)
	if err != nil || n != 3 {
		t.Fatalf("expired %d, %v", n, err)
	}
	publish(expired)
	if g, err = b.Unreachable(t.Context(), b.view(t), future); err != nil {
		t.Fatal(err)
	}
	if err := b.Remove(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"{'b': four}"}, b.rows(t, b.view(t).Table("x"))); diff != "" {
		t.Error(diff)
	}
	if g, err = b.Unreachable(t.Context(), b.view(t), future); err != nil || len(g.Files) != 0 {
		t.Errorf("left over: %v, %v", g.Files, err)
	}
	if _, err := b.Unreachable(t.Context(), &View{}, future); !errors.Is(err, ErrEmptyCatalog) {
		t.Errorf("an empty catalog: %v", err)
	}
}

// TestMetadataIsBounded publishes a table more often than its newest metadata names earlier versions: of those that it names no more,
// gc takes what is older than a day, and not what a table of the same name has left that was dropped.
func TestMetadataIsBounded(t *testing.T) {
	t.Parallel()
	warehouse := filepath.Join(t.TempDir(), "warehouse")
	b := setup(t, warehouse)
	const runs = deployconf.KeptVersions + 5
	for n := range runs {
		d := b.replace(t, "x", fmt.Sprint(n), Shape{Columns: []schema.Column{col("a", schema.BigInt)}}, fmt.Sprintf("SELECT %d::BIGINT AS a", n))
		if err := b.publish(t, []*Draft{d}); err != nil {
			t.Fatal(err)
		}
	}
	v := b.view(t)
	current := strings.TrimPrefix(v.Table("x").location, "file://")
	folder := filepath.Dir(current)
	ago := func(d time.Duration) time.Time { return time.Now().Add(-d) }
	// Three days pass.
	raw, err := os.ReadFile(current)
	if err != nil {
		t.Fatal(err)
	}
	raw = regexp.MustCompile(`-ms":(\d{13})`).ReplaceAllFunc(raw, func(m []byte) []byte {
		ms, _ := strconv.ParseInt(string(m[5:]), 10, 64)
		return fmt.Appendf(nil, `-ms":%d`, ms-(72*time.Hour).Milliseconds())
	})
	meta, err := table.ParseMetadataBytes(raw)
	if err != nil {
		t.Fatal(err)
	}
	v.Table("x").meta = meta
	dropped := filepath.Join(folder, "00001-dropped.metadata.json")
	if err := os.WriteFile(dropped, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		age := 48 * time.Hour
		if f == dropped {
			age = 96 * time.Hour
		}
		if err := os.Chtimes(f, ago(age), ago(age)); err != nil {
			t.Fatal(err)
		}
	}
	g, err := b.Unreachable(t.Context(), v, ago(7*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	// The newest names those before it up to its bound, and is none of them.
	if want := runs - deployconf.KeptVersions - 1; len(g.Files) != want {
		t.Errorf("%d files, want %d", len(g.Files), want)
	}
	for _, f := range g.Files {
		if n, ok := metadataVersion(filepath.Base(f)); !ok || n >= runs-deployconf.KeptVersions-1 || f == dropped {
			t.Errorf("%s would go", f)
		}
	}
}

// TestPublishNeedsEveryFile removes what the catalog would point to: bringing the files to the disk finds that out.
func TestPublishNeedsEveryFile(t *testing.T) {
	t.Parallel()
	b := setup(t, filepath.Join(t.TempDir(), "ware house"))
	d := b.replace(t, "x", "r1", Shape{Columns: []schema.Column{col("a", schema.BigInt)}}, "SELECT 1::BIGINT AS a")
	files, err := d.Table().Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	late := &Draft{lake: b.Lake, name: d.name, to: d.to, at: d.at, meta: d.meta}
	late.startSync([]string{filepath.Join(filepath.Dir(strings.TrimPrefix(files[0].Location, "file://")), "gone.parquet")})
	if err := b.publish(t, []*Draft{late}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("published without a data file: %v", err)
	}
	if names := b.view(t).Names(); len(names) > 0 {
		t.Errorf("visible: %v", names)
	}
}

// TestAbandoned stages a table with a journal and leaves it, as a killed process does.
func TestAbandoned(t *testing.T) { everywhere(t, testAbandoned) }

func testAbandoned(t *testing.T, b bench) {
	b.journal.path = filepath.Join(t.TempDir(), "staged")
	shape := Shape{Columns: []schema.Column{col("a", schema.BigInt)}}
	kept := b.replace(t, "x", "r1", shape, "SELECT 1::BIGINT AS a")
	if err := b.publish(t, []*Draft{kept}); err != nil {
		t.Fatal(err)
	}
	if left, err := b.Abandoned(t.Context(), b.view(t)); err != nil || len(left) > 0 {
		t.Errorf("what was published counts as abandoned: %v, %v", left, err)
	}
	b.replace(t, "x", "r2", shape, "SELECT 2::BIGINT AS a")
	b.replace(t, "y", "r2", shape, "SELECT 2::BIGINT AS a")
	left, err := b.Abandoned(t.Context(), b.view(t))
	if err != nil || len(left) < 6 {
		t.Fatalf("abandoned: %v, %v", left, err)
	}
	found, err := b.LeftBy(t.Context(), b.view(t), "r2")
	if err != nil || len(found.Files) < len(left)+2 {
		t.Fatalf("left behind: %v, %v", found.Files, err)
	}
	if err := b.Remove(t.Context(), found); err != nil {
		t.Fatal(err)
	}
	if again, err := b.LeftBy(t.Context(), b.view(t), "r2"); err != nil || len(again.Files) > 0 {
		t.Errorf("left after it was removed: %v, %v", again.Files, err)
	}
	if diff := cmp.Diff([]string{"{'a': 1}"}, b.rows(t, b.view(t).Table("x"))); diff != "" {
		t.Error(diff)
	}
	if err := b.Settled(); err != nil {
		t.Fatal(err)
	}
	if left, err := b.Abandoned(t.Context(), b.view(t)); err != nil || len(left) > 0 {
		t.Errorf("settled, and yet abandoned: %v, %v", left, err)
	}
}
