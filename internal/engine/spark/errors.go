package spark

import (
	"fmt"
	"strings"

	"tarn/internal/engine"
)

// ErrCancelled says that the job was ended on request, or by somebody in the console of the service.
var ErrCancelled error = &known{"the Spark job was cancelled", engine.ErrCancelled}

// ErrUnheard says that it is not known how a job is doing, or how it has ended: it may go on, and can be waited for again.
var ErrUnheard error = &known{"it is not known how the Spark job is doing", engine.ErrUnheard}

// known is an error of engines in words of Spark.
type known struct {
	text string
	err  error
}

func (e *known) Error() string { return e.text }

func (e *known) Unwrap() error { return e.err }

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

// StepError says that one step of a plan failed. It is what the runner reports; there, Start and End count in units of UTF-16.
type StepError = engine.StepError

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

func (e *JobError) Unwrap() error { return engine.ErrNoResult }

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

func (e *StartError) Unwrap() []error { return []error{engine.ErrNotStarted, e.Err} }

// Hint says what to do.
func (e *StartError) Hint() string { return e.hint }
