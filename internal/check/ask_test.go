package check

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tarn/internal/engine"
	"tarn/internal/engine/duckdb"
	"tarn/internal/project"
	"tarn/internal/schema"
	"tarn/internal/sqltree"
)

func asker(e *duckdb.Engine, d sqltree.Dialect) Asker {
	return Asker{DB: e.DB(), Typed: e.Name, Dialect: d, From: e.Name, Files: func(column string) string { return "list(DISTINCT " + column + ")[1:5]" }}
}

// answered puts the questions of a check to DuckDB.
func answered(t *testing.T, e *duckdb.Engine, c project.Check) Result {
	t.Helper()
	a, list := asker(e, sqltree.DuckDBDialect).Ask(t.Context(), "t", c, "")
	if list.Err() != nil {
		t.Fatal(list)
	}
	ans := []engine.CheckResult{{}}
	var rows int64
	if c.Kind == "row_count" {
		// Engines elsewhere tell the number of rows with the table.
		if err := e.DB().QueryRowContext(t.Context(), "SELECT count(*) FROM "+e.Name("t")).Scan(&rows); err != nil {
			t.Fatal(err)
		}
	} else {
		var err error
		if ans, err = e.Test(t.Context(), duckdb.Asking{Table: "t", Checks: []engine.Check{a.Question()}}); err != nil {
			t.Fatal(err)
		}
	}
	r, err := a.Judge(ans[0], rows, now)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestAsk puts every kind of check in questions, and the answers have to give the result that a test of the engine gives.
func TestAsk(t *testing.T) {
	t.Parallel()
	e := open(t, `('it''s', 1, TIMESTAMP '2026-03-01 10:00:00', true), ('b', 2, TIMESTAMP '2026-02-01 00:00:00', false), ('b', NULL, NULL, NULL), (NULL, 2, NULL, true)`)
	for _, m := range sqltree.Macros() {
		if _, err := e.DB().Exec(m); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []project.Check{
		{Kind: "not_null", Columns: []string{"s", "n"}},
		{Kind: "unique", Columns: []string{"s"}},
		{Kind: "accepted_values", Columns: []string{"s"}, Values: []any{"it's"}},
		{Kind: "accepted_values", Columns: []string{"n"}, Values: []any{int64(1), 2.5}},
		{Kind: "accepted_values", Columns: []string{"ok"}, Values: []any{true}},
		{Kind: "range", Columns: []string{"n"}, Min: 1.5},
		{Kind: "range", Columns: []string{"at"}, Max: time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC)},
		{Kind: "references", Columns: []string{"n"}, Table: "t", To: "n"},
		{Kind: "expect", Expect: "n > 1 -- null fails"},
		{Kind: "expect", Expect: "s = 'b' OR ok"},
		{Kind: "expect", Expect: "EXISTS (SELECT 1 FROM t u WHERE u.n > t.n)"},
		{Kind: "row_count", Min: int64(5)},
		{Kind: "freshness", Columns: []string{"at"}, Within: time.Hour},
		{Kind: "sql", SQL: "SELECT t.s FROM t WHERE t.n = 2;"},
		{Kind: "sql", SQL: "SELECT t.s FROM t ORDER BY t.s LIMIT 1 -- the first"},
	} {
		c.Name, c.OnFail = "c", project.Warn
		want, got := one(t, e, c), answered(t, e, c)
		slices.Sort(want.Sample)
		slices.Sort(got.Sample)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Result{}), cmpopts.IgnoreFields(Result{}, "Seconds", "File", "Line")); diff != "" {
			t.Errorf("%s %s (-tested +asked):\n%s", c.Kind, c.Expect+c.SQL, diff)
		}
	}
}

// TestAskTells names what of a check's own SQL cannot be said, at its place.
func TestAskTells(t *testing.T) {
	t.Parallel()
	e := open(t, `('a', 1, NULL::TIMESTAMP, true)`)
	c := project.Check{Kind: "expect", Name: "mine", Expect: "n > 0\n AND s ILIKE 'A%'", OnFail: project.Fail, File: "trusted/t.yml", Line: 3, Col: 5, TextLine: 4, TextCol: 9, TextIndent: 8}
	_, list := asker(e, sqltree.SparkDialect).Ask(t.Context(), "t", c, "")
	if len(list) != 1 || list[0].Line != 5 || list[0].Col != 16 || !strings.Contains(list[0].Message, "check mine: ") || !strings.HasSuffix(list[0].Message, "cannot be tested on Spark") {
		t.Errorf("%+v", list)
	}
	a, list := asker(e, sqltree.SparkDialect).Ask(t.Context(), "t", project.Check{Kind: "unique", Name: "u", Columns: []string{"s"}}, "SELECT * FROM traced")
	if want := "SELECT `s`, count(*) AS `rows`, list(DISTINCT `_file`)[1:5] AS `_file` FROM (SELECT * FROM traced\n) AS `t` GROUP BY `s` HAVING count(*) > 1"; a.Traced != want || list != nil {
		t.Errorf("%s, %v", a.Traced, list)
	}
	if quoted := schema.SparkQuote("t"); !strings.Contains(a.Failing, "FROM "+e.Name("t")) || quoted != "`t`" {
		t.Errorf("%s", a.Failing)
	}
}
