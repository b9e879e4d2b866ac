package engine

import "errors"

// How a job can end badly other than by a [StepError].
var (
	// ErrNotStarted says that a job could not be started at all.
	ErrNotStarted = errors.New("the engine cannot start")
	// ErrNoResult says that a job has ended without a result.
	ErrNoResult = errors.New("the job ended without a result")
	// ErrCancelled says that a job was ended on request.
	ErrCancelled = errors.New("the job was cancelled")
	// ErrUnheard says that it is not known how a job is doing: it may go on, and can be waited for again.
	ErrUnheard = errors.New("it is not known how the job is doing")
)

// UntestedError says that a check could not be tested at all, such as one whose SQL names an unknown column.
type UntestedError struct {
	Table, Check string
	Err          error
}

func (e *UntestedError) Error() string {
	return "check " + e.Check + " of " + e.Table + ": " + e.Err.Error()
}

func (e *UntestedError) Unwrap() error { return e.Err }

// StepError says that one step of a job failed, where that is told apart from its text.
type StepError struct {
	// Engine is its name, for people; "" is the one in the process.
	Engine string `json:"-"`
	// Table is the step's, "" where the failure is not one of a step.
	Table string `json:"table"`
	// What is "model", "ledger", "load" or the name of a check.
	What    string `json:"what"`
	Message string `json:"message"`
	// Class is the engine's name for the error, such as DIVIDE_BY_ZERO.
	Class string `json:"class"`
	// Start and End are bytes of the step's SQL, -1 where the place is not known.
	Start int `json:"start"`
	End   int `json:"end"`
}

func (e *StepError) Error() string {
	switch {
	case e.Engine == "":
		return e.Message
	case e.Table == "":
		return e.Engine + ": " + e.Message
	case e.What == "model" || e.What == "":
		return "build " + e.Table + " on " + e.Engine + ": " + e.Message
	case e.What == "load":
		return "load " + e.Table + " on " + e.Engine + ": " + e.Message
	case e.What == "ledger":
		return "account of " + e.Table + " on " + e.Engine + ": " + e.Message
	}
	return "check " + e.What + " of " + e.Table + " on " + e.Engine + ": " + e.Message
}
