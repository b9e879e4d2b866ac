package sqltree

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"tarn/internal/diag"
	"tarn/internal/schema"
)

// describePrefix stands before the text that is bound; positions in errors count from it.
const describePrefix = "DESCRIBE "

// Bind lets DuckDB name and type the columns of a query whose tables exist in db as (empty) tables; [Macros] have to be
// there too, and rename as in [Query.Print]. Unknown names and types that do not fit are diagnostics at their place in the
// file; the columns are nil then. The names come from the text as written, the types from what DuckDB will run.
func Bind(ctx context.Context, db *sql.DB, q *Query, rename func(TableRef) string) ([]schema.Column, diag.List) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, diag.List{q.src.At(q.base, "internal", err.Error(), "")}
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SET errors_as_json=true"); err != nil {
		return nil, diag.List{q.src.At(q.base, "internal", err.Error(), "")}
	}
	defer func() {
		// The connection goes back to the pool as it was.
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "RESET errors_as_json")
	}()
	body := statements(q.text)[0]
	const before = "SELECT column_name, column_type FROM ("
	names, err := describe(ctx, conn, before+describePrefix+q.text[body.start:body.end]+"\n)")
	if err != nil {
		return nil, diag.List{q.bindError(err, len(before+describePrefix)-body.start)}
	}
	printed, err := q.Print(DuckDBDialect, rename)
	if err != nil {
		return nil, diag.List{q.src.At(q.at(-1), "not-portable", err.Error(), "")}
	}
	types, err := describe(ctx, conn, before+describePrefix+printed+"\n)")
	if err != nil || len(types) != len(names) {
		return nil, diag.List{q.src.At(q.at(-1), "internal", fmt.Sprintf("the compiled SQL does not bind: %v", err), "")}
	}
	return q.columns(names, types)
}

type described struct{ name, typ string }

func describe(ctx context.Context, conn *sql.Conn, query string) ([]described, error) {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []described
	for rows.Next() {
		var d described
		if err := rows.Scan(&d.name, &d.typ); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// columns checks names and types of the output.
func (q *Query) columns(names, types []described) ([]schema.Column, diag.List) {
	var columns []schema.Column
	var list diag.List
	seen := map[string]bool{}
	for i, d := range names {
		at := q.itemOffset(i)
		if q.unnamed(i) {
			list = append(list, q.src.At(at, "unnamed-column", "this column has no name", "write AS name behind it"))
		}
		if seen[strings.ToLower(d.name)] {
			list = append(list, q.src.At(at, "duplicate-column", "a second column "+d.name, "names that differ only in case are the same to Athena: give one of them another name with AS"))
		}
		seen[strings.ToLower(d.name)] = true
		t, err := schema.FromDuckDB(types[i].typ)
		if err != nil {
			hint := "cast it to a type that Iceberg tables have"
			if types[i].typ == "HUGEINT" {
				hint = "the sum of whole numbers can exceed a bigint: write CAST(… AS BIGINT) AS " + d.name
			}
			list = append(list, q.src.At(at, "type", "column "+d.name+": "+err.Error(), hint))
			continue
		}
		columns = append(columns, schema.Column{Name: d.name, Type: t})
	}
	if list.Err() != nil {
		return nil, list
	}
	return columns, list
}

// leftmost gives the SELECT that names the columns.
func (n *node) leftmost() *node {
	for n.Type == "SET_OPERATION_NODE" {
		n = n.arms()[0]
	}
	return n
}

// items gives the select list if each entry is one column, else nil: behind a star, places cannot be told.
func (q *Query) items() []*expr {
	list := q.root.leftmost().SelectList
	for _, e := range list {
		if e.Class == "STAR" {
			return nil
		}
	}
	return list
}

func (q *Query) itemOffset(i int) int {
	if items := q.items(); i < len(items) {
		return q.at(items[i].first())
	}
	return q.at(-1)
}

// first gives the leftmost known place of an expression.
func (e *expr) first() location {
	least := e.At
	e.each(func(c *expr) {
		if l := c.first(); l >= 0 && (least < 0 || l < least) {
			least = l
		}
	})
	return least
}

// unnamed reports whether an output column would have a name made up by the engine.
func (q *Query) unnamed(i int) bool {
	items := q.items()
	return i < len(items) && items[i].Alias == "" && items[i].Class != "COLUMN_REF"
}

var missing = regexp.MustCompile(`(?:does not have a column named|Referenced column) "([^"]+)"`)

var caret = regexp.MustCompile(`LINE \d+:`)

// bindError makes a diagnostic of DuckDB's error; shift is where the model's text begins in what DuckDB read.
func (q *Query) bindError(err error, shift int) diag.Diagnostic {
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
	at := q.at(-1)
	if n, err := strconv.Atoi(e.Position); err == nil && n-shift >= 0 && n-shift <= len(q.text) {
		at = q.base + n - shift
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
		_, list, _ := strings.Cut(e.Message, "Candidate bindings:")
		candidates := strings.FieldsFunc(e.Candidates+" "+list, func(r rune) bool { return strings.ContainsRune(", \n:", r) })
		for i, c := range candidates {
			candidates[i] = strings.Trim(c[strings.LastIndexByte(c, '.')+1:], `"`)
		}
		if hint = diag.DidYouMean(name, candidates); hint == "" && len(candidates) > 0 {
			hint = "there are: " + strings.Join(candidates, ", ")
		}
	case e.Subtype == "NO_MATCHING_FUNCTION":
		hint = "cast the arguments to what the function takes; docs/sql.md lists the functions"
	}
	if hint == "" && strings.Contains(e.Message, "explicit type cast") {
		hint = "cast one side: CAST(… AS type)"
	}
	return q.src.At(at, code, lowerFirst(message), hint)
}

func lowerFirst(s string) string {
	if s == "" || len(s) > 1 && s[1] >= 'A' && s[1] <= 'Z' {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// ColumnComments gives the comments that stand on the lines of the SELECT list, by the number of the output column: one
// for each column that is the last on its line. Comments of the form `-- drop: …` belong to conditions.
func (q *Query) ColumnComments() map[int]string {
	items := q.items()
	out := map[int]string{}
	for i, e := range items {
		from := int(e.last())
		if from < 0 {
			continue
		}
		if i+1 < len(items) {
			// A column that shares its line with the next one has no comment of its own.
			next := int(items[i+1].first())
			if next >= 0 && next >= from && !strings.Contains(q.text[from:next], "\n") {
				continue
			}
		}
		if c, ok := lineComment(q.text, from); ok && c != "" && !strings.HasPrefix(c, "drop:") {
			out[i] = c
		}
	}
	return out
}

// last gives the rightmost known place of an expression.
func (e *expr) last() location {
	most := e.At
	e.each(func(c *expr) { most = max(most, c.last()) })
	return most
}

func (q *Query) String() string { return fmt.Sprintf("%s: %s", q.src.File, q.text) }
