package machinetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

type object = map[string]any

// Error is an error of an execution, by its name.
type Error struct{ Name, Cause string }

func (e *Error) Error() string { return e.Name + ": " + e.Cause }

// Names of errors that the language itself gives ("Errors" of the specification; AWS Step Functions Developer Guide, "Handling
// errors in Step Functions workflows").
const (
	timedOut  = "States.Timeout"
	runtime   = "States.Runtime"
	tooMuch   = "States.DataLimitExceeded"
	anyFailed = "States.TaskFailed"
	anyError  = "States.ALL"
	noChoice  = "States.NoChoiceMatched"
	badPath   = "States.ParameterPathFailure"
	badFunc   = "States.IntrinsicFailure"
)

func fail(name, format string, args ...any) error {
	return &Error{Name: name, Cause: fmt.Sprintf(format, args...)}
}

// parse reads one JSON value, with numbers as they are written.
func parse(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("more than one JSON value")
	}
	return v, nil
}

// text writes a value as JSON.
func text(v any) string {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		// Values come from JSON.
		panic(err)
	}
	return strings.TrimRight(out.String(), "\n")
}

// clone gives a value that shares nothing with another.
func clone(v any) any {
	out, err := parse([]byte(text(v)))
	if err != nil {
		panic(err)
	}
	return out
}
