package engine

import "encoding/json"

// Result is what became of a job.
type Result struct {
	// Version is that of the engine; "" for the one in the process, which is of the program.
	Version string
	// Steps and Late are the outcomes in the order of the job.
	Steps []StepResult
	Late  []LateResult
}

// StepResult is the outcome of one step.
type StepResult struct {
	Table string `json:"table"`
	// Made counts the rows that the SELECT gave, Rows those that are left after checks took some out.
	Made int64 `json:"made"`
	Rows int64 `json:"rows"`
	// Files hold the rows, where the engine writes files of this machine.
	Files []File `json:"-"`
	// Snapshot is elsewhere the table as it is then, in Iceberg's JSON, and Before the one that still held the rows that were
	// taken out.
	Snapshot json.RawMessage `json:"snapshot"`
	Before   json.RawMessage `json:"before"`
	Checks   []CheckResult   `json:"checks"`
	Aside    []Aside         `json:"aside"`
	// Ledger is nil where nothing was asked.
	Ledger  *LedgerResult `json:"ledger"`
	Seconds float64       `json:"seconds"`
}

// CheckResult is the answer to the questions of one check.
type CheckResult struct {
	Name    string `json:"name"`
	Failing int64  `json:"failing"`
	// Newest is a date or timestamp in ISO 8601 without zone (UTC), nil for no value.
	Newest *string `json:"newest"`
	// Sample are the first failing rows as JSON texts, at most five.
	Sample []string `json:"sample"`
	// Rest is a file of this machine with the rows that failed, a JSON object a line, where they make the run fail.
	Rest string `json:"rest"`
	// Unkept says why there is none, where there should be.
	Unkept  string  `json:"-"`
	Seconds float64 `json:"seconds"`
}

// Aside counts the rows that a check has taken out. Those of a check that quarantines are in files of this machine or in the
// snapshot of a table.
type Aside struct {
	Check    string          `json:"check"`
	Rows     int64           `json:"rows"`
	Files    []File          `json:"-"`
	Snapshot json.RawMessage `json:"snapshot"`
}

// LedgerResult is the answer to a [Ledger]: how many of its Uniques have said yes, and one row of numbers.
type LedgerResult struct {
	Single int      `json:"single"`
	Counts []*int64 `json:"counts"`
}

// LateResult is the outcome of one [Late].
type LateResult struct {
	Table  string        `json:"table"`
	Checks []CheckResult `json:"checks"`
}
