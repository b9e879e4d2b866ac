// Package check tests statements about a table's rows before they are published (and, on request, after).
//
// Row checks (not_null, accepted_values, range, references, expect) judge each row and can put failing ones aside; table
// checks (unique, row_count, freshness, sql) judge the whole. All of them are SQL over the engine's tables.
//
// A null passes accepted_values, range and references, and fails not_null and expect; for unique, nulls are alike. What
// on_fail says is done by package run; here it only decides the [Status] of a [Result].
package check

import (
	"context"
	"slices"
	"time"

	"tarn/internal/engine/duckdb"
	"tarn/internal/project"
)

// Status says how a check ended.
type Status string

// The ways a check can end. Only Failed stops a publish.
const (
	Passed      Status = "passed"
	Warned      Status = "warned"
	Failed      Status = "failed"
	Dropped     Status = "dropped"     // failing rows were left out
	Quarantined Status = "quarantined" // failing rows were left out and put into quarantine
)

// Result is one check's outcome. Its JSON form is part of `tarn run --json` and `tarn check --json`.
type Result struct {
	Table  string         `json:"table"`
	Name   string         `json:"name"`
	Kind   string         `json:"kind"`
	Status Status         `json:"status"`
	OnFail project.OnFail `json:"on_fail"`
	// Failing counts rows, or keys for unique; for row_count and freshness it is 0 or 1.
	Failing int64  `json:"failing"`
	Message string `json:"message,omitempty"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	// Sample holds the first failing rows as JSON texts, at most five; with their landing file as _file where it is known.
	Sample []string `json:"sample,omitempty"`
	// Rest is a file with the rows that failed, one JSON object a line, where the check stopped a publish.
	Rest    string  `json:"rest,omitempty"`
	Seconds float64 `json:"seconds"`

	check project.Check
}

// Table is what is checked: a table of the engine under its own name.
type Table struct {
	Name   string
	Checks []project.Check
	// Full reports whether a column is known to have no nulls, as the statistics of written files tell it; not_null of such
	// columns needs no query. nil knows nothing.
	Full func(column string) bool
}

// proved reports whether a check holds by what is known already.
func (t Table) proved(c project.Check) bool {
	return c.Kind == "not_null" && t.Full != nil && !slices.ContainsFunc(c.Columns, func(col string) bool { return !t.Full(col) })
}

// Run tests the checks of a table against what the engine's table of that name holds now: the row checks, those of the
// whole table, or both. The error tells that a check could not be tested at all, such as one whose SQL names an unknown column.
func Run(ctx context.Context, e *duckdb.Engine, t Table, which Which, now time.Time) ([]Result, error) {
	var results []Result
	var rows []project.Check
	for _, c := range t.Checks {
		if c.Row() && which != WholeTable {
			rows = append(rows, c)
			results = append(results, start(t, c))
		}
	}
	if err := runRows(ctx, e, t, rows, results); err != nil {
		return nil, err
	}
	for _, c := range t.Checks {
		if !c.Row() && which != EachRow {
			begin := time.Now()
			r := start(t, c)
			if err := runTable(ctx, e, t, c, now, &r); err != nil {
				return nil, untested(c, err)
			}
			r.Seconds = time.Since(begin).Seconds()
			results = append(results, r)
		}
	}
	for i := range results {
		results[i].judge()
	}
	return results, nil
}

// Which chooses among a table's checks.
type Which int

// The choices.
const (
	All Which = iota
	EachRow
	WholeTable
)

func start(t Table, c project.Check) Result {
	return Result{Table: t.Name, Name: c.Name, Kind: c.Kind, OnFail: c.OnFail, File: c.File, Line: c.Line, Status: Passed, check: c}
}

func (r *Result) judge() {
	if r.Failing == 0 {
		return
	}
	switch r.OnFail {
	case project.Warn:
		r.Status = Warned
	case project.Drop:
		r.Status = Dropped
	case project.Quarantine:
		r.Status = Quarantined
	default:
		r.Status = Failed
	}
}

// Condition writes what is true of the rows that pass, "" for checks of the whole table.
func (r *Result) Condition(e *duckdb.Engine) string { return condition(e.Name, r.check) }

func sample(ctx context.Context, e *duckdb.Engine, query string) ([]string, error) {
	rows, err := e.DB().QueryContext(ctx, "SELECT to_json(t)::VARCHAR FROM (SELECT * FROM ("+query+"\n) LIMIT 5) t")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}
