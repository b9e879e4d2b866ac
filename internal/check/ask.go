package check

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"time"

	"tarn/internal/diag"
	"tarn/internal/engine"
	"tarn/internal/project"
	"tarn/internal/schema"
	"tarn/internal/sqltree"
)

// Asked is a check as an engine tests it: questions in that engine's SQL, written before anything is known, and [Asked.Judge],
// which makes a result of the answers.
type Asked struct {
	Check project.Check
	Table string
	// Good is true of the rows that pass, and never null; "" for checks of the whole table. In it columns stand alone or
	// behind the table's own name.
	Good string
	// Full names columns: the check passes if none has a null.
	Full []string
	// Aggregate counts the rows that fail as one column of a query over the table, Count as a query of its own; one of them
	// is set, but for freshness and row_count.
	Aggregate, Count string
	// Newest asks for a time.
	Newest string
	// Failing gives the rows or keys that fail, Traced the same with the column _file; "" where there are none to show.
	Failing, Traced string
}

// Asker writes the questions for one engine.
type Asker struct {
	// DB is where the checks' own SQL is parsed and typed; the tables are there under the names that Typed gives.
	DB    *sql.DB
	Typed func(table string) string
	// Dialect is the engine's, and From what stands in its FROM for a table.
	Dialect sqltree.Dialect
	From    func(table string) string
	// Files writes an aggregate over the column _file, which is quoted: some of its values.
	Files func(column string) string
}

// Ask writes the questions of a check of a table. traced is a query of the table's rows with the column _file, in the
// engine's SQL, or "". The list tells what of the check's SQL cannot be said to this engine, at its place.
func (a Asker) Ask(ctx context.Context, table string, c project.Check, traced string) (Asked, diag.List) {
	out := Asked{Check: c, Table: table}
	quote := a.Dialect.Quote
	named := a.From(table) + " AS " + quote(table)
	tracedNamed := ""
	if traced != "" {
		tracedNamed = "(" + traced + "\n) AS " + quote(table)
	}
	switch {
	case c.Row():
		before := "SELECT * FROM " + schema.Quote(table) + " WHERE ("
		q, list := a.parse(ctx, c, before, condition(schema.Quote, c), "\n)", c.Kind == "expect")
		if q == nil {
			return out, list
		}
		where, err := q.PrintWhere(a.Dialect, a.rename)
		if err != nil {
			return out, diag.List{a.refused(c, err)}
		}
		out.Good = "coalesce((" + where + "), false)"
		if c.Kind == "not_null" {
			out.Full = c.Columns
		}
		if selects.MatchString(where) {
			// Not every engine takes a subquery inside an aggregate.
			out.Count = "SELECT count(*) FROM " + named + " WHERE NOT " + out.Good
		} else {
			out.Aggregate = "count(*) FILTER (WHERE NOT " + out.Good + ")"
		}
		out.Failing = "SELECT * FROM " + named + " WHERE NOT " + out.Good
		if tracedNamed != "" {
			out.Traced = "SELECT * FROM " + tracedNamed + " WHERE NOT " + out.Good
		}
	case c.Kind == "unique":
		out.Failing = duplicates(quote, c, a.From(table), "count(*) AS "+quote("rows"))
		out.Count = "SELECT count(*) FROM (" + out.Failing + ")"
		if tracedNamed != "" {
			out.Traced = duplicates(quote, c, tracedNamed, "count(*) AS "+quote("rows")+", "+a.Files(quote("_file"))+" AS "+quote("_file"))
		}
	case c.Kind == "freshness":
		out.Newest = "SELECT max(" + quote(c.Columns[0]) + ") FROM " + a.From(table)
	case c.Kind == "sql":
		// As a subquery, so that ORDER BY with LIMIT is possible.
		q, list := a.parse(ctx, c, "SELECT q.* FROM (", ownSQL(c), "\n) AS q", true)
		if q == nil {
			return out, list
		}
		text, err := q.Print(a.Dialect, a.rename)
		if err != nil {
			return out, diag.List{a.refused(c, err)}
		}
		out.Failing = text
		out.Count = "SELECT count(*) FROM (" + text + "\n)"
	}
	return out, nil
}

var selects = regexp.MustCompile(`(?i)\bselect\b`)

func (a Asker) rename(r sqltree.TableRef) string { return a.From(r.Name) }

// parse reads a check's SQL as part of a query of the portable subset; own says that the text is the user's. The query is
// nil if the list is not empty.
func (a Asker) parse(ctx context.Context, c project.Check, before, text, after string, own bool) (*sqltree.Query, diag.List) {
	src := diag.Source{File: c.File, Text: before + text + after}
	q, list := sqltree.Parse(ctx, sqltree.DuckDB(a.DB), src, 0)
	if q != nil {
		_, more := sqltree.Bind(ctx, a.DB, q, func(r sqltree.TableRef) string { return a.Typed(r.Name) })
		list = append(list, more...)
	}
	if list.Err() == nil {
		return q, nil
	}
	var out diag.List
	for _, d := range list {
		if d.Severity != diag.Error {
			continue
		}
		offset := -1
		if own {
			if at := offsetOf(src.Text, d.Line, d.Col) - len(before); at >= 0 && at <= len(text) {
				offset = at
			}
		}
		line, col := c.Place(offset)
		d.Line, d.Col, d.Source = line, col, ""
		d.Message = fmt.Sprintf("check %s: %s, so it cannot be tested on %s", c.Name, d.Message, a.Dialect.Name)
		out = append(out, d)
	}
	return nil, out
}

func (a Asker) refused(c project.Check, err error) diag.Diagnostic {
	line, col := c.Place(-1)
	return diag.Diagnostic{File: c.File, Line: line, Col: col, Severity: diag.Error, Code: "not-portable", Message: fmt.Sprintf("check %s: %v", c.Name, err)}
}

// offsetOf gives the byte of a line and a column in characters, both from 1.
func offsetOf(text string, line, col int) int {
	at := 0
	for ; line > 1; line-- {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			return len(text)
		}
		at += i + 1
	}
	for i := range text[at:] {
		if col--; col <= 0 {
			return at + i
		}
	}
	return len(text)
}

// Native writes the questions of a check for DuckDB, which takes the check's own SQL as it stands. name writes a table of the lake,
// and traced is as for [Asker.Ask].
func Native(name func(table string) string, table string, c project.Check, traced string) Asked {
	out := Asked{Check: c, Table: table}
	named, tracedNamed := name(table)+" AS "+schema.Quote(table), ""
	if traced != "" {
		tracedNamed = "(" + traced + "\n) AS " + schema.Quote(table)
	}
	switch {
	case c.Row():
		out.Good = "coalesce((" + condition(name, c) + "\n), false)"
		if c.Kind == "not_null" {
			out.Full = c.Columns
		}
		out.Aggregate = "count(*) FILTER (WHERE NOT " + out.Good + ")"
		out.Failing = "SELECT * FROM " + named + " WHERE NOT " + out.Good
		if traced != "" {
			out.Traced = "SELECT * FROM " + tracedNamed + " WHERE NOT " + out.Good
		}
	case c.Kind == "unique":
		out.Failing = duplicates(schema.Quote, c, name(table), "count(*) AS rows")
		out.Count = "SELECT count(*) FROM (" + out.Failing + ")"
		if traced != "" {
			out.Traced = duplicates(schema.Quote, c, tracedNamed, "count(*) AS rows, list(DISTINCT _file)[1:5] AS _file")
		}
	case c.Kind == "row_count":
		out.Count = "SELECT count(*) FROM " + name(table)
	case c.Kind == "freshness":
		out.Newest = "SELECT max(" + schema.Quote(c.Columns[0]) + ")::TIMESTAMP FROM " + name(table)
	case c.Kind == "sql":
		out.Failing = ownSQL(c)
		out.Count = "SELECT count(*) FROM (" + out.Failing + "\n)"
	}
	return out
}

// Question is what an engine is asked.
func (a Asked) Question() engine.Check {
	return engine.Check{Name: a.Check.Name, OnFail: engine.OnFail(a.Check.OnFail), Good: a.Good, Full: a.Full, Aggregate: a.Aggregate, Count: a.Count,
		Newest: a.Newest, Failing: a.Failing, Traced: a.Traced}
}

// Judge makes a result of an engine's answer. rows are those of the table.
func (a Asked) Judge(ans engine.CheckResult, rows int64, now time.Time) (Result, error) {
	r := start(a.Table, a.Check)
	said := answer{number: ans.Failing}
	if a.Check.Kind == "row_count" && a.Count == "" {
		said.number = rows
	}
	if ans.Newest != nil {
		newest, err := isoTime(*ans.Newest)
		if err != nil {
			return r, fmt.Errorf("check %s of %s: %w", a.Check.Name, a.Table, err)
		}
		said.newest = &newest
	}
	r.tell(said, now)
	r.Seconds = ans.Seconds
	if r.judge(); r.Failing > 0 {
		r.Sample, r.Rest = ans.Sample, ans.Rest
	}
	if ans.Unkept != "" {
		r.Message += " (they could not be kept for a look: " + ans.Unkept + ")"
	}
	return r, nil
}

// isoTime reads a date or timestamp without a zone, which is UTC.
func isoTime(text string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02", "2006-01-02T15:04:05Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time", text)
}
