package load

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"

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
		parts[i] = schema.Quote(c.Name) + " " + c.Type.DuckDB()
	}
	full := "memory.main." + schema.Quote(name)
	if _, err := l.Engine.DB().ExecContext(ctx, "CREATE OR REPLACE TABLE "+full+" ("+strings.Join(parts, ", ")+")"); err != nil {
		return err
	}
	defer func() {
		// A cancelled context must not keep the rows in memory.
		_, _ = l.Engine.DB().ExecContext(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS "+full)
	}()
	for _, k := range files {
		counted, err := l.carefulFile(ctx, t, k.File, name, q)
		if err != nil {
			return fmt.Errorf("%s: %w", k.Name, err)
		}
		res.Files = append(res.Files, counted)
	}
	out := make([]string, 0, len(columns)+len(t.Partitions))
	for _, c := range t.Columns {
		out = append(out, schema.Quote(c.Name))
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
		m := duck.OrderedMap{}
		for _, e := range v {
			m.Set(engineValue(e.Key, *t.Key), engineValue(e.Value, *t.Elem))
		}
		return m
	}
	return v
}
