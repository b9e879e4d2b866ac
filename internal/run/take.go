package run

import (
	"context"
	"fmt"
	"os"

	"tarn/internal/check"
	"tarn/internal/engine"
	"tarn/internal/engine/duckdb"
	"tarn/internal/ledger"
	"tarn/internal/plan"
	"tarn/internal/project"
	"tarn/internal/schema"
)

// take makes the run's drafts of what an engine has made and answered.
func (x *execution) take(ctx context.Context, m *maker, made tables, steps []plan.Step, r *engine.Result) error {
	if r.Version != "" {
		x.record.Versions[m.kind] = r.Version
	}
	actions := map[string]plan.Action{}
	for _, s := range steps {
		actions[s.Table.Name] = s.Action
	}
	for _, s := range r.Steps {
		st := made.made[s.Table]
		if st == nil {
			return fmt.Errorf("%s answers for %s, which it was not asked to make", m.Language().Dialect.Name, s.Table)
		}
		if err := x.takeStep(ctx, m, actions[s.Table], st, s); err != nil {
			return err
		}
		x.keep(st)
	}
	if len(r.Steps) != len(steps) {
		return fmt.Errorf("%s answers for %d tables, and was asked to make %d", m.Language().Dialect.Name, len(r.Steps), len(steps))
	}
	for _, l := range r.Late {
		st := x.state(l.Table)
		results, err := x.judged(ctx, m, st, l.Checks, st.rows)
		if err != nil {
			return err
		}
		st.late = append(st.late, results...)
	}
	return nil
}

func (x *execution) takeStep(ctx context.Context, m *maker, action plan.Action, st *state, r engine.StepResult) (err error) {
	t := st.table
	st.record.Seconds = r.Seconds
	if st.checks, err = x.judged(ctx, m, st, r.Checks, r.Rows); err != nil {
		return err
	}
	if action == plan.Amend {
		return x.amended(ctx, st)
	}
	if err := x.asides(ctx, st, r.Aside); err != nil {
		return err
	}
	if err := x.account(st, r.Ledger, r.Made); err != nil {
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
	st.rows = r.Rows
	st.record.Rows, st.record.Added, st.record.Removed = st.rows, st.rows, before
	x.mu.Lock()
	x.rebuilt[t.Name] = true
	x.mu.Unlock()
	if !m.InProcess() {
		return x.takeThere(ctx, m, st, r, summary)
	}
	st.files = r.Files
	if err := st.draft.Replace(ctx, engine.Paths(st.files), summary); err != nil {
		return err
	}
	return x.adopt(st, engine.Paths(st.files))
}

// takeThere takes the files of an engine elsewhere, which stay where they are.
func (x *execution) takeThere(ctx context.Context, m *maker, st *state, r engine.StepResult, summary map[string]string) error {
	rows, err := st.draft.Take(ctx, x.id, r.Snapshot, summary)
	if err != nil {
		return err
	}
	if rows != r.Rows {
		return fmt.Errorf("table %s: its data files hold %d rows, and %s has counted %d", st.table.Name, rows, m.Language().Dialect.Name, r.Rows)
	}
	if len(r.Aside) == 0 {
		return nil
	}
	left, err := x.w.Lake.Superseded(ctx, r.Before, r.Snapshot)
	if err != nil {
		return err
	}
	return x.w.Lake.Discard(ctx, left)
}

// judged makes results of the answers about a table's checks.
func (x *execution) judged(ctx context.Context, m *maker, st *state, answers []engine.CheckResult, rows int64) ([]check.Result, error) {
	t := st.table
	wr, list := x.w.written(ctx, m, t)
	if err := list.Err(); err != nil {
		return nil, err
	}
	out := []check.Result{}
	for _, r := range answers {
		asked, ok := wr.checks[r.Name]
		if !ok {
			return nil, fmt.Errorf("%s answers for check %s of %s, which there is not", m.Language().Dialect.Name, r.Name, t.Name)
		}
		result, err := asked.Judge(r, rows, x.w.now())
		if err != nil {
			return nil, err
		}
		out = append(out, result)
	}
	return out, nil
}

// asides notes the rows that checks took out. Quarantined ones are written as DuckDB writes them, so that an entry is the same
// whoever has found it.
func (x *execution) asides(ctx context.Context, st *state, list []engine.Aside) error {
	quarantines := map[string]bool{}
	for _, c := range st.table.Header().Checks {
		quarantines[c.Name] = c.OnFail == project.Quarantine
	}
	for _, a := range list {
		if !quarantines[a.Check] {
			st.dropped = append(st.dropped, ledger.Drop{Reason: "check " + a.Check, Rows: a.Rows})
			continue
		}
		if err := x.aside(ctx, st, a); err != nil {
			return err
		}
		st.putAside += a.Rows
	}
	st.record.Quarantined += st.putAside
	return nil
}

func (x *execution) aside(ctx context.Context, st *state, a engine.Aside) error {
	t := st.table
	paths, n := engine.Paths(a.Files), engine.CountRows(a.Files)
	if len(a.Snapshot) > 0 && string(a.Snapshot) != "null" {
		files, err := x.w.Lake.HandedFiles(ctx, a.Snapshot)
		if err != nil {
			return err
		}
		if paths, err = x.held.Paths(ctx, files); err != nil {
			return err
		}
		for _, f := range files {
			n += f.Rows
		}
	}
	if n != a.Rows {
		return fmt.Errorf("table %s: %d rows were put aside by check %s, and its engine has counted %d", t.Name, n, a.Check, a.Rows)
	}
	if n == 0 {
		return nil
	}
	file := "NULL::VARCHAR"
	if t.Landing != nil {
		file = "_file"
	}
	query := "SELECT to_json(" + schema.Quote(t.Name) + ")::VARCHAR, " + file + " FROM " + duckdb.Scan(t.Columns, paths) + " AS " + schema.Quote(t.Name)
	if err := x.quarantine.AddRows(ctx, t.Name, a.Check, query); err != nil {
		return err
	}
	for _, f := range a.Files {
		if err := os.Remove(f.Path); err != nil {
			return err
		}
	}
	return nil
}
