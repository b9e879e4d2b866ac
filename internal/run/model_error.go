package run

import (
	"errors"

	"tarn/internal/diag"
	"tarn/internal/engine/duckdb"
	"tarn/internal/model"
	"tarn/internal/sqltree"
)

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

// placedHere gives an error of the engine in the process its place in the model's file. Errors that rows have nothing to do with
// come back as they are.
func (w *Workspace) placedHere(t *model.Table, err error) error {
	var s *duckdb.StatementError
	if !errors.As(err, &s) || !s.OfValues() {
		return err
	}
	at := t.Model.SQLStart
	if s.Position >= 0 {
		places := t.Query.LiftedPlaces(sqltree.DuckDBDialect, func(r sqltree.TableRef) string { return w.Engine.Name(r.Name) })
		if found, ok := sqltree.Around(places, s.Position, s.Position+1); ok {
			at = found
		}
	}
	why, misfit := duckdb.Misfit(s)
	if !misfit {
		why = duckdb.Brief(s)
	}
	return &ModelError{Table: t.Name, Diagnostic: t.Model.Source.At(at, codeFails, why, failsHint), Err: err}
}
