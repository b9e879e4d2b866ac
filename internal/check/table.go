package check

import (
	"fmt"
	"strings"
	"time"

	"tarn/internal/project"
	"tarn/internal/words"
)

// answer is what the engine has said of a check: how many rows or keys fail, for row_count how many there are, or for
// freshness the newest time.
type answer struct {
	number int64
	newest *time.Time
}

// tell sets what a result says, but for its rows.
func (r *Result) tell(a answer, now time.Time) {
	c := r.check
	r.Failing = a.number
	switch c.Kind {
	case "row_count":
		n := a.number
		r.Failing = 0
		lo, hi := number(c.Min, 0), number(c.Max, float64(n))
		if float64(n) < lo || float64(n) > hi {
			r.Failing, r.Message = 1, fmt.Sprintf("the table has %s, expected %s", words.Count(n, "row"), bounds(c.Min, c.Max))
		}
	case "freshness":
		switch {
		case a.newest == nil:
			r.Failing, r.Message = 1, "the table has no "+c.Columns[0]
		case now.Sub(*a.newest) > c.Within:
			r.Failing, r.Message = 1, fmt.Sprintf("the newest %s is %s UTC, more than %s ago", c.Columns[0], a.newest.Format("2006-01-02 15:04:05"), words.Age(c.Within))
		}
	case "unique":
		if r.Failing > 0 {
			r.Message = several(r.Failing, c.Columns)
		}
	case "sql":
		if r.Failing > 0 {
			r.Message = "the query gives " + words.Count(r.Failing, "row")
		}
	default:
		if r.Failing > 0 {
			r.Message = failing(r.Failing)
		}
	}
}

// ownSQL is the query of an sql check as a subquery can hold it.
func ownSQL(c project.Check) string { return strings.TrimRight(strings.TrimSpace(c.SQL), ";") }

// duplicates asks for the keys that stand in several rows of a table or subquery, with an aggregate over those rows.
func duplicates(quote func(string) string, c project.Check, from, aggregate string) string {
	quoted := make([]string, len(c.Columns))
	for i, col := range c.Columns {
		quoted[i] = quote(col)
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
