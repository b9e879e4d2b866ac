package duckdb

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
)

// StatementError is what DuckDB says of a SELECT that [Engine.Copy] was given.
type StatementError struct {
	// Kind is DuckDB's, such as "Conversion" or "Out of Range".
	Kind string
	// Message is a sentence, and may have more lines.
	Message string
	// Position is the byte of the SELECT that it is about, -1 where DuckDB does not say.
	Position int
}

func (e *StatementError) Error() string { return e.Kind + " Error: " + e.Message }

// ofValues are the kinds of errors that the values of rows cause.
var ofValues = map[string]bool{"Conversion": true, "Invalid Input": true, "Out of Range": true, "Divide by Zero": true}

// OfValues reports whether it is rows that the statement cannot be worked out for, and not the machine.
func (e *StatementError) OfValues() bool { return ofValues[e.Kind] }

// statementError reads an error of a connection that tells positions; shift is how many bytes stand before the SELECT. What is
// no such error comes back as it is.
func statementError(err error, shift int) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var e struct {
		Kind     string `json:"exception_type"`
		Message  string `json:"exception_message"`
		Position string `json:"position"`
	}
	text := err.Error()
	i := strings.IndexByte(text, '{')
	if i < 0 || json.Unmarshal([]byte(text[i:]), &e) != nil || e.Kind == "" {
		return err
	}
	out := &StatementError{Kind: e.Kind, Message: e.Message, Position: -1}
	if at, err := strconv.Atoi(e.Position); err == nil && at >= shift {
		out.Position = at - shift
	}
	return out
}

// Misfit tells errors of values that do not fit a type from all others, and gives DuckDB's reason without the statement
// that it shows. It matches on the text of DuckDB's errors.
func Misfit(err error) (why string, misfit bool) {
	if err == nil {
		return "", false
	}
	text := firstLine(err)
	for _, kind := range []string{"Conversion Error: ", "Invalid Input Error: "} {
		if rest, found := strings.CutPrefix(text, kind); found {
			return strings.ToLower(rest[:1]) + rest[1:], true
		}
	}
	return "", false
}

// Brief gives DuckDB's reason without the kind of error, the statement that it shows, and the folders of files.
func Brief(err error) string {
	text := firstLine(err)
	if kind, rest, found := strings.Cut(text, " Error: "); found && len(kind) < 30 {
		text = rest
	}
	for {
		from := strings.Index(text, "'/")
		if from < 0 {
			return text
		}
		to := strings.IndexByte(text[from+1:], '\'')
		if to < 0 {
			return text
		}
		path := text[from+1 : from+1+to]
		text = text[:from] + filepath.Base(path) + text[from+to+2:]
	}
}

func firstLine(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}
