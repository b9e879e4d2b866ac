package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tarn/internal/engine/duckdb"
	"tarn/internal/lake"
	"tarn/internal/load"
	"tarn/internal/schema"
)

// QuarantineReport is what `tarn quarantine list` and `show` tell.
type QuarantineReport struct {
	Total  int64             `json:"total"`
	Counts []QuarantineCount `json:"counts"`
	Rows   []QuarantinedRow  `json:"rows"`
}

// QuarantineCount counts rows of one table by reason.
type QuarantineCount struct {
	Table  string `json:"table"`
	Reason string `json:"reason"`
	Rows   int64  `json:"rows"`
	// First is the place of the first one, as file:line.
	First string `json:"first"`
}

// QuarantinedRow is one row in quarantine.
type QuarantinedRow struct {
	ID         string    `json:"id"`
	Table      string    `json:"table"`
	File       *string   `json:"file"`
	ByteOffset *int64    `json:"byte_offset"`
	Line       *int64    `json:"line"`
	Column     *string   `json:"column"`
	Reason     string    `json:"reason"`
	Message    string    `json:"message"`
	Raw        string    `json:"raw"`
	Run        string    `json:"run"`
	At         time.Time `json:"at"`
}

// Place is where the row comes from, as file:line, or its table.
func (r QuarantinedRow) Place() string {
	switch {
	case r.File == nil:
		return r.Table
	case r.Line == nil:
		return *r.File
	}
	return fmt.Sprintf("%s:%d", *r.File, *r.Line)
}

// reader opens the lake in dir with an engine, for looking at its own tables.
func reader(ctx context.Context, dir string, o Options) (*Workspace, *lake.View, error) {
	t, err := OpenTables(ctx, dir, o)
	if err != nil {
		return nil, nil, err
	}
	if t.w.reading, err = t.Reading(); err != nil {
		return nil, nil, errors.Join(err, t.Close())
	}
	v, err := t.w.Lake.View(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, t.Close())
	}
	t.w.Engine, err = duckdb.Open(ctx, duckdb.Options{Database: t.Database(), Memory: t.Memory(o.Memory)})
	if err != nil {
		return nil, nil, errors.Join(err, t.Close())
	}
	return t.w, v, nil
}

// History lists the published runs of the lake in dir, newest first. The definitions need not be right.
func History(ctx context.Context, dir string, o Options) (_ []Past, err error) {
	w, v, err := reader(ctx, dir, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	return w.Runs(ctx, v)
}

// Quarantined looks into the quarantine of the lake in dir: counts by table and reason, and with show the rows, at most
// limit of them (0 is all). table and ids narrow it where they are given.
func Quarantined(ctx context.Context, dir string, o Options, table string, ids []string, show bool, limit int) (_ *QuarantineReport, err error) {
	w, v, err := reader(ctx, dir, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	where := " WHERE true"
	if table != "" {
		where += " AND table_name = " + schema.Literal(table)
	}
	if len(ids) > 0 {
		quoted := make([]string, len(ids))
		for i, id := range ids {
			quoted[i] = schema.Literal(id)
		}
		where += " AND id IN (" + strings.Join(quoted, ", ") + ")"
	}
	// The query goes through a format with the table's place; percent signs of names have to survive that.
	where = strings.ReplaceAll(where, "%", "%%")
	out := &QuarantineReport{Counts: []QuarantineCount{}, Rows: []QuarantinedRow{}}
	err = w.scan(ctx, v, load.QuarantineTable, "SELECT table_name, reason, count(*), coalesce(min_by(file || ':' || line, (file, line)), '') FROM %s"+where+" GROUP BY ALL ORDER BY 1, 2", func(next func(...any) error) error {
		var c QuarantineCount
		if err := next(&c.Table, &c.Reason, &c.Rows, &c.First); err != nil {
			return err
		}
		out.Counts = append(out.Counts, c)
		out.Total += c.Rows
		return nil
	})
	if err != nil || !show {
		return out, err
	}
	query := "SELECT id, table_name, file, byte_offset, line, column_name, reason, message, raw, run_id, \"at\" FROM %s" + where + " ORDER BY table_name, file, line, byte_offset, id"
	if limit > 0 {
		query += fmt.Sprintf(" LIMIT %d", limit)
	}
	err = w.scan(ctx, v, load.QuarantineTable, query, func(next func(...any) error) error {
		var r QuarantinedRow
		if err := next(&r.ID, &r.Table, &r.File, &r.ByteOffset, &r.Line, &r.Column, &r.Reason, &r.Message, &r.Raw, &r.Run, &r.At); err != nil {
			return err
		}
		out.Rows = append(out.Rows, r)
		return nil
	})
	return out, err
}
