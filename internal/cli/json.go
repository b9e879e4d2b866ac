package cli

import (
	"encoding/json"
	"time"

	"tarn/internal/check"
	"tarn/internal/classic"
	"tarn/internal/compare"
	"tarn/internal/connect"
	"tarn/internal/cost"
	"tarn/internal/demo"
	"tarn/internal/deploy/stack"
	"tarn/internal/diag"
	"tarn/internal/doctor"
	"tarn/internal/intake"
	"tarn/internal/lake"
	"tarn/internal/notebook"
	"tarn/internal/plan"
	"tarn/internal/run"
	"tarn/internal/sample"
	"tarn/internal/template"
)

// The objects that --json prints. They only grow: keys keep their names and meanings. docs/json.md is made of these types
// and their comments.

// failure is what a command prints that has no result: it failed before it had one, or did not run at all.
type failure struct {
	// What went wrong.
	Error string `json:"error"`
	// What to do about it, where that is known.
	Hint string `json:"hint,omitempty"`
	// The exit code of the command: see the exit codes in cli.md.
	ExitCode int `json:"exit_code"`
	// The mistakes in definitions or in the SQL of a query.
	Diagnostics diag.List `json:"diagnostics,omitempty"`
}

// runJSON is what `tarn run` and `tarn quarantine retry` print, whether the run went well or not.
type runJSON struct {
	*run.Record
	// Not 0 if the run failed; error says why.
	ExitCode int `json:"exit_code,omitempty"`
	// What to do about a failure, where that is known.
	Hint string `json:"hint,omitempty"`
}

// compareJSON is what `tarn compare` prints.
type compareJSON struct {
	// Name of the first table.
	First string `json:"first"`
	// Name of the second table.
	Second string `json:"second"`
	// Whether both have the same rows, each as often, by the columns that were compared.
	Same bool `json:"same"`
	compare.Counts
	*compare.Comparison
	// Rows that differ, with how often each is in the first and in the second table.
	Rows []json.RawMessage `json:"rows"`
}

// compareSQLJSON is what `tarn compare --sql` prints.
type compareSQLJSON struct {
	// The statement.
	SQL string `json:"sql"`
}

// connectJSON is what `tarn connect` prints.
type connectJSON struct {
	connect.Cell
}

// notebookJSON is what `tarn connect sagemaker --notebook` prints.
type notebookJSON struct {
	// Absolute path of the folder.
	Dir string `json:"dir"`
	// What was written, relative to the folder.
	Files []string `json:"files"`
	// What the notebook goes by, as in tarn.json beside it.
	Settings notebook.Config `json:"settings"`
}

// jobJSON is what `tarn connect sagemaker` prints with --training or --processing.
type jobJSON struct {
	// Name of the table in the catalog.
	Table string `json:"table"`
	// The run whose state it is.
	Run string `json:"run"`
	// The snapshot of the table.
	Snapshot int64 `json:"snapshot"`
	// How many rows that are.
	Rows int64 `json:"rows"`
	// Size of the data files.
	Bytes int64 `json:"bytes"`
	// How many data files.
	Files int `json:"files"`
	// Where the job finds the manifest.
	Manifest string `json:"manifest,omitempty"`
	// The file of this machine that has it, still to be copied there.
	File string `json:"file,omitempty"`
	// What gc keeps; null if it does not.
	Held *run.Hold `json:"held"`
	// A ProcessingInput or a Channel, as SageMaker takes it.
	Input json.RawMessage `json:"input"`
}

// holdsJSON is what `tarn holds` prints.
type holdsJSON struct {
	// What is held, or was with --release.
	Holds []run.Hold `json:"holds"`
}

// initJSON is what `tarn init` prints.
type initJSON struct {
	// Absolute path of the lake.
	Dir string `json:"dir"`
	// Name of the template.
	Template string `json:"template"`
	// What was written, relative to the lake.
	Files []string `json:"files"`
}

// sampleJSON is what `tarn sample` prints.
type sampleJSON struct {
	// Absolute path of the folder.
	Dir string `json:"dir"`
	// Whether these are later readings of people who were there.
	Late bool `json:"late"`
	// How long it took.
	Seconds float64 `json:"seconds"`
	*sample.Summary
}

// doctorJSON is what `tarn doctor` prints.
type doctorJSON struct {
	// Whether nothing bad was found.
	OK bool `json:"ok"`
	// What was looked at, in order.
	Findings []doctor.Finding `json:"findings"`
	// 7 where something bad was found.
	ExitCode int `json:"exit_code,omitempty"`
}

// validateJSON is what `tarn validate` prints.
type validateJSON struct {
	// Whether the lake can run.
	OK bool `json:"ok"`
	// Number of tables that are defined; 0 if there are errors.
	Tables int `json:"tables"`
	// Number of diagnostics that keep the lake from running.
	Errors int `json:"errors"`
	// Number of the others.
	Warnings int `json:"warnings"`
	// All of them, by file and line.
	Diagnostics diag.List `json:"diagnostics"`
	// Not 0 if there are errors.
	ExitCode int `json:"exit_code,omitempty"`
}

// planJSON is what `tarn plan` prints.
type planJSON struct {
	// The tables in the order of the work.
	Tables []planTable `json:"tables"`
	// Tables in the lake that no definition describes any more.
	Orphans []string `json:"orphans"`
	// What the events name that were given with --events.
	Events *run.EventsRecord `json:"events,omitempty"`
	// What other programs have done to tables since they were published.
	Foreign []run.ForeignRecord `json:"foreign,omitempty"`
	// About how much that would be; zeros where there is nothing to do.
	Estimate run.Estimate `json:"estimate"`
	// Which engine is enough for that.
	Advice run.Advice `json:"advice"`
	// What that costs in AWS, and where it fits; only where the tables are in a bucket.
	Cost *cost.Once `json:"cost,omitempty"`
	// What a run would warn of before it starts, such as why landing files are not read by Spark.
	Warnings []string `json:"warnings,omitempty"`
}

// planTable is what would be done with one table.
type planTable struct {
	// Name of the table.
	Name string `json:"name"`
	// landing, trusted or curated.
	Zone string `json:"zone"`
	// none, load (read files) or rebuild (run the SELECT); amend only tests checks and writes comments; hold leaves the table
	// as it is, because another program has changed its rows or those of a table that it is made of.
	Action plan.Action `json:"action"`
	// Why, in words; empty for none.
	Reasons []string `json:"reasons"`
	// Number of files to read.
	Files int `json:"files,omitempty"`
	// Their size as stored.
	Bytes int64 `json:"bytes,omitempty"`
	// The day from which on folders of dates were looked at, where not everything was.
	Since *time.Time `json:"since,omitempty"`
	// When everything was looked at last, where recent dates can be enough.
	Swept *time.Time `json:"swept,omitempty"`
}

// queryJSON is what `tarn query` prints.
type queryJSON struct {
	// Names of the columns in order; a second one of a name gets _1.
	Columns []string `json:"columns"`
	// One object a row. Times are texts in UTC; numbers keep all their digits; NaN and infinities are texts.
	Rows []map[string]any `json:"rows"`
	// Number of rows.
	Count int64 `json:"count"`
	// What went wrong after the first rows were out; rows and count are those until then.
	Error string `json:"error,omitempty"`
	// Not 0 if that happened.
	ExitCode int `json:"exit_code,omitempty"`
}

// queryFileJSON is what `tarn query -o FILE` prints.
type queryFileJSON struct {
	// Absolute path of the file.
	Output string `json:"output"`
	// Its format.
	Format string `json:"format"`
	// Number of rows in it.
	Count int64 `json:"count"`
}

// checkJSON is what `tarn check` prints.
type checkJSON struct {
	// All checks that were tested.
	Checks []check.Result `json:"checks"`
	// Not 0 if one of them failed.
	ExitCode int `json:"exit_code,omitempty"`
}

// compileJSON is what `tarn compile` prints.
type compileJSON struct {
	// Name of the model.
	Model string `json:"model"`
	// Whose SQL it is: duckdb or spark.
	Dialect string `json:"dialect"`
	// The SQL that is executed for it.
	SQL string `json:"sql"`
}

// deployRenderJSON is what `tarn deploy --render` prints.
type deployRenderJSON struct {
	// The folder, as it was given.
	Dir string `json:"dir"`
	// Name of the stack.
	Stack string `json:"stack"`
	// What was written, relative to the folder.
	Files []string `json:"files"`
}

// projectJSON is what `tarn compile --as glue` prints.
type projectJSON struct {
	// The folder that was written.
	Dir string `json:"dir"`
	// The Glue jobs, in the order in which they have to run.
	Jobs []classic.Job `json:"jobs"`
}

// runsJSON is what `tarn runs` prints.
type runsJSON struct {
	// The published runs, newest first.
	Runs []run.Past `json:"runs"`
}

// rollbackJSON is what `tarn rollback` prints.
type rollbackJSON struct {
	// Id under which the change is recorded.
	Run string `json:"run"`
	// The run whose state the tables have now.
	To string `json:"to"`
	// The tables that changed; empty if there was nothing to do.
	Tables []string `json:"tables"`
}

// dropJSON is what `tarn drop` prints.
type dropJSON struct {
	// Id under which the change is recorded.
	Run string `json:"run"`
	// Name of the table.
	Dropped string `json:"dropped"`
	// What is left to be done; the next run does it.
	Warnings []string `json:"warnings,omitempty"`
}

// gcJSON is what `tarn gc` prints.
type gcJSON struct {
	// Whether nothing was removed.
	DryRun bool `json:"dry_run"`
	lake.Garbage
}

// recoverJSON is what `tarn recover` prints.
type recoverJSON struct {
	// The run that was left half done; empty for none.
	Run string `json:"run"`
	// Whether it became visible; otherwise what it had done is gone.
	Published bool `json:"published"`
	// What its job has failed by, where that is known.
	Failed string `json:"failed,omitempty"`
}

// versionJSON is what `tarn version` prints.
type versionJSON struct {
	// Version of tarn, or (devel).
	Version string `json:"version"`
	// Version of Go that it was built with.
	Go string `json:"go"`
	// Operating system and architecture.
	Platform string `json:"platform"`
	// Version of the DuckDB library.
	DuckDB string `json:"duckdb_go"`
	// Version of the Iceberg library.
	Iceberg string `json:"iceberg_go"`
}

// deployJSON is what `tarn deploy` prints.
type deployJSON struct {
	*stack.Result
	// The run that made the tables; null where there was none.
	Run *run.Record `json:"run"`
	// Why the tables are left to the deployed lake.
	Later string `json:"later,omitempty"`
	// Why the tables could not be made.
	Error string `json:"error,omitempty"`
	// What to do about that, where it is known.
	Hint string `json:"hint,omitempty"`
	// Not 0 if that happened.
	ExitCode int `json:"exit_code,omitempty"`
}

// deployStatusJSON is what `tarn deploy status` prints.
type deployStatusJSON struct {
	*stack.Status
	// Whether nothing asks for somebody.
	OK bool `json:"ok"`
	// The last run that was published, without its record; null where there is none or these credentials may not read it.
	LastRun *run.Past `json:"last_run"`
	// Whether these credentials may not read which runs there were, as those of an operator.
	RunsDenied bool `json:"runs_denied,omitempty"`
	// 7 where something asks for somebody.
	ExitCode int `json:"exit_code,omitempty"`
}

// deployLogsJSON is what `tarn deploy logs` prints.
type deployLogsJSON struct {
	// The lines in order of time.
	Lines []stack.Line `json:"lines"`
}

// result names the object that a command prints.
type result struct {
	command string
	object  any
}

// results lists what all commands print.
func results() []result {
	return []result{
		{"a command that failed", failure{}},
		{"tarn init", initJSON{}},
		{"tarn init --from", template.Report{}},
		{"tarn crawl", crawlJSON{}},
		{"tarn import, and tarn init --from glue://…", intake.Report{}},
		{"tarn sample", sampleJSON{}},
		{"tarn validate", validateJSON{}},
		{"tarn doctor", doctorJSON{}},
		{"tarn plan", planJSON{}},
		{"tarn run", runJSON{}},
		{"tarn cost", cost.Bill{}},
		{"tarn query", queryJSON{}},
		{"tarn query -o FILE", queryFileJSON{}},
		{"tarn compare", compareJSON{}},
		{"tarn compare --sql", compareSQLJSON{}},
		{"tarn connect", connectJSON{}},
		{"tarn connect sagemaker --notebook", notebookJSON{}},
		{"tarn connect sagemaker --training|--processing", jobJSON{}},
		{"tarn check", checkJSON{}},
		{"tarn compile", compileJSON{}}, {"tarn compile --as glue", projectJSON{}}, {"tarn deploy", deployJSON{}}, {"tarn deploy --render", deployRenderJSON{}},
		{"tarn deploy status", deployStatusJSON{}}, {"tarn deploy logs", deployLogsJSON{}}, {"tarn deploy destroy", stack.Destroyed{}},
		{"tarn quarantine [list|show]", run.QuarantineReport{}},
		{"tarn quarantine retry", runJSON{}},
		{"tarn runs", runsJSON{}},
		{"tarn rollback", rollbackJSON{}},
		{"tarn drop", dropJSON{}},
		{"tarn gc", gcJSON{}},
		{"tarn holds", holdsJSON{}},
		{"tarn recover", recoverJSON{}},
		{"tarn demo", demo.Report{}},
		{"tarn version", versionJSON{}},
	}
}
