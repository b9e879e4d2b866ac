package run

import (
	"context"
	"database/sql/driver"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tarn/internal/engine/duckdb"
	"tarn/internal/lake"
	"tarn/internal/schema"
)

// Tables in which the lake keeps its own account. They are published with all others.
const (
	FilesTable = "tarn__files"
	RunsTable  = "tarn__runs"
)

var (
	textType = schema.Type{Kind: schema.String}
	longType = schema.Type{Kind: schema.BigInt}
	timeType = schema.Type{Kind: schema.Timestamp}
)

// filesColumns describe tarn__files: one row for each landing file whose rows are in the lake.
func filesColumns() []schema.Column {
	return []schema.Column{
		{Name: "table_name", Type: textType}, {Name: "file", Type: textType, Comment: "LOCATION and the path below it"},
		{Name: "size", Type: longType, Comment: "bytes as stored"}, {Name: "etag", Type: textType, Comment: "changes when the content may have"},
		{Name: "definition", Type: textType, Comment: "hash of the definition that the file was read under"},
		{Name: "objects", Type: longType, Comment: "loaded + quarantined"}, {Name: "loaded", Type: longType}, {Name: "quarantined", Type: longType},
		{Name: "run_id", Type: textType}, {Name: "loaded_at", Type: timeType, Comment: "UTC"},
	}
}

// runsColumns describe tarn__runs: one row for each run that published.
func runsColumns() []schema.Column {
	return []schema.Column{
		{Name: "run_id", Type: textType}, {Name: "started_at", Type: timeType, Comment: "UTC"}, {Name: "finished_at", Type: timeType, Comment: "UTC"},
		{Name: "kind", Type: textType, Comment: "run, rollback, drop, quarantine"},
		{Name: "state", Type: textType, Comment: "JSON: the snapshot id of every table after this run"},
		{Name: "record", Type: textType, Comment: "JSON: what `tarn run --json` printed"},
	}
}

// scan reads rows of one of the lake's own tables; query has %s where the table stands. A table that is not there has no rows.
func (w *Workspace) scan(ctx context.Context, v *lake.View, table, query string, row func(next func(...any) error) error) error {
	t := v.Table(table)
	if t == nil {
		return nil
	}
	files, err := t.Files(ctx)
	if err != nil || len(files) == 0 {
		return err
	}
	from, err := w.scanFiles(ctx, t, files)
	if err != nil {
		return err
	}
	rows, err := w.Engine.DB().QueryContext(ctx, fmt.Sprintf(query, from))
	if err != nil {
		return fmt.Errorf("table %s: %w", table, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return fmt.Errorf("table %s: %w", table, err)
		}
	}
	return rows.Err()
}

// staged is a small table of the engine that rows are put into before they are written.
func (w *Workspace) staged(ctx context.Context, name string, columns []schema.Column, rows [][]driver.Value) (query string, err error) {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = schema.Quote(c.Name) + " " + c.Type.DuckDB()
	}
	full := "memory.main." + schema.Quote(name)
	if _, err := w.Engine.DB().ExecContext(ctx, "CREATE OR REPLACE TABLE "+full+" ("+strings.Join(parts, ", ")+")"); err != nil {
		return "", err
	}
	return "SELECT * FROM " + full, w.Engine.Append(ctx, name, rows)
}

func utc(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// scanFiles writes the FROM item for a table's data files.
func (w *Workspace) scanFiles(ctx context.Context, t *lake.Table, files []lake.DataFile) (string, error) {
	paths, err := w.held.Paths(ctx, files)
	if err != nil {
		return "", fmt.Errorf("table %s: %w", t.Name(), err)
	}
	columns, err := t.Columns()
	if err != nil {
		columns = nil
	}
	return duckdb.Scan(columns, paths), nil
}

// sortedKeys lists the keys of both maps once, in order.
func sortedKeys[A, B any](a map[string]A, b map[string]B) []string {
	out := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(out)
	return slices.Compact(out)
}
