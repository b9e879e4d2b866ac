// Package check tests statements about a table's rows before they are published (and, on request, after).
//
// Row checks (not_null, accepted_values, range, references, expect) judge each row and can put failing ones aside; table
// checks (unique, row_count, freshness, sql) judge the whole. All of them are SQL over the engine's tables.
//
// A null passes accepted_values, range and references, and fails not_null and expect; for unique, nulls are alike. What
// on_fail says is done by package run; here it only decides the [Status] of a [Result].
package check

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tarn/internal/engine/duckdb"
	"tarn/internal/project"
	"tarn/internal/schema"
)

// Status says how a check ended.
type Status string

// The ways a check can end. Only Failed stops a publish.
const (
	Passed      Status = "passed"
	Warned      Status = "warned"
	Failed      Status = "failed"
	Dropped     Status = "dropped"     // failing rows were left out
	Quarantined Status = "quarantined" // failing rows were left out and put into quarantine
)

// Result is one check's outcome. Its JSON form is part of `tarn run --json` and `tarn check --json`.
type Result struct {
	Table  string         `json:"table"`
	Name   string         `json:"name"`
	Kind   string         `json:"kind"`
	Status Status         `json:"status"`
	OnFail project.OnFail `json:"on_fail"`
	// Failing counts rows, or keys for unique; for row_count and freshness it is 0 or 1.
	Failing int64  `json:"failing"`
	Message string `json:"message,omitempty"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	// Sample holds the first failing rows as JSON texts, at most five; with their landing file as _file where it is known.
	Sample []string `json:"sample,omitempty"`
	// Rest is a file with the rows that failed, one JSON object a line, where the check stopped a publish.
	Rest    string  `json:"rest,omitempty"`
	Seconds float64 `json:"seconds"`

	check project.Check
}

// Table is what is checked: a table of the engine under its own name.
type Table struct {
	Name   string
	Checks []project.Check
	// Full reports whether a column is known to have no nulls, as the statistics of written files tell it; not_null of such
	// columns needs no query. nil knows nothing.
	Full func(column string) bool
}

// proved reports whether a check holds by what is known already.
func (t Table) proved(c project.Check) bool {
	return c.Kind == "not_null" && t.Full != nil && !slices.ContainsFunc(c.Columns, func(col string) bool { return !t.Full(col) })
}

// Run tests the checks of a table against what the engine's table of that name holds now: the row checks, those of the
// whole table, or both. The error tells that a check could not be tested at all, such as one whose SQL names an unknown column.
func Run(ctx context.Context, e *duckdb.Engine, t Table, which Which, now time.Time) ([]Result, error) {
	var results []Result
	var rows []project.Check
	for _, c := range t.Checks {
		if Condition(e, c) != "" && which != WholeTable {
			rows = append(rows, c)
			results = append(results, start(t, c))
		}
	}
	if err := runRows(ctx, e, t, rows, results); err != nil {
		return nil, err
	}
	for _, c := range t.Checks {
		if Condition(e, c) == "" && which != EachRow {
			begin := time.Now()
			r := start(t, c)
			if err := runTable(ctx, e, t, c, now, &r); err != nil {
				return nil, untested(c, err)
			}
			r.Seconds = time.Since(begin).Seconds()
			results = append(results, r)
		}
	}
	for i := range results {
		results[i].judge()
	}
	return results, nil
}

// Which chooses among a table's checks.
type Which int

// The choices.
const (
	All Which = iota
	EachRow
	WholeTable
)

func start(t Table, c project.Check) Result {
	return Result{Table: t.Name, Name: c.Name, Kind: c.Kind, OnFail: c.OnFail, File: c.File, Line: c.Line, Status: Passed, check: c}
}

func (r *Result) judge() {
	if r.Failing == 0 {
		return
	}
	switch r.OnFail {
	case project.Warn:
		r.Status = Warned
	case project.Drop:
		r.Status = Dropped
	case project.Quarantine:
		r.Status = Quarantined
	default:
		r.Status = Failed
	}
}

// Condition writes what was true of the rows that passed; see [Condition].
func (r *Result) Condition(e *duckdb.Engine) string { return Condition(e, r.check) }

// runRows tests row checks in one pass over the table; results[i] belongs to checks[i].
func runRows(ctx context.Context, e *duckdb.Engine, t Table, checks []project.Check, results []Result) error {
	if len(checks) == 0 {
		return nil
	}
	begin := time.Now()
	counts := make([]string, len(checks))
	into := make([]any, len(checks))
	asked := 0
	for i, c := range checks {
		into[i] = &results[i].Failing
		if t.proved(c) {
			counts[i] = "0::BIGINT"
			continue
		}
		asked++
		counts[i] = "count(*) FILTER (WHERE " + fails(e, c) + ")"
	}
	if asked == 0 {
		return nil
	}
	from := " FROM " + e.Name(t.Name) + " AS " + schema.Quote(t.Name)
	if err := e.DB().QueryRowContext(ctx, "SELECT "+strings.Join(counts, ", ")+from).Scan(into...); err != nil {
		// One of them is wrong; asking for each alone tells which.
		for i, c := range checks {
			var n int64
			if err := e.DB().QueryRowContext(ctx, "SELECT "+counts[i]+from).Scan(&n); err != nil {
				return untested(c, err)
			}
		}
		return err
	}
	took := time.Since(begin).Seconds() / float64(len(checks))
	for i, c := range checks {
		r := &results[i]
		if r.Seconds = took; r.Failing == 0 {
			continue
		}
		r.Message = fmt.Sprintf("%d rows fail", r.Failing)
		var err error
		if r.Sample, err = sample(ctx, e, "SELECT *"+from+" WHERE "+fails(e, c)); err != nil {
			return err
		}
	}
	return nil
}

// Condition writes what has to be true of a row, or "" for checks of the whole table. A null passes accepted_values,
// range and references, as the SQL standard's constraints have it; it fails expect.
func Condition(e *duckdb.Engine, c project.Check) string {
	quoted := make([]string, len(c.Columns))
	for i, col := range c.Columns {
		quoted[i] = schema.Quote(col)
	}
	switch c.Kind {
	case "not_null":
		for i := range quoted {
			quoted[i] += " IS NOT NULL"
		}
		return strings.Join(quoted, " AND ")
	case "accepted_values":
		values := make([]string, len(c.Values))
		for i, v := range c.Values {
			values[i] = literal(v)
		}
		return quoted[0] + " IS NULL OR " + quoted[0] + " IN (" + strings.Join(values, ", ") + ")"
	case "range":
		parts := []string{}
		if c.Min != nil {
			parts = append(parts, quoted[0]+" >= "+literal(c.Min))
		}
		if c.Max != nil {
			parts = append(parts, quoted[0]+" <= "+literal(c.Max))
		}
		return quoted[0] + " IS NULL OR (" + strings.Join(parts, " AND ") + ")"
	case "references":
		return quoted[0] + " IS NULL OR " + quoted[0] + " IN (SELECT " + schema.Quote(c.To) + " FROM " + e.Name(c.Table) + " WHERE " + schema.Quote(c.To) + " IS NOT NULL)"
	case "expect":
		return c.Expect
	}
	return ""
}

// fails is true of the rows that do not pass.
func fails(e *duckdb.Engine, c project.Check) string {
	return "NOT coalesce((" + Condition(e, c) + "\n), false)"
}

// literal writes a YAML value as SQL.
func literal(v any) string {
	switch v := v.(type) {
	case string:
		return schema.Literal(v)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return "TIMESTAMP " + schema.Literal(v.UTC().Format("2006-01-02 15:04:05.999999"))
	case nil:
		return "NULL"
	}
	return fmt.Sprint(v)
}

func runTable(ctx context.Context, e *duckdb.Engine, t Table, c project.Check, now time.Time, r *Result) error {
	from := e.Name(t.Name)
	switch c.Kind {
	case "unique":
		query := duplicates(c, from, "count(*) AS rows")
		if err := e.DB().QueryRowContext(ctx, "SELECT count(*) FROM ("+query+")").Scan(&r.Failing); err != nil || r.Failing == 0 {
			return err
		}
		r.Message = fmt.Sprintf("%d values of (%s) stand in more than one row", r.Failing, strings.Join(c.Columns, ", "))
		var err error
		r.Sample, err = sample(ctx, e, query)
		return err
	case "row_count":
		var n int64
		if err := e.DB().QueryRowContext(ctx, "SELECT count(*) FROM "+from).Scan(&n); err != nil {
			return err
		}
		lo, hi := number(c.Min, 0), number(c.Max, float64(n))
		if float64(n) < lo || float64(n) > hi {
			r.Failing, r.Message = 1, fmt.Sprintf("the table has %d rows, expected %s", n, bounds(c.Min, c.Max))
		}
	case "freshness":
		var newest *time.Time
		if err := e.DB().QueryRowContext(ctx, "SELECT max("+schema.Quote(c.Columns[0])+")::TIMESTAMP FROM "+from).Scan(&newest); err != nil {
			return err
		}
		switch {
		case newest == nil:
			r.Failing, r.Message = 1, "the table has no "+c.Columns[0]
		case now.Sub(*newest) > c.Within:
			r.Failing, r.Message = 1, fmt.Sprintf("the newest %s is %s UTC, more than %s ago", c.Columns[0], newest.Format("2006-01-02 15:04:05"), c.Within)
		}
	case "sql":
		query := ownSQL(c)
		if err := e.DB().QueryRowContext(ctx, "SELECT count(*) FROM ("+query+"\n)").Scan(&r.Failing); err != nil || r.Failing == 0 {
			return err
		}
		r.Message = fmt.Sprintf("the query gives %d rows", r.Failing)
		var err error
		r.Sample, err = sample(ctx, e, query)
		return err
	}
	return nil
}

// ownSQL is the query of an sql check as a subquery can hold it.
func ownSQL(c project.Check) string { return strings.TrimRight(strings.TrimSpace(c.SQL), ";") }

// duplicates asks for the keys that stand in several rows of a table or subquery, with an aggregate over those rows.
func duplicates(c project.Check, from, aggregate string) string {
	quoted := make([]string, len(c.Columns))
	for i, col := range c.Columns {
		quoted[i] = schema.Quote(col)
	}
	keys := strings.Join(quoted, ", ")
	return "SELECT " + keys + ", " + aggregate + " FROM " + from + " GROUP BY " + keys + " HAVING count(*) > 1"
}

func bounds(lo, hi any) string {
	switch {
	case hi == nil:
		return fmt.Sprintf("at least %v", lo)
	case lo == nil:
		return fmt.Sprintf("at most %v", hi)
	}
	return fmt.Sprintf("%v to %v", lo, hi)
}

func number(v any, otherwise float64) float64 {
	switch v := v.(type) {
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return otherwise
}

func sample(ctx context.Context, e *duckdb.Engine, query string) ([]string, error) {
	rows, err := e.DB().QueryContext(ctx, "SELECT to_json(t)::VARCHAR FROM (SELECT * FROM ("+query+"\n) LIMIT 5) t")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}
