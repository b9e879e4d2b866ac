package run

import "tarn/internal/diag"

// ModelError says that an engine could not work out a model's SELECT for the rows that there are, and where in its file.
type ModelError struct {
	Table string
	// Diagnostic has the engine's reason at its place.
	Diagnostic diag.Diagnostic
	// Err is the engine's own error.
	Err error
}

func (e *ModelError) Error() string { return e.Diagnostic.String() }

func (e *ModelError) Unwrap() error { return e.Err }

// codeFails is the code of its diagnostics.
const codeFails = "fails-on-rows"

// failsHint is said of values that a SELECT cannot be worked out for.
const failsHint = "TRY_CAST gives null for what does not fit; WHERE leaves rows out; a check of the table before can put them aside (on_fail: quarantine)"
