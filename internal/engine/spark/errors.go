package spark

import (
	"errors"
	"fmt"
	"strings"
)

// ErrCancelled says that the job was ended on request, or by somebody in the console of the service.
var ErrCancelled = errors.New("the Spark job was cancelled")

// ErrUnheard says that it is not known how a job is doing, or how it has ended: it may go on, and can be waited for again.
var ErrUnheard = errors.New("it is not known how the Spark job is doing")

// unheard is an [ErrUnheard] for a reason.
type unheard struct {
	id  string
	err error
}

func (e *unheard) Error() string {
	return fmt.Sprintf("%v (%s): %v", ErrUnheard, e.id, e.err)
}

func (e *unheard) Unwrap() []error { return []error{ErrUnheard, e.err} }

// Hint says what to do.
func (e *unheard) Hint() string {
	return "the job may go on: the next `tarn run` finds it and waits for it"
}

// StepError says that one step of a plan failed. It is what the runner reports.
type StepError struct {
	// Table is the step's, "" where the failure is not one of a step.
	Table string `json:"table"`
	// What is "model", "ledger", "load" or the name of a check.
	What    string `json:"what"`
	Message string `json:"message"`
	// Class is Spark's name for the error, such as DIVIDE_BY_ZERO.
	Class string `json:"class"`
	// Start and End are characters of the step's SQL, -1 where Spark does not know the place.
	Start int `json:"start"`
	End   int `json:"end"`
}

func (e *StepError) Error() string {
	switch {
	case e.Table == "":
		return "Spark: " + e.Message
	case e.What == "model" || e.What == "":
		return "build " + e.Table + " on Spark: " + e.Message
	case e.What == "load":
		return "load " + e.Table + " on Spark: " + e.Message
	case e.What == "ledger":
		return "account of " + e.Table + " on Spark: " + e.Message
	}
	return "check " + e.What + " of " + e.Table + " on Spark: " + e.Message
}

// JobError says that a job ended without a result.
type JobError struct {
	// Kind and ID name the job: local, glue or emr-serverless.
	Kind, ID string
	// Message is what the service says of it, Logs the last lines of the driver's log, or where they are.
	Message, Logs string
}

func (e *JobError) Error() string {
	out := fmt.Sprintf("the Spark job %s (%s) ended without a result", e.ID, e.Kind)
	if e.Message != "" {
		out += ": " + e.Message
	}
	if e.Logs != "" {
		out += "\n" + strings.TrimRight(e.Logs, "\n")
	}
	return out
}

// StartError says that a job could not be started at all.
type StartError struct {
	Kind string
	Err  error
	hint string
}

// NotStarted makes a [StartError] with what helps.
func NotStarted(kind string, err error, hint string) error {
	return &StartError{Kind: kind, Err: err, hint: hint}
}

func (e *StartError) Error() string {
	return fmt.Sprintf("start Spark (%s): %v", e.Kind, e.Err)
}

func (e *StartError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *StartError) Hint() string { return e.hint }
