package check

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tarn/internal/engine/duckdb"
	"tarn/internal/project"
	"tarn/internal/schema"
	"tarn/internal/words"
)

func runTable(ctx context.Context, e *duckdb.Engine, t Table, c project.Check, now time.Time, r *Result) error {
	from := e.Name(t.Name)
	switch c.Kind {
	case "unique":
		query := duplicates(c, from, "count(*) AS rows")
		if err := e.DB().QueryRowContext(ctx, "SELECT count(*) FROM ("+query+")").Scan(&r.Failing); err != nil || r.Failing == 0 {
			return err
		}
		r.Message = several(r.Failing, c.Columns)
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
			r.Failing, r.Message = 1, fmt.Sprintf("the table has %s, expected %s", words.Count(n, "row"), bounds(c.Min, c.Max))
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
			r.Failing, r.Message = 1, fmt.Sprintf("the newest %s is %s UTC, more than %s ago", c.Columns[0], newest.Format("2006-01-02 15:04:05"), words.Age(c.Within))
		}
	case "sql":
		query := ownSQL(c)
		if err := e.DB().QueryRowContext(ctx, "SELECT count(*) FROM ("+query+"\n)").Scan(&r.Failing); err != nil || r.Failing == 0 {
			return err
		}
		r.Message = "the query gives " + words.Count(r.Failing, "row")
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

// several says how many keys are not unique.
func several(n int64, columns []string) string {
	of := strings.Join(columns, ", ")
	if len(columns) > 1 {
		of = "(" + of + ")"
	}
	if n == 1 {
		return "1 value of " + of + " stands in more than one row"
	}
	return words.Count(n, "value") + " of " + of + " stand in more than one row"
}

func bounds(lo, hi any) string {
	switch {
	case hi == nil:
		return "at least " + bound(lo)
	case lo == nil:
		return "at most " + bound(hi)
	}
	return bound(lo) + " to " + bound(hi)
}

func bound(v any) string {
	switch v := v.(type) {
	case int:
		return words.Grouped(int64(v))
	case int64:
		return words.Grouped(v)
	}
	return fmt.Sprint(v)
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
