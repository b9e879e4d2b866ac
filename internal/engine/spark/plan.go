// Package spark is the engine of lakes that are too big for one machine: all models of a run go to Spark as one job.
//
// # One runner
//
// A program in Python (runner.py, inside this binary) gets a [Plan] as JSON, whose tables are Iceberg metadata that no catalog
// knows, runs the models in order, tests the checks, counts the ledger, and answers with a [Result]. It publishes nothing:
// what it has written is taken into the lake's tables, or left and swept, by package run. One job does a whole run because
// starting one costs a minute and has a least price on AWS.
//
// # Where it runs
//
// A [Launcher] starts the runner somewhere and asks after it: local, glue, emrserverless, one folder and one line in package
// launchers each. `launchtest` says what a launcher has to do.
//
// # A job outlives its terminal
//
// Plan, progress and result are files in the run's own folder beside the tables ([Engine.Folder]), and so is which job it is,
// written before it is waited for. Whoever comes next finds it there: [Engine.Wait] does not care who has started it.
package spark

import "encoding/json"

// Format is the version of plan and result; the runner takes no other.
const Format = 1

// Plan is one job: everything that the runner has to know.
type Plan struct {
	Format int    `json:"format"`
	Run    string `json:"run"`
	// Database stands before the tables' names in the plan's SQL, behind the catalog [Catalog].
	Database string `json:"database"`
	// Place is the location of the run's folder and ends in a slash.
	Place string `json:"place"`
	// TellEvery is how often progress is written, in seconds.
	TellEvery float64 `json:"tell_every"`
	// Settings are of the Spark session, as names and values.
	Settings [][2]string `json:"settings"`
	Tables   []Table     `json:"tables"`
	// Steps are worked through in order; a later one reads what an earlier one has written.
	Steps []Step `json:"steps"`
	// Late are checks that are tested when all steps are done.
	Late []Late `json:"late"`
	// Load, if not nil, is worked through before the steps.
	Load *Load `json:"load,omitempty"`
}

// Catalog is what the runner calls the catalog of the plan's tables.
const Catalog = "tarn"

// Table is one table of the plan's SQL: Iceberg metadata of what is read, or of an empty table that is written.
type Table struct {
	Name     string          `json:"name"`
	Metadata json.RawMessage `json:"metadata"`
}

// Step makes one table, or, without SQL, tests the checks of one that stays as it is.
type Step struct {
	Table string `json:"table"`
	// Rows is what stands in FROM for the table's rows, with the columns' names in SQL.
	Rows    string   `json:"rows"`
	SQL     string   `json:"sql,omitempty"`
	Columns []Column `json:"columns"`
	Checks  []Check  `json:"checks"`
	Ledger  *Ledger  `json:"ledger,omitempty"`
}

// Column is one column of a step's SELECT, by place. Its name is that in the table.
type Column struct {
	Name string `json:"name"`
}

// Check is what is asked to test one check. Rows that fail are counted by Aggregate (in one query with others) or Count.
type Check struct {
	Name   string `json:"name"`
	OnFail string `json:"on_fail"`
	// Good is true of the rows that pass; empty for checks of the whole table.
	Good string `json:"good,omitempty"`
	// Full names columns as they are in the table: the check passes if the data files' statistics say that none has a null.
	Full      []string `json:"full,omitempty"`
	Aggregate string   `json:"aggregate,omitempty"`
	Count     string   `json:"count,omitempty"`
	// Newest asks for a time in place of a number.
	Newest string `json:"newest,omitempty"`
	// Failing gives the rows that fail, Traced the same with their landing files where these are known.
	Failing string `json:"failing,omitempty"`
	Traced  string `json:"traced,omitempty"`
	// Aside is the table for the rows that are quarantined.
	Aside string `json:"aside,omitempty"`
}

// Ledger is what is asked for the account of rows. The queries of Uniques each tell whether a join cannot multiply rows; they
// are asked up to the first that says no (or is empty), and as many as have said yes choose the query of Counts.
type Ledger struct {
	Uniques []string `json:"uniques"`
	Counts  []string `json:"counts"`
}

// Late are checks of a table that look at tables which are made after it.
type Late struct {
	Table  string  `json:"table"`
	Checks []Check `json:"checks"`
}

// Result is what the runner answers.
type Result struct {
	Run string `json:"run"`
	// Spark is the version of Spark that did the work.
	Spark string       `json:"spark"`
	Steps []StepResult `json:"steps"`
	Late  []LateResult `json:"late"`
	// Error is set where a step failed, and nothing else counts then.
	Error *StepError `json:"error,omitempty"`
}

// StepResult is the outcome of one step, in the order of the plan.
type StepResult struct {
	Table string `json:"table"`
	// Made counts the rows that the SELECT gave, Rows those that are left after checks took some out.
	Made int64 `json:"made"`
	Rows int64 `json:"rows"`
	// Snapshot is the table as it is then, in Iceberg's JSON, and Before the one that still held the rows that were taken out.
	Snapshot json.RawMessage `json:"snapshot"`
	Before   json.RawMessage `json:"before"`
	Checks   []CheckResult   `json:"checks"`
	Aside    []Aside         `json:"aside"`
	Ledger   *LedgerResult   `json:"ledger"`
	Seconds  float64         `json:"seconds"`
}

// CheckResult is the answer to the questions of one check.
type CheckResult struct {
	Name    string `json:"name"`
	Failing int64  `json:"failing"`
	// Newest is a date or timestamp in ISO 8601 without zone (UTC), nil for no value.
	Newest *string  `json:"newest"`
	Sample []string `json:"sample"`
	// Rest is a file in the run's folder with the rows that failed.
	Rest    string  `json:"rest"`
	Seconds float64 `json:"seconds"`
}

// Aside counts the rows that a check has taken out, and has the snapshot of the table that holds them where they are quarantined.
type Aside struct {
	Check    string          `json:"check"`
	Rows     int64           `json:"rows"`
	Snapshot json.RawMessage `json:"snapshot"`
}

// LedgerResult is the answer to a [Ledger]: one row of numbers.
type LedgerResult struct {
	Single int      `json:"single"`
	Counts []*int64 `json:"counts"`
}

// LateResult is the outcome of one [Late], in the order of the plan.
type LateResult struct {
	Table  string        `json:"table"`
	Checks []CheckResult `json:"checks"`
}

// Progress is how far a job is.
type Progress struct {
	// Application is Spark's own id of the job.
	Application string `json:"application"`
	Now         *struct {
		Table string `json:"table"`
		// Phase is build or check.
		Phase string `json:"phase"`
	} `json:"now"`
	// Done and Total are tasks of the stages that are under way.
	Done     int64 `json:"done"`
	Total    int64 `json:"total"`
	Finished []struct {
		Table string `json:"table"`
		Rows  int64  `json:"rows"`
	} `json:"finished"`
	// Read counts the bytes of landing files that were read, as they are stored, by table.
	Read map[string]int64 `json:"read"`
}
