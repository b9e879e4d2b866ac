package run

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"iter"
	"slices"
	"strings"

	"tarn/internal/engine"
	"tarn/internal/engine/duckdb"
	"tarn/internal/lake"
	"tarn/internal/load"
	"tarn/internal/plan"
	"tarn/internal/schema"
)

// known is what tarn__files says at one moment. There can be millions of rows, so they stay with the engine and come in
// parts, in order.
type known struct {
	w    *Workspace
	from string // "" where no file was ever loaded
	// files counts them by table.
	files map[string]int
}

func (w *Workspace) known(ctx context.Context, v *lake.View) (*known, error) {
	k := &known{w: w, files: map[string]int{}}
	t := v.Table(FilesTable)
	if t == nil {
		var err error
		if k.from, err = w.toldByRows(ctx, v); err != nil || k.from == "" {
			return k, err
		}
	} else {
		files, err := t.Files(ctx)
		if err != nil || len(files) == 0 {
			return k, err
		}
		if k.from, err = w.scanFiles(ctx, t, files); err != nil {
			return nil, err
		}
	}
	rows, err := w.Engine.DB().QueryContext(ctx, "SELECT table_name, count(*) FROM "+k.from+" GROUP BY ALL")
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", FilesTable, err)
	}
	defer rows.Close()
	for rows.Next() {
		var table string
		var n int
		if err := rows.Scan(&table, &n); err != nil {
			return nil, fmt.Errorf("table %s: %w", FilesTable, err)
		}
		k.files[table] = n
	}
	return k, rows.Err()
}

// toldByRows is what rows say of the files that they were loaded from, for a lake whose account somebody has dropped: none of
// these files is as it was then, so they are read again, and their rows do not come twice. "" is none.
func (w *Workspace) toldByRows(ctx context.Context, v *lake.View) (from string, err error) {
	var parts []string
	add := func(stored, name, column string) error {
		t := v.Table(stored)
		if t == nil || t.Refers() {
			return nil
		}
		files, err := t.Files(ctx)
		if err != nil || len(files) == 0 {
			return err
		}
		rows, err := w.scanFiles(ctx, t, files)
		if err == nil {
			parts = append(parts, "SELECT "+name+" AS table_name, "+column+" AS file, '' AS etag, '' AS definition, 0::BIGINT AS quarantined FROM "+rows)
		}
		return err
	}
	for _, t := range w.Graph.Tables {
		if t.Landing != nil {
			if err := add(t.Stored(), schema.Literal(t.Name), "_file"); err != nil {
				return "", err
			}
		}
	}
	if err := add(load.QuarantineTable, "table_name", "file"); err != nil || len(parts) == 0 {
		return "", err
	}
	return "(SELECT DISTINCT * FROM (" + strings.Join(parts, " UNION ALL ") + ") WHERE file IS NOT NULL)", nil
}

// count gives how many files of a table are loaded.
func (k *known) count(table string) int { return k.files[table] }

// knownAtOnce is how many rows are taken from the engine at a time.
const knownAtOnce = 100_000

// of gives the files of one table in the order of their names' bytes; but, a condition on file in SQL, leaves some out.
func (k *known) of(ctx context.Context, table, but string) iter.Seq2[load.Known, error] {
	return func(yield func(load.Known, error) bool) {
		if k.from == "" || k.files[table] == 0 {
			return
		}
		query := "SELECT file, etag, definition, quarantined FROM " + k.from + " WHERE table_name = " + schema.Literal(table) + " AND (file > ?) " + but +
			" ORDER BY file LIMIT " + fmt.Sprint(knownAtOnce)
		last := ""
		for {
			part, err := k.part(ctx, query, last)
			if err != nil {
				yield(load.Known{}, fmt.Errorf("table %s: %w", FilesTable, err))
				return
			}
			for _, f := range part {
				if !yield(f, nil) {
					return
				}
			}
			if len(part) < knownAtOnce {
				return
			}
			last = part[len(part)-1].Name
		}
	}
}

func (k *known) part(ctx context.Context, query, after string) ([]load.Known, error) {
	rows, err := k.w.Engine.DB().QueryContext(ctx, query, after)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []load.Known
	for rows.Next() {
		var f load.Known
		if err := rows.Scan(&f.Name, &f.ETag, &f.Definition, &f.Quarantined); err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, rows.Err()
}

// but writes the condition for files that a look came by: all but those below what it passed, and of these the ones that
// were asked for.
func (k *known) but(ctx context.Context, table string, sights []load.Sight) (string, error) {
	var passed, seen [][]driver.Value
	for _, s := range sights {
		if s.Passed {
			passed = append(passed, []driver.Value{s.Name})
		} else {
			seen = append(seen, []driver.Value{s.Name})
		}
	}
	column := []schema.Column{{Name: "name", Type: textType}}
	passedQuery, err := k.w.staged(ctx, "tarn_passed_"+table, column, passed)
	if err != nil {
		return "", err
	}
	seenQuery, err := k.w.staged(ctx, "tarn_seen_"+table, column, seen)
	if err != nil {
		return "", err
	}
	// What was passed does not overlap, so of each file only the last one before it in order can be above it.
	return "AND (file IN (" + seenQuery + ") OR file NOT IN (SELECT k.file FROM (SELECT file FROM " + k.from + " WHERE table_name = " + schema.Literal(table) +
		") k ASOF JOIN (" + passedQuery + ") p ON k.file >= p.name WHERE starts_with(k.file, p.name)))", nil
}

// stageFiles writes which landing files are loaded, if that has changed.
//
// The account is made of few files, each with several times the rows of all smaller ones together: so what a run adds costs
// what it adds, and what there is can be read with few requests.
func (x *execution) stageFiles(ctx context.Context) (*lake.Draft, error) {
	var rows, gone [][]driver.Value
	at := utc(x.started)
	for _, t := range sortedKeys(x.reread, x.again) {
		definition := x.w.Graph.Table(t).Hash
		for _, f := range x.reread[t] {
			rows = append(rows, []driver.Value{t, f.Name, f.Size, f.ETag, definition, f.Objects, f.Loaded, f.Quarantined, x.id, at})
		}
		for _, name := range x.again[t] {
			gone = append(gone, []driver.Value{t, name})
		}
	}
	if len(rows)+len(gone) == 0 {
		return nil, nil
	}
	query, err := x.w.staged(ctx, "tarn_files_staging", filesColumns(), rows)
	if err != nil {
		return nil, err
	}
	d, err := x.w.Lake.Draft(ctx, x.view, FilesTable, lake.Shape{Columns: filesColumns(), Zone: "tarn"})
	if err != nil {
		return nil, err
	}
	merged, more, err := x.mergedFiles(ctx, int64(len(rows)), gone)
	if err != nil {
		return nil, err
	}
	written, err := x.w.Engine.Copy(ctx, query+more+" ORDER BY table_name, file", duckdb.Output{Dir: d.DataDir(x.id), FieldIDs: d.FieldIDs()})
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", FilesTable, err)
	}
	return d, d.Swap(ctx, merged, engine.Paths(written), map[string]string{plan.KeyRun: x.id})
}

// fewer is by how much a file of the account outgrows all smaller ones together, or is written anew with them.
const fewer = 4

// mergedFiles chooses the data files of the account that are written anew: those with rows that go, and the small ones. It
// gives their locations, and what is added to the query to keep their other rows.
func (x *execution) mergedFiles(ctx context.Context, rows int64, gone [][]driver.Value) (merged []string, more string, err error) {
	have := x.view.Table(FilesTable)
	if have == nil {
		return nil, "", nil
	}
	files, err := have.Files(ctx)
	if err != nil || len(files) == 0 {
		return nil, "", err
	}
	paths, err := x.held.Paths(ctx, files)
	if err != nil {
		return nil, "", err
	}
	goneQuery, err := x.w.staged(ctx, "tarn_gone_staging", []schema.Column{{Name: "table_name", Type: textType}, {Name: "file", Type: textType}}, gone)
	if err != nil {
		return nil, "", err
	}
	touched := map[string]bool{}
	if len(gone) > 0 {
		if touched, err = x.holding(ctx, nil, paths, "(table_name, file) IN ("+goneQuery+")"); err != nil {
			return nil, "", err
		}
	}
	order := make([]int, len(files))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(files[a].Rows, files[b].Rows) })
	var scan []string
	for _, i := range order {
		if touched[paths[i]] || files[i].Rows < fewer*rows {
			merged, scan = append(merged, files[i].Location), append(scan, paths[i])
		}
		rows += files[i].Rows
	}
	if len(scan) == 0 {
		return nil, "", nil
	}
	columns, err := have.Columns()
	if err != nil {
		return nil, "", err
	}
	more = " UNION ALL SELECT * FROM " + duckdb.Scan(columns, scan)
	if len(gone) > 0 {
		more += " WHERE (table_name, file) NOT IN (" + goneQuery + ")"
	}
	return merged, more, nil
}

// holding finds the files of some columns that have a row for which a condition holds.
func (x *execution) holding(ctx context.Context, columns []schema.Column, paths []string, condition string) (map[string]bool, error) {
	found, err := x.w.Engine.DB().QueryContext(ctx, "SELECT DISTINCT __tarn_path FROM "+duckdb.ScanNamed(columns, paths, "__tarn_path")+" WHERE "+condition)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	out := map[string]bool{}
	for found.Next() {
		var path string
		if err := found.Scan(&path); err != nil {
			return nil, err
		}
		out[path] = true
	}
	return out, found.Err()
}
