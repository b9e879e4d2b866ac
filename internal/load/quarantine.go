package load

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	duck "github.com/duckdb/duckdb-go/v2"

	"tarn/internal/careful"
	"tarn/internal/engine/duckdb"
	"tarn/internal/schema"
)

// QuarantineTable is the lake's table of rows that could not be loaded or failed a row check.
const QuarantineTable = "tarn__quarantine"

// QuarantineColumns are its columns.
func QuarantineColumns() []schema.Column {
	text, long := schema.Type{Kind: schema.String}, schema.Type{Kind: schema.BigInt}
	return []schema.Column{
		{Name: "id", Type: text, Comment: "names the entry: a hash of table, file, place and text"},
		{Name: "table_name", Type: text},
		{Name: "file", Type: text, Comment: "landing file; null for a row check of a model"},
		{Name: "byte_offset", Type: long, Comment: "bytes from the start of the uncompressed file"},
		{Name: "line", Type: long, Comment: "from 1"},
		{Name: "column_name", Type: text},
		{Name: "reason", Type: text},
		{Name: "message", Type: text},
		{Name: "raw", Type: text, Comment: "raw text, cut at 64 KiB; for a row check the row as JSON"},
		{Name: "run_id", Type: text},
		{Name: "at", Type: schema.Type{Kind: schema.Timestamp}, Comment: "UTC"},
	}
}

// Quarantine collects the rows that a run rejects, in a table of the engine, so that even millions fit its memory bound.
type Quarantine struct {
	engine *duckdb.Engine
	runID  string
	at     time.Time
	// name is the table of the engine.
	name string
}

// quarantineStaging is the name of a run's collection in the engine.
const quarantineStaging = "tarn_quarantine_staging"

// NewQuarantine makes the empty collection of one run.
func NewQuarantine(ctx context.Context, e *duckdb.Engine, runID string, at time.Time) (*Quarantine, error) {
	return newQuarantine(ctx, e, runID, at, quarantineStaging)
}

// newQuarantine makes an empty collection with a name of its own in the engine.
func newQuarantine(ctx context.Context, e *duckdb.Engine, runID string, at time.Time, name string) (*Quarantine, error) {
	q := &Quarantine{engine: e, runID: runID, at: at, name: name}
	parts := []string{}
	for _, c := range QuarantineColumns() {
		parts = append(parts, schema.Quote(c.Name)+" "+c.Type.DuckDB())
	}
	_, err := e.DB().ExecContext(ctx, "CREATE OR REPLACE TABLE "+q.table()+" ("+strings.Join(parts, ", ")+")")
	if err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	return q, nil
}

// table is where the rejected rows wait.
func (q *Quarantine) table() string { return "memory.main." + schema.Quote(q.name) }

// Query gives a SELECT of all rows collected so far, columns as in QuarantineColumns.
func (q *Quarantine) Query() string { return "SELECT * FROM " + q.table() }

// Forget drops what was collected for a table.
func (q *Quarantine) Forget(ctx context.Context, table string) error {
	_, err := q.engine.DB().ExecContext(ctx, "DELETE FROM "+q.table()+" WHERE table_name = ?", table)
	return err
}

// Count tells how many rows were collected.
func (q *Quarantine) Count(ctx context.Context) (n int64, err error) {
	err = q.engine.DB().QueryRowContext(ctx, "SELECT count(*) FROM "+q.table()).Scan(&n)
	return n, err
}

// Rejected is how many rows of a table were rejected for one reason, and the first of them.
type Rejected struct {
	Reason, Place, Message string
	Rows                   int64
}

// Rejected tells what was collected for a table, the most frequent reason first.
func (q *Quarantine) Rejected(ctx context.Context, table string) ([]Rejected, error) {
	rows, err := q.engine.DB().QueryContext(ctx, `SELECT reason, count(*), min_by(coalesce(file || coalesce(':' || line, ''), table_name), (file, line, byte_offset)),
		min_by(message, (file, line, byte_offset)) FROM `+q.table()+` WHERE table_name = ? GROUP BY reason ORDER BY 2 DESC, 1`, table)
	if err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	defer rows.Close()
	var out []Rejected
	for rows.Next() {
		var r Rejected
		if err := rows.Scan(&r.Reason, &r.Rows, &r.Place, &r.Message); err != nil {
			return nil, fmt.Errorf("quarantine: %w", err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// AddRows puts rows of a query into quarantine: those that failed a row check of a table. The query gives the row as JSON
// and the landing file (or NULL), in this order.
func (q *Quarantine) AddRows(ctx context.Context, table, check, query string) error {
	_, err := q.engine.DB().ExecContext(ctx, `INSERT INTO `+q.table()+`
		SELECT md5(concat_ws('|', ?, ?, row_json, file, row_number() OVER (PARTITION BY row_json, file))), ?, file, NULL, NULL, NULL, 'check', ?, row_json, ?, ?
		FROM (`+query+`) t(row_json, file)`, table, check, table, "fails the check "+check, q.runID, q.at)
	if err != nil {
		return fmt.Errorf("quarantine %s: %w", table, err)
	}
	return nil
}

// rejected is what could not be loaded of a file.
type rejected struct {
	file string
	bad  *careful.Bad
}

// add appends one entry.
func (q *Quarantine) add(ctx context.Context, table, file string, b *careful.Bad) error {
	return q.addAll(ctx, table, []rejected{{file, b}})
}

// addAll appends entries.
func (q *Quarantine) addAll(ctx context.Context, table string, entries []rejected) error {
	if len(entries) == 0 {
		return nil
	}
	return q.engine.Appender(ctx, q.name, func(a *duck.Appender) error {
		for _, e := range entries {
			if err := a.AppendRow(q.row(table, e.file, e.bad)...); err != nil {
				return err
			}
		}
		return nil
	})
}

// row writes an entry as the columns of QuarantineColumns.
func (q *Quarantine) row(table, file string, b *careful.Bad) []driver.Value {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d\x00%s\x00%s", table, file, b.Offset, b.Column, b.Raw))
	var column driver.Value
	if b.Column != "" {
		column = b.Column
	}
	return []driver.Value{hex.EncodeToString(sum[:8]), table, file, b.Offset, b.Line, column, string(b.Reason), b.Message, b.Raw, q.runID, q.at}
}
