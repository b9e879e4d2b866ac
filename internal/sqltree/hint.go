package sqltree

import (
	"slices"
	"strings"

	"tarn/internal/diag"
)

// keywords are words that a column may well be called, and that DuckDB's grammar keeps for itself.
var keywords = []string{"all", "any", "asc", "at", "case", "check", "collate", "column", "constraint", "default", "desc", "end", "fetch", "for", "foreign", "grant", "group", "having", "in", "into",
	"leading", "limit", "offset", "on", "only", "order", "placing", "primary", "references", "select", "some", "symmetric", "table", "to", "trailing", "union", "unique", "using", "variadic", "when", "window", "with"}

// clauses are words that begin the parts of a SELECT; the one before a syntax error may be one of them, misspelt.
var clauses = []string{"SELECT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "JOIN", "LEFT", "RIGHT", "INNER", "CROSS", "UNION", "INTERSECT", "EXCEPT", "BETWEEN", "DISTINCT"}

// syntaxHint says what most likely is wrong at the place of a syntax error.
func (q *Query) syntaxHint(at int) string {
	at = max(0, min(at, len(q.text)))
	depth := 0
	for i, c := range []byte(blank(q.text)) {
		switch c {
		case '`':
			return "names stand in double quotes: write \"name\""
		case '{':
			if strings.HasPrefix(q.text[i:], "{{") || strings.HasPrefix(q.text[i:], "{%") {
				return "models are plain SQL: write the name of the table, whose order comes from the SQL itself"
			}
		case '(':
			depth++
		case ')':
			depth--
		}
	}
	before, word := q.wordsAround(at)
	for _, w := range []string{before, word} {
		if slices.Contains(keywords, strings.ToLower(w)) {
			return "if " + w + " is the name of a column, write \"" + w + "\", as it is a keyword"
		}
	}
	for _, w := range []string{before, word} {
		if n := diag.Nearest(w, clauses); n != "" && !strings.EqualFold(n, w) && len(w) > 2 {
			return "did you mean " + n + "?"
		}
	}
	switch {
	case depth > 0:
		return "a bracket is not closed"
	case depth < 0:
		return "there is one closing bracket too many"
	}
	return ""
}

// wordsAround gives the word before an offset and the one at it; either may be empty.
func (q *Query) wordsAround(at int) (before, word string) {
	end := at
	for end < len(q.text) && wordByte(q.text[end]) {
		end++
	}
	head := strings.TrimRight(q.text[:at], " \t\r\n")
	start := len(head)
	for start > 0 && wordByte(head[start-1]) {
		start--
	}
	return head[start:], q.text[at:end]
}
