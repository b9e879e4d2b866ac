package sqltree

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tarn/internal/diag"
	"tarn/internal/schema"
)

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
	names, list := q.bindText(ctx, conn, rename)
	if list.Err() != nil {
		return nil, list
	}
	if list = append(list, q.scopes(ctx, conn, rename)...); list.Err() != nil {
		return nil, list
	}
	list = append(list, q.typed(ctx, conn)...)
	printed, err := q.Print(DuckDBDialect, rename)
	if err != nil {
		return nil, append(list, q.src.At(q.at(-1), "not-portable", err.Error(), ""))
	}
	types, err := describe(ctx, conn, describeStart+printed+"\n)")
	if err != nil || len(types) != len(names) {
		return nil, append(list, q.src.At(q.at(-1), "internal", fmt.Sprintf("the compiled SQL does not bind: %v", err), ""))
	}
	columns, more := q.columns(names, types)
	if list = append(list, more...); list.Err() != nil {
		return nil, list
	}
	return columns, list
}

// describeStart stands before the text that is bound; positions in errors count from it.
const describeStart = "SELECT column_name, column_type FROM (" + describePrefix

// mostBindErrors bounds how often a text is bound again to find the next mistake.
const mostBindErrors = 20

// bindText binds the text as written. DuckDB stops at the first mistake, so each unknown column is replaced by NULL and
// the text bound again.
func (q *Query) bindText(ctx context.Context, conn *sql.Conn, rename func(TableRef) string) ([]described, diag.List) {
	body := statements(q.text)[0]
	text := q.text[body.start:body.end]
	var list diag.List
	var edits []edit
	var known []string
	for {
		names, err := describe(ctx, conn, describeStart+text+"\n)")
		if err == nil {
			return names, list
		}
		if known == nil {
			known = q.tableColumns(ctx, conn, rename)
		}
		d, at := q.bindError(err, known, func(position int) int {
			position -= len(describeStart)
			for i := len(edits) - 1; i >= 0; i-- {
				if position > edits[i].at {
					position += edits[i].shorter
				}
			}
			return position + body.start
		})
		// What follows from a column replaced by NULL is no mistake of its own.
		if len(edits) > 0 && (d.Code != "unknown-column" && strings.Contains(d.Message, "GROUP BY") || slices.Contains(list, d)) {
			return nil, list
		}
		list = append(list, d)
		position := at - len(describeStart)
		if d.Code != "unknown-column" || len(list) == mostBindErrors || position < 0 || position > len(text) {
			return nil, list
		}
		chain := nameChain.FindString(text[position:])
		if chain == "" {
			return nil, list
		}
		text = text[:position] + "NULL" + text[position+len(chain):]
		edits = append(edits, edit{position, len(chain) - len("NULL")})
	}
}

// tableColumns lists the columns of all tables that the query mentions, to find the nearest to a mistyped one.
func (q *Query) tableColumns(ctx context.Context, conn *sql.Conn, rename func(TableRef) string) []string {
	out := []string{}
	for _, r := range q.Tables() {
		columns, err := describe(ctx, conn, describeStart+"SELECT * FROM "+rename(r)+")")
		if err != nil {
			continue // the mistake at hand tells of it
		}
		for _, c := range columns {
			if !slices.Contains(out, c.name) {
				out = append(out, c.name)
			}
		}
	}
	return out
}

// edit is a replacement in a text: where, and by how many bytes what stands there now is shorter.
type edit struct{ at, shorter int }

// nameChain is a column's name with what stands before it, such as c."user".
var nameChain = regexp.MustCompile(`\A(?:"(?:[^"]|"")*"|[\pL_][\pL\d_$]*)(?:\s*\.\s*(?:"(?:[^"]|"")*"|[\pL_][\pL\d_$]*))*`)

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
			hint := "names that differ only in case are the same to Athena: give one of them another name with AS"
			if q.items() == nil {
				hint = "name the columns instead of *, each once"
			}
			list = append(list, q.src.At(at, "duplicate-column", "a second column "+d.name, hint))
		}
		seen[strings.ToLower(d.name)] = true
		if items := q.items(); i < len(items) && items[i].Class == "CONSTANT" && items[i].Value != nil && items[i].Value.IsNull {
			list = append(list, q.src.At(at, "type", "column "+d.name+": NULL alone has no type", "write CAST(NULL AS VARCHAR), or another type"))
			continue
		}
		t, err := schema.FromDuckDB(types[i].typ)
		if err != nil {
			hint := "cast it to a type that Iceberg tables have"
			switch types[i].typ {
			case "INTERVAL":
				hint = "write unix_millis(a) - unix_millis(b)"
			case "HUGEINT":
				hint = "the sum of whole numbers can exceed a bigint: write CAST(… AS BIGINT) AS " + d.name
			}
			list = append(list, q.src.At(at, "type", "column "+d.name+": type "+types[i].typ+" has no counterpart in an Iceberg table", hint))
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

// Star gives the place of the first * of the SELECT list, as a byte offset in the file, and whether there is one.
func (q *Query) Star() (offset int, ok bool) {
	for _, e := range q.root.leftmost().SelectList {
		if e.Class == "STAR" {
			return q.at(e.At), true
		}
	}
	return 0, false
}

func (q *Query) itemOffset(i int) int {
	if items := q.items(); i < len(items) {
		return q.at(items[i].first())
	}
	if at, star := q.Star(); star {
		return at
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
