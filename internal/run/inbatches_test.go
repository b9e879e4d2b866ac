package run_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/run"
)

// withMuch lands files of every kind: good ones, some that are read again as they have changed, and some with rows that cannot be
// read or that a check puts aside.
func withMuch(l *testLake) {
	full(l)
	l.write("landing/readings_landing.yml", "checks: [{name: small, expect: v < 8.9, on_fail: quarantine}, {name: rare, expect: v > -0.99, on_fail: drop}]\n")
	for n := range 3 {
		l.batch(n)
	}
	l.run()
	for n := range 8 {
		l.batch(n + 2)
	}
	l.land("people/002.json", "{\"id\": 3, \"name\": \"another\", \"consent\": true}\n")
	l.land("people/bad.json", "{\"id\": \"x\"}\n{\"id\": 4, \"name\": \"good\", \"consent\": true}\n")
	l.land("readings/bad.json", "{\"person\": 1, \"ts\": \"no\"}\n{broken\n")
}

// inOneGo runs a lake at once, for the tables that another one has to have.
func (l *testLake) inOneGo(t *testing.T, got *run.Record, in *testLake) {
	t.Helper()
	alike(t, l.run(), got)
	want, _ := l.tables()
	have, _ := in.tables()
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("-in one go +in batches:\n%s", diff)
	}
	if rec := in.run(); rec.Status != run.NothingToDo {
		t.Errorf("the run after says %s", rec.Status)
	}
	if diff := cmp.Diff(kinds(l.garbage()), kinds(in.garbage())); diff != "" {
		t.Errorf("garbage (-in one go +in batches):\n%s", diff)
	}
}

// TestLoadedInBatches lets each process have time for a batch of a landing table's files only: it goes on with the others under the
// same id, the tables are those of a run in one go, and nobody sees any of it before.
func TestLoadedInBatches(t *testing.T) { onDiskAndInGlue(t, loadedInBatches) }

func loadedInBatches(t *testing.T, newLake func(t *testing.T) *testLake) {
	l, calm := newLake(t), newLake(t)
	withMuch(l)
	withMuch(calm)
	_, first := l.tables()
	l.parts = 3
	var id string
	parts := map[string]int{}
	for turn := range 40 {
		w := l.openFor("arn:1")
		w.OnStep(func(step string) {
			if strings.HasPrefix(step, "read batch ") {
				parts[step]++
				w.TimeIsOver()
			}
		})
		rec, err := w.Run(t.Context(), run.RunOptions{Deadline: hour()})
		if e := w.Close(); e != nil {
			t.Error(e)
		}
		if id == "" {
			id = rec.Run
		}
		if rec.Run != id {
			t.Errorf("turn %d is run %s, and the first was %s", turn, rec.Run, id)
		}
		if err == nil {
			calm.inOneGo(t, rec, l)
			break
		}
		var more *run.ContinueError
		if !errors.As(err, &more) || more.ToRead == 0 || more.Read > more.ToRead || turn == 1 && more.Read != 6 {
			t.Fatalf("turn %d: %v", turn, err)
		}
		if _, now := l.tables(); now != first {
			t.Fatalf("after turn %d readers see run %s", turn, now)
		}
	}
	// Nine files of people that are new or have changed, and nine of readings.
	if want := map[string]int{"read batch 1 of people_landing": 1, "read batch 2 of people_landing": 1, "read batch 3 of people_landing": 1,
		"read batch 1 of readings_landing": 1, "read batch 2 of readings_landing": 1, "read batch 3 of readings_landing": 1}; !cmp.Equal(want, parts) {
		t.Errorf("batches were read as often as %v", parts)
	}
}

// TestKilledInBatches kills a process in the middle of reading batches. The next one reads only those that were not read, or, where it
// has other definitions, all of it.
func TestKilledInBatches(t *testing.T) { onDiskAndInGlue(t, killedInBatches) }

func killedInBatches(t *testing.T, newLake func(t *testing.T) *testLake) {
	for name, c := range map[string]struct {
		change func(l *testLake)
		read   int
	}{
		"same":                {func(*testLake) {}, 4},
		"definitions on disk": {func(l *testLake) { l.replace("trusted/people.sql", "trim(name)", "upper(name)") }, 6},
	} {
		if newLake(t).bucket && strings.HasSuffix(name, "on disk") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, calm := newLake(t), newLake(t)
			withMuch(l)
			withMuch(calm)
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), killAt+"=read batch 2 of people_landing", lakeDir+"="+l.dir, lakeTarget+"="+l.target, overAt+"=none", execution+"=arn:1", partsOf+"=3")
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != -1 {
				t.Fatalf("the process was not killed: %v\n%s", err, out)
			}
			c.change(l)
			c.change(calm)
			l.parts = 3
			w := l.openFor("arn:1")
			read := 0
			w.OnStep(func(step string) {
				if strings.HasPrefix(step, "read batch ") {
					read++
				}
			})
			rec, err := w.Run(t.Context(), run.RunOptions{Deadline: hour()})
			if e := w.Close(); err != nil || e != nil {
				t.Fatal(err, e)
			}
			if read != c.read {
				t.Errorf("%d batches were read, want %d", read, c.read)
			}
			rec.Warnings = nil
			calm.inOneGo(t, rec, l)
		})
	}
}
