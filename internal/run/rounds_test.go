package run_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/ledger"
	"tarn/internal/plan"
	"tarn/internal/run"
)

func TestNothingNew(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.batch(0)
	l.run()
	before := l.tree()
	rec := l.run()
	if rec.Status != run.NothingToDo {
		t.Errorf("status %s", rec.Status)
	}
	if diff := cmp.Diff(before, l.tree()); diff != "" {
		t.Errorf("a run with nothing new changed files:\n%s", diff)
	}
	code, out, _ := l.cli("run")
	if code != 0 || !strings.Contains(out, "nothing to do") {
		t.Errorf("%d %s", code, out)
	}
}

// TestWhatIsOutOfDate changes one thing at a time.
func TestWhatIsOutOfDate(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.batch(0)
	l.run()
	for _, step := range []struct {
		name   string
		change func()
		tables []string
	}{
		{"comment and line breaks in SQL", func() {
			l.replace("curated/daily.sql", "FROM readings r\n", "from readings   r -- of all days\n\n")
		}, nil},
		{"column comment", func() { l.replace("curated/daily.sql", "AS most\n", "AS most -- the highest\n") }, []string{"daily"}},
		{"SQL of the last table", func() { l.replace("curated/daily.sql", "max(r.v)", "min(r.v)") }, []string{"daily"}},
		{"SQL in the middle", func() { l.replace("trusted/readings.sql", "r.v >= 0", "r.v >= 0.5") }, []string{"daily", "joined", "readings"}},
		{"partitions", func() { l.replace("trusted/readings.sql", "day(ts)", "month(ts)") }, []string{"daily", "joined", "readings"}},
		{"a check that only judges", func() { l.replace("trusted/readings.sql", "[person, ts]}", "[person]}") }, []string{"readings"}},
		{"a check that drops", func() { l.replace("trusted/readings.sql", "[person]}", "[person], on_fail: drop}") }, []string{"daily", "joined", "readings"}},
		{"new files of one table", func() { l.batch(1); l.remove("data/people/001.json") }, []string{"daily", "joined", "readings", "readings_landing"}},
		{"a changed file", func() { l.write("data/people/000.json", `{"id": 1, "name": "x", "consent": true}`+"\n") },
			[]string{"daily", "joined", "people", "people_landing", "readings"}},
		{"comment in the DDL", func() { l.replace("landing/people_landing.sql", "id bigint", "id bigint COMMENT 'who'") }, []string{"people_landing"}},
		{"a column in the DDL", func() { l.replace("landing/people_landing.sql", "name string", "name string, email string") },
			[]string{"daily", "joined", "people", "people_landing", "readings"}},
		{"a vanished file", func() { l.remove("data/readings/001.json") }, nil},
		{"time", func() {
			later := time.Now().Add(time.Hour)
			if err := os.Chtimes(l.path("curated/daily.sql"), later, later); err != nil {
				t.Fatal(err)
			}
		}, nil},
	} {
		step.change()
		rec := l.run()
		if diff := cmp.Diff(step.tables, files(rec)); diff != "" {
			t.Errorf("%s: tables touched (-want +got):\n%s", step.name, diff)
		}
		if again := l.run(); again.Status != run.NothingToDo {
			t.Errorf("%s: the run after it says %s", step.name, again.Status)
		}
	}
	got, _ := l.tables()
	fresh := &testLake{t: t, dir: t.TempDir()}
	for _, dir := range []string{"landing", "trusted", "curated", "data", "tarn.yaml"} {
		if err := os.Rename(l.path(dir), fresh.path(dir)); err != nil {
			t.Fatal(err)
		}
	}
	fresh.run()
	want, _ := fresh.tables()
	// The vanished file's rows stay where they were loaded, so only tables without them can be compared.
	if diff := cmp.Diff(want["people"], got["people"]); diff != "" {
		t.Errorf("people (-from scratch +step by step):\n%s", diff)
	}
}

func TestNamedTables(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.batch(0)
	l.run()
	all := []string{"daily", "joined", "people", "people_landing", "readings", "readings_landing"}
	for _, c := range []struct {
		o    run.Selection
		want []string
	}{
		{run.Selection{Tables: []string{"people"}}, []string{"people", "people_landing"}},
		{run.Selection{Tables: []string{"+joined"}}, []string{"joined", "people", "people_landing", "readings", "readings_landing"}},
		{run.Selection{Tables: []string{"readings_landing+"}}, all},
		{run.Selection{Tables: []string{"small.People"}, FullRefresh: true}, []string{"people", "people_landing"}},
		{run.Selection{}, all},
	} {
		l.batch(len(c.o.Tables) + len(strings.Join(c.o.Tables, "")) + 1)
		rec, err := l.attemptWith(run.RunOptions{Selection: c.o})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, files(rec)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.o, diff)
		}
		l.run()
	}
	if code, _, stderr := l.cli("run", "reading"); code != 5 || !strings.Contains(stderr, "readings") {
		t.Errorf("an unknown table: %d %s", code, stderr)
	}
}

// TestLedgerOfShapes follows rows through what SQL can do to them.
func TestLedgerOfShapes(t *testing.T) {
	t.Parallel()
	l := checked(t)
	l.write("curated/fans.sql", "SELECT p.name, r.v\nFROM people p\nJOIN readings_landing r ON r.person = p.id -- drop: silent\nWHERE p.id < 9 -- drop: late\n")
	l.write("curated/different.sql", "SELECT DISTINCT r.person\nFROM readings_landing r\nWHERE r.person > 1 -- drop: first\n")
	l.write("curated/both.sql", "SELECT id FROM people\nUNION ALL\nSELECT person FROM readings\n")
	l.write("data/people/b.json", `{"id": 4, "name": "Dot", "consent": true}`+"\n")
	rec := l.run()
	for table, want := range map[string]ledger.Account{
		"daily":     {Input: "readings", In: 4, Kept: 4, Merged: 2, Out: 2, Traced: true, Note: "merged by GROUP BY"},
		"fans":      {Input: "people", In: 3, Kept: 2, Added: 2, Out: 4, Traced: true, Dropped: []ledger.Drop{{Reason: "silent", Rows: 1}, {Reason: "late"}}},
		"different": {Input: "readings_landing", In: 5, Kept: 3, Merged: 1, Out: 2, Traced: true, Note: "merged by DISTINCT", Dropped: []ledger.Drop{{Reason: "first", Rows: 2}}},
		"both":      {Out: 7, Note: "rows are not followed one by one: rows come from UNION"},
	} {
		got := *l.ledgerOf(rec, table)
		if len(got.Dropped) == 0 {
			got.Dropped = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", table, diff)
		}
	}
	// What checks take out of merged or joined rows is neither merged nor dropped.
	l.write("curated/daily.yml", "checks:\n  - {name: ann, expect: person = 1, on_fail: quarantine}\n")
	l.write("curated/both.yml", "checks:\n  - {name: ann, expect: id = 1, on_fail: drop}\n")
	rec = l.run()
	if a := l.ledgerOf(rec, "daily"); a.PutAside != 1 || a.Merged != 2 || a.Out != 1 {
		t.Errorf("daily: %+v", a)
	}
	if a := l.ledgerOf(rec, "both"); a.PutAside != 4 || a.Kept != 0 || a.Out != 3 {
		t.Errorf("both: %+v", a)
	}
}

// TestUnexplainedRowsStopThePublish loses a row behind tarn's back, between writing a table and counting what it is made of.
func TestUnexplainedRowsStopThePublish(t *testing.T) {
	t.Parallel()
	l := checked(t)
	l.run()
	_, first := l.tables()
	l.write("curated/chance.sql", "SELECT r.person\nFROM readings_landing r\nWHERE r.person > 0 -- drop: a\n  AND r.person < 9 -- drop: b\n")
	w := l.open(run.Options{})
	w.BeforeAccount(func(table string) {
		if table == "chance" {
			if err := w.Engine.SetTable(t.Context(), "readings_landing", w.Graph.Table("readings_landing").Columns, nil); err != nil {
				t.Error(err)
			}
		}
	})
	rec, err := w.Run(t.Context(), run.RunOptions{})
	if e := w.Close(); e != nil {
		t.Error(e)
	}
	if err == nil || rec.Status != run.Broken || !strings.Contains(err.Error(), "chance") || !strings.Contains(err.Error(), "unaccounted") {
		t.Fatalf("%s: %v", rec.Status, err)
	}
	if _, now := l.tables(); now != first {
		t.Error("it was published")
	}
	if left := l.garbage(); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestPlanSaysWhy(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.batch(0)
	l.run()
	l.replace("trusted/people.sql", "trim(name)", "name")
	l.batch(1)
	w := l.open(run.Options{})
	defer w.Close()
	p, err := w.Plan(t.Context(), run.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range p.Steps {
		if s.Action != plan.None {
			got[s.Table.Name] = string(s.Action) + ": " + strings.Join(s.Reasons, ", ")
		}
	}
	want := map[string]string{
		"people_landing": "load: 1 new file", "readings_landing": "load: 1 new file",
		"people":   "rebuild: the SQL or its options have changed, people_landing changes",
		"readings": "rebuild: readings_landing changes, people changes",
		"daily":    "rebuild: readings changes", "joined": "rebuild: people changes, readings changes",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
}
