package sqltree

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"tarn/internal/diag"
	"tarn/internal/schema"
)

const describePrefix = "DESCRIBE "

// Bind lets DuckDB name and type the columns of a query whose tables exist in db as (empty) tables; [Macros] have to be
// there too, and rename as in [Query.Print]. Unknown names and types that do not fit are diagnostics at their place in the
// file; the columns are nil then. The names come from the text as written, the types from what DuckDB will run. After it, the
// query knows the types of all its parts, without which it cannot be printed for every dialect.
func Bind(ctx context.Context, db *sql.DB, q *Query, rename func(TableRef) string) ([]schema.Column, diag.List) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, diag.List{q.src.At(q.base, "internal", err.Error(), "")}
	}
	defer conn.Close()
	reset, err := TellPlaces(ctx, conn)
	if err != nil {
		return nil, diag.List{q.src.At(q.base, "internal", err.Error(), "")}
	}
	defer reset()
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
	more, err = q.infer(ctx, conn, rename, types)
	if err != nil {
		return nil, append(list, q.src.At(q.at(-1), "internal", fmt.Sprintf("the types of the compiled SQL cannot be found: %v", err), ""))
	}
	if list = append(list, more...); list.Err() != nil {
		return nil, list
	}
	if list = append(list, q.kinds()...); list.Err() != nil {
		return nil, list
	}
	return columns, list
}

// TellPlaces makes a connection of DuckDB tell the places of errors, which are JSON then, until reset is called: it goes back to its
// pool as it was.
func TellPlaces(ctx context.Context, conn *sql.Conn) (reset func(), err error) {
	if _, err := conn.ExecContext(ctx, "SET errors_as_json=true"); err != nil {
		return nil, err
	}
	return func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "RESET errors_as_json") }, nil
}

// describeStart stands before the text that is bound; positions in errors count from it.
const describeStart = "SELECT column_name, column_type FROM (" + describePrefix

// mostBindErrors bounds how often a text is bound again to find the next mistake.
const mostBindErrors = 20

// bindText binds the text as written. DuckDB stops at the first mistake, so each unknown column, and each piece whose types do
// not fit, is replaced by NULL and the text bound again.
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
		if len(edits) > 0 && notParsed.MatchString(err.Error()) {
			return nil, list // NULL does not fit there
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
		// What follows from something replaced by NULL is no mistake of its own.
		if len(edits) > 0 && (d.Code != "unknown-column" && strings.Contains(d.Message, "GROUP BY") || slices.Contains(list, d)) {
			return nil, list
		}
		list = append(list, d)
		wrong, ok := wrongPiece(text, d.Code, at-len(describeStart))
		if !ok || len(list) == mostBindErrors {
			return nil, list
		}
		text = text[:wrong.start] + "NULL" + text[wrong.end:]
		edits = append(edits, edit{wrong.start, wrong.end - wrong.start - len("NULL")})
	}
}

// notParsed knows DuckDB's error for a text that is no SQL.
var notParsed = regexp.MustCompile(`"exception_type":\s*"Parser"`)

// wrongPiece finds what NULL stands for while other mistakes are looked for.
func wrongPiece(text, code string, at int) (span, bool) {
	if at < 0 || at >= len(text) {
		return span{}, false
	}
	if code == "unknown-column" {
		chain := nameChain.FindString(text[at:])
		return span{at, at + len(chain)}, chain != ""
	}
	return pieceAround(text, at)
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

func (q *Query) String() string { return fmt.Sprintf("%s: %s", q.src.File, q.text) }
