package run_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/check"
	"tarn/internal/ledger"
	"tarn/internal/run"
)

// checked is a lake of five readings: two are odd, and one person of three gave no consent.
func checked(t *testing.T) *testLake {
	l := newLake(t)
	l.write("data/people/a.json", `{"id": 1, "name": "Ann", "consent": true}
{"id": 2, "name": "Ben", "consent": true}
{"id": 3, "name": "Cem", "consent": false}
`)
	l.write("data/readings/a.json", `{"person": 1, "ts": 1700000000000, "v": 1.5}
{"person": 1, "ts": 1700000001000, "v": 2.5}
{"person": 3, "ts": 1700000001000, "v": 2.5}
`)
	l.write("data/readings/b.json", `{"person": 2, "ts": 1700000002000, "v": 99}
{"person": 2, "ts": 1700000002000, "v": null}
`)
	l.write("trusted/readings.sql", "SELECT r.person, timestamp_millis(r.ts) AS ts, r.v\nFROM readings_landing r\n"+
		"WHERE EXISTS (SELECT 1 FROM people p WHERE p.id = r.person) -- drop: no_consent\n")
	return l
}

// withChecks gives readings these checks.
func (l *testLake) withChecks(lines ...string) {
	l.write("trusted/readings.yml", "checks:\n  - "+strings.Join(lines, "\n  - ")+"\n")
}

func TestChecks(t *testing.T) {
	t.Parallel()
	l := checked(t)
	l.withChecks(
		"{name: v_there, not_null: [person, v], on_fail: warn}",
		"{name: all_there, not_null: [person, ts], on_fail: warn}",
		"{name: moment, unique: [person, ts], on_fail: warn}",
		"{name: one_value, unique: [v], on_fail: warn}",
		"{name: known, accepted_values: {column: person, values: [1]}, on_fail: warn}",
		"{name: in_range, range: {column: v, min: 0, max: 10}, on_fail: warn}",
		"{name: ann, references: {column: person, table: people, to: id}, on_fail: warn}",
		"{name: landed, references: {column: v, table: readings_landing}, on_fail: warn}",
		"{name: many, row_count: {min: 5}, on_fail: warn}",
		"{name: few, row_count: {max: 4}, on_fail: warn}",
		"{name: new, freshness: {column: ts, within: 1d}, on_fail: warn}",
		"{name: recent, freshness: {column: ts, within: 400d}, on_fail: warn}",
		"{name: true_of_all, expect: v < 50, on_fail: warn}", // null fails
		"{name: own, sql: SELECT * FROM readings WHERE v > 50, on_fail: warn}",
	)
	w := l.open(run.Options{Now: func() time.Time { return time.UnixMilli(1700000002000).Add(100 * 24 * time.Hour) }})
	rec, err := w.Run(t.Context(), run.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	published, err := w.Check(t.Context(), run.Selection{Tables: []string{"readings"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"v_there": "warned 1", "all_there": "passed 0", "moment": "warned 1", "one_value": "passed 0", "known": "warned 2", "in_range": "warned 1",
		"ann": "passed 0", "landed": "passed 0", "many": "warned 1", "few": "passed 0", "new": "warned 1", "recent": "passed 0", "true_of_all": "warned 2", "own": "warned 1",
	}
	for _, results := range [][]check.Result{rec.Checks, published} {
		got := map[string]string{}
		for _, r := range results {
			got[r.Name] = fmt.Sprint(r.Status, " ", r.Failing)
			if r.File != "trusted/readings.yml" || r.Line < 2 || r.Table != "readings" {
				t.Errorf("%s is said to stand in %s:%d of %s", r.Name, r.File, r.Line, r.Table)
			}
			if r.Failing > 0 && r.Message == "" {
				t.Errorf("%s has no message", r.Name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("checks (-want +got):\n%s", diff)
		}
	}
}

func TestFailedCheckPublishesNothing(t *testing.T) {
	t.Parallel()
	l := checked(t)
	l.run()
	before, first := l.tables()
	l.write("data/readings/c.json", `{"person": 1, "ts": 1700000009000, "v": -7}`+"\n")
	l.withChecks("{name: positive, expect: v > 0 OR v IS NULL}", "{name: moment, unique: [person, ts]}")
	code, _, stderr := l.cli("run", "-q")
	if code != 3 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, part := range []string{
		"trusted/readings.yml:2", "positive", `"v":-7.0`, "s3://raw/readings/c.json", // the row and its landing file
		"trusted/readings.yml:3", "moment", "s3://raw/readings/b.json",
		"readings.positive.json", "nothing was published", "hint",
	} {
		if !strings.Contains(stderr, part) {
			t.Errorf("the failure does not tell %q:\n%s", part, stderr)
		}
	}
	rest, err := os.ReadFile(l.path(".tarn/failed/readings.positive.json"))
	if err != nil || !strings.Contains(string(rest), "c.json") {
		t.Errorf("the failing rows: %s %v", rest, err)
	}
	if after, now := l.tables(); now != first || !cmp.Equal(before, after) {
		t.Errorf("readers see run %s, before it was %s", now, first)
	}
	if left := l.garbage(); len(left) > 0 {
		t.Errorf("the failed run left %v", left)
	}
	// Mended, the next run does all of it, and forgets the failure.
	l.remove("trusted/readings.yml")
	if rec := l.run(); rec.Status != run.Published {
		t.Errorf("after mending: %s", rec.Status)
	}
	if _, err := os.Stat(l.path(".tarn/failed")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the failing rows are still there: %v", err)
	}
}

func TestDropAndQuarantine(t *testing.T) {
	t.Parallel()
	l := checked(t)
	l.withChecks(
		"{name: in_range, range: {column: v, min: 0, max: 10}, on_fail: quarantine}",
		"{name: v_there, not_null: [v], on_fail: drop}",
		"{name: small, expect: v < 50, on_fail: drop}", // both are gone already
	)
	rec := l.run()
	var got *ledger.Account
	for _, table := range rec.Tables {
		if table.Name == "readings" {
			got = table.Ledger
			if table.Rows != 2 || table.Quarantined != 1 {
				t.Errorf("%d rows, %d quarantined", table.Rows, table.Quarantined)
			}
		}
	}
	want := &ledger.Account{Input: "readings_landing", In: 5, Kept: 2, Quarantined: 1, Out: 2, Traced: true,
		Dropped: []ledger.Drop{{Reason: "no_consent", Rows: 1}, {Reason: "check v_there", Rows: 1}, {Reason: "check small", Rows: 0}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
	rows, _ := l.tables()
	if n := len(rows["joined"]); n != 2 {
		t.Errorf("joined has %d rows: it saw rows that were put aside", n)
	}
	if q := strings.Join(rows["tarn__quarantine"], "\n"); len(rows["tarn__quarantine"]) != 1 || !strings.Contains(q, "in_range") || !strings.Contains(q, "99") {
		t.Errorf("quarantine holds %s", q)
	}
	// With the check gone, the row comes back and leaves the quarantine.
	l.remove("trusted/readings.yml")
	l.run()
	rows, _ = l.tables()
	if len(rows["readings"]) != 4 || len(rows["tarn__quarantine"]) != 0 {
		t.Errorf("%d rows, %d in quarantine", len(rows["readings"]), len(rows["tarn__quarantine"]))
	}
}

func TestLandingChecks(t *testing.T) {
	t.Parallel()
	l := checked(t)
	l.run()
	l.write("landing/readings_landing.yml", "checks:\n  - {name: v_there, not_null: [v], on_fail: quarantine}\n")
	rec := l.run()
	if got := l.ledgerOf(rec, "readings_landing"); got.In != 5 || got.Kept != 4 || got.Quarantined != 1 {
		t.Errorf("ledger %+v", got)
	}
	rows, _ := l.tables()
	if q := strings.Join(rows["tarn__quarantine"], "\n"); !strings.Contains(q, "s3://raw/readings/b.json") {
		t.Errorf("quarantine does not tell the file: %s", q)
	}
	// A check that only judges sees the rows that were there before it, and reads no file again.
	l.write("landing/people_landing.yml", "checks:\n  - {name: agreed, expect: consent}\n")
	_, err := l.attempt()
	var failed *run.CheckError
	if !errors.As(err, &failed) || failed.Result.Failing != 1 {
		t.Fatalf("a new check of a landing table: %v", err)
	}
	l.write("landing/people_landing.yml", "checks:\n  - {name: agreed, expect: consent, on_fail: warn}\n")
	rec = l.run()
	if diff := cmp.Diff([]string{"people_landing"}, files(rec)); diff != "" {
		t.Errorf("tables touched (-want +got):\n%s", diff)
	}
	if rec = l.run(); rec.Status != run.NothingToDo {
		t.Errorf("then: %s", rec.Status)
	}
	// With new files, the rows before are not judged again.
	l.write("data/people/b.json", `{"id": 9, "name": "Ida", "consent": true}`+"\n")
	if rec = l.run(); rec.Checks[0].Status != check.Passed {
		t.Errorf("new rows alone: %+v", rec.Checks[0])
	}
}

// TestChecksOfTablesMadeLater lets checks look at tables that are made from the one they are about, or beside it.
func TestChecksOfTablesMadeLater(t *testing.T) {
	t.Parallel()
	l := checked(t)
	l.write("trusted/people.yml", "checks:\n  - {name: has_readings, references: {column: id, table: daily, to: person}}\n  - {name: as_many, sql: SELECT 1 AS x FROM daily HAVING count(*) <> 2}\n")
	rec := l.run()
	for _, c := range rec.Checks {
		if c.Status != check.Passed {
			t.Errorf("%s: %s %s", c.Name, c.Status, c.Message)
		}
	}
	if len(rec.Checks) != 2 {
		t.Errorf("%d checks were tested", len(rec.Checks))
	}
	// people itself is not made again, but its check looks at a table that is.
	l.replace("curated/daily.sql", "GROUP BY", "WHERE r.person < 2\nGROUP BY")
	_, err := l.attempt()
	if err == nil || !strings.Contains(err.Error(), "has_readings") {
		t.Errorf("the check saw the old table: %v", err)
	}
	// A check that leaves rows out cannot wait for what is made of them.
	l.write("trusted/people.yml", "checks:\n  - {name: has_readings, references: {column: id, table: daily, to: person}, on_fail: drop}\n")
	if _, err := l.attempt(); err == nil || !strings.Contains(err.Error(), "needs people to be made first") {
		t.Errorf("a circle: %v", err)
	}
	l.write("trusted/people.yml", "checks:\n  - {name: landed, references: {column: id, table: readings_landing, to: person}, on_fail: drop}\n")
	l.write("data/people/b.json", `{"id": 9, "name": "Ida", "consent": true}`+"\n")
	rec = l.run()
	if got := l.ledgerOf(rec, "people"); got.Kept != 2 || got.Lost() != 2 {
		t.Errorf("ledger of people: %+v", got)
	}
}

// TestRowsThatShouldHaveBeenLeftOut makes rows fail a dropping check after they were published, by changing another table
// alone.
func TestRowsThatShouldHaveBeenLeftOut(t *testing.T) {
	t.Parallel()
	l := checked(t)
	l.withChecks("{name: somebody, references: {column: person, table: people, to: id}, on_fail: drop}", "{name: daily, expect: person > 0, on_fail: drop}")
	l.run()
	if code, out, _ := l.cli("check", "readings"); code != 0 {
		t.Errorf("%d %s", code, out)
	}
	l.write("data/people/a.json", `{"id": 1, "name": "Ann", "consent": true}`+"\n")
	l.run("people")
	if code, _, stderr := l.cli("check", "small.Peopel"); code != 5 || !strings.Contains(stderr, "people") {
		t.Errorf("check of an unknown table: %d %s", code, stderr)
	}
	if code, out, _ := l.cli("check", "small.people"); code != 0 || strings.Contains(out, "readings") {
		t.Errorf("check of one table: %d %s", code, out)
	}
	if code, out, _ := l.cli("check", "readings"); code != 3 || !strings.Contains(out, "2 rows") {
		t.Errorf("%d %s", code, out)
	}
	l.run()
	if code, out, _ := l.cli("check", "readings"); code != 0 {
		t.Errorf("after a run of all: %d %s", code, out)
	}
}

func (l *testLake) ledgerOf(rec *run.Record, table string) *ledger.Account {
	l.t.Helper()
	for _, r := range rec.Tables {
		if r.Name == table && r.Ledger != nil {
			return r.Ledger
		}
	}
	l.t.Fatalf("run %s has no ledger of %s", rec.Run, table)
	return nil
}
