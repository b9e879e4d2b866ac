package duckdb

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tarn/internal/engine"
	"tarn/internal/schema"
)

// Asking is what is asked about the rows of one of the engine's tables.
type Asking struct {
	Table  string
	Checks []engine.Check
	// Full reports whether a column is known to have no nulls, as the statistics of written files tell it; checks of such columns
	// need no query. nil knows nothing.
	Full func(column string) bool
	// Tables, if not nil, is where the rows are kept by which the run fails, with the landing files that they come from: for that,
	// those named Traces are read too.
	Tables engine.Tables
	Traces []string
}

// Test answers what checks ask, in their order. Those of rows are asked in one pass over the table.
func (e *Engine) Test(ctx context.Context, a Asking) ([]engine.CheckResult, error) {
	out := make([]engine.CheckResult, len(a.Checks))
	var rows []int
	for i, c := range a.Checks {
		if out[i].Name = c.Name; c.Good != "" {
			rows = append(rows, i)
		}
	}
	if err := e.testRows(ctx, a, rows, out); err != nil {
		return nil, err
	}
	for i, c := range a.Checks {
		if c.Good != "" {
			continue
		}
		begin := time.Now()
		if err := e.testTable(ctx, c, &out[i]); err != nil {
			return nil, &engine.UntestedError{Table: a.Table, Check: c.Name, Err: err}
		}
		out[i].Seconds = time.Since(begin).Seconds()
	}
	if a.Tables == nil {
		return out, nil
	}
	return out, e.explainAll(ctx, a, out)
}

// testRows counts the rows that fail each of some checks; which has their places.
func (e *Engine) testRows(ctx context.Context, a Asking, which []int, out []engine.CheckResult) error {
	begin := time.Now()
	counts := make([]string, len(which))
	into := make([]any, len(which))
	asked := 0
	for n, i := range which {
		c := a.Checks[i]
		into[n] = &out[i].Failing
		if len(c.Full) > 0 && a.Full != nil && !slices.ContainsFunc(c.Full, func(column string) bool { return !a.Full(column) }) {
			counts[n] = "0::BIGINT"
			continue
		}
		asked++
		if counts[n] = c.Aggregate; c.Aggregate == "" {
			counts[n] = "(" + c.Count + "\n)"
		}
	}
	if asked == 0 {
		return nil
	}
	from := " FROM " + e.Name(a.Table) + " AS " + schema.Quote(a.Table)
	if err := e.db.QueryRowContext(ctx, "SELECT "+strings.Join(counts, ", ")+from).Scan(into...); err != nil {
		// One of them is wrong; asking for each alone tells which.
		for n, i := range which {
			var failing int64
			if err := e.db.QueryRowContext(ctx, "SELECT "+counts[n]+from).Scan(&failing); err != nil {
				return &engine.UntestedError{Table: a.Table, Check: a.Checks[i].Name, Err: err}
			}
		}
		return err
	}
	took := time.Since(begin).Seconds() / float64(len(which))
	for _, i := range which {
		out[i].Seconds = took
		if err := e.show(ctx, a.Checks[i].Failing, &out[i]); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) testTable(ctx context.Context, c engine.Check, r *engine.CheckResult) error {
	if c.Newest != "" {
		var newest *time.Time
		if err := e.db.QueryRowContext(ctx, c.Newest).Scan(&newest); err != nil || newest == nil {
			return err
		}
		text := newest.UTC().Format("2006-01-02T15:04:05.999999")
		r.Newest = &text
		return nil
	}
	if err := e.db.QueryRowContext(ctx, c.Count).Scan(&r.Failing); err != nil {
		return err
	}
	return e.show(ctx, c.Failing, r)
}

// show adds some of the failing rows to a result.
func (e *Engine) show(ctx context.Context, failing string, r *engine.CheckResult) error {
	if r.Failing == 0 || failing == "" {
		return nil
	}
	rows, err := e.db.QueryContext(ctx, "SELECT to_json(t)::VARCHAR FROM (SELECT * FROM ("+failing+"\n) LIMIT 5) t")
	if err != nil {
		return err
	}
	defer rows.Close()
	r.Sample = nil
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return err
		}
		r.Sample = append(r.Sample, s)
	}
	return rows.Err()
}

// explainAll keeps the rows that make the run fail.
func (e *Engine) explainAll(ctx context.Context, a Asking, out []engine.CheckResult) error {
	var release func()
	for i, c := range a.Checks {
		r := &out[i]
		if c.OnFail != engine.Fail || c.Failing == "" || r.Failing == 0 {
			continue
		}
		if release == nil {
			var err error
			if release, err = a.Tables.Open(ctx, true, a.Traces...); err != nil {
				return err
			}
			defer release()
		}
		if err := e.explain(ctx, c, r, a.Tables.Rest(a.Table, c.Name)); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			// That the check fails is worth more than where its rows are.
			r.Unkept = err.Error()
		}
	}
	return nil
}

// mostRest bounds how many failing rows are written: a check that is wrong fails for every row of a table.
const mostRest = 100_000

// explain adds to the result of a failed check where its rows come from, and writes all of them to a file.
func (e *Engine) explain(ctx context.Context, c engine.Check, r *engine.CheckResult, rest string) error {
	query := c.Failing
	if c.Traced != "" {
		query = c.Traced
		if err := e.show(ctx, query, r); err != nil {
			return fmt.Errorf("find the landing files of failing rows: %w", err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(rest), 0o755); err != nil {
		return err
	}
	if _, err := e.db.ExecContext(ctx, "COPY (SELECT * FROM ("+query+"\n) LIMIT "+fmt.Sprint(mostRest)+") TO "+schema.Literal(rest)+" (FORMAT json)"); err != nil {
		return fmt.Errorf("write the failing rows: %w", err)
	}
	r.Rest = rest
	return nil
}
