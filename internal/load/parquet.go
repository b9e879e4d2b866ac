package load

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"tarn/internal/careful"
	"tarn/internal/engine/duckdb"
	"tarn/internal/schema"
)

// parquet copies the rows of Parquet files. A file whose columns do not fit the definition is refused whole: its types
// say that it is not what the table is about, so no row of it can be trusted.
func (l *Loader) parquet(ctx context.Context, t Table, files []File, dir, fieldIDs string, q *Quarantine, res *Result) error {
	for i, f := range files {
		query, reason, err := l.parquetQuery(ctx, t, f, &res.Drift)
		if err != nil {
			return err
		}
		counted := Counted{File: f}
		if reason == "" {
			written, err := l.Engine.Copy(ctx, query, duckdb.Output{Dir: filepath.Join(dir, fmt.Sprint(i)), FieldIDs: fieldIDs})
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				// A full disk is no fault of the file. What is says itself when the rows are read and not written.
				var n int64
				again := l.Engine.DB().QueryRowContext(ctx, "SELECT count(hash(t)) FROM ("+query+") t").Scan(&n)
				if again == nil || ctx.Err() != nil {
					return errors.Join(err, ctx.Err())
				}
				reason = again.Error()
			}
			for _, w := range written {
				counted.Loaded += w.Rows
			}
			res.Written = append(res.Written, written...)
		}
		if reason != "" {
			counted.Quarantined = 1
			bad := &careful.Bad{Line: 1, Reason: "wrong_type", Message: reason}
			if err := q.add(ctx, t.Name, f.Name, bad); err != nil {
				return err
			}
		}
		counted.Objects = counted.Loaded + counted.Quarantined
		res.Files = append(res.Files, counted)
	}
	return nil
}

// parquetQuery writes the SELECT for one file, or says why the file is refused.
func (l *Loader) parquetQuery(ctx context.Context, t Table, f File, drift *Drift) (query, reason string, err error) {
	from := "read_parquet([" + schema.Literal(escapeGlob(f.Path)) + "], hive_partitioning=false)"
	have, err := l.describe(ctx, from)
	if ctx.Err() != nil {
		return "", "", ctx.Err()
	}
	if err != nil {
		return "", "not a readable Parquet file: " + err.Error(), nil
	}
	out := make([]string, 0, len(t.Columns)+len(t.Partitions)+1)
	for _, c := range t.Columns {
		found := -1
		for i, h := range have {
			if strings.EqualFold(h.name, c.Name) {
				found = i
			}
		}
		if found < 0 {
			out = append(out, "NULL::"+c.Type.DuckDB()+" AS "+schema.Quote(c.Name))
			continue
		}
		if !widens(have[found].typ, c.Type) {
			return "", fmt.Sprintf("column %s has type %s in the file and %s in the definition", c.Name, have[found].typ, c.Type.Hive()), nil
		}
		expr := "CAST(" + schema.Quote(have[found].name) + " AS " + c.Type.DuckDB() + ")"
		if c.Type.Length > 0 {
			expr = fmt.Sprintf("CASE WHEN length(%[1]s) > %[2]d THEN error('a text of column %[3]s is longer than %[2]d characters') ELSE %[1]s END", expr, c.Type.Length, strings.ReplaceAll(c.Name, "'", "''"))
		}
		out = append(out, expr+" AS "+schema.Quote(c.Name))
	}
	drift.add(t.Columns, f, parquetDrift(t, f, have))
	for _, c := range t.Partitions {
		v, err := partitionValue(f, c)
		if err != nil {
			return "", "", err
		}
		out = append(out, fmt.Sprintf("CAST(%s AS %s) AS %s", v, c.Type.DuckDB(), schema.Quote(c.Name)))
	}
	return "SELECT " + strings.Join(out, ", ") + ", " + schema.Literal(f.Name) + " AS _file FROM " + from, "", nil
}

// parquetDrift tells how a file's columns differ from the definition's.
func parquetDrift(t Table, f File, have []described) (d Drift) {
	for _, h := range have {
		if !slices.ContainsFunc(t.Columns, func(c schema.Column) bool { return strings.EqualFold(c.Name, h.name) }) {
			d.Unknown = append(d.Unknown, UnknownField{Name: h.name, Example: "a column of type " + h.typ, Seen: 1, Sampled: 1})
		}
	}
	for _, c := range t.Columns {
		if !slices.ContainsFunc(have, func(h described) bool { return strings.EqualFold(c.Name, h.name) }) {
			d.Missing = append(d.Missing, MissingColumn{Column: c.Name, Files: 1, File: f.Name})
		}
	}
	return d
}

type described struct{ name, typ string }

func (l *Loader) describe(ctx context.Context, from string) ([]described, error) {
	rows, err := l.Engine.DB().QueryContext(ctx, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM "+from+")")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []described
	for rows.Next() {
		var d described
		if err := rows.Scan(&d.name, &d.typ); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// widens reports whether every value of a file's DuckDB type is a value of the declared type, unchanged.
func widens(file string, declared schema.Type) bool {
	want := declared.DuckDB()
	if file == want {
		return true
	}
	wider := map[string][]string{
		"SMALLINT": {"TINYINT", "UTINYINT"},
		"INTEGER":  {"TINYINT", "SMALLINT", "UTINYINT", "USMALLINT"},
		"BIGINT":   {"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"},
		"DOUBLE":   {"FLOAT", "TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"},
		"FLOAT":    {"TINYINT", "SMALLINT"},
		"VARCHAR":  {"JSON", "UUID"},
	}
	for _, w := range wider[want] {
		if file == w {
			return true
		}
	}
	if declared.Kind == schema.Timestamp {
		return file == "TIMESTAMP WITH TIME ZONE" || file == "TIMESTAMP_MS" || file == "TIMESTAMP_S"
	}
	if have, err := schema.FromDuckDB(file); err == nil && have.Kind == schema.Decimal && declared.Kind == schema.Decimal {
		return have.Scale <= declared.Scale && have.Precision-have.Scale <= declared.Precision-declared.Scale
	}
	return false
}
