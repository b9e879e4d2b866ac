package run_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"tarn/internal/lake"
	"tarn/internal/run"
)

// TestWarehouseOfAnother lets a lake with a catalog of its own meet a warehouse that another has filled: it may look, but
// neither write nor collect garbage, for which it would take everything.
func TestWarehouseOfAnother(t *testing.T) {
	t.Parallel()
	for name, places := range map[string]func(t *testing.T) (one, two *testLake){
		"two catalog files": func(t *testing.T) (one, two *testLake) {
			one, two = newLake(t), newLake(t)
			warehouse := t.TempDir()
			for _, l := range []*testLake{one, two} {
				l.write("tarn.yaml", definitions["tarn.yaml"]+"warehouse: "+warehouse+"\n")
			}
			return one, two
		},
		"with Glue and without": func(t *testing.T) (one, two *testLake) {
			one, two = newLake(t).inGlue(), newLake(t)
			raw, err := os.ReadFile(one.path("tarn.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			two.write("tarn.yaml", strings.Replace(string(raw), "catalog: glue", "catalog: sqlite", 1))
			two.raw, two.bucket, two.target = one.raw, true, one.target
			return one, two
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one, two := places(t)
			one.batch(0)
			one.run()
			two.batch(0)
			_, err := two.attempt()
			var other *lake.OtherError
			if !errors.As(err, &other) || !strings.Contains(other.Hint(), "a warehouse of its own") {
				t.Fatalf("a run: %v", err)
			}
			for _, args := range [][]string{{"run"}, {"gc", "--older-than", "0", "--over-half"}, {"gc", "--dry-run"}} {
				if code, _, stderr := two.cli(args...); code != 2 || !strings.Contains(stderr, "the warehouse is another catalog's: ") || !strings.Contains(stderr, "hint: it can be read from here") {
					t.Errorf("%v: %d %s", args, code, stderr)
				}
			}
			if code, _, stderr := two.cli("plan"); code != 0 {
				t.Errorf("a look: %s", stderr)
			}
			if rec := one.run(); rec.Status != run.NothingToDo {
				t.Errorf("the owner: %s", rec.Status)
			}
			one.tables()
		})
	}
}

// TestGarbageOverHalf does not believe that more than half of a warehouse is garbage.
func TestGarbageOverHalf(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	for n := range 4 {
		l.batch(n)
		l.run()
	}
	before := l.tree()
	if code, _, stderr := l.cli("gc", "--older-than", "0"); code != 2 || !strings.Contains(stderr, "more than half: nothing is removed") || !strings.Contains(stderr, "--over-half") {
		t.Errorf("%d %s", code, stderr)
	}
	if after := l.tree(); len(after) != len(before) {
		t.Errorf("%d files, before %d", len(after), len(before))
	}
	if code, stdout, _ := l.cli("gc", "--older-than", "0", "--over-half"); code != 0 || !strings.Contains(stdout, "removed") {
		t.Errorf("%d %s", code, stdout)
	}
	l.tables()
	if left := l.garbage(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
