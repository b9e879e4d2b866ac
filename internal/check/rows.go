package check

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tarn/internal/engine/duckdb"
	"tarn/internal/project"
	"tarn/internal/schema"
	"tarn/internal/words"
)

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
		r.tell(answer{number: r.Failing}, time.Time{})
		var err error
		if r.Sample, err = sample(ctx, e, "SELECT *"+from+" WHERE "+fails(e, c)); err != nil {
			return err
		}
	}
	return nil
}

// condition writes what has to be true of a row, or "" for checks of the whole table. A null passes accepted_values,
// range and references, as the SQL standard's constraints have it; it fails expect. name writes a table of the lake.
func condition(name func(table string) string, c project.Check) string {
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
		return quoted[0] + " IS NULL OR " + quoted[0] + " IN (SELECT " + schema.Quote(c.To) + " FROM " + name(c.Table) + " WHERE " + schema.Quote(c.To) + " IS NOT NULL)"
	case "expect":
		return c.Expect
	}
	return ""
}

// fails is true of the rows that do not pass.
func fails(e *duckdb.Engine, c project.Check) string {
	return "NOT coalesce((" + condition(e.Name, c) + "\n), false)"
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

// failing says how many rows fail.
func failing(n int64) string {
	if n == 1 {
		return "1 row fails"
	}
	return words.Count(n, "row") + " fail"
}
