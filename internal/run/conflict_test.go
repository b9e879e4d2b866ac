package run_test

import (
	"errors"
	"strings"
	"testing"

	"tarn/internal/catalog"
	"tarn/internal/lake/laketest"
	"tarn/internal/plan"
	"tarn/internal/run"
)

// TestAnotherProgramWritesMeanwhile lets another program, which knows nothing of tarn's lock, commit to a table between the
// look at the lake and the publish. Where it kept the rows, the run is brought on top of that; otherwise it fails as a whole,
// their change stays, and the next run holds the table.
func TestAnotherProgramWritesMeanwhile(t *testing.T) {
	t.Parallel()
	inCatalogs(t, func(t *testing.T, l *testLake) {
		l.batch(0)
		l.run()
		during := func(change laketest.Change) (*run.Record, error) {
			w := l.open(run.Options{})
			w.OnStep(func(step string) {
				if step == "staged" {
					l.elsewhere("daily", change)
					l.elsewhere("readings_landing__rows", change)
				}
			})
			rec, err := w.Run(t.Context(), run.RunOptions{})
			if e := w.Close(); e != nil {
				t.Error(e)
			}
			return rec, err
		}
		l.batch(1)
		if rec, err := during(laketest.Compact); err != nil || rec.Status != run.Published {
			t.Fatalf("%s: %v", rec.Status, err)
		}
		l.asAlone(newLake(t), "compacted meanwhile")
		if rec := l.run(); rec.Status != run.NothingToDo || len(rec.Foreign) > 0 {
			t.Errorf("%s %+v", rec.Status, rec.Foreign)
		}

		l.batch(2)
		rec, err := during(laketest.Double)
		var changed *run.ChangedError
		if !errors.As(err, &changed) || !errors.Is(err, catalog.ErrRowsChanged) || rec.Status != run.Broken || len(rec.Published) != 0 || rec.Error == "" {
			t.Fatalf("%s, published %v: %v", rec.Status, rec.Published, err)
		}
		if code, stdout, _ := l.cli("query", "--format", "csv", "SELECT count(*) FROM tarn__runs"); code != 0 || !strings.HasSuffix(stdout, "\n2\n") {
			t.Errorf("runs that readers see: %s", stdout)
		}
		if rec := l.run(); !run.Held(rec.Foreign) || actions(rec)["daily"] != plan.Hold || actions(rec)["readings_landing"] != plan.Hold {
			t.Errorf("the next run: %v", actions(rec))
		}
	})
}
