package run

import (
	"fmt"
	"path/filepath"
	"strings"

	"tarn/internal/check"
	"tarn/internal/load"
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
	// Rejected counts them by reason. As nothing is published, they are not in the lake's quarantine.
	Rejected []load.Rejected
}

func (e *QuarantineError) Error() string {
	text := fmt.Sprintf("%s: %s of %s of %s could not be loaded, more than max_quarantine %s allows", e.File, words.Grouped(e.Quarantined),
		words.Count(e.Objects, "row"), e.Table, e.Limit)
	if len(e.Rejected) > 0 {
		text += ", such as " + e.Rejected[0].Place + ": " + e.Rejected[0].Message
	}
	return text
}

// Hint says what to do about it.
func (e *QuarantineError) Hint() string {
	return "mend the files or the definition, or allow more with max_quarantine in " + strings.TrimSuffix(e.File, filepath.Ext(e.File)) + ".yml"
}

// CarryError says that a changed definition cannot hold rows that were loaded from files which cannot be read again.
type CarryError struct {
	Table, File string
	// Files are the vanished ones.
	Files []string
	Why   string
}

func (e *CarryError) Error() string {
	text := fmt.Sprintf("%s: rows of %s whose files are gone do not fit the changed definition: %s", e.File, e.Table, e.Why)
	if len(e.Files) > 0 {
		text += fmt.Sprintf(" (%d gone, such as %s)", len(e.Files), e.Files[0])
	}
	return text
}

// Hint says what to do about it.
func (e *CarryError) Hint() string {
	return "put the files back, choose a type that holds the rows, or let `tarn run --prune` take them out"
}

// unfinishedError says that a change has happened, and what is left to be done about it.
type unfinishedError struct {
	id  string
	err error
}

func (e *unfinishedError) Error() string { return "published as " + e.id + ", but: " + e.err.Error() }

func (e *unfinishedError) Unwrap() error { return e.err }

// LedgerError says that the rows of a table do not add up, so that nothing was published.
type LedgerError struct {
	Table string
	Err   error
}

func (e *LedgerError) Error() string {
	return fmt.Sprintf("the row account of %s does not add up: %v", e.Table, e.Err)
}

func (e *LedgerError) Unwrap() error { return e.Err }
