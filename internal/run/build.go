package run

import (
	"context"

	"tarn/internal/check"
	"tarn/internal/model"
	"tarn/internal/plan"
)

// amended stages a table whose rows stay as they are, when its checks have been tested, with its comments and description. Tables
// that read it are not concerned: it keeps the run that gave it its rows.
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
