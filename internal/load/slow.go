package load

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"
	"golang.org/x/sync/errgroup"

	"tarn/internal/careful"
	"tarn/internal/engine/duckdb"
	"tarn/internal/schema"
)

// careful writes the rows of files that need the careful reader. Rows wait in a table of the engine, which keeps to the
// engine's memory bound by spilling.
func (l *Loader) careful(ctx context.Context, t Table, files []look, dir, fieldIDs string, q *Quarantine, m *meter, res *Result) error {
	name := "tarn_careful_" + strings.ReplaceAll(t.Name, `"`, "")
	parts := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		parts[i] = schema.Quote(c.Name) + " " + staging(c.Type).DuckDB() + ", "
	}
	full := "memory.main." + schema.Quote(name)
	// Of its file, a row holds only the number.
	if _, err := l.Engine.DB().ExecContext(ctx, "CREATE OR REPLACE TABLE "+full+" ("+strings.Join(parts, "")+"_file INTEGER)"); err != nil {
		return err
	}
	defer func() {
		// A cancelled context must not keep the rows in memory.
		_, _ = l.Engine.DB().ExecContext(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS "+full)
	}()
	counted := make([]Counted, len(files))
	todo := make(chan int, len(files))
	for i := range files {
		todo <- i
	}
	close(todo)
	g, within := errgroup.WithContext(ctx)
	for range min(carefulWorkers, len(files)) {
		g.Go(func() error {
			w := carefulWorker{table: t, files: files, counted: counted, todo: todo, batches: make(chan *batch, 1)}
			return l.work(within, &w, name, q, m)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	res.Files = append(res.Files, counted...)
	out := make([]string, 0, len(t.Columns)+len(t.Partitions)+1)
	for _, c := range t.Columns {
		out = append(out, unstaged(schema.Quote(c.Name), c.Type, 0)+" AS "+schema.Quote(c.Name))
	}
	for _, c := range t.Partitions {
		values, err := byNumber(files, func(f File) (string, error) { return partitionValue(f, c) })
		if err != nil {
			return err
		}
		out = append(out, "CAST("+values+" AS "+c.Type.DuckDB()+") AS "+schema.Quote(c.Name))
	}
	names, err := byNumber(files, func(f File) (string, error) { return schema.Literal(f.Name), nil })
	if err != nil {
		return err
	}
	tell, _ := m.part(size(paths(files)), writeShare, 0)
	written, err := l.Engine.Copy(ctx, "SELECT "+strings.Join(append(out, names+" AS _file"), ", ")+" FROM "+full, duckdb.Output{Dir: dir, FieldIDs: fieldIDs, Progress: tell})
	if err != nil {
		return err
	}
	tell(1)
	res.Written = append(res.Written, written...)
	return nil
}

// byNumber writes an expression that turns a row's number of its file into something else.
func byNumber(files []look, value func(File) (string, error)) (string, error) {
	values := make([]string, len(files))
	for i, k := range files {
		v, err := value(k.File)
		if err != nil {
			return "", err
		}
		values[i] = v
	}
	return "([" + strings.Join(values, ",") + "])[_file + 1]", nil
}

// carefulWorkers bounds how many files are read carefully side by side. Each may hold one object of the largest size.
const carefulWorkers = 2

// carefulWorker reads files one after the other. Their rows go through one appender, as opening one for each of many
// small files would take longer than reading them.
type carefulWorker struct {
	table   Table
	files   []look
	counted []Counted // by file; each worker writes those of its own
	todo    <-chan int
	batches chan *batch
	now     *batch // that is being filled
}

// work parses in one goroutine and appends in another.
func (l *Loader) work(ctx context.Context, w *carefulWorker, into string, q *Quarantine, m *meter) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(w.batches)
		return w.read(ctx)
	})
	g.Go(func() error {
		width := len(w.table.Columns) + 1
		return l.Engine.Appender(ctx, into, func(a *duck.Appender) error {
			for b := range w.batches {
				rows := int64(len(b.values) / width)
				for ; len(b.values) > 0; b.values = b.values[width:] {
					if err := a.AppendRow(b.values[:width]...); err != nil {
						return err
					}
				}
				if err := q.addAll(ctx, w.table.Name, b.bad); err != nil {
					return err
				}
				m.add(b.read, carefulShare, rows)
			}
			return ctx.Err()
		})
	})
	return g.Wait()
}

// batch is some rows, one after the other, and what could not be loaded among them.
type batch struct {
	values []driver.Value
	rows   int
	bad    []rejected
	bytes  int64 // of text
	read   int64 // bytes of files as they are stored
}

// Bounds of a batch. Those in bytes are for rows of long texts, and for entries of up to 64 KiB each.
const (
	batchRows  = 1024
	batchBytes = 1 << 20
	batchBad   = 64
)

func (b *batch) full() bool {
	return b.rows >= batchRows || len(b.bad) >= batchBad || b.bytes >= batchBytes
}

// read reads files until there are no more.
func (w *carefulWorker) read(ctx context.Context) error {
	w.begin()
	for i := range w.todo {
		if err := w.file(ctx, i); err != nil {
			return fmt.Errorf("%s: %w", w.files[i].Name, err)
		}
	}
	return w.send(ctx)
}

func (w *carefulWorker) begin() {
	w.now = &batch{values: make([]driver.Value, 0, batchRows*(len(w.table.Columns)+1))}
}

func (w *carefulWorker) send(ctx context.Context) error {
	select {
	case w.batches <- w.now:
		w.begin()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// file reads one file to its end.
func (w *carefulWorker) file(ctx context.Context, number int) error {
	f := w.files[number].File
	raw, err := careful.Open(f.Path)
	if err != nil {
		return err
	}
	defer raw.Close()
	r := newReader(w.table, raw, f.Size)
	var bytes, stored int64
	for {
		row, bad, err := r.Next()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		switch {
		case err != nil:
		case bad != nil:
			w.now.bad = append(w.now.bad, rejected{f.Name, bad})
		default:
			for i, v := range row {
				w.now.values = append(w.now.values, engineValue(v, w.table.Columns[i].Type))
			}
			w.now.values = append(w.now.values, int32(number))
			w.now.rows++
		}
		s := r.Stats()
		w.now.bytes += s.Bytes - bytes
		bytes = s.Bytes
		if full := w.now.full(); full || err != nil {
			at := f.Size
			if err == nil {
				at = min(position(raw), at)
			}
			w.now.read += at - stored
			stored = at
			if full {
				if err := w.send(ctx); err != nil {
					return err
				}
			}
		}
		if err != nil {
			w.counted[number] = Counted{File: f, Objects: s.Objects, Loaded: s.Loaded, Quarantined: s.Quarantined}
			return nil
		}
	}
}

// engineValue turns the careful reader's values into those of DuckDB's appender.
func engineValue(v any, t schema.Type) driver.Value {
	switch v := v.(type) {
	case careful.Decimal:
		return duck.Decimal{Width: uint8(v.Precision), Scale: uint8(v.Scale), Value: v.Unscaled}
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = engineValue(e, *t.Elem)
		}
		return out
	case careful.StructValue:
		out := make(map[string]any, len(v))
		for i, e := range v {
			out[t.Fields[i].Name] = engineValue(e, t.Fields[i].Type)
		}
		return out
	case []careful.MapEntry:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = map[string]any{"key": engineValue(e.Key, *t.Key), "value": engineValue(e.Value, *t.Elem)}
		}
		return out
	}
	return v
}

// staging is the type in which values wait: maps are lists of entries. (The driver's maps take only keys that Go can
// compare, and time that grows with the square of their size.)
func staging(t schema.Type) schema.Type {
	switch t.Kind {
	case schema.Map:
		entry := schema.Type{Kind: schema.Struct, Fields: []schema.Field{{Name: "key", Type: *t.Key}, {Name: "value", Type: staging(*t.Elem)}}}
		return schema.Type{Kind: schema.Array, Elem: &entry}
	case schema.Array:
		elem := staging(*t.Elem)
		return schema.Type{Kind: schema.Array, Elem: &elem}
	case schema.Struct:
		out := schema.Type{Kind: schema.Struct}
		for _, f := range t.Fields {
			out.Fields = append(out.Fields, schema.Field{Name: f.Name, Type: staging(f.Type)})
		}
		return out
	}
	return t
}

// unstaged writes the expression that gives a value its own type again.
func unstaged(value string, t schema.Type, depth int) string {
	if staging(t).DuckDB() == t.DuckDB() {
		return value
	}
	e := fmt.Sprintf("e%d", depth)
	switch t.Kind {
	case schema.Map:
		if inner := unstaged(e+`."value"`, *t.Elem, depth+1); inner != e+`."value"` {
			value = fmt.Sprintf(`list_transform(%s, lambda %s: struct_pack("key" := %s."key", "value" := %s))`, value, e, e, inner)
		}
		return "map_from_entries(" + value + ")"
	case schema.Array:
		return fmt.Sprintf("list_transform(%s, lambda %s: %s)", value, e, unstaged(e, *t.Elem, depth+1))
	}
	parts := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		parts[i] = schema.Quote(f.Name) + " := " + unstaged(value+"."+schema.Quote(f.Name), f.Type, depth)
	}
	return "CASE WHEN " + value + " IS NOT NULL THEN struct_pack(" + strings.Join(parts, ", ") + ") END"
}
