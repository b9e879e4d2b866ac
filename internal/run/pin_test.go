package run_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tarn/internal/diag"
	"tarn/internal/lake/laketest"
	"tarn/internal/run"
)

// TestPinRefusesDeleteFiles deletes rows as Athena and Trino do: the data files stay and are more rows than the table has, so they are
// given to nobody as its rows. What the runs have made before can be given all the same.
func TestPinRefusesDeleteFiles(t *testing.T) {
	t.Parallel()
	inCatalogs(t, func(t *testing.T, l *testLake) {
		const table = "readings"
		l.batch(0)
		first := l.run().Run
		pin := func(at string) (run.Pinned, *run.Hold, error) {
			w := l.open(run.Options{})
			defer w.Close()
			return w.Pin(t.Context(), table, at, time.Hour, false)
		}
		before, held, err := pin("")
		if err != nil || held == nil || before.Run != first || before.Rows < 2 || len(before.Files) == 0 {
			t.Fatalf("%v: %+v", err, before)
		}
		l.elsewhere(table, laketest.Delete)
		_, held, err = pin("")
		var refused *run.NotPinnedError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), "deleted rows of it by delete files") || !strings.Contains(diag.Hint(err), "tarn run "+table+" --full-refresh") || held != nil {
			t.Fatalf("delete files: %v, hint %s", err, diag.Hint(err))
		}
		if again, _, err := pin(first); err != nil || again.Rows != before.Rows {
			t.Errorf("%v: of run %s there are %d rows, want %d", err, first, again.Rows, before.Rows)
		}
		// The hint says what helps.
		if _, err := l.attemptWith(run.RunOptions{Selection: run.Selection{Tables: []string{table}, FullRefresh: true}}); err != nil {
			t.Fatal(err)
		}
		if after, _, err := pin(""); err != nil || after.Rows != before.Rows || after.Run == first {
			t.Errorf("%v: %+v", err, after)
		}
	})
}
