// Package task has the documents that pass between the state machine of a deployed lake and its Lambda function.
//
// The state machine gives the function a [Task] and gets an [Answer]. Neither ever has names of files: those are hints in the
// warehouse, and a state's input is bounded (AWS Step Functions Developer Guide, "Quotas": 256 KiB).
package task

import (
	"bytes"
	"encoding/json"
)

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
	// Start is the input of the execution, which the state machine hands on with every task; nil where there is no execution.
	Start *Start `json:"start,omitempty"`
	// Tables selects tables as the arguments of tarn run do; empty is all.
	Tables []string `json:"tables,omitempty"`
	// FullRefresh builds the tables anew.
	FullRefresh bool `json:"full_refresh,omitempty"`
	// Relist lists all landing files, those of old dates too.
	Relist bool `json:"relist,omitempty"`
	// Cause is the error that a [Recover] follows, as Step Functions writes it: a JSON object with Error and Cause.
	Cause string `json:"cause,omitempty"`
	// State is where the execution stands when something has gone wrong: Run and Cause are taken out of it.
	State json.RawMessage `json:"state,omitempty"`
}

// UnmarshalJSON reads a task, and refuses members that it does not know. The selection of the execution's input counts as the
// task's own, and an execution that the schedule has started lists all landing files.
func (t *Task) UnmarshalJSON(raw []byte) error {
	type plain Task
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode((*plain)(t)); err != nil {
		return err
	}
	if len(t.State) > 0 {
		var state struct {
			Answer struct{ Run string }
			Error  json.RawMessage
		}
		if err := json.Unmarshal(t.State, &state); err != nil {
			return err
		}
		t.Run, t.Cause = state.Answer.Run, string(state.Error)
	}
	if t.Start == nil {
		return nil
	}
	if asked := t.Start.Task; asked != nil {
		if len(t.Tables) == 0 {
			t.Tables = asked.Tables
		}
		t.FullRefresh, t.Relist = t.FullRefresh || asked.FullRefresh, t.Relist || asked.Relist
	}
	t.Relist = t.Relist || t.Start.Reason == BySchedule
	return nil
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

// Answer is what the function says. Its members are always there, as the state machine reads them by their paths.
type Answer struct {
	Next Next `json:"next"`
	// Run is the id of the run, where there is one.
	Run string `json:"run"`
	// Plan is the location of the plan of a job for Spark, and Arguments are what the job run is started with.
	Plan      string            `json:"plan"`
	Arguments map[string]string `json:"arguments"`
	// Models are the names of models that the job makes, each true; the states of others are passed over.
	Models map[string]bool `json:"models"`
	// Late says that checks wait for all models, which a job run tests when those of the models have ended.
	Late bool `json:"late"`
	// Report is the run's report for people, without values of rows; at most 8 KiB.
	Report string `json:"report"`
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
	// Reason is event, schedule or manual. After a run that the schedule has started, [Tidy] follows.
	Reason string `json:"reason"`
	// Task has the selection of a manual run, without an action.
	Task *Task `json:"task,omitempty"`
}
