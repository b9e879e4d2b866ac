package lambda

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"tarn/internal/awsconf"
	"tarn/internal/catalog"
	"tarn/internal/catalog/glue"
	"tarn/internal/diag"
	"tarn/internal/lambda/task"
	"tarn/internal/run"
	"tarn/internal/store/s3"
)

// TaskError is an error of a run with the name by which the state machine tells what to do.
type TaskError struct {
	// Type is [task.Busy], [task.Failed], or [Unexpected].
	Type string
	// Report is for people, without values of rows.
	Report string
	Err    error
}

func (e *TaskError) Error() string { return e.Report }

func (e *TaskError) Unwrap() error { return e.Err }

const (
	// Unexpected is the type of an error that may not come again: something that the function needs is out of order.
	Unexpected = "Unexpected"
	// Refused is the type of an error of the caller.
	Refused = "Refused"
)

// errorType is the name that an error ends the function with.
func errorType(err error) string {
	var t *TaskError
	var unknown *UnknownEventError
	switch {
	case errors.As(err, &t):
		return t.Type
	case errors.As(err, &unknown):
		return Refused
	}
	return Unexpected
}

// judged gives an error of a run its type.
func judged(err error, report string) error {
	var checks *run.CheckError
	var quarantine *run.QuarantineError
	var account *run.LedgerError
	var carry *run.CarryError
	var model *run.ModelError
	var changed *run.ChangedError
	var definitions *diag.ListError
	var long *run.TooLongError
	kind := Unexpected
	switch {
	case errors.Is(err, catalog.ErrBusy), errors.Is(err, catalog.ErrLockLost), errors.Is(err, run.ErrReaders):
		kind = task.Busy
	case errors.As(err, &checks), errors.As(err, &quarantine), errors.As(err, &account), errors.As(err, &carry), errors.As(err, &model), errors.As(err, &changed),
		errors.As(err, &definitions), errors.As(err, &long), errors.Is(err, run.ErrUnknownTable):
		kind = task.Failed
	}
	return &TaskError{Type: kind, Report: report, Err: err}
}

var (
	quoted = regexp.MustCompile(`"[^"]*"|'[^']*'`)
	digits = regexp.MustCompile(`\d{5,}`)
	mail   = regexp.MustCompile(`[^\s<>]+@[^\s<>]+`)
)

// plainly writes an error without values of rows. What our own code says of definitions, AWS and locks has none; of all other
// texts, such as an engine's, it leaves out what is in quotes, long numbers, and what looks like an e-mail address.
func plainly(err error) string {
	var t *TaskError
	var checks *run.CheckError
	var quarantine *run.QuarantineError
	var model *run.ModelError
	var definitions *diag.ListError
	var unknown *UnknownEventError
	var store *s3.Error
	var catalogued *glue.Error
	var settings *awsconf.SettingsError
	var long *run.TooLongError
	switch {
	case errors.As(err, &t):
		return t.Report
	case errors.As(err, &checks):
		return err.Error()
	case errors.As(err, &quarantine):
		// The example in it is of a row.
		q := *quarantine
		q.Rejected = nil
		return q.Error() + reasons(quarantine)
	case errors.As(err, &model):
		d := model.Diagnostic
		return fmt.Sprintf("%s:%d: %s cannot be made of the rows that there are: %s", d.File, d.Line, model.Table, veiled(d.Message))
	case errors.As(err, &long):
		return err.Error() + ": " + long.Hint()
	case errors.As(err, &definitions):
		return err.Error()
	case errors.As(err, &unknown), errors.As(err, &store), errors.As(err, &catalogued), errors.As(err, &settings), errors.Is(err, catalog.ErrBusy),
		errors.Is(err, catalog.ErrLockLost), errors.Is(err, run.ErrUnknownTable), errors.Is(err, context.DeadlineExceeded):
		return err.Error()
	}
	return veiled(err.Error())
}

// reasons counts what was wrong with rows, by the kind of mistake.
func reasons(q *run.QuarantineError) string {
	var parts []string
	for _, r := range q.Rejected {
		parts = append(parts, fmt.Sprintf("%d × %s", r.Rows, r.Reason))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func veiled(text string) string {
	for _, value := range []*regexp.Regexp{quoted, mail, digits} {
		text = value.ReplaceAllString(text, "…")
	}
	return text
}
