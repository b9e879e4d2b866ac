package run_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/catalog"
	"tarn/internal/catalog/sqlite"
	"tarn/internal/run"
)

// TestAnotherProgramWritesMeanwhile lets another program, which knows nothing of tarn's lock, move a table's pointer
// between the look at the lake and the publish. The run fails as a whole, and the next one starts from what is there.
func TestAnotherProgramWritesMeanwhile(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.batch(0)
	l.run()
	before, first := l.tables()
	l.batch(1)
	w := l.open(run.Options{})
	w.OnStep(func(step string) {
		if step == "staged" {
			l.touch("daily")
		}
	})
	rec, err := w.Run(t.Context(), run.RunOptions{})
	if e := w.Close(); e != nil {
		t.Error(e)
	}
	if !errors.Is(err, catalog.ErrConflict) || rec.Status != run.Broken || len(rec.Published) != 0 || rec.Error == "" {
		t.Fatalf("%s, published %v: %v", rec.Status, rec.Published, err)
	}
	if after, now := l.tables(); now != first || !cmp.Equal(before, after) {
		t.Errorf("readers see run %s, before it was %s", now, first)
	}
	for _, f := range l.garbage() {
		if !strings.HasSuffix(f, ".metadata.json") || !strings.Contains(f, "/daily/") {
			t.Errorf("left over: %s", f)
		}
	}
	if rec := l.run(); rec.Status != run.Published {
		t.Errorf("the next run: %s", rec.Status)
	}
}

// touch moves a table's pointer to a copy of its metadata, as any catalog client may.
func (l *testLake) touch(table string) {
	l.t.Helper()
	// Other clients know nothing of the lock.
	c, err := sqlite.Open(l.t.Context(), sqlite.Options{Path: l.path(".tarn/catalog.db"), Lock: filepath.Join(l.t.TempDir(), "lock"), Database: "small"})
	if err != nil {
		l.t.Fatal(err)
	}
	defer c.Close()
	w, err := c.Lock(l.t.Context(), catalog.LockOptions{Run: "other"})
	if err != nil {
		l.t.Fatal(err)
	}
	at, err := c.Pointers(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	raw, err := os.ReadFile(strings.TrimPrefix(at[table], "file://"))
	if err != nil {
		l.t.Fatal(err)
	}
	to := strings.TrimSuffix(at[table], ".metadata.json") + "0.metadata.json"
	if err := os.WriteFile(strings.TrimPrefix(to, "file://"), raw, 0o644); err != nil {
		l.t.Fatal(err)
	}
	if err := w.Publish(l.t.Context(), []catalog.Move{{Table: table, From: at[table], To: to}}); err != nil {
		l.t.Error(err)
	}
}
