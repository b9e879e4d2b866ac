// Package compare writes the SQL that holds the rows of two tables against each other: an old one and what takes its place, say. The
// SQL means the same in DuckDB and in Athena, so a comparison can be made here and be repeated there.
package compare

import (
	"fmt"
	"slices"
	"strings"

	"tarn/internal/diag"
	"tarn/internal/schema"
)

// Table is one of the two.
type Table struct {
	Name    string
	Columns []schema.Column
}

// Column is one by which rows are compared.
type Column struct {
	// Name of the column, as the second table writes it.
	Name string `json:"name"`
	// How values are made alike, where the two have other types; empty where they are compared as they are. For the column NAME__text it
	// says which text of NAME that cannot be.
	As string `json:"as,omitempty"`
	// Unread marks NAME__text.
	Unread bool `json:"-"`

	first, second string // expressions
	ordered       bool
}

// Comparison says what of two tables is compared, and by which SQL.
type Comparison struct {
	// The columns by which rows are compared.
	Columns []Column `json:"columns"`
	// Columns that only the first table has.
	OnlyFirst []string `json:"only_first"`
	// Columns that only the second table has.
	OnlySecond []string `json:"only_second"`
	// Columns of both whose types cannot be held against each other, with the types.
	Apart []string `json:"apart"`

	first, second string // the tables' names
}

// Error says what is wrong with what was asked for.
type Error struct{ Message, Hint string }

func (e *Error) Error() string { return e.Message }

// New compares by the named columns, or by all that both tables have. The error is an [*Error].
func New(first, second Table, columns []string) (*Comparison, error) {
	c := &Comparison{first: first.Name, second: second.Name, Columns: []Column{}, OnlyFirst: []string{}, OnlySecond: []string{}, Apart: []string{}}
	for _, name := range columns {
		for _, t := range []Table{first, second} {
			if find(t, name) == nil {
				return nil, &Error{fmt.Sprintf("%s has no column %s", t.Name, name), diag.DidYouMean(name, names(t))}
			}
		}
	}
	wanted := func(name string) bool {
		return len(columns) == 0 || slices.ContainsFunc(columns, func(n string) bool { return strings.EqualFold(n, name) })
	}
	for _, b := range second.Columns {
		a := find(first, b.Name)
		switch {
		case a == nil:
			c.OnlySecond = append(c.OnlySecond, b.Name)
		case !wanted(b.Name):
		default:
			column, ok := alike(*a, b)
			if !ok {
				c.Apart = append(c.Apart, fmt.Sprintf("%s: %s, %s", b.Name, a.Type.Hive(), b.Type.Hive()))
				continue
			}
			c.Columns = append(c.Columns, column)
			if k, ok := unread(*a, b, column); ok {
				c.Columns = append(c.Columns, k)
			}
		}
	}
	for _, a := range first.Columns {
		if find(second, a.Name) == nil {
			c.OnlyFirst = append(c.OnlyFirst, a.Name)
		}
	}
	if len(c.Columns) == 0 {
		return nil, &Error{fmt.Sprintf("%s and %s have no column in common by which rows could be compared", first.Name, second.Name), "give them the same names, in a model or a view"}
	}
	return c, nil
}

func find(t Table, name string) *schema.Column {
	for i, c := range t.Columns {
		if strings.EqualFold(c.Name, name) {
			return &t.Columns[i]
		}
	}
	return nil
}

func names(t Table) (out []string) {
	for _, c := range t.Columns {
		out = append(out, c.Name)
	}
	return out
}

// alike writes two columns so that equal values are equal.
func alike(a, b schema.Column) (Column, bool) {
	c := Column{Name: b.Name, first: schema.Quote(a.Name), second: schema.Quote(b.Name), ordered: !b.Type.Nested()}
	number := func(t schema.Type) bool {
		return t.Whole() || t.Kind == schema.Float || t.Kind == schema.Double || t.Kind == schema.Decimal
	}
	// either applies a rule of two kinds of types, in whichever order they come.
	either := func(one, other func(schema.Type) bool, as string, writeOne, writeOther string) bool {
		write := func(format, column string) string { return strings.ReplaceAll(format, "?", column) }
		switch {
		case one(a.Type) && other(b.Type):
			c.first, c.second, c.As = write(writeOne, c.first), write(writeOther, c.second), as
		case one(b.Type) && other(a.Type):
			c.first, c.second, c.As = write(writeOther, c.first), write(writeOne, c.second), as
		default:
			return false
		}
		return true
	}
	is := func(kinds ...schema.Kind) func(schema.Type) bool {
		return func(t schema.Type) bool { return slices.Contains(kinds, t.Kind) }
	}
	text := func(t schema.Type) bool { return t.Text() }
	switch {
	case a.Type.Equal(b.Type), a.Type.Text() && b.Type.Text(), number(a.Type) && number(b.Type):
		// Both engines bring the two sides of a union to one type.
	case either(func(t schema.Type) bool { return t.Whole() }, is(schema.Timestamp), "milliseconds", "?", "date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', ?)"):
	case either(is(schema.Date), is(schema.Timestamp), "timestamp", "CAST(? AS timestamp)", "?"):
	case either(text, is(schema.Timestamp), "timestamp", "TRY_CAST(? AS timestamp)", "?"):
	case either(text, is(schema.Date), "date", "TRY_CAST(? AS date)", "?"):
	case either(text, number, "double", "TRY_CAST(? AS double)", "CAST(? AS double)"):
	case either(text, is(schema.Boolean), "boolean", "TRY_CAST(? AS boolean)", "?"):
	default:
		return c, false
	}
	return c, true
}

// unread is the column of what one table has as text and cannot be read as the other has it: else it would be as good as null.
func unread(a, b schema.Column, read Column) (Column, bool) {
	if read.As == "" || a.Type.Text() == b.Type.Text() {
		return Column{}, false
	}
	none := "CAST(NULL AS varchar)"
	written := func(column, expression string) string {
		return fmt.Sprintf("CASE WHEN %s IS NULL THEN %s END", expression, schema.Quote(column))
	}
	k := Column{Name: b.Name + "__text", As: "text that is no " + read.As, Unread: true, first: none, second: none, ordered: true}
	if a.Type.Text() {
		k.first = written(a.Name, read.first)
	} else {
		k.second = written(b.Name, read.second)
	}
	return k, true
}

// held counts how often each row is in the two tables.
func (c *Comparison) held() string {
	var named, first, second, by []string
	for i, k := range c.Columns {
		named = append(named, schema.Quote(k.Name))
		first = append(first, k.first+" AS "+schema.Quote(k.Name))
		second = append(second, k.second)
		by = append(by, fmt.Sprint(i+1))
	}
	return fmt.Sprintf(`WITH held AS (
  SELECT %s, sum(tarn__1) AS tarn__1, sum(tarn__2) AS tarn__2
  FROM (
    SELECT %s, 1 AS tarn__1, 0 AS tarn__2 FROM %s
    UNION ALL
    SELECT %s, 0, 1 FROM %s
  ) AS both_tables
  GROUP BY %s
)
`, strings.Join(named, ", "), strings.Join(first, ", "), schema.Quote(c.first), strings.Join(second, ", "), schema.Quote(c.second), strings.Join(by, ", "))
}

// Counts is SQL that gives one row of [Counts], in the order of its fields.
func (c *Comparison) Counts() string {
	sum := func(what string) string { return "CAST(coalesce(sum(" + what + "), 0) AS bigint)" }
	return c.held() + `SELECT
  ` + sum("tarn__1") + ` AS first_rows,
  ` + sum("tarn__2") + ` AS second_rows,
  ` + sum("least(tarn__1, tarn__2)") + ` AS in_both,
  ` + sum("CASE WHEN tarn__2 = 0 THEN tarn__1 END") + ` AS only_first,
  ` + sum("CASE WHEN tarn__1 = 0 THEN tarn__2 END") + ` AS only_second,
  ` + sum("CASE WHEN tarn__2 > 0 AND tarn__1 > tarn__2 THEN tarn__1 - tarn__2 END") + ` AS more_in_first,
  ` + sum("CASE WHEN tarn__1 > 0 AND tarn__2 > tarn__1 THEN tarn__2 - tarn__1 END") + ` AS more_in_second
FROM held`
}

// Rows is SQL that gives at most n rows that are not as often in one table as in the other: how often each is in the first and in the second
// (first, second), and the columns.
func (c *Comparison) Rows(n int) string {
	out := []string{"CAST(tarn__1 AS bigint) AS first", "CAST(tarn__2 AS bigint) AS second"}
	var order []string
	for i, k := range c.Columns {
		out = append(out, schema.Quote(k.Name))
		if k.ordered {
			order = append(order, fmt.Sprint(i+3))
		}
	}
	if len(order) == 0 {
		order = []string{"1"}
	}
	return c.held() + "SELECT " + strings.Join(out, ", ") + "\nFROM held\nWHERE tarn__1 <> tarn__2\nORDER BY " + strings.Join(order, ", ") + fmt.Sprintf("\nLIMIT %d", n)
}

// Counts are rows of two tables.
type Counts struct {
	// Rows of the first table.
	First int64 `json:"first_rows"`
	// Rows of the second table.
	Second int64 `json:"second_rows"`
	// Rows that are in both, as often as in the one that has fewer of them.
	Both int64 `json:"in_both"`
	// Rows of the first table that are not in the second at all.
	OnlyFirst int64 `json:"only_in_first"`
	// Rows of the second table that are not in the first at all.
	OnlySecond int64 `json:"only_in_second"`
	// Rows that the first table has more often than the second, counted without those that are in both: doubles.
	MoreInFirst int64 `json:"more_in_first"`
	// The same of the second table.
	MoreInSecond int64 `json:"more_in_second"`
}

// Same reports whether the two have the same rows, each as often.
func (c Counts) Same() bool { return c.First == c.Second && c.Both == c.First }
