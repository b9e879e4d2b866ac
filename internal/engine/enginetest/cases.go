package enginetest

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/check"
	"tarn/internal/engine"
	"tarn/internal/project"
	"tarn/internal/schema"
)

// people are the rows that the cases work on: nulls, spaces, letters outside of ASCII, a name that stands twice.
const people = `SELECT * FROM (VALUES (1::BIGINT, ' Ann ', 1.5::DOUBLE, TIMESTAMP '2026-03-01 10:00:00.000001'), (2, 'Ül''li', NULL, TIMESTAMP '2026-02-28 23:59:59'),
	(3, NULL, -0.5, TIMESTAMP '1969-12-31 00:00:00'), (4, 'Ann', 9, NULL), (5, 'Zoë', 12, TIMESTAMP '2026-03-01 00:00:00')) t(id, name, v, seen)`

func peopleColumns() []schema.Column {
	return columns("id", "bigint", "name", "string", "v", "double", "seen", "timestamp")
}

// standard gives the world its tables.
func (w *world) standard() {
	w.t.Helper()
	w.has("people", people, peopleColumns())
	w.has("visits", "SELECT * FROM (VALUES (1::BIGINT, 10::BIGINT), (1, 20), (2, 30), (9, 40)) t(person, n)", columns("person", "bigint", "n", "bigint"))
}

func models(t *testing.T, w *world) {
	w.standard()
	w.declare("clean", false, peopleColumns())
	w.declare("sums", false, columns("name", "string", "n", "bigint", "most", "double"))
	r := w.build(w.job(
		w.step("clean", "SELECT id, trim(name) AS name, v, seen FROM people WHERE id < 5"),
		w.step("sums", "SELECT c.name, count(*) AS n, max(c.v) AS most FROM clean c GROUP BY c.name"),
	))
	same(t, "clean", w.rows(r.Steps[0]), `{"id":1,"name":"Ann","v":1.5,"seen":"2026-03-01 10:00:00.000001"}`, `{"id":2,"name":"Ül'li","v":null,"seen":"2026-02-28 23:59:59"}`,
		`{"id":3,"name":null,"v":-0.5,"seen":"1969-12-31 00:00:00"}`, `{"id":4,"name":"Ann","v":9.0,"seen":null}`)
	same(t, "sums", w.rows(r.Steps[1]), `{"name":"Ann","n":2,"most":9.0}`, `{"name":"Ül'li","n":1,"most":null}`, `{"name":null,"n":1,"most":-0.5}`)
	if s := r.Steps[1]; s.Made != 3 || s.Rows != 3 || r.Steps[0].Made != 4 {
		t.Errorf("made %d and %d rows, want 4 and 3", r.Steps[0].Made, s.Made)
	}
	built := func(e engine.Event) bool { return e.Phase == engine.Building }
	if !slices.ContainsFunc(w.events, built) && w.engine.InProcess() {
		t.Error("nothing was told of how far it is")
	}
}

func partitions(t *testing.T, w *world) {
	w.standard()
	w.declare("by_day", true, peopleColumns())
	r := w.build(w.job(w.step("by_day", "SELECT * FROM people WHERE id <> 3")))
	if files := w.made(r.Steps[0]); len(files) != 3 {
		t.Errorf("three days, one of them none, are in %d files", len(files))
	}
	if r.Steps[0].Rows != 4 {
		t.Errorf("%d rows, want 4", r.Steps[0].Rows)
	}
}

func noRows(t *testing.T, w *world) {
	w.standard()
	w.declare("empty", false, peopleColumns())
	w.declare("after", false, columns("n", "bigint"))
	r := w.build(w.job(
		w.step("empty", "SELECT * FROM people WHERE id > 100", named("there", project.Check{Kind: "row_count", Min: int64(1), OnFail: project.Warn}), named("full", project.Check{Kind: "not_null", Columns: []string{"id"}})),
		w.step("after", "SELECT count(*) AS n FROM empty"),
	))
	same(t, "empty", w.rows(r.Steps[0]))
	same(t, "after", w.rows(r.Steps[1]), `{"n":0}`)
	w.results(r.Steps[0].Table, r.Steps[0].Checks, 0, "there warned 1, full passed 0",
		named("there", project.Check{Kind: "row_count", Min: int64(1), OnFail: project.Warn}), named("full", project.Check{Kind: "not_null", Columns: []string{"id"}}))
}

func named(name string, c project.Check) project.Check {
	c.Name, c.File, c.Line = name, "trusted/t.yml", 3
	if c.OnFail == "" {
		c.OnFail = project.Fail
	}
	return c
}

// everyKind is one check of each kind that some rows of people fail, and one that none does.
func everyKind() []project.Check {
	return []project.Check{
		named("id", project.Check{Kind: "not_null", Columns: []string{"id"}}),
		named("name", project.Check{Kind: "not_null", Columns: []string{"name"}}),
		named("known", project.Check{Kind: "accepted_values", Columns: []string{"name"}, Values: []any{"Ann", "Zoë"}, OnFail: project.Warn}),
		named("small", project.Check{Kind: "range", Columns: []string{"v"}, Max: 9.5, OnFail: project.Warn}),
		named("visits", project.Check{Kind: "references", Columns: []string{"id"}, Table: "visits", To: "person", OnFail: project.Warn}),
		named("odd", project.Check{Kind: "expect", Expect: "mod(id, 2) = 1", OnFail: project.Warn}),
		named("once", project.Check{Kind: "unique", Columns: []string{"name"}, OnFail: project.Warn}),
		named("few", project.Check{Kind: "row_count", Max: int64(4), OnFail: project.Warn}),
		named("fresh", project.Check{Kind: "freshness", Columns: []string{"seen"}, Within: time.Hour, OnFail: project.Warn}),
		named("none", project.Check{Kind: "sql", SQL: "SELECT c.id FROM clean c WHERE c.v > 9", OnFail: project.Warn}),
	}
}

const everyResult = "id passed 0, name failed 1, known warned 1, small warned 1, visits warned 3, odd warned 2, once warned 1, few warned 1, fresh warned 1, none warned 1"

func checks(t *testing.T, w *world) {
	w.standard()
	w.declare("clean", false, peopleColumns())
	all := everyKind()
	r := w.build(w.job(w.step("clean", "SELECT id, trim(name) AS name, v, seen FROM people", all...)))
	results := w.results("clean", r.Steps[0].Checks, r.Steps[0].Rows, everyResult, all...)
	for _, c := range results {
		rows := c.Failing > 0 && c.Kind != "row_count" && c.Kind != "freshness"
		if (len(c.Sample) > 0) != rows || len(c.Sample) > 5 {
			t.Errorf("check %s shows %q", c.Name, c.Sample)
		}
		if (c.Rest != "") != (c.Status == check.Failed) {
			t.Errorf("check %s keeps its rows in %q", c.Name, c.Rest)
		}
		if c.Name != "name" || c.Rest == "" {
			continue
		}
		rest, err := os.ReadFile(c.Rest)
		if err != nil || strings.Count(string(rest), "\n") != 1 || !strings.Contains(string(rest), `"id":3`) || c.Rest != w.Rest("clean", "name") {
			t.Errorf("%s: %s%v", c.Rest, rest, err)
		}
	}
}

func putAside(t *testing.T, w *world) {
	w.standard()
	w.declare("clean", true, peopleColumns())
	// A row counts for the first check that it fails, and a null fails no range.
	all := []project.Check{
		named("enough", project.Check{Kind: "row_count", Min: int64(5), OnFail: project.Warn}),
		named("big", project.Check{Kind: "range", Columns: []string{"v"}, Max: int64(8), OnFail: project.Quarantine}),
		named("late", project.Check{Kind: "expect", Expect: "id < 5", OnFail: project.Quarantine}),
		named("named", project.Check{Kind: "not_null", Columns: []string{"name"}, OnFail: project.Drop}),
		named("fine", project.Check{Kind: "not_null", Columns: []string{"id"}, OnFail: project.Drop}),
	}
	w.declare("after", false, columns("n", "bigint"))
	r := w.build(w.job(w.step("clean", "SELECT id, trim(name) AS name, v, seen FROM people", all...), w.step("after", "SELECT count(*) AS n FROM clean")))
	s := r.Steps[0]
	if s.Made != 5 || s.Rows != 2 {
		t.Errorf("%d rows of %d are left, want 2 of 5", s.Rows, s.Made)
	}
	w.results("clean", s.Checks, s.Rows, "enough warned 1, big quarantined 2, late quarantined 1, named dropped 1, fine passed 0", all...)
	asides := map[string]engine.Aside{}
	for _, a := range s.Aside {
		asides[a.Check] = a
	}
	if asides["big"].Rows != 2 || asides["late"].Rows != 0 || asides["named"].Rows != 1 || len(asides) != 3 {
		t.Errorf("put aside: %+v", s.Aside)
	}
	same(t, "big", w.aside("clean", asides["big"]), `{"id":4,"name":"Ann","v":9.0,"seen":null}`, `{"id":5,"name":"Zoë","v":12.0,"seen":"2026-03-01 00:00:00"}`)
	same(t, "clean", w.rows(s), `{"id":1,"name":"Ann","v":1.5,"seen":"2026-03-01 10:00:00.000001"}`, `{"id":2,"name":"Ül'li","v":null,"seen":"2026-02-28 23:59:59"}`)
	same(t, "after", w.rows(r.Steps[1]), `{"n":2}`)
}

func staysAsItIs(t *testing.T, w *world) {
	w.standard()
	w.has("clean", "SELECT id, trim(name) AS name, v, seen FROM ("+people+")", peopleColumns())
	all := everyKind()
	r := w.build(w.job(engine.Step{Table: "clean", Columns: w.tables["clean"].columns, Checks: w.asks("clean", all...), Reads: []string{"visits"}}))
	w.results("clean", r.Steps[0].Checks, r.Steps[0].Rows, everyResult, all...)
}

func lateChecks(t *testing.T, w *world) {
	w.standard()
	w.declare("clean", false, peopleColumns())
	j := w.job(w.step("clean", "SELECT * FROM people WHERE id < 3"))
	late := named("come", project.Check{Kind: "references", Columns: []string{"person"}, Table: "clean", To: "id"})
	j.Late = []engine.Late{{Table: "visits", Checks: w.asks("visits", late), Reads: []string{"clean", "visits"}}}
	if w.engine.InProcess() {
		// There each model is a job, and late checks are one.
		steps := w.build(engine.Job{Run: j.Run, Database: j.Database, Steps: j.Steps, Tell: j.Tell})
		same(t, "clean", w.read(peopleColumns(), w.made(steps.Steps[0])), `{"id":1,"name":" Ann ","v":1.5,"seen":"2026-03-01 10:00:00.000001"}`, `{"id":2,"name":"Ül'li","v":null,"seen":"2026-02-28 23:59:59"}`)
		j.Steps = nil
	}
	r := w.build(j)
	results := w.results("visits", r.Late[0].Checks, 4, "come failed 1", late)
	if results[0].Rest == "" || !slices.ContainsFunc(results[0].Sample, func(row string) bool { return strings.Contains(row, "9") }) {
		t.Errorf("%+v", results[0])
	}
}

func account(t *testing.T, w *world) {
	w.standard()
	w.declare("joined", false, columns("id", "bigint", "n", "bigint"))
	s := w.step("joined", "SELECT p.id, v.n FROM people p\nJOIN visits v ON v.person = p.id -- drop: alone\nWHERE v.n > 10 -- drop: early\nAND p.id > 0 -- drop: none")
	if s.Ledger == nil {
		t.Fatal("nothing is asked for the account")
	}
	r := w.build(w.job(s)).Steps[0]
	var counts []int64
	for _, n := range r.Ledger.Counts {
		if n != nil {
			counts = append(counts, *n)
		}
	}
	// Of five people two have visits, both of them some that count; they are two rows.
	if diff := cmp.Diff([]int64{2, 2, 2}, counts[:min(3, len(counts))]); diff != "" || r.Made != 2 {
		t.Errorf("made %d rows, counted %v", r.Made, counts)
	}
	same(t, "joined", w.rows(r), `{"id":1,"n":20}`, `{"id":2,"n":30}`)
}

// results judges answers to checks and compares them, as "name status failing, …", in the order of the checks.
func (w *world) results(table string, answers []engine.CheckResult, rows int64, want string, all ...project.Check) []check.Result {
	w.t.Helper()
	found := map[string]check.Result{}
	for _, a := range w.asked(table, all...) {
		i := slices.IndexFunc(answers, func(r engine.CheckResult) bool { return r.Name == a.Check.Name })
		if i < 0 {
			w.t.Errorf("there is no answer to check %s", a.Check.Name)
			continue
		}
		r, err := a.Judge(answers[i], rows, now)
		w.ok(err)
		found[a.Check.Name] = r
	}
	var said []string
	var out []check.Result
	for _, c := range all {
		r := found[c.Name]
		said, out = append(said, c.Name+" "+string(r.Status)+" "+strconv.FormatInt(r.Failing, 10)), append(out, r)
	}
	if diff := cmp.Diff(strings.Split(want, ", "), said); diff != "" || len(answers) != len(all) {
		w.t.Errorf("%d answers about %s (-want +got):\n%s", len(answers), table, diff)
	}
	return out
}

// same compares rows; which order they have in a table is nobody's business.
func same(t *testing.T, table string, got []string, want ...string) {
	t.Helper()
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", table, diff)
	}
}
