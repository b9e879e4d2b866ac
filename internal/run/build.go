package run

import (
	"context"
	"fmt"
	"slices"

	"tarn/internal/check"
	"tarn/internal/engine/duckdb"
	"tarn/internal/ledger"
	"tarn/internal/model"
	"tarn/internal/plan"
	"tarn/internal/sqltree"
)

// build runs a model's SELECT whole.
func (x *execution) build(ctx context.Context, s plan.Step, st *state) error {
	t := s.Table
	x.tell(Event{Table: t.Name, Phase: "build"})
	query, err := Compiled(x.w.Engine, t)
	if err != nil {
		return err
	}
	output := x.output(st, "rows")
	if x.progress != nil {
		output.Progress = func(share float64) {
			x.tell(Event{Table: t.Name, Phase: "build", Done: int64(1000 * share), Total: 1000})
		}
	}
	written, err := x.w.Engine.Copy(ctx, query, output)
	if err != nil {
		return x.w.placedHere(t, fmt.Errorf("build %s: %w", t.Name, err))
	}
	if err := x.judge(ctx, st, written, nil, x.output(st, "kept")); err != nil {
		return err
	}
	x.w.reached("account " + t.Name)
	live := ledger.Live(x.w.Engine.DB(), func(r sqltree.TableRef) string { return x.w.Engine.Name(r.Name) })
	if err := x.account(ctx, st, live, countRows(written)); err != nil {
		return err
	}
	summary, err := x.summary(t)
	if err != nil {
		return err
	}
	before, err := x.before(ctx, t)
	if err != nil {
		return err
	}
	st.record.Added, st.record.Removed = st.rows, before
	x.mu.Lock()
	x.rebuilt[t.Name] = true
	x.mu.Unlock()
	if err := st.draft.Replace(ctx, filePaths(st.files), summary); err != nil {
		return err
	}
	return x.adopt(st, filePaths(st.files))
}

// reads lists the tables that making a table and judging its rows needs.
func (x *execution) reads(t *model.Table) []string {
	out := slices.Clone(t.Inputs)
	now, _ := x.w.when(t)
	for _, c := range now {
		out = append(out, x.w.mentioned(c)...)
	}
	return out
}

// amend tests the checks of a table whose rows stay as they are, and stages its comments and description. Tables that
// read it are not concerned: it keeps the run that gave it its rows.
func (x *execution) amend(ctx context.Context, st *state) error {
	t, have := st.table, x.view.Table(st.table.Stored())
	held := x.w.Lake.Reader()
	defer held.Close()
	paths, err := held.Table(ctx, have)
	if err != nil {
		return err
	}
	if err := x.w.Engine.SetTable(ctx, t.Name, t.Columns, paths); err != nil {
		return err
	}
	x.tell(Event{Table: t.Name, Phase: "check"})
	for _, which := range []check.Which{check.EachRow, check.WholeTable} {
		results, err := x.test(ctx, st, which, nil)
		if err != nil {
			return err
		}
		st.checks = append(st.checks, results...)
	}
	return x.amended(ctx, st)
}

// amended stages a table whose rows stay as they are, when its checks have been tested.
func (x *execution) amended(ctx context.Context, st *state) (err error) {
	t, have := st.table, x.view.Table(st.table.Stored())
	if st.rows, err = have.Rows(ctx); err != nil {
		return err
	}
	st.version, st.record.Rows = plan.Version(x.view, t), st.rows
	for i := range st.checks {
		// Rows that these checks put aside are gone already; that any are left would be a mistake of tarn.
		if s := st.checks[i].Status; s == check.Dropped || s == check.Quarantined {
			st.checks[i].Status = check.Failed
		}
	}
	now := have.Record()
	summary := map[string]string{plan.KeyNotes: t.Notes}
	for _, key := range []string{plan.KeyRun, plan.KeyHash, plan.KeyInputs} {
		summary[key] = now[key]
	}
	if err := st.draft.Swap(ctx, nil, nil, summary); err != nil {
		return err
	}
	// Its files are where they were.
	st.stored, st.now = true, have
	return nil
}

// before counts the rows that are published now.
func (x *execution) before(ctx context.Context, t *model.Table) (int64, error) {
	have := x.view.Table(t.Stored())
	if have == nil {
		return 0, nil
	}
	return have.Rows(ctx)
}

func filePaths(files []duckdb.File) []string {
	out := make([]string, len(files))
	for i, f := range files {
		out[i] = f.Path
	}
	return out
}

func countRows(files []duckdb.File) (n int64) {
	for _, f := range files {
		n += f.Rows
	}
	return n
}
