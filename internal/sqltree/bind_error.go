package sqltree

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tarn/internal/diag"
)

var missing = regexp.MustCompile(`(?:does not have a column named|Referenced column) "([^"]+)"`)

var missingTable = regexp.MustCompile(`(?i)referenced table "([^"]+)" not found`)

var noTime = regexp.MustCompile(`'-\(\w+, INTERVAL\)'`)

var noTable = regexp.MustCompile(`Table with name (\S+) does not exist`)

var noFunction = regexp.MustCompile(`(?i)^\w+ function with name (\S+) does not exist`)

var missingUsing = regexp.MustCompile(`(?i)column "([^"]+)" does not exist on \w+ side of join`)

var caret = regexp.MustCompile(`LINE \d+:`)

// bindError makes a diagnostic of DuckDB's error. known are the columns that could be meant; place gives the byte of the model's text for one of what DuckDB read;
// the latter is the second result, -1 if the error has none.
func (q *Query) bindError(err error, known []string, place func(int) int) (diag.Diagnostic, int) {
	text := err.Error()
	var e struct {
		Type       string `json:"exception_type"`
		Message    string `json:"exception_message"`
		Position   string `json:"position"`
		Name       string `json:"name"`
		Candidates string `json:"candidates"`
		Subtype    string `json:"error_subtype"`
	}
	if i := strings.IndexByte(text, '{'); i >= 0 {
		// Errors that are no JSON are shown as they are.
		_ = json.Unmarshal([]byte(text[i:]), &e)
	}
	if e.Message == "" {
		e.Message = text
	}
	at, read := q.at(-1), -1
	if n, err := strconv.Atoi(e.Position); err == nil && place(n) >= 0 && place(n) <= len(q.text) {
		at, read = q.base+place(n), n
	}
	message := firstLine(e.Message)
	if i := caret.FindStringIndex(message); i != nil {
		message = strings.TrimSpace(message[:i[0]])
	}
	code, hint := "type", ""
	name := e.Name
	if m := missing.FindStringSubmatch(message); m != nil {
		name = m[1]
	}
	switch {
	case e.Subtype == "COLUMN_NOT_FOUND" || missing.MatchString(message):
		code, message = "unknown-column", "no column "+name+" in the tables of this SELECT"
		if len(known) == 0 {
			// Of WITH and subqueries, only DuckDB knows the columns.
			_, list, _ := strings.Cut(e.Message, "Candidate bindings:")
			for _, c := range strings.FieldsFunc(e.Candidates+" "+list, func(r rune) bool { return strings.ContainsRune(", \n:", r) }) {
				if c = strings.Trim(c[strings.LastIndexByte(c, '.')+1:], `"`); !slices.Contains(known, c) {
					known = append(known, c)
				}
			}
		}
		if hint = diag.DidYouMean(name, known); hint == "" && len(known) > 0 {
			hint = "there are: " + strings.Join(known, ", ")
		}
	case noTable.MatchString(message):
		code, message = "unknown-table", "no table "+strings.Trim(noTable.FindStringSubmatch(message)[1], `"`)+" in this lake"
	case missingTable.MatchString(message) && q.hasTable(missingTable.FindStringSubmatch(message)[1]) && q.columnAt(at) != "":
		// Inside EXISTS, DuckDB looks for an unknown column's table outside, and complains of that.
		name = q.columnAt(at)
		code, message = "unknown-column", "no column "+name+" in "+missingTable.FindStringSubmatch(message)[1]
		if hint = diag.DidYouMean(name, known); hint == "" && len(known) > 0 {
			hint = "there are: " + strings.Join(known, ", ")
		}
	case missingTable.MatchString(message):
		name = missingTable.FindStringSubmatch(message)[1]
		code, message = "unknown-column", "no table "+name+" in this FROM"
		var names []string
		for _, r := range q.Tables() {
			if names = append(names, r.Name); r.Alias != "" {
				names[len(names)-1] = r.Alias
			}
		}
		if hint = diag.DidYouMean(name, names); hint == "" {
			hint = "there are: " + strings.Join(names, ", ")
		}
	case missingUsing.MatchString(message):
		name = missingUsing.FindStringSubmatch(message)[1]
		code = "unknown-column"
		if i := (&judge{q: q, bare: q.text}).word(name); i >= 0 {
			at = q.at(i)
		}
		hint = "write ON with the columns of both sides"
	case strings.Contains(message, "'|("):
		message = "timestamp_millis, timestamp_seconds and timestamp_micros take a whole number"
		hint = "write CAST(… AS BIGINT) inside"
		at = q.at((&judge{q: q, bare: q.text}).word("timestamp_millis", "timestamp_seconds", "timestamp_micros"))
	case noTime.MatchString(message) && (&judge{q: q, bare: q.text}).word("unix_millis", "unix_seconds") >= 0:
		message = "unix_millis and unix_seconds take a timestamp"
		hint = "for a whole number of milliseconds they are not needed; write CAST(… AS TIMESTAMP) for a text"
		at = q.at((&judge{q: q, bare: q.text}).word("unix_millis", "unix_seconds"))
	case noFunction.MatchString(message):
		code, name = "unknown-function", noFunction.FindStringSubmatch(message)[1]
		message, hint = "no function or operator "+name, diag.DidYouMean(name, functionNames())
	case strings.Contains(message, "cannot contain aggregates"):
		message = strings.TrimSuffix(message, "!")
		hint = "write HAVING for conditions on aggregates, behind GROUP BY"
	case strings.Contains(message, "must appear in the GROUP BY"):
		message = strings.TrimSuffix(message, ".")
		hint = "add it to GROUP BY, or write min(…) or max(…)"
	case strings.Contains(message, "same number of result columns"):
		hint = "give both sides the same columns in the same order"
	case e.Subtype == "NO_MATCHING_FUNCTION":
		message = strings.TrimSuffix(message, " You might need to add explicit type casts.")
		message = strings.TrimSuffix(message, ".")
		hint = "cast the arguments to what the function takes; docs/sql.md lists the functions"
	}
	if hint == "" && castNeeded.MatchString(e.Message) {
		hint = "cast one side: CAST(… AS type)"
	}
	message = literalTypes.Replace(castNeeded.ReplaceAllString(message, ""))
	if quote := strings.IndexAny(name, "“”‘’„"); quote >= 0 {
		hint = "texts stand in straight quotes: write '" + strings.Trim(name, "“”‘’„") + "'"
	}
	return q.src.At(at, code, lowerFirst(message), hint), read
}

// castNeeded is what DuckDB says where two types do not go together.
var castNeeded = regexp.MustCompile(`\s*-?\s*[Aa]n explicit (?:type )?cast is required\.?$|explicit type cast`)

// literalTypes are types that only the written numbers and texts of a query have.
var literalTypes = strings.NewReplacer("INTEGER_LITERAL", "whole number", "STRING_LITERAL", "text")

// hasTable reports whether the query reads a table of that name or alias.
func (q *Query) hasTable(name string) bool {
	return q.root != nil && slices.ContainsFunc(q.Tables(), func(r TableRef) bool {
		return strings.EqualFold(r.Alias, name) || r.Alias == "" && strings.EqualFold(r.Name, name)
	})
}

// columnAt gives the column of the dotted name that stands at an offset of the file, without quotes, or "".
func (q *Query) columnAt(at int) string {
	if at -= q.base; at < 0 || at > len(q.text) {
		return ""
	}
	chain := nameChain.FindString(q.text[at:])
	if i := strings.LastIndexByte(chain, '.'); i >= 0 {
		return strings.Trim(strings.TrimSpace(chain[i+1:]), `"`)
	}
	return ""
}

func lowerFirst(s string) string {
	if s == "" || len(s) > 1 && s[1] >= 'A' && s[1] <= 'Z' {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
