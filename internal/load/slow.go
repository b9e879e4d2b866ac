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
func (l *Loader) careful(ctx context.Context, t Table, files []look, dir, fieldIDs string, q *Quarantine, res *Result) error {
	name := "tarn_careful_" + strings.ReplaceAll(t.Name, `"`, "")
	columns := append(append([]schema.Column{}, t.Columns...), schema.Column{Name: "_file", Type: schema.Type{Kind: schema.String}})
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = schema.Quote(c.Name) + " " + staging(c.Type).DuckDB()
	}
	full := "memory.main." + schema.Quote(name)
	if _, err := l.Engine.DB().ExecContext(ctx, "CREATE OR REPLACE TABLE "+full+" ("+strings.Join(parts, ", ")+")"); err != nil {
		return err
	}
	defer func() {
		// A cancelled context must not keep the rows in memory.
		_, _ = l.Engine.DB().ExecContext(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS "+full)
	}()
	counted := make([]Counted, len(files))
	g, fileCtx := errgroup.WithContext(ctx)
	g.SetLimit(carefulWorkers)
	for i, k := range files {
		g.Go(func() (err error) {
			if counted[i], err = l.carefulFile(fileCtx, t, k.File, name, q); err != nil {
				return fmt.Errorf("%s: %w", k.Name, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	res.Files = append(res.Files, counted...)
	out := make([]string, 0, len(columns)+len(t.Partitions))
	for _, c := range t.Columns {
		out = append(out, unstaged(schema.Quote(c.Name), c.Type, 0)+" AS "+schema.Quote(c.Name))
	}
	plain := paths(files)
	for _, c := range t.Partitions {
		// The rows carry the file's name in the lake, so that is what the values hang on here.
		named := make([]File, len(plain))
		for i, f := range plain {
			named[i] = f
			named[i].Path = f.Name
		}
		values, err := fileMap(named, func(f File) (string, error) { return partitionValue(f, c) })
		if err != nil {
			return err
		}
		values = strings.TrimSuffix(values, "[__tarn_path]") + "[_file]"
		out = append(out, "CAST("+values+" AS "+c.Type.DuckDB()+") AS "+schema.Quote(c.Name))
	}
	out = append(out, "_file")
	written, err := l.Engine.Copy(ctx, "SELECT "+strings.Join(out, ", ")+" FROM "+full, duckdb.Output{Dir: dir, FieldIDs: fieldIDs})
	if err != nil {
		return err
	}
	res.Written = append(res.Written, written...)
	return nil
}

// carefulWorkers bounds how many files are read carefully side by side. Each may hold one object of the largest size.
const carefulWorkers = 2

func (l *Loader) carefulFile(ctx context.Context, t Table, f File, into string, q *Quarantine) (Counted, error) {
	c := Counted{File: f}
	raw, err := careful.Open(f.Path)
	if err != nil {
		return c, err
	}
	defer raw.Close()
	r := newReader(t, raw)
	var rejected []*careful.Bad
	flush := func() error {
		if len(rejected) == 0 {
			return nil
		}
		err := l.Engine.Appender(ctx, "tarn_quarantine_staging", func(a *duck.Appender) error {
			for _, b := range rejected {
				if err := a.AppendRow(q.row(t.Name, f.Name, b)...); err != nil {
					return err
				}
			}
			return nil
		})
		rejected = rejected[:0]
		return err
	}
	err = l.Engine.Appender(ctx, into, func(a *duck.Appender) error {
		values := make([]driver.Value, len(t.Columns)+1)
		values[len(t.Columns)] = f.Name
		for n := 0; ; n++ {
			if n%1024 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			row, bad, err := r.Next()
			if errors.Is(err, io.EOF) {
				return flush()
			}
			if err != nil {
				return err
			}
			if bad != nil {
				c.Quarantined++
				if rejected = append(rejected, bad); len(rejected) >= 256 {
					if err := flush(); err != nil {
						return err
					}
				}
				continue
			}
			for i, v := range row {
				values[i] = engineValue(v, t.Columns[i].Type)
			}
			c.Loaded++
			if err := a.AppendRow(values...); err != nil {
				return err
			}
		}
	})
	c.Objects = c.Loaded + c.Quarantined
	return c, err
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
