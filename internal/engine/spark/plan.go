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

import (
	"encoding/json"

	"tarn/internal/engine"
)

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
	// Steps are in an order in which each finds what it reads.
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
	// After are earlier steps' tables that it reads; steps that need nothing of each other run side by side.
	After []string `json:"after"`
}

// Column is one column of a step's SELECT, by place. Its name is that in the table.
type Column struct {
	Name string `json:"name"`
}

// What a step asks.
type (
	// Check is what is asked to test one check.
	Check = engine.Check
	// Ledger is what is asked for the account of rows.
	Ledger = engine.Ledger
)

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

// What a result is made of.
type (
	// StepResult is the outcome of one step, in the order of the plan. A check's Rest is a file in the run's folder.
	StepResult = engine.StepResult
	// CheckResult is the answer to the questions of one check.
	CheckResult = engine.CheckResult
	// LateResult is the outcome of one [Late], in the order of the plan.
	LateResult = engine.LateResult
)

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
