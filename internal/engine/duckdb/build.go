package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"tarn/internal/engine"
	"tarn/internal/sqltree"
)

// Language implements [engine.Engine].
func (e *Engine) Language() engine.Language {
	return engine.Language{Dialect: sqltree.DuckDBDialect, Native: true,
		From: func(_, table string) string { return e.Name(table) },
		Some: func(column string) string { return "list(DISTINCT " + column + ")[1:5]" }}
}

// InProcess implements [engine.Engine].
func (e *Engine) InProcess() bool { return true }

// Ready implements [engine.Engine].
func (e *Engine) Ready(context.Context) (string, error) { return "", nil }

// Build implements [engine.Engine]. Its files are on this machine, and its tables stay readable by their names.
func (e *Engine) Build(ctx context.Context, j engine.Job, t engine.Tables) (*engine.Result, error) {
	out := &engine.Result{}
	for _, s := range j.Steps {
		r, err := e.step(ctx, j, s, t)
		if err != nil {
			return nil, err
		}
		out.Steps = append(out.Steps, *r)
	}
	for _, l := range j.Late {
		r, err := e.late(ctx, l, t)
		if err != nil {
			return nil, err
		}
		out.Late = append(out.Late, engine.LateResult{Table: l.Table, Checks: r})
	}
	return out, nil
}

func (e *Engine) step(ctx context.Context, j engine.Job, s engine.Step, t engine.Tables) (*engine.StepResult, error) {
	start := time.Now()
	release, err := t.Open(ctx, false, s.Reads...)
	if err != nil {
		return nil, err
	}
	defer release()
	out := &engine.StepResult{Table: s.Table}
	if s.SQL == "" {
		if out.Checks, err = e.stays(ctx, j, s, t); err != nil {
			return nil, err
		}
		out.Seconds = time.Since(start).Seconds()
		return out, nil
	}
	j.Tell(engine.Event{Table: s.Table, Phase: engine.Building})
	to := t.Output(s.Table, "rows")
	to.Progress = func(share float64) {
		j.Tell(engine.Event{Table: s.Table, Phase: engine.Building, Done: int64(1000 * share), Total: 1000})
	}
	written, err := e.Copy(ctx, s.SQL, to)
	if err != nil {
		return nil, failing(s.Table, err)
	}
	if len(s.Checks) > 0 {
		j.Tell(engine.Event{Table: s.Table, Phase: engine.Checking})
	}
	judged, err := e.Judge(ctx, Judging{Table: s.Table, Columns: s.Columns, Written: written, Checks: s.Checks, Traces: s.Traces}, t)
	if err != nil {
		return nil, err
	}
	out.Made, out.Rows = engine.CountRows(written), engine.CountRows(judged.Files)
	out.Files, out.Checks, out.Aside = judged.Files, judged.Checks, judged.Aside
	if s.Ledger != nil {
		j.Tell(engine.Event{Table: s.Table, Phase: engine.Accounting})
		if out.Ledger, err = e.Account(ctx, *s.Ledger); err != nil {
			return nil, fmt.Errorf("account of %s: %w", s.Table, err)
		}
	}
	out.Seconds = time.Since(start).Seconds()
	return out, nil
}

// failing gives an error of a table's SELECT its place in it. Those that rows have nothing to do with have none.
func failing(table string, err error) error {
	var s *StatementError
	if !errors.As(err, &s) || !s.OfValues() {
		return fmt.Errorf("build %s: %w", table, err)
	}
	why, misfit := Misfit(s)
	if !misfit {
		why = Brief(s)
	}
	return &engine.StepError{Table: table, What: "model", Message: why, Class: s.Kind, Start: s.Position, End: s.Position + 1}
}

// stays tests the checks of a table that stays as it is.
func (e *Engine) stays(ctx context.Context, j engine.Job, s engine.Step, t engine.Tables) ([]engine.CheckResult, error) {
	release, err := t.Open(ctx, true, s.Table)
	if err != nil {
		return nil, err
	}
	defer release()
	j.Tell(engine.Event{Table: s.Table, Phase: engine.Checking})
	return e.Test(ctx, Asking{Table: s.Table, Checks: s.Checks, Tables: t, Traces: s.Traces})
}

func (e *Engine) late(ctx context.Context, l engine.Late, t engine.Tables) ([]engine.CheckResult, error) {
	release, err := t.Open(ctx, true, l.Reads...)
	if err != nil {
		return nil, err
	}
	defer release()
	return e.Test(ctx, Asking{Table: l.Table, Checks: l.Checks, Tables: t, Traces: l.Traces})
}

// Account answers the questions of an account, one after the other.
func (e *Engine) Account(ctx context.Context, l engine.Ledger) (*engine.LedgerResult, error) {
	out := &engine.LedgerResult{}
	for _, ask := range l.Uniques {
		yes := false
		if ask != "" {
			if err := e.db.QueryRowContext(ctx, ask).Scan(&yes); err != nil {
				return nil, fmt.Errorf("count rows: %w", err)
			}
		}
		if !yes {
			break
		}
		out.Single++
	}
	rows, err := e.db.QueryContext(ctx, l.Counts[out.Single])
	if err != nil {
		return nil, fmt.Errorf("count rows: %w", err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	counts := make([]sql.NullInt64, len(columns))
	into := make([]any, len(columns))
	for i := range counts {
		into[i] = &counts[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, fmt.Errorf("count rows: %w", err)
		}
	}
	for _, n := range counts {
		if !n.Valid {
			out.Counts = append(out.Counts, nil)
			continue
		}
		out.Counts = append(out.Counts, &n.Int64)
	}
	return out, rows.Err()
}
