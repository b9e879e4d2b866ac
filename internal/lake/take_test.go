package lake

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/iceberg-go/table"
	"github.com/google/go-cmp/cmp"

	"tarn/internal/engine/duckdb"
	"tarn/internal/schema"
)

// anotherEngine writes rows as another engine does that was handed a table of a shape: it gives the snapshot that it has made.
func (b bench) anotherEngine(t *testing.T, name, run string, s Shape, query string, partition ...string) json.RawMessage {
	t.Helper()
	d, err := b.Draft(t.Context(), b.view(t), name, s)
	if err != nil {
		t.Fatal(err)
	}
	files, err := b.engine.Copy(t.Context(), query, duckdb.Output{Dir: filepath.Join(d.DataDir(run), "spark"), FieldIDs: d.FieldIDs(), Partition: partition})
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range files {
		paths = append(paths, f.Path)
	}
	handed, err := d.Handed(run, d.at+"/metadata")
	if err != nil {
		t.Fatal(err)
	}
	d.base, d.meta = nil, parsed(t, handed)
	if err := d.Swap(t.Context(), nil, paths, map[string]string{}); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(d.meta.CurrentSnapshot())
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestTake(t *testing.T) { everywhere(t, testTake) }

func testTake(t *testing.T, b bench) {
	a, n, at := col("a", schema.BigInt), col("b", schema.BigInt), col("at", schema.Timestamp)
	s := Shape{Columns: []schema.Column{a, n, at}, PartitionBy: []PartitionField{{Transform: "day", Column: "at"}}}
	const rows = `SELECT 1::BIGINT AS a, 2::BIGINT AS b, TIMESTAMP '2026-03-01 10:00:00' AS "at" UNION ALL SELECT 3, NULL, TIMESTAMP '2026-03-02 10:00:00'`
	const day = `CAST("at" AS DATE)`
	good := b.anotherEngine(t, "t", "r1", s, rows, day)
	take := func(s Shape, run string, snapshot json.RawMessage) (*Draft, int64, error) {
		t.Helper()
		d, err := b.Draft(t.Context(), b.view(t), "t", s)
		if err != nil {
			t.Fatal(err)
		}
		n, err := d.Take(t.Context(), run, snapshot, map[string]string{"tarn.run": run})
		return d, n, err
	}
	d, count, err := take(s, "r1", good)
	if err != nil || count != 2 {
		t.Fatalf("%d rows, %v", count, err)
	}
	if err := b.publish(t, []*Draft{d}); err != nil {
		t.Fatal(err)
	}
	have := b.view(t).Table("t")
	if diff := cmp.Diff([]string{"{'a': 1, 'b': 2, 'at': '2026-03-01 10:00:00'}", "{'a': 3, 'b': NULL, 'at': '2026-03-02 10:00:00'}"}, b.rows(t, have)); diff != "" {
		t.Error(diff)
	}
	if n, err := have.Rows(t.Context()); n != 2 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
	with := func(columns ...schema.Column) Shape { return Shape{Columns: columns, PartitionBy: s.PartitionBy} }
	for name, c := range map[string]struct {
		written Shape
		query   string
		day     []string
		says    string
	}{
		// The ids are those of the table, so a reader would take one column's values for the other's.
		"names that changed places": {with(n, a, at), "SELECT b, a, \"at\" FROM (" + rows + ")", []string{day}, "column b is there where a is expected"},
		"another type":              {with(col("a", schema.Int), n, at), "SELECT a::INT AS a, b, \"at\" FROM (" + rows + ")", []string{day}, "column a is INT32"},
		"a column more":             {with(a, n, at, col("c", schema.String)), "SELECT *, 'x' AS c FROM (" + rows + ")", []string{day}, "4 columns, expected 3"},
		"no partitions":             {Shape{Columns: s.Columns}, rows, nil, "partition spec"},
	} {
		// Written for a table of that name that is not there yet, so that ids begin anew.
		other := b.anotherEngine(t, "t_"+strings.ReplaceAll(name, " ", "_"), "r2", c.written, c.query, c.day...)
		d, err := b.Draft(t.Context(), b.view(t), "t", s)
		if err != nil {
			t.Fatal(err)
		}
		// The place is not what this is about.
		d.at = strings.TrimSuffix(d.at, "/t") + "/t_" + strings.ReplaceAll(name, " ", "_")
		if _, err := d.Take(t.Context(), "r2", other, nil); !errors.Is(err, ErrForeignFile) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := take(s, "r3", good); !errors.Is(err, ErrForeignFile) || !strings.Contains(err.Error(), "it is not below") {
		t.Errorf("files of another run: %v", err)
	}
	// Fewer rows, then none.
	d, count, err = take(s, "r4", b.anotherEngine(t, "t", "r4", s, rows+" LIMIT 1", day))
	if err != nil || count != 1 || b.publish(t, []*Draft{d}) != nil {
		t.Fatalf("%d rows, %v", count, err)
	}
	d, count, err = take(s, "r5", nil)
	if err != nil || count != 0 || b.publish(t, []*Draft{d}) != nil {
		t.Fatalf("%d rows, %v", count, err)
	}
	if rows := b.rows(t, b.view(t).Table("t")); len(rows) > 0 {
		t.Errorf("the table holds %v", rows)
	}
}

// TestHanded looks at what another engine gets of a table whose columns have been moved, dropped, added again and widened.
func TestHanded(t *testing.T) { everywhere(t, testHanded) }

func testHanded(t *testing.T, b bench) {
	a, n, file := col("a", schema.Int), col("n", schema.BigInt), col("_file", schema.String)
	first := b.replace(t, "t", "r1", Shape{Columns: []schema.Column{a, n, file}}, "SELECT 1::INT AS a, 2::BIGINT AS n, 'f' AS _file")
	if err := b.publish(t, []*Draft{first}); err != nil {
		t.Fatal(err)
	}
	second := b.replace(t, "t", "r2", Shape{Columns: []schema.Column{n, file}}, "SELECT 2::BIGINT AS n, 'f' AS _file")
	if err := b.publish(t, []*Draft{second}); err != nil {
		t.Fatal(err)
	}
	read, err := b.view(t).Table("t").Handed()
	if err != nil {
		t.Fatal(err)
	}
	meta := parsed(t, read)
	if got := ids(meta); got != "2 n long, 3 tarn__file string" {
		t.Errorf("for reading: %s", got)
	}
	if len(meta.Snapshots()) != 1 || meta.CurrentSnapshot() == nil {
		t.Errorf("for reading: %d snapshots", len(meta.Snapshots()))
	}
	d, err := b.Draft(t.Context(), b.view(t), "t", Shape{Columns: []schema.Column{col("a", schema.BigInt), n}, PartitionBy: []PartitionField{{Transform: "truncate", Column: "a", N: 10}}})
	if err != nil {
		t.Fatal(err)
	}
	write, err := d.Handed("r3", "file:///m")
	if err != nil {
		t.Fatal(err)
	}
	meta = parsed(t, write)
	if got := ids(meta); got != "4 a long, 2 n long" {
		t.Errorf("for writing: %s", got)
	}
	spec := meta.PartitionSpec()
	if meta.CurrentSnapshot() != nil || spec.ID() != 1 || spec.NumFields() != 1 || meta.TableUUID() == second.meta.TableUUID() {
		t.Errorf("for writing: snapshot %v, spec %v", meta.CurrentSnapshot(), spec)
	}
	if at := meta.Properties()["write.data.path"]; at != d.at+"/data/r3/spark" {
		t.Errorf("data files go to %s", at)
	}
	aside, err := d.HandedAside("file:///aside")
	if err != nil {
		t.Fatal(err)
	}
	if meta := parsed(t, aside); meta.Location() != "file:///aside" || !meta.PartitionSpec().IsUnpartitioned() || ids(meta) != "4 a long, 2 n long" {
		t.Errorf("aside: %s at %s", ids(meta), meta.Location())
	}
}

func parsed(t *testing.T, raw json.RawMessage) table.Metadata {
	t.Helper()
	meta, err := table.ParseMetadataBytes(raw)
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	return meta
}

// ids writes the columns of a table with their ids.
func ids(meta table.Metadata) string {
	var out []string
	for _, f := range meta.CurrentSchema().Fields() {
		out = append(out, strings.Join([]string{jsonText(f.ID), f.Name, f.Type.String()}, " "))
	}
	return strings.Join(out, ", ")
}

func jsonText(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}
