package conformance

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// test is one case of the corpus.
type test struct {
	about string // the construct or function of docs/sql.md
	sql   string
	fails bool // every engine has to refuse it
	near  bool // floating-point numbers are compared to 12 digits: engines have functions and orders of summing of their own
}

// corpus reads testdata/cases.txt: a heading `## NAME` for each construct and function, and below it one case a line, with `!`
// before one that has to fail, and `~` before one that is compared to 12 digits. Lines with # are comments.
func corpus(t *testing.T) []test {
	t.Helper()
	raw, err := os.ReadFile("testdata/cases.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []test
	about := ""
	for _, line := range strings.Split(string(raw), "\n") {
		line = strings.TrimSpace(line)
		heading, is := strings.CutPrefix(line, "## ")
		switch {
		case is:
			about = heading
		case line == "" || strings.HasPrefix(line, "#"):
		default:
			c := test{about: about, sql: line}
			c.sql, c.fails = strings.CutPrefix(c.sql, "! ")
			c.sql, c.near = strings.CutPrefix(c.sql, "~ ")
			out = append(out, c)
		}
	}
	return out
}

// differ compares results as typed multisets and says how they differ, "" if they do not.
func differ(duck, spark table, near bool) string {
	if !slices.Equal(duck.columns, spark.columns) {
		return fmt.Sprintf("columns of DuckDB: %v\ncolumns of Spark:  %v", duck.columns, spark.columns)
	}
	a, b := texts(duck.rows, near), texts(spark.rows, near)
	var only strings.Builder
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0] < b[0]:
			only.WriteString("DuckDB only: " + a[0] + "\n")
			a = a[1:]
		case len(a) == 0 || b[0] < a[0]:
			only.WriteString("Spark only:  " + b[0] + "\n")
			b = b[1:]
		default:
			a, b = a[1:], b[1:]
		}
	}
	return only.String()
}

func texts(rows [][]any, near bool) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		cells := make([]string, len(r))
		for j, v := range r {
			cells[j] = text(v, near)
		}
		out[i] = strings.Join(cells, " | ")
	}
	slices.Sort(out)
	return out
}

// text writes a value so that two values have the same text if they are the same. As in SQL, -0.0 is 0.0 and NaN is NaN.
func text(v any, near bool) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return strconv.Quote(v)
	case []byte:
		return fmt.Sprintf("%x", v)
	case float32:
		return number(float64(v), near, 32)
	case float64:
		return number(v, near, 64)
	}
	return fmt.Sprint(v)
}

func number(v float64, near bool, bits int) string {
	if v == 0 {
		v = 0 // not -0
	}
	if near && !math.IsNaN(v) && !math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'e', map[int]int{32: 5, 64: 11}[bits], bits)
	}
	return strconv.FormatFloat(v, 'g', -1, bits)
}
