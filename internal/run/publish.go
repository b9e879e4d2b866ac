package run

import (
	"cmp"
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"tarn/internal/engine"
	"tarn/internal/engine/duckdb"
	"tarn/internal/lake"
	"tarn/internal/load"
	"tarn/internal/plan"
	"tarn/internal/schema"
)

// publish stages the lake's own account and makes everything visible in one step.
func (x *execution) publish(ctx context.Context) error {
	x.tell(Event{Phase: "publish"})
	var drafts []*lake.Draft
	for _, s := range x.plan.Steps {
		if st := x.state(s.Table.Name); st != nil && st.draft != nil {
			drafts = append(drafts, st.draft)
			x.record.Published = append(x.record.Published, s.Table.Name)
		}
	}
	files := x.filesAre
	for _, stage := range []func(context.Context) (*lake.Draft, error){x.stageFiles, x.stageQuarantine} {
		d, err := stage(ctx)
		if err != nil {
			return err
		}
		if d == nil {
			continue
		}
		drafts = append(drafts, d)
		if s, ok := d.Table().Snapshot(); ok && d.Name() == FilesTable {
			files = s.ID
		}
	}
	adopted, err := x.adoptRewritten(ctx, drafts)
	if err != nil {
		return err
	}
	drafts = append(drafts, adopted...)
	for i, f := range x.record.Foreign {
		x.record.Foreign[i].Repaired = f.Repaired || !f.Kept && (f.stored == RunsTable || slices.ContainsFunc(drafts, func(d *lake.Draft) bool { return d.Name() == f.stored }))
	}
	x.record.Status = Published
	x.record.Finished = utc(x.w.now())
	x.record.Seconds = x.record.Finished.Sub(x.record.Started).Seconds()
	record := *x.record
	shown := &execution{w: x.w, view: x.view, plan: x.plan, record: &record, states: x.states}
	shown.fill()
	d, err := x.w.stageRun(ctx, x.view, x.id, "run", &record, drafts)
	if err != nil {
		return err
	}
	x.w.reached("staged")
	drafts = append(drafts, d)
	if err := x.commit(ctx, drafts); err != nil {
		if !x.w.visible(ctx, x.id) {
			return err
		}
		x.crossed(ctx, drafts)
		// Some catalogs cannot finish at once what has happened already.
		x.record.Warnings = append(x.record.Warnings, err.Error())
	}
	x.record.Foreign = append(x.record.Foreign, x.w.takenBack()...)
	x.filesAre = files
	x.w.reached("published")
	return nil
}

// stageQuarantine writes the rejected rows: entries of files that were read again and of rebuilt models are replaced.
func (x *execution) stageQuarantine(ctx context.Context) (*lake.Draft, error) {
	fresh, err := x.quarantine.Count(ctx)
	if err != nil {
		return nil, err
	}
	query := x.quarantine.Query()
	if have := x.view.Table(load.QuarantineTable); have != nil {
		files, err := have.Files(ctx)
		if err != nil {
			return nil, err
		}
		if len(files) > 0 {
			stays, err := x.staying(ctx)
			if err != nil {
				return nil, err
			}
			var total, keep int64
			from, err := x.w.scanFiles(ctx, have, files)
			if err != nil {
				return nil, err
			}
			if err := x.w.Engine.DB().QueryRowContext(ctx, "SELECT count(*), count(*) FILTER (WHERE "+stays+") FROM "+from).Scan(&total, &keep); err != nil {
				return nil, err
			}
			if fresh == 0 && keep == total {
				return nil, nil
			}
			query += " UNION ALL SELECT * FROM " + from + " WHERE " + stays
		} else if fresh == 0 {
			return nil, nil
		}
	} else if fresh == 0 {
		return nil, nil
	}
	return x.w.replaceOwn(ctx, x.view, load.QuarantineTable, load.QuarantineColumns(), query, x.id)
}

// staying writes the condition for quarantine entries that this run does not replace.
func (x *execution) staying(ctx context.Context) (string, error) {
	var gone [][]driver.Value
	for t, names := range x.again {
		for _, name := range names {
			gone = append(gone, []driver.Value{t, name})
		}
	}
	query, err := x.w.staged(ctx, "tarn_gone_staging", []schema.Column{{Name: "table_name", Type: textType}, {Name: "file", Type: textType}}, gone)
	if err != nil {
		return "", err
	}
	cond := "NOT (file IS NOT NULL AND (table_name, file) IN (" + query + "))"
	var models []string
	for name := range x.rebuilt {
		models = append(models, schema.Literal(name))
	}
	if len(models) > 0 {
		cond += " AND table_name NOT IN (" + strings.Join(models, ", ") + ")"
	}
	return cond, nil
}

// replaceOwn stages one of the lake's own tables with exactly the rows of a query.
func (w *Workspace) replaceOwn(ctx context.Context, v *lake.View, name string, columns []schema.Column, query, runID string) (*lake.Draft, error) {
	d, err := w.Lake.Draft(ctx, v, name, lake.Shape{Columns: columns, Zone: "tarn"})
	if err != nil {
		return nil, err
	}
	written, err := w.Engine.Copy(ctx, query, duckdb.Output{Dir: d.DataDir(runID), FieldIDs: d.FieldIDs()})
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", name, err)
	}
	return d, d.Replace(ctx, engine.Paths(written), map[string]string{plan.KeyRun: runID})
}

// stageRun adds a run to the account. drafts are what it publishes besides.
func (w *Workspace) stageRun(ctx context.Context, v *lake.View, id, kind string, record *Record, drafts []*lake.Draft) (*lake.Draft, error) {
	tables := map[string]int64{}
	for _, name := range v.Names() {
		if id := v.Table(name).Current(); id != 0 {
			tables[name] = id
		}
	}
	for _, d := range drafts {
		if s, ok := d.Table().Snapshot(); ok {
			tables[d.Name()] = s.ID
		}
	}
	delete(tables, RunsTable)
	stateJSON, err := json.Marshal(tables)
	if err != nil {
		return nil, err
	}
	recordJSON, err := json.Marshal(record)
	if err != nil {
		return nil, err
	}
	query, err := w.staged(ctx, "tarn_runs_staging", runsColumns(), [][]driver.Value{{id, record.Started, record.Finished, kind, string(stateJSON), string(recordJSON)}})
	if err != nil {
		return nil, err
	}
	merged, more, err := w.smallRuns(ctx, v)
	if err != nil {
		return nil, err
	}
	d, err := w.Lake.Draft(ctx, v, RunsTable, lake.Shape{Columns: runsColumns(), Zone: "tarn"})
	if err != nil {
		return nil, err
	}
	written, err := w.Engine.Copy(ctx, query+more+" ORDER BY started_at, run_id", duckdb.Output{Dir: d.DataDir(id), FieldIDs: d.FieldIDs()})
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", RunsTable, err)
	}
	return d, d.Swap(ctx, merged, engine.Paths(written), map[string]string{plan.KeyRun: id})
}

// smallRuns chooses the data files of the account of runs that are written anew with the next run, as [execution.mergedFiles]
// does for that of landing files.
func (w *Workspace) smallRuns(ctx context.Context, v *lake.View) (merged []string, more string, err error) {
	have := v.Table(RunsTable)
	if have == nil {
		return nil, "", nil
	}
	files, err := have.Files(ctx)
	if err != nil {
		return nil, "", err
	}
	slices.SortFunc(files, func(a, b lake.DataFile) int { return cmp.Compare(a.Rows, b.Rows) })
	rows, n := int64(1), 0
	for n < len(files) && files[n].Rows < fewer*rows {
		rows += files[n].Rows
		merged = append(merged, files[n].Location)
		n++
	}
	if n == 0 {
		return nil, "", nil
	}
	from, err := w.scanFiles(ctx, have, files[:n])
	return merged, " UNION ALL SELECT * FROM " + from, err
}
