// Package diag holds what tarn says about mistakes in the user's own files.
//
// A [Diagnostic] names a place (file, line, column), the mistake, and where one is known a way out.
// Every stage that reads definitions collects them in a [List], so that one look shows all mistakes at once.
package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity tells whether a lake can be used in spite of a diagnostic.
type Severity string

const (
	// Error stops planning and running.
	Error Severity = "error"
	// Warning is shown and stops nothing.
	Warning Severity = "warning"
)

// Diagnostic is one mistake, or one doubt, at one place of a definition file.
// Its JSON form is part of `tarn validate --json`.
type Diagnostic struct {
	// File is the path as the user knows it: relative to the lake's folder, with forward slashes.
	File string `json:"file"`
	// Line counts from 1; 0 means that the whole file is meant.
	Line int `json:"line"`
	// Col counts characters (not bytes) from 1; 0 means that the whole line is meant.
	Col      int      `json:"col"`
	Severity Severity `json:"severity"`
	// Code is a stable short name for scripts, such as "unknown-column".
	Code string `json:"code"`
	// Message says what is wrong, in lower case and without a full stop.
	Message string `json:"message"`
	// Hint says what to do about it; empty where nothing better than Message is known.
	Hint string `json:"hint,omitempty"`
	// Source is the text of the line, without its line break; empty where it is not known.
	Source string `json:"source,omitempty"`
}

// String gives the form that editors jump to: `file:line:col: message`.
func (d Diagnostic) String() string {
	var b strings.Builder
	b.WriteString(d.File)
	if d.Line > 0 {
		fmt.Fprintf(&b, ":%d", d.Line)
		if d.Col > 0 {
			fmt.Fprintf(&b, ":%d", d.Col)
		}
	}
	b.WriteString(": ")
	if d.Severity == Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(d.Message)
	return b.String()
}

// Text is the form shown to people: the place and the message, the line with a caret under the column, and the hint.
// It ends without a line break.
func (d Diagnostic) Text() string {
	var b strings.Builder
	b.WriteString(d.String())
	if d.Source != "" {
		src := strings.ReplaceAll(d.Source, "\t", " ")
		fmt.Fprintf(&b, "\n  %s", src)
		if d.Col > 0 {
			fmt.Fprintf(&b, "\n  %s^", strings.Repeat(" ", d.Col-1))
		}
	}
	if d.Hint != "" {
		fmt.Fprintf(&b, "\n  hint: %s", d.Hint)
	}
	return b.String()
}

// List collects diagnostics. The zero value is empty and ready.
type List []Diagnostic

// Err gives the list as an error if it holds at least one of severity [Error], else nil.
func (l List) Err() error {
	for _, d := range l {
		if d.Severity != Warning {
			return &ListError{Diagnostics: l}
		}
	}
	return nil
}

// Sort orders by file, line and column and drops exact repetitions.
func (l List) Sort() List {
	out := slices.Clone(l)
	slices.SortStableFunc(out, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(out)
}

// Count gives the numbers of errors and of warnings.
func (l List) Count() (errors, warnings int) {
	for _, d := range l {
		if d.Severity == Warning {
			warnings++
		} else {
			errors++
		}
	}
	return errors, warnings
}

// ListError carries diagnostics through code that returns errors.
type ListError struct{ Diagnostics List }

func (e *ListError) Error() string {
	parts := make([]string, 0, len(e.Diagnostics))
	for _, d := range e.Diagnostics {
		parts = append(parts, d.Text())
	}
	return strings.Join(parts, "\n")
}
