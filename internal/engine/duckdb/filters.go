package duckdb

import (
	"context"
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tarn/internal/schema"
)

// Filters tells which rows of tables an engine can leave unread to answer a statement: it gives a list of ranges for each
// scan of a table, and no row counts for it that does not lie in all of them. All others may be there or not, the answer is
// the same. Tables that are not in the answer are not read.
//
// DuckDB plans the statement as for [Needs], and says what it filters each scan by. Of that, only comparisons of a column
// with a constant are understood; where there are none, the list is empty. Of statements that can read the clock, which would
// be a moment ahead here, nothing is told: the error is errClock.
func Filters(ctx context.Context, database string, tables []Stored, prepare []string, statement string) (map[string][][]schema.Range, error) {
	if clock.MatchString(statement) {
		return nil, errClock
	}
	// None of these looks at rows. Each leaves a plan with the same answer, so what it does to filters holds as well.
	nodes, err := planned(ctx, database, tables, prepare, statement, "unused_columns", "expression_rewriter", "filter_pullup", "filter_pushdown", "cte_inlining")
	if err != nil {
		return nil, err
	}
	out := map[string][][]schema.Range{}
	for _, t := range tables {
		eachScan(nodes, "memory."+database+"."+t.Name, func(n planNode) {
			out[t.Name] = append(out[t.Name], ranges(texts(n.Info.Filters), t.Columns))
		})
	}
	return out, nil
}

var errClock = errors.New("the statement may read the clock")

// clock finds what can stand for the time of the statement.
var clock = regexp.MustCompile(`(?i)now|today|tomorrow|yesterday|current|localtime|transaction|get_`)

// eachScan gives the nodes that scan a table.
func eachScan(nodes []planNode, table string, each func(planNode)) {
	for _, n := range nodes {
		if strings.EqualFold(n.Info.Table, table) {
			each(n)
		}
		eachScan(n.Children, table, each)
	}
}

// ranges understands filters that all have to hold, as far as it can. DuckDB writes those of one column as one text:
// id>=100 AND id<200.
func ranges(filters []string, columns []schema.Column) (out []schema.Range) {
	for _, f := range filters {
		for _, c := range columns {
			if !c.Type.Ranged() || !strings.HasPrefix(f, c.Name) {
				continue
			}
			if r, ok := rangeOf(f, c); ok {
				out = append(out, r)
			}
		}
	}
	return out
}

// rangeOf understands a text that holds nothing but comparisons of one column.
func rangeOf(text string, c schema.Column) (schema.Range, bool) {
	r := schema.Everything(c.Name)
	bounded := false
	for part := range strings.SplitSeq(text, " AND ") {
		if part == "("+c.Name+" IS NOT NULL)" {
			continue
		}
		found := comparison.FindStringSubmatch(strings.TrimPrefix(part, c.Name))
		if found == nil || !strings.HasPrefix(part, c.Name) {
			return r, false
		}
		v, ok := constant(found[2], c.Type)
		if !ok {
			return r, false
		}
		switch found[1] {
		case "=":
			r.Min, r.Max = max(r.Min, v), min(r.Max, v)
		case ">=":
			r.Min = max(r.Min, v)
		case "<=":
			r.Max = min(r.Max, v)
		case ">":
			if v == math.MaxInt64 {
				return r, false
			}
			r.Min = max(r.Min, v+1)
		case "<":
			if v == math.MinInt64 {
				return r, false
			}
			r.Max = min(r.Max, v-1)
		}
		bounded = true
	}
	return r, bounded
}

// comparison is what stands behind a column's name.
var comparison = regexp.MustCompile(`^(=|>=|<=|>|<)(-?[0-9]+|'[0-9:. -]+'::(?:DATE|TIMESTAMP))$`)

// constant reads a constant of a column's type as [schema.Range] has it.
func constant(text string, t schema.Type) (int64, bool) {
	layout := ""
	switch quoted, ok := strings.CutPrefix(text, "'"); {
	case t.Whole() && !ok:
		v, err := strconv.ParseInt(text, 10, 64)
		return v, err == nil
	case t.Kind == schema.Date && strings.HasSuffix(quoted, "'::DATE"):
		layout, text = time.DateOnly, strings.TrimSuffix(quoted, "'::DATE")
	case t.Kind == schema.Timestamp && strings.HasSuffix(quoted, "'::TIMESTAMP"):
		layout, text = time.DateTime, strings.TrimSuffix(quoted, "'::TIMESTAMP")
	default:
		return 0, false
	}
	// A fraction of a second is taken though the layout has none.
	at, err := time.Parse(layout, text)
	if err != nil {
		return 0, false
	}
	if t.Kind == schema.Date {
		const day = 24 * 60 * 60
		return at.Unix() / day, true // exact: it is midnight
	}
	return at.UnixMicro(), true
}
