// Package engine says what a run needs of an engine, which turns compiled models into data files.
//
// An engine makes the tables of a [Job], tests their checks, counts the account of their rows, and answers with a [Result]. It
// publishes nothing and decides nothing: whether a check stands against the publish, and whether an account adds up, is said
// by package run, the same for all engines.
//
// Each engine is a folder, and a line in package registry. Package enginetest tells whether it is right.
package engine

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"tarn/internal/schema"
	"tarn/internal/sqltree"
)

// Engine makes tables of models. It is safe for concurrent use.
type Engine interface {
	// Language is how SQL is written for it.
	Language() Language
	// InProcess reports whether it works in this process, on files of this machine. Then each model is a job of its own, built
	// as soon as what it reads is there, several side by side. Elsewhere a run's models are one job, as starting one costs.
	InProcess() bool
	// Ready tells where it works, for people, or why it cannot: an [ErrNotStarted]. It is "" for this process.
	Ready(ctx context.Context) (string, error)
	// Build works a job off. On an error nothing counts that it has made.
	Build(ctx context.Context, j Job, t Tables) (*Result, error)
}

// Lasting is an engine whose jobs go on without the process that has started them.
type Lasting interface {
	Engine
	// Home is the location of the folder for what is kept of jobs, without a slash at its end.
	Home() string
	// Folder is the location of what is kept of one run's job, with a slash at its end.
	Folder(run string) string
	// Resume goes on with a job of which another process has noted a handle. It starts it if that was not done. Of the job only
	// Note and Tell are looked at: the rest is what it was started with.
	Resume(ctx context.Context, h Handle, j Job, t Tables) (*Result, error)
	// Cancel ends a job and returns when it can write no more. The error is an [ErrUnheard].
	Cancel(ctx context.Context, h Handle) error
	// Remove deletes a run's folder.
	Remove(ctx context.Context, run string) error
	// Leftovers lists what was written before a time below Home for jobs that are no more, but for what is named in keep. It is for
	// whoever holds the lake's lock while no job is left to go on with.
	Leftovers(ctx context.Context, before time.Time, keep ...string) ([]Leftover, error)
}

// Leftover is a file that no job will read again.
type Leftover struct {
	Location string
	Bytes    int64
}

// Loader is an engine whose machines can read landing files.
type Loader interface {
	Lasting
	// Loads says which landing files its machines shall read.
	Loads() Loads
	// CanLoad says why its machines could not read any, or nothing.
	CanLoad() error
	// OnThisMachine reports whether its machines can read files of this one.
	OnThisMachine() bool
	// Load reads batches, whose descriptions lie at their locations already. The job has no steps.
	Load(ctx context.Context, j Job, batches []Batch) (*Result, error)
}

// Loads says which landing files an engine's machines read.
type Loads string

// What tarn.yaml can say of it.
const (
	LoadsNone Loads = "here"
	LoadsMuch Loads = "auto" // where there is much to be read
	LoadsAll  Loads = "spark"
)

// Handle names a job. Its JSON form is written before the job is waited for.
type Handle struct {
	Run  string `json:"run"`
	Kind string `json:"kind"`
	// ID is empty while it is not known whether the job was started.
	ID     string `json:"id"`
	Script string `json:"script"`
	// Offered says that somebody else starts the job, in one job run or several.
	Offered bool `json:"offered,omitempty"`
}

// Offerer is an engine whose jobs somebody else can start, such as a state machine that knows what to start them with.
type Offerer interface {
	Lasting
	// Offer writes a job down and does not start it. The job's Note is called once.
	Offer(ctx context.Context, j Job, t Tables) (*Offer, error)
	// Offered tells again what a job that was offered is started with.
	Offered(ctx context.Context, h Handle) (*Offer, error)
	// Failure gives the error that a job has ended with, as far as what it has left tells: nil where it has not failed, is not
	// over, or has left nothing.
	Failure(ctx context.Context, h Handle) error
}

// Arguments of a job run beside those of its [Offer].
const (
	// ArgOnly lets it make some models only, NAME[,NAME…], which read nothing but what other job runs of the plan have made
	// before or what was there.
	ArgOnly = "--tarn-only"
	// ArgLate, with the value true, lets it test the checks that wait for all models, after all others.
	ArgLate = "--tarn-late"
)

// Offer says how a job is started.
type Offer struct {
	// Plan is the location of its plan, Arguments by name are what it is started with.
	Plan      string
	Arguments map[string]string
	// Models are the tables that it makes, each after those that it reads, which After names. Late says that there are checks
	// to test when all are made.
	Models []string
	After  map[string][]string
	Late   bool
}

// Language is how SQL is written for an engine.
type Language struct {
	Dialect sqltree.Dialect
	// Native says that it is DuckDB's own: what people wrote is taken as it stands, and need not be portable.
	Native bool
	// From is what stands in FROM for a table of a job; there its columns have the names that they are stored by.
	From func(database, table string) string
	// Some writes an aggregate over a column, which is quoted: five of its values.
	Some func(column string) string
}

// Rows writes what stands in FROM for a table of a job with the columns' names in SQL.
func (l Language) Rows(database, table string, columns []schema.Column) string {
	at := l.From(database, table)
	out := make([]string, len(columns))
	plain := true
	for i, c := range columns {
		stored := schema.StoredName(c.Name)
		out[i] = l.Dialect.Quote(stored)
		if stored != c.Name {
			plain = false
			out[i] += " AS " + l.Dialect.Quote(c.Name)
		}
	}
	if plain {
		return at
	}
	return "(SELECT " + strings.Join(out, ", ") + " FROM " + at + ")"
}

// Tables are a run's tables as an engine reads and writes them: by files of this machine, or as Iceberg metadata that no catalog
// knows, whose files lie where the metadata says.
type Tables interface {
	// Open makes tables readable in the DuckDB of this process, by their names, until release is called. Without whole, columns
	// can be missing that no model of the run reads.
	Open(ctx context.Context, whole bool, tables ...string) (release func(), err error)
	// Output says how files of a table that the job makes are written; part names the folder for them.
	Output(table, part string) Output

	// Metadata describes a table to be read.
	Metadata(ctx context.Context, table string) (json.RawMessage, error)
	// Staged describes, without rows, a table that the job makes, with a folder for its metadata. Its next snapshot is the result.
	Staged(table, folder string) (json.RawMessage, error)
	// Aside describes, without rows, a table like one that the job makes, for those that a check quarantines.
	Aside(table, folder string) (json.RawMessage, error)

	// Rest is a file of this machine for the rows that make a check fail.
	Rest(table, check string) string
}

// Output says how rows are written to files of this machine.
type Output struct {
	// Dir is the folder for the files; it is made.
	Dir string
	// FieldIDs is DuckDB's FIELD_IDS value for all columns, by the names that they have in the file: see [schema.StoredName].
	FieldIDs string
	// Partition holds one SQL expression over the output columns per partition field, in DuckDB's words; each distinct combination
	// gets files of its own.
	Partition []string
	// Progress is told from time to time which share of the work is done, where that is known; nil for none.
	Progress func(share float64)
}

// File is a Parquet file that was written.
type File struct {
	Path  string // absolute
	Rows  int64
	Bytes int64
	// Columns has what the writer counted, by the name that the column has in SQL.
	Columns map[string]ColumnStats
}

// ColumnStats is what a file's footer knows of a column.
type ColumnStats struct {
	Nulls int64
	// Counted says that the footer has a count of nulls at all.
	Counted bool
	// Min and Max are DuckDB's text forms; empty where the column has no values or no statistics.
	Min, Max string
	// NaN says that a floating-point column has one.
	NaN bool
}

// Paths gives the paths of files.
func Paths(files []File) []string {
	out := make([]string, len(files))
	for i, f := range files {
		out[i] = f.Path
	}
	return out
}

// CountRows adds the rows of files.
func CountRows(files []File) (n int64) {
	for _, f := range files {
		n += f.Rows
	}
	return n
}
