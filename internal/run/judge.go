package run

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"tarn/internal/check"
	"tarn/internal/engine/duckdb"
	"tarn/internal/ledger"
	"tarn/internal/model"
	"tarn/internal/project"
	"tarn/internal/schema"
	"tarn/internal/sqltree"
)

// judge tests the checks of a table whose new rows were written. The row checks judge the new rows alone, and those that
// a check drops or quarantines are left out by writing the files again; then the whole table, with the data files that
// stay, is made readable for later tables and judged by the other checks. Checks that look at tables which are not made
// yet wait for [execution.late].
func (x *execution) judge(ctx context.Context, st *state, written []duckdb.File, stay []string, again duckdb.Output) error {
	t := st.table
	st.files, st.rows = written, countRows(written)
	if err := x.w.Engine.SetTable(ctx, t.Name, t.Columns, filePaths(written)); err != nil {
		return err
	}
	if len(t.Header().Checks) > 0 {
		x.tell(Event{Table: t.Name, Phase: "check"})
	}
	var err error
	if st.checks, err = x.test(ctx, st, check.EachRow, func(column string) bool { return duckdb.Full(written, column) }); err != nil {
		return err
	}
	fewer, err := x.putAside(ctx, st, again)
	if err != nil {
		return err
	}
	if err := x.w.Engine.SetTable(ctx, t.Name, t.Columns, append(filePaths(st.files), stay...)); err != nil {
		return err
	}
	if fewer {
		// What was written first holds rows that were put aside, and nothing reads it any more.
		for _, f := range written {
			if err := os.Remove(f.Path); err != nil {
				return err
			}
		}
	}
	if st.widely && len(stay) > 0 {
		if err := x.judgeStaying(ctx, st); err != nil {
			return err
		}
	}
	whole, err := x.test(ctx, st, check.WholeTable, nil)
	st.checks = append(st.checks, whole...)
	st.record.Rows = st.rows
	return err
}

// judgeStaying lets the row checks that only judge see all rows of the table, as some of them are new.
func (x *execution) judgeStaying(ctx context.Context, st *state) error {
	again, err := x.test(ctx, st, check.EachRow, nil)
	if err != nil {
		return err
	}
	for i, r := range st.checks {
		if r.Status != check.Dropped && r.Status != check.Quarantined {
			st.checks[i] = again[i]
		}
	}
	return nil
}

// test runs those checks of a table that can be judged now, and explains the ones that stop the publish. full is what is
// known of the rows without asking: see [check.Table].
func (x *execution) test(ctx context.Context, st *state, which check.Which, full func(column string) bool) ([]check.Result, error) {
	now, _ := x.w.when(st.table)
	return x.run(ctx, st, check.Table{Name: st.table.Name, Checks: now, Full: full}, which)
}

func (x *execution) run(ctx context.Context, st *state, subject check.Table, which check.Which) ([]check.Result, error) {
	results, err := check.Run(ctx, x.w.Engine, subject, which, x.w.now())
	if err != nil {
		return nil, err
	}
	for i := range results {
		r := &results[i]
		if r.Status != check.Failed {
			continue
		}
		release, err := x.use(ctx, true, slices.Collect(maps.Keys(x.w.ancestors(st.table)))...)
		if err != nil {
			return nil, err
		}
		defer release()
		traced, err := x.w.traced(st.table, sqltree.DuckDBDialect, x.w.Engine.Name)
		if err != nil {
			return nil, err
		}
		if err := r.Explain(ctx, x.w.Engine, traced, filepath.Join(x.w.failedDir(), r.Table+"."+r.Name+".json")); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			// That the check fails is worth more than where its rows are.
			r.Message += fmt.Sprintf(" (they could not be kept for a look: %v)", err)
		}
	}
	return results, nil
}

// failedDir keeps the rows that made the last run fail, until the next one starts.
func (w *Workspace) failedDir() string { return filepath.Join(w.Project.StateDir(), "failed") }

// late tests the checks of [execution.lateChecks].
func (x *execution) late(ctx context.Context) error {
	for t, checks := range x.lateChecks() {
		st := x.state(t.Name)
		needed := []string{t.Name}
		for _, c := range checks {
			needed = append(needed, x.w.mentioned(c)...)
		}
		release, err := x.use(ctx, true, needed...)
		if err != nil {
			return err
		}
		results, err := x.run(ctx, st, check.Table{Name: t.Name, Checks: checks}, check.All)
		release()
		if err != nil {
			return err
		}
		st.checks = append(st.checks, results...)
	}
	return nil
}

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

// putAside takes out the rows that failed a check with on_fail drop or quarantine. A row counts for the first that it fails.
// fewer says that there were some, so that the rest is written again.
func (x *execution) putAside(ctx context.Context, st *state, again duckdb.Output) (fewer bool, err error) {
	t := st.table
	keep := "true"
	name := x.w.Engine.Name(t.Name) + " AS " + schema.Quote(t.Name)
	for _, r := range st.checks {
		if r.Status != check.Dropped && r.Status != check.Quarantined {
			continue
		}
		good := "coalesce((" + r.Condition(x.w.Engine) + "\n), false)"
		where := "NOT " + good + " AND " + keep
		var n int64
		if err := x.w.Engine.DB().QueryRowContext(ctx, "SELECT count(*) FROM "+name+" WHERE "+where).Scan(&n); err != nil {
			return false, err
		}
		if r.Status == check.Quarantined {
			file := "NULL::VARCHAR"
			if t.Landing != nil {
				file = "_file"
			}
			q := "SELECT to_json(" + schema.Quote(t.Name) + ")::VARCHAR, " + file + " FROM " + name + " WHERE " + where
			if err := x.quarantine.AddRows(ctx, t.Name, r.Name, q); err != nil {
				return false, err
			}
			st.putAside += n
		} else {
			st.dropped = append(st.dropped, ledger.Drop{Reason: "check " + r.Name, Rows: n})
		}
		keep += " AND " + good
	}
	if keep == "true" {
		return false, nil
	}
	written, err := x.w.Engine.Copy(ctx, "SELECT * FROM "+name+" WHERE "+keep, again)
	if err != nil {
		return false, fmt.Errorf("build %s: %w", t.Name, err)
	}
	st.files, st.rows = written, countRows(written)
	st.record.Quarantined += st.putAside
	return true, nil
}

// failed joins all checks that must stop the publish.
func (x *execution) failed() error {
	var errs []error
	for _, t := range x.w.Graph.Tables {
		if st := x.state(t.Name); st != nil {
			for _, r := range st.checks {
				if r.Status == check.Failed {
					errs = append(errs, &CheckError{Result: r})
				}
			}
		}
	}
	return errors.Join(errs...)
}
