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
	"time"

	"tarn/internal/engine"
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
}

// Run tests the checks of a table against what the engine's table of that name holds now: first those of rows, then those of the
// whole table. The error tells that a check could not be tested at all, such as one whose SQL names an unknown column.
func Run(ctx context.Context, e *duckdb.Engine, t Table, now time.Time) ([]Result, error) {
	var asked []Asked
	var questions []engine.Check
	for _, rows := range []bool{true, false} {
		for _, c := range t.Checks {
			if c.Row() == rows {
				a := Native(e.Name, t.Name, c, "")
				asked, questions = append(asked, a), append(questions, a.Question())
			}
		}
	}
	answers, err := e.Test(ctx, duckdb.Asking{Table: t.Name, Checks: questions})
	if err != nil {
		return nil, Untested(t.Checks, err)
	}
	results := make([]Result, len(asked))
	for i, a := range asked {
		if results[i], err = a.Judge(answers[i], 0, now); err != nil {
			return nil, err
		}
	}
	return results, nil
}

func start(table string, c project.Check) Result {
	return Result{Table: table, Name: c.Name, Kind: c.Kind, OnFail: c.OnFail, File: c.File, Line: c.Line, Status: Passed, check: c}
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
