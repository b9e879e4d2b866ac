package engine

import (
	"context"

	"tarn/internal/schema"
)

// Job is work for an engine: some models of a run.
type Job struct {
	Run string
	// Database stands before the tables' names.
	Database string
	// Steps are worked through in order; a later one reads what an earlier one has written.
	Steps []Step
	// Late are checks that are tested when all steps are done.
	Late []Late
	// Started says that somebody else has started the job which [Lasting] resumes: where nobody has, that is an [ErrNotStarted].
	Started bool
	// Note is called, where the engine is [Lasting], with the handle of a job that is about to be started, and again when it has an
	// id. What it has noted is enough to find the job again.
	Note func(ctx context.Context, h Handle) error
	// Tell is told how far the job is, from several goroutines at a time.
	Tell func(Event)
}

// Event is how far a job is.
type Event struct {
	Table string
	Phase Phase
	// Done and Total measure the work of the phase; both zero where it has no measure.
	Done, Total int64
	// Rows are those of a table that is finished.
	Rows     int64
	Finished bool
}

// Phase is what is being done.
type Phase string

// The phases of a step, and that of landing files.
const (
	Building   Phase = "build"
	Checking   Phase = "check"
	Accounting Phase = "account"
	Loading    Phase = "load"
)

// Step makes one table, or, without SQL, tests the checks of one that stays as it is.
type Step struct {
	Table   string
	Columns []schema.Column
	SQL     string
	// Reads are the tables that the SQL and the checks read, without the one that is made; Traces those that are read besides to
	// follow failing rows to their landing files.
	Reads, Traces []string
	Checks        []Check
	Ledger        *Ledger
}

// Check is what is asked to test one check. Rows that fail are counted by Aggregate (in one query with others) or Count.
type Check struct {
	Name   string `json:"name"`
	OnFail OnFail `json:"on_fail"`
	// Good is true of the rows that pass; empty for checks of the whole table.
	Good string `json:"good,omitempty"`
	// Full names columns: the check passes if the data files' statistics say that none has a null.
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

// OnFail is what becomes of rows that fail a check.
type OnFail string

// What can become of them. The run fails by those of the first kind; Drop and Quarantine take them out of the table, and they
// count for the first check of these that they fail.
const (
	Fail       OnFail = "fail"
	Warn       OnFail = "warn"
	Drop       OnFail = "drop"
	Quarantine OnFail = "quarantine"
)

// TakesOut reports whether rows that fail are left out.
func (o OnFail) TakesOut() bool { return o == Drop || o == Quarantine }

// Ledger is what is asked for the account of rows. The queries of Uniques each tell whether a join cannot multiply rows; they
// are asked up to the first that says no (or is empty), and as many as have said yes choose the query of Counts.
type Ledger struct {
	Uniques []string `json:"uniques"`
	Counts  []string `json:"counts"`
}

// Late are checks of a table that look at tables which are made after it.
type Late struct {
	Table string
	// Reads are the tables that the checks read, this one with them; Traces as for a [Step].
	Reads, Traces []string
	Checks        []Check
}

// Batch is some landing files of one table, which a machine reads at a time.
type Batch struct {
	Table string `json:"table"`
	// Location is where the batch is described.
	Location string `json:"location"`
	// Bytes are those of its files, as they are stored.
	Bytes int64 `json:"bytes"`
}
