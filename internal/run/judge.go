package run

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"tarn/internal/check"
	"tarn/internal/engine"
	"tarn/internal/engine/duckdb"
	"tarn/internal/model"
	"tarn/internal/project"
)

// judge tests the checks of a landing table whose new rows were written. The row checks judge the new rows alone, and those that a
// check drops or quarantines are left out by writing the files again; then the whole table, with the data files that stay, is
// made readable for later tables and judged by the other checks. Checks that look at tables which are not made yet wait:
// see [execution.lateChecks].
func (x *execution) judge(ctx context.Context, st *state, written []duckdb.File, stay []string) error {
	t := st.table
	if len(t.Header().Checks) > 0 {
		x.tell(Event{Table: t.Name, Phase: "check"})
	}
	wr, list := x.w.written(ctx, x.w.own, t)
	if err := list.Err(); err != nil {
		return err
	}
	now, _ := x.w.when(t)
	_, traces := x.readBy(t, now, map[string]bool{})
	judged, err := x.w.Engine.Judge(ctx, duckdb.Judging{Table: t.Name, Columns: t.Columns, Written: written, Stay: stay, Widely: st.widely,
		Checks: wr.asks(now), Traces: traces}, tables{x, map[string]*state{t.Name: st}})
	if err != nil {
		return x.placed(x.w.own, err)
	}
	st.files, st.rows = judged.Files, engine.CountRows(judged.Files)
	if st.checks, err = x.judged(ctx, x.w.own, st, judged.Checks, st.rows); err != nil {
		return err
	}
	st.record.Rows = st.rows
	return x.asides(ctx, st, judged.Aside)
}

// proved notes checks of which the statistics of written files tell that they hold.
func (x *execution) proved(ctx context.Context, st *state, written []duckdb.File) error {
	wr, list := x.w.written(ctx, x.w.own, st.table)
	if err := list.Err(); err != nil {
		return err
	}
	now, _ := x.w.when(st.table)
	answers, err := x.w.Engine.Test(ctx, duckdb.Asking{Table: st.table.Name, Checks: wr.asks(now), Full: func(column string) bool { return duckdb.Full(written, column) }})
	if err != nil {
		return x.placed(x.w.own, err)
	}
	st.checks, err = x.judged(ctx, x.w.own, st, answers, st.rows)
	return err
}

// failedDir keeps the rows that made the last run fail, until the next one starts.
func (w *Workspace) failedDir() string { return filepath.Join(w.Project.StateDir(), "failed") }

// lateChecks lists the checks that look at other tables than those that a table is made of: of the tables of this run, and
// of all others that look at one which has changed.
func (x *execution) lateChecks() iter.Seq2[*model.Table, []project.Check] {
	return func(yield func(*model.Table, []project.Check) bool) {
		changed := map[string]bool{}
		for _, s := range x.plan.Steps {
			changed[s.Table.Name] = s.Changes()
		}
		for _, t := range x.w.Graph.Tables {
			var checks []project.Check
			_, later := x.w.when(t)
			for _, c := range later {
				concerned := x.state(t.Name).draft != nil
				for _, other := range x.w.mentioned(c) {
					concerned = concerned || changed[other]
				}
				if concerned {
					checks = append(checks, c)
				}
			}
			if len(checks) > 0 && !yield(t, checks) {
				return
			}
		}
	}
}

// keepOnly removes what attempts left in a folder that did not count.
func keepOnly(dir string, files []duckdb.File) error {
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || slices.ContainsFunc(files, func(f duckdb.File) bool { return f.Path == path }) {
			return err
		}
		return os.Remove(path)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// failed joins all checks that must stop the publish.
func (x *execution) failed() error {
	var errs []error
	for _, t := range x.w.Graph.Tables {
		if st := x.state(t.Name); st != nil {
			for _, r := range slices.Concat(st.checks, st.late) {
				if r.Status == check.Failed {
					errs = append(errs, &CheckError{Result: r})
				}
			}
		}
	}
	return errors.Join(errs...)
}
