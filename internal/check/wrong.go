package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"tarn/internal/engine"
	"tarn/internal/project"
)

// WrongError says that a check cannot be tested because its own SQL or columns are wrong, so that it says nothing about
// the rows.
type WrongError struct {
	Check project.Check
	Err   error
}

func (e *WrongError) Error() string { return untold(e.Check, e.Err).Error() }
func (e *WrongError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *WrongError) Hint() string {
	return "the check itself is wrong: mend its SQL or its column names"
}

// Untested gives the error of an engine the place of the check that it could not test, of those of a table.
func Untested(checks []project.Check, err error) error {
	var e *engine.UntestedError
	if !errors.As(err, &e) {
		return err
	}
	i := slices.IndexFunc(checks, func(c project.Check) bool { return c.Name == e.Check })
	if i < 0 {
		return err
	}
	return untested(checks[i], e.Err)
}

// untested wraps the error of a check that could not be tested.
func untested(c project.Check, err error) error {
	// DuckDB's errors carry their class in the text; these are the ones that the rows have no part in.
	for _, class := range []string{"Parser Error", "Binder Error", "Catalog Error"} {
		if strings.Contains(err.Error(), class) {
			return &WrongError{Check: c, Err: err}
		}
	}
	return untold(c, err)
}

func untold(c project.Check, err error) error {
	return fmt.Errorf("%s:%d: check %s: %w", c.File, c.Line, c.Name, err)
}
