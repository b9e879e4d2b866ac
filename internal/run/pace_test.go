package run_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/catalog"
	"tarn/internal/events"
	"tarn/internal/lake/laketest"
	"tarn/internal/run"
)

// hour is time enough; tests say when it is over.
func hour() time.Time { return time.Now().Add(time.Hour) }

// openFor opens the lake for a process of an execution.
func (l *testLake) openFor(owner string) *run.Workspace {
	l.t.Helper()
	return l.open(run.Options{Owner: catalog.Owner{Execution: owner}})
}

// turn runs the lake as one process of an execution, whose time is over at a step.
func (l *testLake) turn(owner, over string, o run.RunOptions) (*run.Record, error) {
	l.t.Helper()
	w := l.openFor(owner)
	w.OnStep(func(step string) {
		if strings.HasPrefix(step, over) {
			w.TimeIsOver()
		}
	})
	o.Deadline = hour()
	rec, err := w.Run(l.t.Context(), o)
	if e := w.Close(); e != nil {
		l.t.Error(e)
	}
	return rec, err
}

// onDiskAndInGlue runs a test on a lake of this disk, and on one that is in a bucket and Glue.
func onDiskAndInGlue(t *testing.T, test func(t *testing.T, newLake func(t *testing.T) *testLake)) {
	for name, make := range map[string]func(t *testing.T) *testLake{"disk": newLake, "glue": func(t *testing.T) *testLake { return newLake(t).inGlue() }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, make)
		})
	}
}

// TestRunInTurns lets each process have time for one step only. The tables and the record are those of a run in one go, under
// the id of the first process, and nobody sees any of it before.
func TestRunInTurns(t *testing.T) { onDiskAndInGlue(t, runInTurns) }

func runInTurns(t *testing.T, newLake func(t *testing.T) *testLake) {
	l, calm := newLake(t), newLake(t)
	for _, l := range []*testLake{l, calm} {
		full(l)
		l.batch(0)
		l.run()
		l.batch(1)
		l.land("people/bad.json", "{\"id\": \"x\"}\n")
	}
	before, first := l.tables()
	var id string
	turns := 0
	for ; ; turns++ {
		rec, err := l.turn("arn:1", "made ", run.RunOptions{})
		if id == "" {
			id = rec.Run
		}
		if rec.Run != id {
			t.Errorf("turn %d is run %s, and the first was %s", turns, rec.Run, id)
		}
		var more *run.ContinueError
		if !errors.As(err, &more) {
			if err != nil {
				t.Fatalf("turn %d: %v", turns, err)
			}
			alike(t, calm.run(), rec)
			break
		}
		if more.Run != id || rec.Status != run.Continues || rec.Error != "" || more.Done == 0 || more.Done > more.Steps {
			t.Errorf("turn %d: %+v, %s %q", turns, more, rec.Status, rec.Error)
		}
		if seen, now := l.tables(); now != first || !cmp.Equal(seen, before) {
			t.Fatalf("after turn %d readers see run %s", turns, now)
		}
		if _, err := l.attempt(); !errors.Is(err, run.ErrBusy) || !strings.Contains(err.Error(), "execution arn:1") {
			t.Fatalf("another process between two turns: %v", err)
		}
	}
	if turns < 3 {
		t.Errorf("it took %d turns only", turns)
	}
	want, _ := calm.tables()
	got, now := l.tables()
	if diff := cmp.Diff(want, got); diff != "" || now != id {
		t.Errorf("run %s (-in one go +in turns):\n%s", now, diff)
	}
	if rec := l.run(); rec.Status != run.NothingToDo {
		t.Errorf("the run after says %s", rec.Status)
	}
	if diff := cmp.Diff(kinds(calm.garbage()), kinds(l.garbage())); diff != "" {
		t.Errorf("garbage (-in one go +in turns):\n%s", diff)
	}
}

// TestKilledInTurns kills processes of an execution at each step of stopping and of going on.
func TestKilledInTurns(t *testing.T) { onDiskAndInGlue(t, killedInTurns) }

func killedInTurns(t *testing.T, newLake func(t *testing.T) *testLake) {
	for _, c := range []struct {
		kill    string
		again   bool // in the second process
		visible bool
		disk    bool // on this disk only, as it takes its time in a bucket
	}{
		{kill: "saving", disk: true}, {kill: "saved"}, {kill: "made people", again: true}, {kill: "saving", again: true, disk: true},
		{kill: "built", again: true, disk: true}, {kill: "staged", again: true}, {kill: "published", again: true, visible: true, disk: true},
	} {
		if c.disk && newLake(t).bucket {
			continue
		}
		name := "killed when " + c.kill
		if c.again {
			name += " in the second process"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, calm := newLake(t), newLake(t)
			for _, l := range []*testLake{l, calm} {
				l.batch(0)
				l.run()
				l.batch(1)
			}
			_, first := l.tables()
			over := "made people_landing"
			if c.again {
				if _, err := l.turn("arn:1", over, run.RunOptions{}); !errors.As(err, new(*run.ContinueError)) {
					t.Fatal(err)
				}
				if over = "none"; c.kill == "saving" {
					over = "made people"
				}
			}
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), killAt+"="+c.kill, lakeDir+"="+l.dir, lakeTarget+"="+l.target, overAt+"="+over, execution+"=arn:1")
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != -1 {
				t.Fatalf("the process was not killed: %v\n%s", err, out)
			}
			if _, now := l.tables(); (now != first) != c.visible {
				t.Errorf("readers see run %s, before it was %s", now, first)
			}
			rec, err := l.turn("arn:1", "none", run.RunOptions{})
			if err != nil || (rec.Status == run.NothingToDo) != c.visible {
				t.Errorf("the next process says %s, %v", rec.Status, err)
			}
			calm.run()
			got, _ := l.tables()
			want, _ := calm.tables()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-undisturbed +killed:\n%s", diff)
			}
			if rec := l.run(); rec.Status != run.NothingToDo {
				t.Errorf("the run after says %s", rec.Status)
			}
			if diff := cmp.Diff(kinds(calm.garbage()), kinds(l.garbage())); diff != "" {
				t.Errorf("garbage (-undisturbed +killed):\n%s", diff)
			}
		})
	}
}

// TestCheckpointIsOutOfDate changes what a stopped run was made of. What it had done is thrown away, the next run says so, and
// begins anew.
func TestCheckpointIsOutOfDate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(l, calm *testLake)
		why    string
	}{
		"somebody has published": {func(l, _ *testLake) { l.elsewhere("people", laketest.Compact) }, "somebody else has published since"},
		"other definitions": {func(l, calm *testLake) {
			for _, l := range []*testLake{l, calm} {
				l.replace("trusted/people.sql", "trim(name)", "upper(name)")
			}
		}, "definitions, settings or the choice of tables are others now"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, calm := newLake(t), newLake(t)
			for _, l := range []*testLake{l, calm} {
				l.batch(0)
				l.run()
				l.batch(1)
			}
			stopped, err := l.turn("arn:1", "made people", run.RunOptions{})
			if !errors.As(err, new(*run.ContinueError)) {
				t.Fatal(err)
			}
			c.change(l, calm)
			told := ""
			rec, err := l.turn("arn:1", "none", run.RunOptions{Noted: func(text string) { told = text }})
			if err != nil || rec.Run == stopped.Run || rec.Status != run.Published {
				t.Fatalf("run %s, %s after %s: %v", rec.Run, rec.Status, stopped.Run, err)
			}
			want := "what run " + stopped.Run + " had done was thrown away, as " + c.why
			if told != want || len(rec.Warnings) != 1 || rec.Warnings[0] != want {
				t.Errorf("it says %q and %q, want %q", told, rec.Warnings, want)
			}
			calm.run()
			rows, _ := calm.tables()
			got, _ := l.tables()
			if diff := cmp.Diff(rows, got); diff != "" {
				t.Errorf("the tables:\n%s", diff)
			}
			if left := l.ofRun(stopped.Run); len(left) > 0 {
				t.Errorf("of the stopped run there is still %v", left)
			}
		})
	}
}

// ofRun lists what there is of a run's files on this disk.
func (l *testLake) ofRun(id string) (out []string) {
	for _, line := range l.tree() {
		if strings.Contains(line, id) || strings.Contains(line, ".tarn/left") && !strings.HasSuffix(line, ".tarn/left") {
			out = append(out, line)
		}
	}
	return out
}

// TestRecover lets go of what an execution has left: its own next process, or somebody who is told that it has ended.
func TestRecover(t *testing.T) {
	t.Parallel()
	for name, recover := range map[string]func(l *testLake, stopped string){
		"its own": func(l *testLake, stopped string) {
			w := l.open(run.Options{Owner: catalog.Owner{Execution: "arn:1"}})
			defer w.Close()
			r, err := w.Recover(l.t.Context())
			if err != nil || r.Run != stopped || !r.Thrown || r.Published || r.Err != nil {
				l.t.Errorf("%+v: %v", r, err)
			}
		},
		"somebody who asks": func(l *testLake, stopped string) {
			alive := true
			w := l.open(run.Options{Owner: catalog.Owner{Alive: func(context.Context, string) (bool, error) { return alive, nil }}})
			defer w.Close()
			if _, err := w.Recover(l.t.Context()); !errors.Is(err, run.ErrBusy) {
				l.t.Errorf("while it lives: %v", err)
			}
			if _, err := w.GC(l.t.Context(), run.GCOptions{OverHalf: true}); !errors.Is(err, run.ErrBusy) || len(l.ofRun(stopped)) == 0 {
				l.t.Errorf("gc while it lives: %v", err)
			}
			alive = false
			listed, err := w.GC(l.t.Context(), run.GCOptions{OlderThan: time.Hour, DryRun: true})
			if err != nil || !slices.ContainsFunc(listed.Files, func(f string) bool { return strings.Contains(f, "people_landing__rows/data/"+stopped) }) {
				l.t.Errorf("gc --dry-run does not list what the stopped run has: %v %v", listed.Files, err)
			}
			if _, err := w.GC(l.t.Context(), run.GCOptions{OlderThan: time.Hour}); err != nil {
				l.t.Error(err)
			}
		},
		"a person": func(l *testLake, stopped string) {
			if code, _, stderr := l.cli("run", "-q"); code != 6 || !strings.Contains(stderr, "execution arn:1") || !strings.Contains(stderr, "tarn recover --ended arn:1") {
				l.t.Errorf("%d %s", code, stderr)
			}
			if code, _, stderr := l.cli("recover"); code != 6 || !strings.Contains(stderr, "tarn recover --ended arn:1") {
				l.t.Errorf("%d %s", code, stderr)
			}
			if code, stdout, stderr := l.cli("recover", "--ended", "arn:1"); code != 0 || !strings.Contains(stdout, "run "+stopped+" was not published: what it had done is gone") {
				l.t.Errorf("%d %s%s", code, stdout, stderr)
			}
			if code, stdout, stderr := l.cli("recover"); code != 0 || !strings.Contains(stdout, "nothing to recover") {
				l.t.Errorf("%d %s%s", code, stdout, stderr)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLake(t)
			l.batch(0)
			l.run()
			l.batch(1)
			garbage := l.garbage()
			rec, err := l.turn("arn:1", "made people", run.RunOptions{})
			if !errors.As(err, new(*run.ContinueError)) {
				t.Fatal(err)
			}
			recover(l, rec.Run)
			if left := l.ofRun(rec.Run); len(left) > 0 {
				t.Errorf("of the stopped run there is still %v", left)
			}
			if diff := cmp.Diff(garbage, l.garbage()); diff != "" {
				t.Errorf("garbage (-before +after):\n%s", diff)
			}
			if rec := l.run(); rec.Status != run.Published {
				t.Errorf("the next run: %s", rec.Status)
			}
		})
	}
}

// TestAStepThatNeverEnds is cut short by every process: going on would never come to an end.
func TestAStepThatNeverEnds(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.batch(0)
	for n := 1; ; n++ {
		_, err := l.turn("arn:1", "account readings", run.RunOptions{})
		if errors.As(err, new(*run.ContinueError)) && n < 8 {
			continue
		}
		var never *run.TooLongError
		if !errors.As(err, &never) || never.Table != "readings" || n < 3 {
			t.Errorf("after %d turns: %v", n, err)
		}
		break
	}
	if rec := l.run(); rec.Status != run.Published {
		t.Errorf("the next run: %s", rec.Status)
	}
}

// TestNoTimeToBegin gives a process so little time that it gets to no step. What others have done stays; a run that never gets on
// ends.
func TestNoTimeToBegin(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.batch(0)
	late := func() (*run.Record, error) {
		w := l.openFor("arn:1")
		defer w.Close()
		return w.Run(t.Context(), run.RunOptions{Deadline: time.Now()})
	}
	if rec, err := late(); !errors.Is(err, context.DeadlineExceeded) || rec.Status != run.Broken {
		t.Errorf("a run that begins: %s %v", rec.Status, err)
	}
	stopped, err := l.turn("arn:1", "made people", run.RunOptions{})
	if !errors.As(err, new(*run.ContinueError)) {
		t.Fatal(err)
	}
	for range 2 {
		var more *run.ContinueError
		if rec, err := late(); !errors.As(err, &more) || rec.Run != stopped.Run || more.Done == 0 || more.Steps <= more.Done {
			t.Errorf("%s after %s: %v", rec.Run, stopped.Run, err)
		}
	}
	if rec, err := l.turn("arn:1", "made readings", run.RunOptions{}); !errors.As(err, new(*run.ContinueError)) || rec.Run != stopped.Run {
		t.Fatalf("%s after %s: %v", rec.Run, stopped.Run, err)
	}
	var never *run.TooLongError
	for n := 1; n <= 3; n++ {
		if _, err := late(); errors.As(err, &never) != (n == 3) {
			t.Errorf("time %d: %v", n, err)
		}
	}
	if never == nil || never.Table != "" {
		t.Errorf("%v", never)
	}
	if rec := l.run(); rec.Status != run.Published || rec.Run == stopped.Run {
		t.Errorf("the next run: %s %s", rec.Run, rec.Status)
	}
}

// TestEventsOfTwoProcesses gives the second process of a run events that the first did not have: they count as later ones.
func TestEventsOfTwoProcesses(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.batch(0)
	given := func(objects ...string) run.RunOptions {
		return run.RunOptions{Selection: run.Selection{Events: &events.Batch{Objects: objects}}}
	}
	if rec, err := l.turn("arn:1", "made people", given("a", "b")); !errors.As(err, new(*run.ContinueError)) || rec.Events.Later != 0 {
		t.Fatalf("%+v: %v", rec.Events, err)
	}
	if rec, err := l.turn("arn:1", "made people", given("b", "c", "a", "d")); !errors.As(err, new(*run.ContinueError)) || rec.Events.Objects != 2 || rec.Events.Later != 2 {
		t.Fatalf("%+v: %v", rec.Events, err)
	}
	if rec, err := l.turn("arn:1", "none", given("a")); err != nil || rec.Events.Later != 0 || rec.Status != run.Published {
		t.Errorf("%+v: %v", rec.Events, err)
	}
}

// TestAStepIsPutOff has too little time for a step, by what it took the last time for fewer rows: it is not begun, and nothing is
// cut short.
func TestAStepIsPutOff(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.batch(0)
	w := l.open(run.Options{})
	w.BeforeAccount(func(string) { time.Sleep(300 * time.Millisecond) })
	if _, err := w.Run(t.Context(), run.RunOptions{}); err != nil {
		t.Fatal(err)
	}
	w.Close()
	// So many rows more that the step would take hours by what it took, and everything else has minutes.
	var rows strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&rows, "{\"person\": %d, \"ts\": %d, \"v\": 1.5}\n", i%9, 1700000000000+i)
	}
	l.land("readings/many.json", rows.String())
	l.batch(1)
	began := map[string]bool{}
	w = l.open(run.Options{})
	w.OnStep(func(step string) { began[step] = true })
	rec, err := w.Run(t.Context(), run.RunOptions{Deadline: time.Now().Add(5 * time.Minute)})
	w.Close()
	var more *run.ContinueError
	if !errors.As(err, &more) || !began["made people"] || began["account readings"] || began["made daily"] || !began["saved"] {
		t.Fatalf("%s %v: %v", rec.Status, began, err)
	}
	if rec := l.run(); rec.Run != more.Run || rec.Status != run.Published {
		t.Errorf("the next process: run %s after %s, %s", rec.Run, more.Run, rec.Status)
	}
}
