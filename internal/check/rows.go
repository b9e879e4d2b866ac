package check

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tarn/internal/project"
	"tarn/internal/schema"
	"tarn/internal/words"
)

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
