// Package task has the documents that pass between the state machine of a deployed lake and its Lambda function.
//
// The state machine gives the function a [Task] and gets an [Answer]. Neither ever has names of files: those are hints in the
// warehouse, and a state's input is bounded (AWS Step Functions Developer Guide, "Quotas": 256 KiB).
package task

// Action is what the function shall do.
type Action string

const (
	// Plan says what a run would do and where it fits: [Nothing], [InLambda] or [OnGlue].
	Plan Action = "plan"
	// Run does all of a run. It answers [Continue] where time was too short and what is done is kept, [Again] where hints have
	// come meanwhile, and [Done].
	Run Action = "run"
	// Prepare loads landing files and writes down a job for Spark: [Continue], [StartJob], or [Done] where no model is left to be made.
	Prepare Action = "prepare"
	// Publish takes what a job has made and publishes the run: [Again] or [Done].
	Publish Action = "publish"
	// Recover lets go of what a failed execution holds, and finishes a publish that was left half done: [Done].
	Recover Action = "recover"
	// Tidy is gc, and a listing of all landing files: [Done].
	Tidy Action = "tidy"
)

// Task is what the function is called with by the state machine.
type Task struct {
	Action Action `json:"action"`
	// Execution is the ARN of the execution, which owns the lake's lock from one state to the next.
	Execution string `json:"execution"`
	// Run is the id of the run that an earlier answer has named; "" begins one.
	Run string `json:"run,omitempty"`
	// Tables selects tables as the arguments of tarn run do; empty is all.
	Tables []string `json:"tables,omitempty"`
	// FullRefresh builds the tables anew.
	FullRefresh bool `json:"full_refresh,omitempty"`
	// Relist lists all landing files, those of old dates too.
	Relist bool `json:"relist,omitempty"`
	// Cause is the error that a [Recover] follows, as Step Functions writes it.
	Cause string `json:"cause,omitempty"`
}

// Next is what the state machine shall do after an answer.
type Next string

const (
	Nothing  Next = "nothing"
	InLambda Next = "lambda"
	OnGlue   Next = "glue"
	Continue Next = "continue"
	StartJob Next = "start"
	Again    Next = "again"
	Done     Next = "done"
)

// Answer is what the function says.
type Answer struct {
	Next Next `json:"next"`
	// Run is the id of the run, where there is one.
	Run string `json:"run,omitempty"`
	// Plan is the location of the plan of a job for Spark, and Arguments are what the job run is started with.
	Plan      string            `json:"plan,omitempty"`
	Arguments map[string]string `json:"arguments,omitempty"`
	// Models are the names of models that the job makes, each true; the states of others are passed over.
	Models map[string]bool `json:"models,omitempty"`
	// Report is the run's report for people, without values of rows; at most 8 KiB.
	Report string `json:"report,omitempty"`
	// Published counts tables, and Loaded and Quarantined rows.
	Published   int   `json:"published"`
	Loaded      int64 `json:"loaded"`
	Quarantined int64 `json:"quarantined"`
}

// Names of errors that the function ends with, by which the state machine tells what to do (errorType of the Lambda runtime API).
const (
	// Busy says that another run is writing: try again later.
	Busy = "Busy"
	// Failed says that the run has failed by itself, such as by a check: trying again gives the same.
	Failed = "Failed"
)

// Start is the input of an execution.
type Start struct {
	// At is when it begins its work (RFC 3339, UTC); "" is at once.
	At string `json:"at,omitempty"`
	// Reason is event, schedule or manual.
	Reason string `json:"reason"`
	// Task has the selection of a manual run, without an action.
	Task *Task `json:"task,omitempty"`
}
