package check

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/engine"
	"tarn/internal/engine/duckdb"
	"tarn/internal/project"
)

func open(t *testing.T, rows string) *duckdb.Engine {
	t.Helper()
	e, err := duckdb.Open(t.Context(), duckdb.Options{Database: "lake"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := e.DB().Exec("CREATE VIEW " + e.Name("t") + " AS SELECT * FROM (VALUES " + rows + ") v(s, n, \"at\", ok)"); err != nil {
		t.Fatal(err)
	}
	return e
}

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// one tests a single check and gives the number of failing rows.
func one(t *testing.T, e *duckdb.Engine, c project.Check) Result {
	t.Helper()
	c.Name, c.File, c.Line = "c", "trusted/t.yml", 3
	if c.OnFail == "" {
		c.OnFail = project.Fail
	}
	results, err := Run(t.Context(), e, Table{Name: "t", Checks: []project.Check{c}}, now)
	if err != nil {
		t.Fatalf("%+v: %v", c, err)
	}
	return results[0]
}

func TestKinds(t *testing.T) {
	t.Parallel()
	e := open(t, `('it''s', 1, TIMESTAMP '2026-03-01 10:00:00', true), ('b', 2, TIMESTAMP '2026-02-01 00:00:00', false), ('b', NULL, NULL, NULL), (NULL, 2, NULL, true)`)
	cols := func(c ...string) []string { return c }
	for name, c := range map[string]struct {
		check project.Check
		fail  int64
	}{
		"not null":                      {project.Check{Kind: "not_null", Columns: cols("s")}, 1},
		"not null, several":             {project.Check{Kind: "not_null", Columns: cols("s", "n")}, 2},
		"unique":                        {project.Check{Kind: "unique", Columns: cols("s")}, 1},
		"unique pair":                   {project.Check{Kind: "unique", Columns: cols("s", "n")}, 0},
		"accepted texts":                {project.Check{Kind: "accepted_values", Columns: cols("s"), Values: []any{"it's"}}, 2},
		"accepted numbers":              {project.Check{Kind: "accepted_values", Columns: cols("n"), Values: []any{int64(1), 2.0}}, 0},
		"accepted booleans":             {project.Check{Kind: "accepted_values", Columns: cols("ok"), Values: []any{true}}, 1},
		"accepted times":                {project.Check{Kind: "accepted_values", Columns: cols("at"), Values: []any{time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)}}, 1},
		"range, both ends are in":       {project.Check{Kind: "range", Columns: cols("n"), Min: int64(1), Max: int64(2)}, 0},
		"range from":                    {project.Check{Kind: "range", Columns: cols("n"), Min: 1.5}, 1},
		"range of times":                {project.Check{Kind: "range", Columns: cols("at"), Max: time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC)}, 1},
		"references":                    {project.Check{Kind: "references", Columns: cols("n"), Table: "t", To: "n"}, 0},
		"references none":               {project.Check{Kind: "references", Columns: cols("s"), Table: "t", To: "s"}, 0},
		"expect, null fails":            {project.Check{Kind: "expect", Expect: "n > 1"}, 2},
		"expect with a comment":         {project.Check{Kind: "expect", Expect: "n > 0 OR n IS NULL -- all"}, 0},
		"expect with OR":                {project.Check{Kind: "expect", Expect: "s = 'b' OR ok"}, 0},
		"enough rows":                   {project.Check{Kind: "row_count", Min: int64(4), Max: int64(4)}, 0},
		"too few rows":                  {project.Check{Kind: "row_count", Min: int64(5)}, 1},
		"too many rows":                 {project.Check{Kind: "row_count", Max: int64(3)}, 1},
		"fresh":                         {project.Check{Kind: "freshness", Columns: cols("at"), Within: 2 * time.Hour}, 0},
		"stale":                         {project.Check{Kind: "freshness", Columns: cols("at"), Within: 2*time.Hour - time.Second}, 1},
		"own SQL":                       {project.Check{Kind: "sql", SQL: "SELECT * FROM t WHERE n = 2;"}, 2},
		"own SQL with order and limits": {project.Check{Kind: "sql", SQL: "SELECT s FROM t ORDER BY s LIMIT 1 -- the first"}, 1},
	} {
		r := one(t, e, c.check)
		want := Passed
		if c.fail > 0 {
			want = Failed
		}
		if r.Failing != c.fail || r.Status != want {
			t.Errorf("%s: %d rows fail, want %d (%s)", name, r.Failing, c.fail, r.Status)
		}
		if hasRows := r.Kind != "row_count" && r.Kind != "freshness"; (r.Message != "") != (c.fail > 0) || (len(r.Sample) > 0) != (c.fail > 0 && hasRows) {
			t.Errorf("%s: message %q, sample %v", name, r.Message, r.Sample)
		}
	}
}

func TestEmptyTable(t *testing.T) {
	t.Parallel()
	e := open(t, `(NULL::VARCHAR, NULL::INT, NULL::TIMESTAMP, NULL::BOOLEAN) LIMIT 0`)
	if r := one(t, e, project.Check{Kind: "freshness", Columns: []string{"at"}, Within: time.Hour}); r.Status != Failed || !strings.Contains(r.Message, "no at") {
		t.Errorf("freshness of nothing: %s %s", r.Status, r.Message)
	}
	if r := one(t, e, project.Check{Kind: "row_count", Min: int64(1)}); r.Status != Failed {
		t.Errorf("row_count of nothing: %s", r.Status)
	}
	if r := one(t, e, project.Check{Kind: "expect", Expect: "false"}); r.Status != Passed {
		t.Errorf("expect of nothing: %s", r.Status)
	}
}

func TestWrongCheck(t *testing.T) {
	t.Parallel()
	e := open(t, `('a', 1, NULL::TIMESTAMP, true)`)
	for _, c := range []project.Check{
		{Kind: "expect", Expect: "nothere > 1"}, {Kind: "expect", Expect: "n >"}, {Kind: "sql", SQL: "SELECT * FROM nowhere"}, {Kind: "unique", Columns: []string{"nothere"}},
	} {
		c.Name, c.File, c.Line, c.OnFail = "mine", "trusted/t.yml", 7, project.Warn
		good := project.Check{Name: "good", Kind: "not_null", Columns: []string{"n"}, OnFail: project.Fail}
		_, err := Run(t.Context(), e, Table{Name: "t", Checks: []project.Check{good, c}}, now)
		var wrong *WrongError
		if !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), "trusted/t.yml:7: check mine: ") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// keeping has no tables, and one place for failing rows.
type keeping struct {
	engine.Tables
	rest string
}

func (keeping) Open(context.Context, bool, ...string) (func(), error) { return func() {}, nil }

func (k keeping) Rest(string, string) string { return k.rest }

func TestExplain(t *testing.T) {
	t.Parallel()
	e := open(t, `('a', 1, NULL::TIMESTAMP, true), ('a', 2, NULL, true), ('b', 3, NULL, true)`)
	traced := "SELECT s, n, 's3://raw/' || n AS _file FROM " + e.Name("t")
	for name, c := range map[string]struct {
		check  project.Check
		traced string
		sample []string
		lines  int
	}{
		"rows with their file":    {project.Check{Kind: "expect", Expect: "n > 1"}, traced, []string{`{"s":"a","n":1,"_file":"s3://raw/1"}`}, 1},
		"rows without":            {project.Check{Kind: "expect", Expect: "n > 2"}, "", nil, 2},
		"keys with their files":   {project.Check{Kind: "unique", Columns: []string{"s"}}, traced, nil, 1},
		"own SQL":                 {project.Check{Kind: "sql", SQL: "SELECT * FROM t"}, traced, nil, 3},
		"the number of all rows":  {project.Check{Kind: "row_count", Min: int64(9)}, traced, nil, 0},
		"how old the newest is":   {project.Check{Kind: "freshness", Columns: []string{"at"}, Within: time.Hour}, traced, nil, 0},
		"a condition with quotes": {project.Check{Kind: "accepted_values", Columns: []string{"s"}, Values: []any{"'"}}, traced, nil, 3},
	} {
		rest := filepath.Join(t.TempDir(), "it's", "rest.json")
		c.check.OnFail = project.Fail
		asked := Native(e.Name, "t", c.check, c.traced)
		answers, err := e.Test(t.Context(), duckdb.Asking{Table: "t", Checks: []engine.Check{asked.Question()}, Tables: keeping{rest: rest}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r, err := asked.Judge(answers[0], 0, now)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(rest)
		if c.lines == 0 {
			if !errors.Is(err, os.ErrNotExist) || r.Rest != "" {
				t.Errorf("%s: there are no rows to show: %v", name, err)
			}
			continue
		}
		if n := strings.Count(string(raw), "\n"); err != nil || n != c.lines || r.Rest != rest {
			t.Errorf("%s: %d lines in %s: %v", name, n, r.Rest, err)
		}
		if c.sample != nil {
			if diff := cmp.Diff(c.sample, r.Sample); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		if c.check.Kind == "unique" && !(strings.Contains(r.Sample[0], "s3://raw/1") && strings.Contains(r.Sample[0], "s3://raw/2")) {
			t.Errorf("%s: %v", name, r.Sample)
		}
	}
}
