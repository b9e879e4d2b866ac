package run_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/awsconf"
	"tarn/internal/lake/laketest"
	"tarn/internal/plan"
	"tarn/internal/run"
	"tarn/internal/store"
	"tarn/internal/store/registry"
)

// elsewhere commits to a table as another program does that knows nothing of tarn.
func (l *testLake) elsewhere(table string, changes ...laketest.Change) {
	l.t.Helper()
	for _, c := range changes {
		to, err := laketest.Commit(l.t.Context(), registry.New(awsconf.Settings{}), l.pointer(table), c)
		if err != nil {
			l.t.Fatal(err)
		}
		l.point(table, to)
	}
}

// asAlone holds the tables against those of a lake that got the same two batches and was left alone.
func (l *testLake) asAlone(calm *testLake, what string) {
	l.t.Helper()
	got, _ := l.tables()
	calm.batch(0)
	calm.batch(1)
	calm.run()
	want, _ := calm.tables()
	if diff := cmp.Diff(want, got); diff != "" {
		l.t.Errorf("tables (-alone +%s):\n%s", what, diff)
	}
}

// pointer is where the catalog says that a table is, for everybody.
func (l *testLake) pointer(table string) (location string) {
	l.t.Helper()
	if l.target == "glue" {
		return glueServer.Location(l.database(), table)
	}
	l.catalogFile(func(db *sql.DB) error {
		return db.QueryRow("SELECT metadata_location FROM iceberg_tables WHERE table_name = ?", table).Scan(&location)
	})
	return location
}

// point moves a table's pointer, as another program's client does.
func (l *testLake) point(table, to string) {
	l.t.Helper()
	if l.target == "glue" {
		glueServer.Commit(l.database(), table, to, false)
		return
	}
	l.catalogFile(func(db *sql.DB) error {
		_, err := db.Exec("UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = metadata_location WHERE table_name = ?", to, table)
		return err
	})
}

func (l *testLake) catalogFile(do func(*sql.DB) error) {
	l.t.Helper()
	var err error
	if l.bucket {
		err = l.catalogObject(do)
	} else {
		err = withDatabase(l.path(".tarn/catalog.db"), do)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

func withDatabase(path string, do func(*sql.DB) error) error {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		return err
	}
	return errors.Join(do(db), db.Close())
}

// catalogObject does something to the catalog file that lies in a bucket beside the tables: as whoever uses it there has to, it
// is fetched, changed and put back on the condition that nobody else did so meanwhile.
func (l *testLake) catalogObject(do func(*sql.DB) error) error {
	s, key, err := registry.New(awsconf.Settings{}).Locate(l.t.Context(), fmt.Sprintf("s3://lake-%d/warehouse/small/_tarn/catalog.db", l.number))
	if err != nil {
		return err
	}
	for {
		raw, o, err := s.Get(l.t.Context(), key)
		if err != nil {
			return err
		}
		copied := filepath.Join(l.t.TempDir(), "catalog.db")
		if err := errors.Join(os.WriteFile(copied, raw, 0o600), withDatabase(copied, do)); err != nil {
			return err
		}
		changed, err := os.ReadFile(copied)
		if err != nil || bytes.Equal(raw, changed) {
			return err
		}
		if _, err = s.Put(l.t.Context(), key, bytes.NewReader(changed), store.Condition{ETag: o.ETag}); !errors.Is(err, store.ErrCondition) {
			return err
		}
	}
}

// inCatalogs runs a test where other programs can reach the tables: a catalog file of this machine, one in a bucket, and Glue.
func inCatalogs(t *testing.T, test func(t *testing.T, l *testLake)) {
	for name, make := range map[string]func(t *testing.T) *testLake{"disk": newLake, "bucket": func(t *testing.T) *testLake { return newLake(t).inBucket(true) },
		"glue": func(t *testing.T) *testLake { return newLake(t).inGlue() }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, make(t))
		})
	}
}

// actions gives what a run did with each table, without those that are up to date.
func actions(rec *run.Record) map[string]plan.Action {
	out := map[string]plan.Action{}
	for _, t := range rec.Tables {
		if t.Action != plan.None {
			out[t.Name] = t.Action
		}
	}
	return out
}

// TestMaintenanceElsewhere compacts tables between runs: that is noticed, and changes nothing about what has to be done.
func TestMaintenanceElsewhere(t *testing.T) {
	t.Parallel()
	inCatalogs(t, func(t *testing.T, l *testLake) {
		l.batch(0)
		l.run()
		for _, table := range []string{"people_landing__rows", "people", "daily", "tarn__files", "tarn__runs"} {
			l.elsewhere(table, laketest.Compact)
		}
		// They are carried on, so that what is expired later does no harm.
		rec := l.run()
		if rec.Status != run.Published || len(rec.Published) > 0 || len(rec.Foreign) != 5 || run.Held(rec.Foreign) || !rec.Foreign[0].Kept {
			t.Errorf("%s %v %+v", rec.Status, rec.Published, rec.Foreign)
		}
		if rec = l.run(); rec.Status != run.NothingToDo || len(rec.Foreign) > 0 {
			t.Errorf("again: %s %+v", rec.Status, rec.Foreign)
		}
		l.elsewhere("daily", laketest.Compact, laketest.Expire)
		if code, stdout, _ := l.cli("run"); code != 0 || !strings.Contains(stdout, "note: daily: a test has rewritten its files at ") || !strings.Contains(stdout, "nothing to do but to carry on") {
			t.Errorf("%d %s", code, stdout)
		}
		// And in the run with the next files.
		l.elsewhere("people", laketest.Compact)
		l.elsewhere("joined", laketest.Compact)
		l.batch(1)
		rec = l.run()
		if rec.Status != run.Published || run.Held(rec.Foreign) || len(rec.Foreign) != 2 {
			t.Errorf("%s %+v", rec.Status, rec.Foreign)
		}
		if rec = l.run(); rec.Status != run.NothingToDo || len(rec.Foreign) > 0 {
			t.Errorf("when it is published anew: %s %+v", rec.Status, rec.Foreign)
		}
		l.asAlone(newLake(t), "with maintenance")
	})
}

// TestRowsChangedElsewhere changes the rows of a model and of a landing table: both are held with all that is made of
// them, and nothing is mixed; a full refresh repairs.
func TestRowsChangedElsewhere(t *testing.T) {
	t.Parallel()
	inCatalogs(t, func(t *testing.T, l *testLake) {
		l.batch(0)
		l.run()
		before, _ := l.tables()
		l.elsewhere("readings", laketest.Double)
		w := l.open(run.Options{})
		p, err := w.Plan(t.Context(), run.Selection{})
		if e := errors.Join(err, w.Close()); e != nil {
			t.Fatal(e)
		}
		if !p.Empty() || len(p.Foreign) != 1 || p.Foreign[0].Table != "readings" || !run.Held(p.Foreign) {
			t.Errorf("plan: %+v", p.Foreign)
		}
		if code, stdout, stderr := l.cli("run"); code != 8 || !strings.Contains(stdout, "nothing else to do: 1 table held, 5 up to date") ||
			!strings.Contains(stdout, "changed elsewhere: readings: its rows were changed by a test at ") || !strings.Contains(stderr, "hint: ") {
			t.Errorf("%d %s %s", code, stdout, stderr)
		}
		// New files go as far as they can without it.
		l.batch(1)
		rec := l.run()
		want := map[string]plan.Action{"people_landing": plan.Load, "readings_landing": plan.Load, "people": plan.Rebuild,
			"readings": plan.Hold, "joined": plan.Hold}
		if diff := cmp.Diff(want, actions(rec)); diff != "" || rec.Status != run.Published {
			t.Errorf("%s (-want +got):\n%s", rec.Status, diff)
		}
		if now, _ := l.tables(); !cmp.Equal(now["daily"], before["daily"]) || len(now["readings"]) <= len(before["readings"]) {
			t.Error("what is made of the changed table was made anew, or the change is not seen")
		}
		if rec, err := l.attemptWith(run.RunOptions{Selection: run.Selection{Tables: []string{"readings"}, FullRefresh: true}}); err != nil || run.Held(rec.Foreign) || !rec.Foreign[0].Repaired {
			t.Errorf("repair: %v %+v", err, rec.Foreign)
		}
		// Loaded rows.
		l.elsewhere("people_landing__rows", laketest.Double)
		l.remove("data/people/000.json") // its rows stay, from what was published
		if rec := l.run(); actions(rec)["people_landing"] != plan.Hold || rec.Foreign[0].Table != "people_landing" {
			t.Errorf("%v %+v", actions(rec), rec.Foreign)
		}
		if rec, err := l.attemptWith(run.RunOptions{Selection: run.Selection{FullRefresh: true}}); err != nil || run.Held(rec.Foreign) {
			t.Errorf("repair of all: %v %+v", err, rec.Foreign)
		}
		if rec := l.run(); rec.Status != run.NothingToDo || len(rec.Foreign) > 0 {
			t.Errorf("after the repair: %s %+v", rec.Status, rec.Foreign)
		}
		l.asAlone(newLake(t), "repaired")
		// Back to before others came: their change is history, too.
		if code, _, stderr := l.cli("rollback", rec.Run); code != 0 {
			t.Error(stderr)
		}
	})
}

// TestAccountChangedElsewhere changes the lake's own tables: what tarn has written counts.
func TestAccountChangedElsewhere(t *testing.T) {
	t.Parallel()
	inCatalogs(t, func(t *testing.T, l *testLake) {
		l.batch(0)
		l.run()
		l.elsewhere("tarn__files", laketest.Empty)
		l.elsewhere("tarn__runs", laketest.Double)
		l.batch(1)
		rec := l.run()
		if rec.Status != run.Published || len(rec.Foreign) != 2 || slices.ContainsFunc(rec.Foreign, func(f run.ForeignRecord) bool { return !f.Repaired }) {
			t.Errorf("%s %+v", rec.Status, rec.Foreign)
		}
		if rec = l.run(); rec.Status != run.NothingToDo || len(rec.Foreign) > 0 {
			t.Errorf("%s %+v", rec.Status, rec.Foreign)
		}
		l.asAlone(newLake(t), "repaired")
		if code, stdout, _ := l.cli("query", "--format", "csv", "SELECT count(*) FROM tarn__runs"); code != 0 || !strings.HasSuffix(stdout, "\n2\n") {
			t.Errorf("runs: %d %s", code, stdout)
		}
	})
}

// TestExpiryElsewhere expires snapshots that --at and rollback need.
func TestExpiryElsewhere(t *testing.T) {
	t.Parallel()
	inCatalogs(t, func(t *testing.T, l *testLake) {
		l.batch(0)
		first := l.run()
		l.batch(1)
		l.run()
		l.elsewhere("daily", laketest.Expire)
		rec := l.run()
		if len(rec.Published) > 0 || len(rec.Foreign) != 1 || run.Held(rec.Foreign) || !strings.Contains(rec.Foreign[0].Text, "another program has expired snapshots") {
			t.Errorf("%s %+v", rec.Status, rec.Foreign)
		}
		if again := l.run(); again.Status != run.NothingToDo || len(again.Foreign) > 0 {
			t.Errorf("it is told once: %s %+v", again.Status, again.Foreign)
		}
		for _, args := range [][]string{{"query", "--at", first.Run, "SELECT count(*) FROM daily"}, {"rollback", first.Run}} {
			if code, _, stderr := l.cli(args...); code != 5 || !strings.Contains(stderr, "no longer kept: another program has expired it") {
				t.Errorf("%v: %d %s", args, code, stderr)
			}
		}
	})
}

// TestDroppedElsewhere drops tables: the next run makes them anew, also the rows of files that it has noted as loaded.
func TestDroppedElsewhere(t *testing.T) {
	t.Parallel()
	inCatalogs(t, func(t *testing.T, l *testLake) {
		l.batch(0)
		l.run()
		l.batch(1)
		l.run()
		want, _ := l.tables()
		for _, tables := range [][]string{{"daily"}, {"people_landing__rows"}, {"people_landing__rows", "joined", "tarn__files"}} {
			for _, name := range tables {
				l.dropped(name)
			}
			if rec := l.run(); rec.Status != run.Published {
				t.Errorf("without %v: %s", tables, rec.Status)
			}
			if got, _ := l.tables(); !cmp.Equal(want, got) {
				t.Errorf("without %v (-want +got):\n%s", tables, cmp.Diff(want, got))
			}
			if rec := l.run(); rec.Status != run.NothingToDo {
				t.Errorf("again after %v: %s", tables, rec.Status)
			}
		}
		// A file that is gone too has left nothing.
		l.remove("data/people/000.json")
		l.dropped("people_landing__rows")
		if rec := l.run(); !slices.Contains(rec.Published, "people_landing") {
			t.Errorf("%v", rec.Published)
		}
		if rec := l.run(); rec.Status != run.NothingToDo || len(rec.Load[0].Vanished) > 0 {
			t.Errorf("%s %+v", rec.Status, rec.Load[0])
		}
	})
}

// dropped takes a table out of the catalog, as another program does.
func (l *testLake) dropped(table string) {
	l.t.Helper()
	if l.target == "glue" {
		if _, err := glueServer.Call("DeleteTable", map[string]any{"DatabaseName": l.database(), "Name": table}); err != nil {
			l.t.Fatal(err)
		}
		return
	}
	l.catalogFile(func(db *sql.DB) error {
		_, err := db.Exec("DELETE FROM iceberg_tables WHERE table_name = ?", table)
		return err
	})
}
