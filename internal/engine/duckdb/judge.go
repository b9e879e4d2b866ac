package duckdb

import (
	"context"
	"fmt"
	"os"
	"slices"

	"tarn/internal/engine"
	"tarn/internal/schema"
)

// Judging is a table whose new rows are written, before its checks are tested.
type Judging struct {
	Table   string
	Columns []schema.Column
	// Written are the files of the new rows, Stay the paths of files whose rows stay.
	Written []File
	Stay    []string
	// Widely lets the checks of rows that take none out see the rows that stay as well.
	Widely bool
	Checks []engine.Check
	Traces []string
}

// Judged is what the checks have found.
type Judged struct {
	// Files are those of the new rows that are left, on this machine.
	Files  []File
	Checks []engine.CheckResult
	Aside  []engine.Aside
}

// Judge tests the checks of a table. Those of rows judge the new rows alone, and what a check takes out is left out by writing the
// files again; then the whole table is made readable and judged by the other checks.
func (e *Engine) Judge(ctx context.Context, j Judging, t engine.Tables) (*Judged, error) {
	out := &Judged{Files: j.Written}
	if err := e.SetTable(ctx, j.Table, j.Columns, engine.Paths(j.Written)); err != nil {
		return nil, err
	}
	rows := slices.DeleteFunc(slices.Clone(j.Checks), func(c engine.Check) bool { return c.Good == "" })
	whole := slices.DeleteFunc(slices.Clone(j.Checks), func(c engine.Check) bool { return c.Good != "" })
	ask := Asking{Table: j.Table, Checks: rows, Full: func(column string) bool { return Full(j.Written, column) }, Tables: t, Traces: j.Traces}
	var err error
	if out.Checks, err = e.Test(ctx, ask); err != nil {
		return nil, err
	}
	if err := e.putAside(ctx, j, rows, out, t); err != nil {
		return nil, err
	}
	if err := e.SetTable(ctx, j.Table, j.Columns, append(engine.Paths(out.Files), j.Stay...)); err != nil {
		return nil, err
	}
	if len(out.Aside) > 0 {
		// What was written first holds rows that were put aside, and nothing reads it any more.
		for _, f := range j.Written {
			if err := os.Remove(f.Path); err != nil {
				return nil, err
			}
		}
	}
	ask.Full = nil
	if j.Widely && len(j.Stay) > 0 {
		again, err := e.Test(ctx, ask)
		if err != nil {
			return nil, err
		}
		for i, r := range out.Checks {
			if !rows[i].OnFail.TakesOut() || r.Failing == 0 {
				out.Checks[i] = again[i]
			}
		}
	}
	ask.Checks = whole
	more, err := e.Test(ctx, ask)
	out.Checks = append(out.Checks, more...)
	return out, err
}

// putAside takes out the rows that failed a check which takes them out. A row counts for the first that it fails.
func (e *Engine) putAside(ctx context.Context, j Judging, checks []engine.Check, out *Judged, t engine.Tables) error {
	keep := "true"
	from := " FROM " + e.Name(j.Table) + " AS " + schema.Quote(j.Table) + " WHERE "
	for i, c := range checks {
		if !c.OnFail.TakesOut() || out.Checks[i].Failing == 0 {
			continue
		}
		a := engine.Aside{Check: c.Name}
		where := "NOT " + c.Good + " AND " + keep
		if c.OnFail == engine.Quarantine {
			to := t.Output(j.Table, fmt.Sprintf("aside-%d", len(out.Aside)))
			to.Partition = nil
			var err error
			if a.Files, err = e.Copy(ctx, "SELECT *"+from+where, to); err != nil {
				return fmt.Errorf("quarantine %s: %w", j.Table, err)
			}
			a.Rows = engine.CountRows(a.Files)
		} else if err := e.db.QueryRowContext(ctx, "SELECT count(*)"+from+where).Scan(&a.Rows); err != nil {
			return err
		}
		out.Aside = append(out.Aside, a)
		keep += " AND " + c.Good
	}
	if len(out.Aside) == 0 {
		return nil
	}
	written, err := e.Copy(ctx, "SELECT *"+from+keep, t.Output(j.Table, "kept"))
	if err != nil {
		return fmt.Errorf("build %s: %w", j.Table, err)
	}
	out.Files = written
	return nil
}
