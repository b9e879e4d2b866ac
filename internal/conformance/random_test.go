package conformance

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tarn/internal/diag"
	"tarn/internal/sqltree"
)

// values are errors of Spark that come of values.
var values = []string{"ARITHMETIC_OVERFLOW", "CAST_OVERFLOW", "CAST_INVALID_INPUT", "NUMERIC_VALUE_OUT_OF_RANGE", "DATETIME_OVERFLOW", "USER_RAISED_EXCEPTION", "long overflow", "integer overflow"}

// Expressions made by chance come out the same as well, unless one engine refuses them: which of several parts is worked out, and
// so can fail, is an engine's own choice. TARN_SEED chooses others.
func TestSparkGivesTheSameForChance(t *testing.T) {
	python := sparkPython(t)
	seed := uint64(1)
	if n, err := strconv.ParseUint(os.Getenv("TARN_SEED"), 10, 64); err == nil {
		seed = n
	}
	r := rand.New(rand.NewPCG(seed, 0))
	db := lake(t)
	var cases []bound
	for tries := 0; len(cases) < 60 && tries < 2000; tries++ {
		about := []string{"numbers", "texts", "times"}[r.IntN(3)]
		g := chance{r, about}
		text := "SELECT k"
		for i := range 4 {
			text += fmt.Sprintf(", %s AS c%d", g.any(3), i)
		}
		text += " FROM " + about
		if r.IntN(2) == 0 {
			text += " WHERE " + g.truth(2)
		}
		q, list := sqltree.Parse(t.Context(), sqltree.DuckDB(db), diag.Source{File: about, Text: text}, 0)
		if list.Err() == nil {
			_, more := sqltree.Bind(t.Context(), db, q, name)
			list = append(list, more...)
		}
		if list.Err() != nil {
			continue // not in the subset
		}
		b, _, ok := bind(t, db, test{about: about, sql: text, near: true})
		if ok {
			cases = append(cases, b)
		}
	}
	if len(cases) < 60 {
		t.Errorf("only %d expressions are in the subset", len(cases))
	}
	errors := 0
	compare(t, db, python, cases, func(c bound, duck error, spark string) {
		if (duck != nil) != (spark != "") {
			tell := t.Logf
			if spark != "" && !slices.ContainsFunc(values, func(code string) bool { return strings.Contains(spark, code) }) {
				tell = t.Errorf // no value, but the text
			}
			tell("%s\nDuckDB: %v\nSpark: %s\n%s", c.sql, duck, spark, c.spark)
		}
		errors++
	})
	if errors > len(cases)/2 {
		t.Errorf("%d of %d are errors", errors, len(cases))
	}
	t.Logf("seed %d: %d queries, %d of them an error", seed, len(cases), errors)
}

// chance makes expressions over a table.
type chance struct {
	*rand.Rand
	table string
}

func (g chance) pick(list ...string) string { return list[g.IntN(len(list))] }

func (g chance) any(depth int) string {
	return []func(int) string{g.number, g.number, g.text, g.truth, g.time}[g.IntN(5)](depth)
}

func (g chance) number(depth int) string {
	if depth == 0 {
		switch g.table {
		case "numbers":
			return g.pick("t", "s", "i", "b", "f", "d", "p", "q", "w", "1", "-2", "2.5", "1e0", "CAST(NULL AS INTEGER)", "0")
		case "texts":
			return g.pick("n", "length(s)", "3", "k")
		}
		return g.pick("ms", "k", "1", "60000")
	}
	n := func() string { return g.number(depth - 1) }
	switch g.IntN(18) {
	case 0:
		return "(" + n() + " + " + n() + ")"
	case 1:
		return "(" + n() + " - " + n() + ")"
	case 2:
		return "(" + n() + " * " + n() + ")"
	case 3:
		return "(" + n() + " / " + n() + ")"
	case 4:
		return "mod(" + n() + ", " + n() + ")"
	case 5:
		return "abs(" + n() + ")"
	case 6:
		return g.pick("floor", "ceil", "round", "sign") + "(" + n() + ")"
	case 7:
		return "round(" + n() + ", " + g.pick("1", "2", "-1") + ")"
	case 8:
		return "coalesce(" + n() + ", " + n() + ")"
	case 9:
		return g.pick("greatest", "least") + "(" + n() + ", " + n() + ", " + n() + ")"
	case 10:
		return "CASE WHEN " + g.truth(depth-1) + " THEN " + n() + " ELSE " + n() + " END"
	case 11:
		return "nullif(" + n() + ", " + n() + ")"
	case 12:
		return "CAST(" + n() + " AS " + g.pick("DOUBLE", "DECIMAL(12,3)", "REAL", "DECIMAL(18,6)") + ")"
	case 13:
		return "CAST(floor(" + n() + ") AS " + g.pick("INTEGER", "BIGINT") + ")"
	case 14:
		return "TRY_CAST(" + g.pick(n(), g.text(depth-1)) + " AS " + g.pick("DOUBLE", "DECIMAL(9,2)") + ")"
	case 15:
		return g.pick("length", "strpos") + "(" + g.text(depth-1) + g.pick("", ", 'a'") + ")"
	case 16:
		return g.pick("year", "month", "day", "hour", "unix_millis", "unix_seconds") + "(" + g.time(depth-1) + ")"
	}
	return "-" + n()
}

func (g chance) text(depth int) string {
	if depth == 0 {
		if g.table == "texts" {
			return g.pick("s", "o", "'a b'", "''", "'ß'")
		}
		return g.pick("'abc'", "CAST(k AS VARCHAR)", "CAST(NULL AS VARCHAR)")
	}
	s := func() string { return g.text(depth - 1) }
	switch g.IntN(9) {
	case 0:
		return g.pick("lower", "upper", "trim", "ltrim", "rtrim", "reverse", "md5") + "(" + s() + ")"
	case 1:
		return "(" + s() + " || " + s() + ")"
	case 2:
		return "substring(" + s() + ", " + g.pick("0", "1", "2", "-2", "k", "k - 5") + g.pick("", ", 2") + ")"
	case 3:
		return "replace(" + s() + ", " + s() + ", " + s() + ")"
	case 4:
		return "split_part(" + s() + ", " + g.pick("'-'", "' '", "'a'") + ", " + g.pick("1", "2", "-1") + ")"
	case 5:
		return "coalesce(" + s() + ", " + s() + ")"
	case 6:
		return g.pick("lpad", "rpad") + "(" + s() + ", " + g.pick("3", "k") + ", 'xy')"
	case 7:
		return "regexp_replace(" + s() + ", " + g.pick("'[a-c]+'", "'\\s'", "'(?i)A|ß'", "'[^a-z]'") + ", '$')"
	}
	return "CASE WHEN " + g.truth(depth-1) + " THEN " + s() + " END"
}

func (g chance) truth(depth int) string {
	if depth == 0 {
		return g.pick("k > 3", "k IS NULL", "TRUE", "CAST(NULL AS BOOLEAN)")
	}
	switch g.IntN(8) {
	case 0:
		return "(" + g.number(depth-1) + g.pick(" = ", " <> ", " < ", " >= ") + g.number(depth-1) + ")"
	case 1:
		return "(" + g.text(depth-1) + g.pick(" = ", " <> ", " < ", " >= ", " LIKE ") + g.text(depth-1) + ")"
	case 2:
		return "(" + g.truth(depth-1) + g.pick(" AND ", " OR ") + g.truth(depth-1) + ")"
	case 3:
		return "(NOT " + g.truth(depth-1) + ")"
	case 4:
		return "(" + g.any(depth-1) + g.pick(" IS NULL", " IS NOT NULL") + ")"
	case 5:
		return "(" + g.number(depth-1) + " IN (" + g.number(depth-1) + ", " + g.number(depth-1) + "))"
	case 6:
		return "(" + g.number(depth-1) + " IS DISTINCT FROM " + g.number(depth-1) + ")"
	}
	return "(" + g.time(depth-1) + g.pick(" = ", " < ") + g.time(depth-1) + ")"
}

func (g chance) time(depth int) string {
	if depth == 0 {
		if g.table == "times" {
			return g.pick("ts", "day", "DATE '2024-02-29'")
		}
		return g.pick("TIMESTAMP '1969-12-31 23:59:59.5'", "DATE '2024-03-31'")
	}
	switch g.IntN(4) {
	case 0:
		return "date_trunc('" + g.pick("month", "week", "hour", "quarter") + "', " + g.time(depth-1) + ")"
	case 1:
		return "(" + g.time(depth-1) + g.pick(" + ", " - ") + g.pick("INTERVAL 1 MONTH", "INTERVAL 36 HOUR", "INTERVAL 2 WEEK") + ")"
	case 2:
		return "CAST(" + g.time(depth-1) + " AS DATE)"
	}
	return "coalesce(" + g.time(depth-1) + ", " + g.time(depth-1) + ")"
}
