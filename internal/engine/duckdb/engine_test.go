package duckdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"tarn/internal/schema"
)

func open(t *testing.T, o Options) *Engine {
	t.Helper()
	e, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func (e *Engine) count(t *testing.T, query string) (n int64) {
	t.Helper()
	if err := e.DB().QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestCopyInPartitions(t *testing.T) {
	t.Parallel()
	e := open(t, Options{Database: "lake"})
	dir := filepath.Join(t.TempDir(), "a [b] *", "rows")
	files, err := e.Copy(t.Context(), "SELECT i, CASE i % 4 WHEN 0 THEN 'x=%2F/.. y' WHEN 1 THEN '' WHEN 2 THEN NULL ELSE 'z' END AS p FROM range(1000) r(i)",
		Output{Dir: dir, FieldIDs: "{i: 7, p: 9}", Partition: []string{"p"}})
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	var rows int64
	for _, f := range files {
		if filepath.Dir(f.Path) != dir {
			t.Errorf("%s is not right in its folder: a path must not carry values", f.Path)
		}
		if info, err := os.Stat(f.Path); err != nil || info.Size() != f.Bytes {
			t.Errorf("%s: %v", f.Path, err)
		}
		if n := e.count(t, "SELECT count(DISTINCT coalesce(p, 'none')) FROM "+Scan(nil, []string{f.Path})); n != 1 {
			t.Errorf("%s holds %d partitions", f.Path, n)
		}
		if s := f.Columns["i"]; s.Nulls != 0 || s.Min == "" || s.Max == "" {
			t.Errorf("statistics of i: %+v", s)
		}
		paths = append(paths, f.Path)
		rows += f.Rows
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(files) {
		t.Errorf("%d entries in the folder for %d files: %v", len(entries), len(files), err)
	}
	if rows != 1000 {
		t.Errorf("%d rows are told", rows)
	}
	columns := []schema.Column{{Name: "i", Type: schema.Type{Kind: schema.BigInt}}, {Name: "p", Type: schema.Type{Kind: schema.String}}}
	if err := e.SetTable(t.Context(), "T", columns, paths); err != nil {
		t.Fatal(err)
	}
	// The helper column of the partitions is not among the rows.
	if n := e.count(t, "SELECT count(*) FROM (SELECT i, p FROM t INTERSECT ALL FROM t)"); n != 1000 {
		t.Errorf("%d rows come back", n)
	}
	if err := e.SetTable(t.Context(), "T", columns, nil); err != nil {
		t.Fatal(err)
	}
	if n := e.count(t, "SELECT count(*) FROM (SELECT i + 1, upper(p) FROM t)"); n != 0 {
		t.Errorf("an empty table has %d rows", n)
	}
}

func TestCopyOfNothing(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	for _, partition := range [][]string{nil, {"i"}} {
		dir := filepath.Join(t.TempDir(), "rows")
		files, err := e.Copy(t.Context(), "SELECT 1 AS i WHERE false", Output{Dir: dir, FieldIDs: "{i: 1}", Partition: partition})
		if err != nil || len(files) != 0 {
			t.Errorf("%v %v", files, err)
		}
		if left, err := os.ReadDir(dir); err == nil && len(left) > 0 {
			t.Errorf("an empty file stays: %v", left)
		}
	}
}

// TestCopyThatFails fails in the middle, by a value and by an interrupt; neither may leave anything.
// TestCopiesOfNothing has many copies that make their folders, and take them away, below one that is not there before.
func TestCopiesOfNothing(t *testing.T) {
	t.Parallel()
	e := open(t, Options{})
	base := filepath.Join(t.TempDir(), "staging")
	var all errgroup.Group
	for n := range 8 {
		all.Go(func() error {
			for range 25 {
				dir := filepath.Join(base, fmt.Sprint(n), "run")
				if _, err := e.Copy(t.Context(), "SELECT 1 AS i WHERE false", Output{Dir: dir, FieldIDs: "{i: 1}"}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		t.Error(err)
	}
}

func TestCopyThatFails(t *testing.T) {
	t.Parallel()
	e := open(t, Options{Memory: "200MB"})
	base := t.TempDir()
	dir := filepath.Join(base, "run", "rows", "0")
	_, err := e.Copy(t.Context(), "SELECT CASE WHEN i = 900000 THEN error('boom') ELSE i END AS i FROM range(1000000) r(i)", Output{Dir: dir, FieldIDs: "{i: 1}"})
	if err == nil || !strings.Contains(err.Error(), "boom") {
		t.Errorf("error %v", err)
	}
	if left, err := os.ReadDir(base); err != nil || len(left) > 0 {
		t.Errorf("there is still %v: %v", left, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = e.Copy(ctx, "SELECT hash(i) AS i FROM range(100000000000) r(i)", Output{Dir: dir, FieldIDs: "{i: 1}"})
	if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		t.Errorf("after an interrupt: %v", err)
	}
	if left, err := os.ReadDir(base); err != nil || len(left) > 0 {
		t.Errorf("there is still %v: %v", left, err)
	}
}

func TestMemoryIsABound(t *testing.T) {
	t.Parallel()
	temp := filepath.Join(t.TempDir(), "spill")
	e := open(t, Options{Memory: "64MB", Threads: 1, TempDir: temp})
	// 160 MB of rows are sorted within 64 MB, by way of the temporary folder.
	if n := e.count(t, "SELECT count(*) FROM (SELECT i, row_number() OVER (ORDER BY hash(i)) AS n FROM range(10000000) r(i)) WHERE n > 0"); n != 10000000 {
		t.Errorf("%d rows", n)
	}
	if _, err := os.Stat(temp); err != nil {
		t.Errorf("nothing went to the temporary folder, so the bound was not tested: %v", err)
	}
	var limit string
	if err := e.DB().QueryRow("SELECT current_setting('memory_limit')").Scan(&limit); err != nil || !strings.HasPrefix(limit, "61.0 MiB") {
		t.Errorf("limit %s %v", limit, err)
	}
	if _, err := Open(t.Context(), Options{Memory: "much"}); err == nil {
		t.Error("a nonsense limit was taken")
	}
}

func TestEveryConnectionSeesTheLake(t *testing.T) {
	t.Parallel()
	e := open(t, Options{Database: "my lake"})
	if err := e.SetTable(t.Context(), "odd \"name", []schema.Column{{Name: "a", Type: schema.Type{Kind: schema.Int}}}, nil); err != nil {
		t.Fatal(err)
	}
	var zones []string
	for range 3 {
		c, err := e.DB().Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		var n int
		var zone string
		if err := c.QueryRowContext(t.Context(), `SELECT count(*), current_setting('TimeZone') FROM "odd ""name"`).Scan(&n, &zone); err != nil {
			t.Fatal(err)
		}
		zones = append(zones, zone)
	}
	if slices.ContainsFunc(zones, func(z string) bool { return !strings.HasSuffix(z, "UTC") }) {
		t.Errorf("time zones %v", zones)
	}
}

// TestStoredNames writes columns whose names Iceberg keeps for itself as other programs write them, and reads theirs beside its own.
func TestStoredNames(t *testing.T) {
	t.Parallel()
	e := open(t, Options{Database: "lake"})
	columns := []schema.Column{{Name: "n", Type: schema.Type{Kind: schema.BigInt}}, {Name: "_file", Type: schema.Type{Kind: schema.String}}}
	ours, err := e.Copy(t.Context(), "SELECT n::BIGINT AS n, 'f' || n AS _file FROM range(3) r(n)",
		Output{Dir: filepath.Join(t.TempDir(), "rows"), FieldIDs: `{"n": 1, "tarn__file": 2}`, Partition: []string{"_file"}})
	if err != nil || len(ours) != 3 {
		t.Fatal(ours, err)
	}
	if !Full(ours, "_file") {
		t.Errorf("statistics: %+v", ours[0].Columns)
	}
	theirs := filepath.Join(t.TempDir(), "theirs.parquet")
	if _, err := e.DB().ExecContext(t.Context(), "COPY (SELECT 7::BIGINT AS n, 'f7' AS tarn__file) TO "+schema.Literal(theirs)+" (FORMAT parquet)"); err != nil {
		t.Fatal(err)
	}
	paths := []string{theirs}
	for _, f := range ours {
		paths = append(paths, f.Path)
	}
	for what, from := range map[string]string{"all": Scan(columns, paths), "some": ScanOnly(columns, []string{"_file"}, paths), "by file": ScanNamed(columns, paths, "path")} {
		if n := e.count(t, "SELECT count(DISTINCT _file) FROM "+from+" WHERE _file LIKE 'f%'"); n != 4 {
			t.Errorf("%s: %d values", what, n)
		}
	}
}
