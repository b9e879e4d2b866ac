package run_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/catalog"
	"tarn/internal/lake"
	"tarn/internal/run"
)

func (l *testLake) rollback(to string) []string {
	l.t.Helper()
	w := l.open(run.Options{})
	defer w.Close()
	_, changed, err := w.Rollback(l.t.Context(), to, false)
	if err != nil {
		l.t.Fatal(err)
	}
	return changed
}

func (l *testLake) gc(o run.GCOptions) (lake.Garbage, error) {
	l.t.Helper()
	w := l.open(run.Options{})
	defer w.Close()
	return w.GC(l.t.Context(), o)
}

func TestRollback(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.batch(0)
	first := l.run()
	one, _ := l.tables()
	l.batch(1)
	l.replace("trusted/people.sql", "trim(name) AS name", "upper(name) AS label, id + 1 AS next")
	l.replace("curated/joined.sql", "p.name", "p.label")
	l.write("curated/extra.sql", "SELECT id FROM people\n")
	second := l.run()
	two, _ := l.tables()

	if changed := l.rollback(first.Run); len(changed) != 8 { // all, and the files, and extra which goes
		t.Errorf("changed %v", changed)
	}
	got, id := l.tables()
	if diff := cmp.Diff(one, got); diff != "" {
		t.Errorf("after the rollback (-first run +now):\n%s", diff)
	}
	if id == first.Run || id == second.Run {
		t.Errorf("the rollback is not a run of its own: %s", id)
	}
	if changed := l.rollback(first.Run); len(changed) != 0 {
		t.Errorf("again: changed %v", changed)
	}
	// And forward again, with a table that the first rollback took out.
	l.rollback(second.Run)
	got, _ = l.tables()
	if diff := cmp.Diff(two, got); diff != "" {
		t.Errorf("forward again (-second run +now):\n%s", diff)
	}
	if rec := l.run(); rec.Status != run.NothingToDo {
		t.Errorf("a run when the tables are as the definitions want them: %s, %v", rec.Status, files(rec))
	}
	// The next run after a rollback does again what was done since.
	l.rollback(first.Run)
	l.run()
	got, _ = l.tables()
	if diff := cmp.Diff(two, got); diff != "" {
		t.Errorf("the run after the rollback (-second run +now):\n%s", diff)
	}
	if code, _, stderr := l.cli("rollback", "nonsense"); code != 5 {
		t.Errorf("an unknown run: %d %s", code, stderr)
	}
}

func TestRollbackOfDroppedTables(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.batch(0)
	first := l.run()
	one, _ := l.tables()
	l.remove("curated/joined.sql")
	if code, _, stderr := l.cli("drop", "joined"); code != 0 {
		t.Fatal(stderr)
	}
	// Made anew under the same name, it is another table.
	l.write("curated/joined.sql", "SELECT id AS v, 1 AS name FROM people\n")
	l.run()
	l.rollback(first.Run)
	got, _ := l.tables()
	if diff := cmp.Diff(one, got); diff != "" {
		t.Errorf("(-first run +now):\n%s", diff)
	}
	// Once gc has removed the files, it is an error, and nothing is changed.
	l.remove("curated/joined.sql")
	if code, _, stderr := l.cli("drop", "joined"); code != 0 {
		t.Fatal(stderr)
	}
	if _, err := l.gc(run.GCOptions{OverHalf: true}); err != nil {
		t.Fatal(err)
	}
	before, id := l.tables()
	code, _, stderr := l.cli("rollback", first.Run)
	if code != 5 || !strings.Contains(stderr, "gc") {
		t.Errorf("%d %s", code, stderr)
	}
	if after, now := l.tables(); now != id || !cmp.Equal(before, after) {
		t.Error("a failed rollback changed the tables")
	}
}

// TestTwoAtATime has a run in progress, in another process or in this one, for as long as the test wants.
func TestTwoAtATime(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.batch(0)
	l.run()
	l.batch(1)
	before, _ := l.tables()
	for _, step := range []string{"built", "staged"} {
		w := l.open(run.Options{})
		inside, goOn := make(chan struct{}), make(chan struct{})
		w.OnStep(func(s string) {
			if s == step {
				close(inside)
				<-goOn
			}
		})
		done := make(chan error, 1)
		go func() {
			_, err := w.Run(context.Background(), run.RunOptions{})
			done <- err
		}()
		<-inside
		if code, _, stderr := l.cli("run"); code != 6 || !strings.Contains(stderr, fmt.Sprint(os.Getpid())) {
			t.Errorf("a second run: %d %s", code, stderr)
		}
		if _, err := l.gc(run.GCOptions{OlderThan: -time.Minute, OverHalf: true}); !errors.Is(err, run.ErrBusy) {
			t.Errorf("gc while a run is at work: %v", err)
		}
		if after, _ := l.tables(); !cmp.Equal(before, after) {
			t.Error("readers see something of a run at work")
		}
		told := make(chan int, 1)
		waited := make(chan error, 1)
		go func() {
			second := l.open(run.Options{})
			_, err := second.Run(context.Background(), run.RunOptions{Wait: true, Waiting: func(h catalog.Holder) { told <- h.PID }})
			waited <- errors.Join(err, second.Close())
		}()
		if pid := <-told; pid != os.Getpid() {
			t.Errorf("waits for process %d", pid)
		}
		close(goOn)
		for _, c := range []chan error{done, waited} {
			if err := <-c; err != nil {
				t.Error(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		l.batch(2)
		before, _ = l.tables()
	}
	l.run()
	// What a dead process left in the lock is no obstacle.
	l.write(".tarn/lock", `{"run":"20200101T000000Z-00000000","pid":1,"since":"2020-01-01T00:00:00Z"}`)
	l.write(".tarn/tmp/99999999/spill.tmp", "x")
	if rec := l.run(); rec.Status != run.NothingToDo {
		t.Errorf("with a stale lock: %s", rec.Status)
	}
	if _, err := os.Stat(l.path(".tarn/tmp/99999999")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("temporary files of a dead process: %v", err)
	}
}

// TestFullDisk runs on a file system that is too small.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.batch(0)
	l.run()
	before, first := l.tables()
	small := filepath.Join(t.TempDir(), "small")
	if err := os.Mkdir(small, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=900k"); err != nil {
		t.Skip("needs root to mount a small file system: " + err.Error())
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(small, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	if out, err := exec.Command("cp", "-a", l.path(".tarn"), small).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	l.remove(".tarn")
	if err := os.Symlink(filepath.Join(small, ".tarn"), l.path(".tarn")); err != nil {
		t.Fatal(err)
	}
	full := false
	for n := 1; n < 60; n++ {
		l.batch(n)
		code, _, stderr := l.cli("run", "-q")
		if code == 0 {
			before, first = l.tables()
			continue
		}
		if code != 1 || !strings.Contains(strings.ToLower(stderr), "space") {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		full = true
		break
	}
	if !full {
		t.Fatal("the disk never was full: the test proves nothing")
	}
	after, now := l.tables()
	if now != first || !cmp.Equal(before, after) {
		t.Errorf("readers see run %s, before it was %s", now, first)
	}
	if err := syscall.Mount("tmpfs", small, "tmpfs", syscall.MS_REMOUNT, "size=50m"); err != nil {
		t.Fatal(err)
	}
	l.run()
}
