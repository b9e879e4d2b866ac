package sqltree

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"tarn/internal/diag"
)

// Problem is a mistake in SQL that is no model's, such as that of a check.
type Problem struct {
	Offset              int // bytes in the text; -1 where it is not known
	Code, Message, Hint string
}

// BindText lets DuckDB bind SQL text that stands between two others, which make a SELECT of it, and gives the types of its
// columns in DuckDB's words. A mistake is the second result; columns are those that a mistyped name can mean. The text can
// use all of DuckDB's SQL.
func BindText(ctx context.Context, db *sql.DB, before, text, after string, columns []string) (types []string, _ *Problem, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer conn.Close()
	reset, err := TellPlaces(ctx, conn)
	if err != nil {
		return nil, nil, err
	}
	defer reset()
	bound, err := describe(ctx, conn, describeStart+before+text+after+"\n)")
	if err == nil {
		for _, c := range bound {
			types = append(types, c.typ)
		}
		return types, nil, nil
	}
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	q := &Query{src: diag.Source{Text: text}, text: text}
	skipped := len(describeStart) + len(before)
	d, read := q.bindError(err, columns, func(position int) int { return position - skipped })
	p := &Problem{Offset: -1, Code: d.Code, Message: d.Message, Hint: d.Hint}
	if read >= 0 {
		p.Offset = read - skipped
	}
	return nil, p, nil
}

// Mentions lists the tables that any SELECT mentions, portable or not, with offsets in the text. The error tells that the
// text is not one SELECT.
func Mentions(ctx context.Context, serialize Serializer, text string) ([]TableRef, error) {
	if n := len(statements(text)); n != 1 {
		return nil, fmt.Errorf("expected one SELECT, found %d statements", n)
	}
	doc, err := readDocument(ctx, serialize, text)
	if err != nil {
		return nil, err
	}
	if doc.Error || len(doc.Statements) != 1 {
		if doc.noSelect() {
			return nil, errors.New("this is not a SELECT")
		}
		return nil, errors.New(lowerFirst(firstLine(doc.Message)))
	}
	return (&Query{text: text, root: doc.Statements[0].Node}).Tables(), nil
}
