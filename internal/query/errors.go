package query

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tarn/internal/diag"
)

// Error is a mistake in the SQL of a query, with its place, or a table that the credentials have no right to.
type Error struct {
	Diagnostic diag.Diagnostic
	// Denied is what was refused, or nil.
	Denied error
}

func (e *Error) Error() string { return e.Diagnostic.String() }

func (e *Error) Unwrap() error { return e.Denied }

// Codes of diagnostics that refuse what is not reading the lake's tables.
const (
	codeNotReading   = "not-reading"
	codeOnlyTables   = "only-tables"
	codeUnknownTable = "unknown-table"
	codeUnknownName  = "unknown-column"
	codeDenied       = "denied-table"
	codeSyntax       = "syntax"
	codeInvalid      = "invalid-sql"
)

// engineError is what the engine says of a failure, with errors_as_json on.
type engineError struct {
	Type       string `json:"exception_type"`
	Message    string `json:"exception_message"`
	Position   string `json:"position"`
	Subtype    string `json:"error_subtype"`
	Name       string `json:"name"`
	Candidates string `json:"candidates"`
}

// mistakes are the kinds of failure that the text of the query is to blame for.
var mistakes = []string{"Parser", "Syntax", "Binder", "Catalog", "Conversion", "Invalid Input", "Out of Range", "Mismatch Type",
	"Invalid type", "Not implemented", "Permission", "Expression", "Parameter Not Resolved", "Parameter Not Allowed", "Divide by Zero", "Sequence", "INTERNAL"}

// explain turns the engine's text into an [*Error] at its place, or into a plain error where the query is not to blame.
// shift is how many bytes were put before the query.
func (s *Session) explain(src diag.Source, shift int, text string) error {
	var e engineError
	// A text that cannot even be cut into statements comes with its kind before the object.
	if i := strings.IndexByte(text, '{'); i > 0 {
		text = text[i:]
	}
	if json.Unmarshal([]byte(text), &e) != nil || e.Message == "" {
		return fmt.Errorf("query: %s", text)
	}
	message, rest, _ := strings.Cut(e.Message, "\n")
	if !slices.Contains(mistakes, e.Type) {
		hint := ""
		if e.Type == "Out of Memory" {
			hint = "give the engine more with --memory"
		}
		return diag.WithHint(fmt.Errorf("query: %s: %s", e.Type, strings.TrimSpace(message)), hint)
	}
	d := diag.Diagnostic{File: src.File, Severity: diag.Error, Code: codeInvalid, Message: lower(message)}
	if at, err := strconv.Atoi(e.Position); err == nil && at >= shift && at-shift <= len(src.Text) {
		d = src.At(at-shift, codeInvalid, lower(message), "")
	}
	var denied error
	switch {
	case e.Type == "Permission":
		d.Code, d.Message, d.Hint = codeOnlyTables, "a query reads the lake's tables only, no other file and nothing from the network", onlyTables
	case e.Type == "Catalog" && strings.Contains(message, "but it exists in the"):
		_, name, _ := strings.Cut(message, `"`)
		name, _, _ = strings.Cut(name, `"`)
		d.Code, d.Hint = codeOnlyTables, onlyTables
		d.Message = name + " belongs to an extension of DuckDB, and a query has none: it reads the lake's tables only"
	case e.Type == "Parser" || e.Type == "Syntax":
		d.Code = codeSyntax
	case e.Type == "Catalog" && strings.HasPrefix(message, "Table with name"):
		denied = s.unknownTable(&d, e)
	case e.Subtype == "COLUMN_NOT_FOUND" || strings.Contains(message, "not found in FROM clause") || strings.Contains(message, "does not have a column named"):
		d.Code = codeUnknownName
		s.unknownColumn(&d, e)
	}
	if d.Hint == "" {
		if _, meant, ok := strings.Cut(rest, `Did you mean "`); ok {
			d.Hint = "did you mean " + strings.TrimSuffix(strings.TrimSpace(strings.SplitN(meant, "\n", 2)[0]), `"?`) + "?"
		}
	}
	return &Error{Diagnostic: d, Denied: denied}
}

const onlyTables = "`tarn query \"SHOW TABLES\"` lists them; a folder of files becomes a table by its DDL in landing/"

// unknownTable says which tables there are, and gives what was refused where it is one that is there.
func (s *Session) unknownTable(d *diag.Diagnostic, e engineError) (denied error) {
	d.Code, d.Message = codeUnknownTable, "no table "+e.Name
	if e.Name == "" {
		_, name, _ := strings.Cut(e.Message, "Table with name ")
		name, _, _ = strings.Cut(name, " does not exist")
		d.Message = "no table " + name
		e.Name = name
	}
	for stored, why := range s.denied {
		if slices.ContainsFunc(names(stored), func(n string) bool { return strings.EqualFold(n, e.Name) }) {
			d.Code, d.Message = codeDenied, "these credentials may not read the table "+e.Name
			d.Hint = diag.Hint(why)
			return why
		}
	}
	if strings.ContainsAny(e.Name, `/\:`) {
		d.Code, d.Hint = codeOnlyTables, onlyTables
		return nil
	}
	d.Hint = diag.DidYouMean(e.Name, s.tables)
	switch {
	case d.Hint != "":
	case len(s.tables) == 0:
		d.Hint = "the lake has no tables yet: `tarn run` makes them"
	default:
		d.Hint = "`tarn query \"SHOW TABLES\"` lists them"
	}
	return nil
}

// unknownColumn says which columns are near.
func (s *Session) unknownColumn(d *diag.Diagnostic, e engineError) {
	name := e.Name
	if _, after, ok := strings.Cut(e.Message, "does not have a column named \""); ok && name == "" {
		name, _, _ = strings.Cut(after, `"`)
	}
	if name != "" {
		d.Message = "no column " + name
	}
	var candidates []string
	if e.Candidates != "" {
		candidates = strings.Split(e.Candidates, ",")
	}
	if d.Hint = diag.DidYouMean(name, candidates); d.Hint == "" && len(candidates) > 0 {
		d.Hint = "near are " + strings.Join(candidates, ", ")
	}
	if d.Hint == "" {
		// For a column behind a table's name the engine has no candidates.
		d.Hint = diag.DidYouMean(name, s.columns)
	}
}

// lower begins a message in lower case, unless its first word is all in capitals.
func lower(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 1 && s[1] >= 'a' && s[1] <= 'z' {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}
