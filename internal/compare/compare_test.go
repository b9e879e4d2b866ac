package compare_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/compare"
	"tarn/internal/schema"
)

func columns(pairs ...string) (out []schema.Column) {
	for i := 0; i < len(pairs); i += 2 {
		t := schema.Type{Kind: schema.Kind(pairs[i+1])}
		if t.Kind == schema.Array {
			t.Elem = &schema.Type{Kind: schema.String}
		}
		out = append(out, schema.Column{Name: pairs[i], Type: t})
	}
	return out
}

func TestColumns(t *testing.T) {
	t.Parallel()
	first := compare.Table{Name: "old", Columns: columns("id", "int", "at", "bigint", "day", "date", "amount", "string", "done", "string", "Name", "string", "tags", "array", "gone", "int", "odd", "boolean")}
	second := compare.Table{Name: "new", Columns: columns("id", "bigint", "at", "timestamp", "day", "timestamp", "amount", "double", "done", "boolean", "name", "string", "tags", "array", "odd", "timestamp", "more", "int")}
	c, err := compare.New(first, second, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range c.Columns {
		got = append(got, k.Name+":"+k.As)
	}
	want := []string{"id:", "at:milliseconds", "day:timestamp", "amount:double", "amount__text:text that is no double", "done:boolean", "done__text:text that is no boolean", "name:", "tags:"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([][]string{{"gone"}, {"more"}, {"odd: boolean, timestamp"}}, [][]string{c.OnlyFirst, c.OnlySecond, c.Apart}); d != "" {
		t.Error(d)
	}
	for _, part := range []string{`"at" AS "at"`, `date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', "at")`, `CAST("day" AS timestamp) AS "day"`, `TRY_CAST("amount" AS double)`, `CASE WHEN TRY_CAST("done" AS boolean) IS NULL THEN "done" END AS "done__text"`, `FROM "old"`, `FROM "new"`, "GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9\n"} {
		if !strings.Contains(c.Counts(), part) {
			t.Errorf("no %s in\n%s", part, c.Counts())
		}
	}
	if sql := c.Rows(7); !strings.HasSuffix(sql, "ORDER BY 3, 4, 5, 6, 7, 8, 9, 10\nLIMIT 7") { // not by the list
		t.Error(sql)
	}
	if c, err = compare.New(first, second, []string{"ID", "more", "at"}); err == nil {
		t.Errorf("a column that the first does not have: %v", c)
	}
	if c, err = compare.New(first, second, []string{"AT"}); err != nil || len(c.Columns) != 1 {
		t.Errorf("%v, %v", c, err)
	}
}

func TestNothingToCompareBy(t *testing.T) {
	t.Parallel()
	_, err := compare.New(compare.Table{Name: "a", Columns: columns("x", "int")}, compare.Table{Name: "b", Columns: columns("y", "int")}, nil)
	var unlike *compare.Error
	if !errors.As(err, &unlike) || unlike.Hint == "" {
		t.Errorf("%v", err)
	}
}
