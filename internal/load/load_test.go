package load

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tarn/internal/engine/duckdb"
	"tarn/internal/schema"
)

// bench is an engine with a quarantine, and a folder for what is written.
type bench struct {
	t      testing.TB
	engine *duckdb.Engine
	q      *Quarantine
	out    string
	loads  int
}

func setup(t testing.TB) *bench {
	t.Helper()
	e, err := duckdb.Open(t.Context(), duckdb.Options{Threads: 2, TempDir: filepath.Join(t.TempDir(), "spill")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	b := &bench{t: t, engine: e, out: t.TempDir()}
	if b.q, err = NewQuarantine(t.Context(), e, "r1", time.Unix(0, 0).UTC()); err != nil {
		t.Fatal(err)
	}
	return b
}

// outcome is what a load did, in a form that can be compared.
type outcome struct {
	Rows        []string
	Quarantined []string
	Counts      []string
	Careful     int
}

// load loads a table's folder and reads back what was written.
func (b *bench) load(t testing.TB, table Table, slow bool) outcome {
	t.Helper()
	ctx := context.Background() // t.Context is done when fuzzing cleans up
	files, err := listed(ctx, table.Dir, table.Location)
	if err != nil {
		t.Fatal(err)
	}
	return b.read(t, table, files, slow)
}

func (b *bench) read(t testing.TB, table Table, files []File, slow bool) outcome {
	t.Helper()
	ctx := context.Background()
	if err := b.q.Forget(ctx, table.Name); err != nil {
		t.Fatal(err)
	}
	b.loads++
	dir := filepath.Join(b.out, fmt.Sprint(b.loads))
	defer os.RemoveAll(dir)
	l := Loader{Engine: b.engine, slow: slow}
	res, err := l.Load(ctx, table, files, dir, fieldIDs(table), b.q)
	if err != nil {
		t.Fatal(err)
	}
	out := outcome{Careful: res.Careful}
	var paths []string
	var written int64
	for _, w := range res.Written {
		paths = append(paths, w.Path)
		written += w.Rows
	}
	if len(paths) > 0 {
		out.Rows = b.rows(t, "SELECT * FROM "+duckdb.Scan(nil, paths))
	}
	if loaded, _ := res.Rows(); int64(len(out.Rows)) != written || loaded != written {
		t.Errorf("%d rows read, %d written, %d counted", len(out.Rows), written, loaded)
	}
	for _, c := range res.Files {
		if c.Objects != c.Loaded+c.Quarantined {
			t.Errorf("%s: %d objects, %d loaded, %d in quarantine", c.Name, c.Objects, c.Loaded, c.Quarantined)
		}
		out.Counts = append(out.Counts, fmt.Sprintf("%s %d %d", c.Name, c.Loaded, c.Quarantined))
	}
	slices.Sort(out.Counts)
	out.Quarantined = b.rows(t, "SELECT file, byte_offset, line, column_name, reason, raw FROM memory.main."+quarantineStaging+" WHERE table_name = "+schema.Literal(table.Name))
	return out
}

// rows gives the rows of a query with the Go type of every value, sorted.
func (b *bench) rows(t testing.TB, query string) []string {
	t.Helper()
	rows, err := b.engine.DB().QueryContext(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		values := make([]any, len(names))
		into := make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		parts := make([]string, len(names))
		for i, v := range values {
			switch v := v.(type) {
			case string:
				parts[i] = fmt.Sprintf("%s=%q", names[i], v)
			case time.Time:
				parts[i] = names[i] + "=" + v.Format(time.RFC3339Nano)
			case nil:
				parts[i] = names[i] + "=NULL"
			default:
				parts[i] = fmt.Sprintf("%s=%T(%v)", names[i], v, v)
			}
		}
		out = append(out, strings.Join(parts, " "))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// fieldIDs numbers columns, and their parts, as a table of the lake would.
func fieldIDs(t Table) string {
	id := 0
	var number func(name string, typ schema.Type) string
	number = func(name string, typ schema.Type) string {
		id++
		me := id
		var parts []string
		switch typ.Kind {
		case schema.Array:
			parts = append(parts, number("element", *typ.Elem))
		case schema.Map:
			parts = append(parts, number("key", *typ.Key), number("value", *typ.Elem))
		case schema.Struct:
			for _, f := range typ.Fields {
				parts = append(parts, number(f.Name, f.Type))
			}
		}
		if len(parts) == 0 {
			return fmt.Sprintf("%s: %d", schema.Quote(name), me)
		}
		return fmt.Sprintf("%s: {__duckdb_field_id: %d, %s}", schema.Quote(name), me, strings.Join(parts, ", "))
	}
	var parts []string
	for _, c := range slices.Concat(t.Columns, t.Partitions) {
		parts = append(parts, number(c.Name, c.Type))
	}
	return "{" + strings.Join(append(parts, number("_file", schema.Type{Kind: schema.String})), ", ") + "}"
}

// cols reads pairs of a name and a type as DuckDB writes it.
func cols(pairs ...string) []schema.Column {
	var out []schema.Column
	for i := 0; i < len(pairs); i += 2 {
		typ, err := schema.FromDuckDB(pairs[i+1])
		if err != nil {
			panic(err)
		}
		out = append(out, schema.Column{Name: pairs[i], Type: typ})
	}
	return out
}

func write(t testing.TB, path string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

func sorted(s []string) []string {
	out := slices.Clone(s)
	slices.Sort(out)
	return out
}
