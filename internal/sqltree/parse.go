package sqltree

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"tarn/internal/diag"
)

// Serializer parses SQL: it gives DuckDB's json_serialize_sql of a text.
type Serializer func(ctx context.Context, text string) (string, error)

// DuckDB makes the serializer of a DuckDB connection pool.
func DuckDB(db *sql.DB) Serializer {
	return func(ctx context.Context, text string) (out string, err error) {
		err = db.QueryRowContext(ctx, "SELECT json_serialize_sql(?::VARCHAR, skip_null := true)::VARCHAR", text).Scan(&out)
		return out, err
	}
}

// Query is one parsed SELECT of the portable subset.
type Query struct {
	src  diag.Source
	base int // offset of the parsed text in the file
	text string
	root *node
	// types is set once the query is bound.
	types *types
}

// Parse reads exactly one SELECT, which begins at byte start of the source and goes on to its end. The query is nil if
// the list holds an error.
func Parse(ctx context.Context, serialize Serializer, src diag.Source, start int) (*Query, diag.List) {
	q := &Query{src: src, base: start, text: src.Text[start:]}
	if !utf8.ValidString(q.text) {
		at := strings.IndexFunc(q.text, func(r rune) bool { return r == utf8.RuneError })
		return nil, diag.List{src.At(start+at, "syntax", "the text is not UTF-8", "save the file as UTF-8")}
	}
	if parts := statements(q.text); len(parts) == 0 {
		return nil, diag.List{src.At(start, "empty", "no SELECT in this file", "a model is one SELECT")}
	} else if len(parts) > 1 {
		return nil, diag.List{src.At(start+parts[1].start, "second-statement", "a second statement in the file", "a model is one SELECT: move the other one into a file of its own")}
	}
	doc, err := readDocument(ctx, serialize, q.text)
	if err != nil {
		return nil, diag.List{src.At(start, "syntax", err.Error(), "")}
	}
	if doc.Error {
		at, err := strconv.Atoi(doc.Position.String())
		if err != nil {
			at = firstWord(q.text)
		}
		message, hint := doc.Message, ""
		if doc.noSelect() {
			message, hint = "this is not a SELECT", "a model is one SELECT; tarn makes the table of it"
		}
		if strings.Contains(message, "SELECT INTO") {
			message, hint = "SELECT INTO makes no sense in a model", "the file's name is the table's: leave INTO out"
		}
		if hint == "" {
			hint = q.syntaxHint(at)
		}
		return nil, diag.List{src.At(start+at, "syntax", lowerFirst(firstLine(message)), hint)}
	}
	if len(doc.Statements) != 1 || doc.Statements[0].Node == nil {
		return nil, diag.List{src.At(start, "syntax", fmt.Sprintf("expected one SELECT, found %d statements", len(doc.Statements)), "")}
	}
	q.root = doc.Statements[0].Node
	list := q.portable()
	if list.Err() != nil {
		return nil, list
	}
	return q, list
}

// document is what DuckDB says of a text: its tree, or why there is none.
type document struct {
	Error      bool        `json:"error"`
	Type       string      `json:"error_type"`
	Message    string      `json:"error_message"`
	Position   json.Number `json:"position"`
	Statements []struct {
		Node *node `json:"node"`
	} `json:"statements"`
}

func readDocument(ctx context.Context, serialize Serializer, text string) (document, error) {
	var doc document
	raw, err := serialize(ctx, text)
	if err != nil {
		return doc, fmt.Errorf("DuckDB cannot parse this: %w", err)
	}
	if err := json.Unmarshal([]byte(raw), &doc); err != nil {
		return doc, fmt.Errorf("DuckDB's parse tree cannot be read: %w", err)
	}
	return doc, nil
}

// noSelect reports whether the text is a statement of another kind.
func (d document) noSelect() bool {
	return d.Type == "not implemented" || strings.Contains(d.Message, "Only SELECT statements")
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// at gives the file offset of a place in the tree, or that of the SELECT where DuckDB knows none.
func (q *Query) at(l location) int {
	if l < 0 || int(l) > len(q.text) {
		return q.base + firstWord(q.text)
	}
	return q.base + int(l)
}

// Text is the SELECT as written.
func (q *Query) Text() string { return q.text }
