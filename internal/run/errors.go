package run

import (
	"fmt"

	"tarn/internal/check"
	"tarn/internal/words"
)

// CheckError says that a check failed, so that nothing was published.
type CheckError struct{ Result check.Result }

func (e *CheckError) Error() string {
	r := e.Result
	return fmt.Sprintf("%s:%d: check %s of %s failed: %s", r.File, r.Line, r.Name, r.Table, r.Message)
}

// QuarantineError says that more rows of a landing table were rejected than its max_quarantine allows.
type QuarantineError struct {
	Table                string
	Quarantined, Objects int64
	Limit                string
	File                 string
}

func (e *QuarantineError) Error() string {
	return fmt.Sprintf("%s: %s of %s of %s could not be loaded, more than max_quarantine %s allows", e.File, words.Grouped(e.Quarantined),
		words.Count(e.Objects, "row"), e.Table, e.Limit)
}

// LedgerError says that the rows of a table do not add up, so that nothing was published.
type LedgerError struct {
	Table string
	Err   error
}

func (e *LedgerError) Error() string {
	return fmt.Sprintf("the row account of %s does not add up: %v", e.Table, e.Err)
}

func (e *LedgerError) Unwrap() error { return e.Err }
