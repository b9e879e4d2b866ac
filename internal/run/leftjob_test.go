package run_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/exetest"
	"tarn/internal/run"
)

// idler is a stand-in for spark-submit that does no work. It counts its starts, waits for a file, and then says that a step
// of its plan failed.
const idler = `#!/bin/sh
echo started >>%[1]s/starts
until [ "$1" = --tarn-plan ]; do shift; done
plan=$2
folder=$(dirname "${plan#file://}")
until [ -e %[1]s/go ]; do sleep 0.02; done
run=$(basename "$folder")
printf '{"run": "%%s", "error": {"table": "people", "what": "model", "message": "it is the stand-in", "class": "", "start": -1, "end": -1}}' "$run" >"$folder/result.json"
exit 1
`

// idle gives a lake a target whose Spark does no work, and the folder by which it is steered.
func idle(t *testing.T) (*testLake, string) {
	l := newLake(t)
	dir := t.TempDir()
	if err := exetest.WriteFile(filepath.Join(dir, "submit"), fmt.Appendf(nil, idler, dir)); err != nil {
		t.Fatal(err)
	}
	l.write("tarn.yaml", definitions["tarn.yaml"]+"targets:\n  spark: {engine: {spark: local, submit: "+dir+"/submit}}\n")
	l.batch(0)
	l.run()
	l.batch(1)
	l.target = "spark"
	return l, dir
}

func starts(t *testing.T, dir string) int {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "starts"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Count(string(raw), "started")
}

func begun(t *testing.T, dir string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); starts(t, dir) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no job was started")
		}
	}
}

func release(t *testing.T, dir string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
}

// jobFolder lists what is kept of jobs.
func (l *testLake) jobFolder() []string {
	l.t.Helper()
	entries, err := os.ReadDir(l.path(".tarn/spark"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		l.t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "runner-") && e.Name() != "last.log" {
			out = append(out, e.Name())
		}
	}
	return out
}

// TestJobOutlivesItsTerminal ends tarn at each step of starting a job, by kill -9 or as a terminal does that goes away. The next run
// finds the job and does not start it a second time, and gets to know how it ended.
func TestJobOutlivesItsTerminal(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"job prepared", "job started", "job noted"} {
		for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGHUP} {
			t.Run(sig.String()+" when "+step, func(t *testing.T) {
				t.Parallel()
				l, dir := idle(t)
				before, first := l.tables()
				garbage := l.garbage()
				cmd := l.tarn("run", "-q")
				cmd.Env = append(cmd.Env, signalAt+"="+step, signalIs+"="+strconv.Itoa(int(sig)))
				if out, err := cmd.CombinedOutput(); err == nil {
					t.Fatalf("the run went on\n%s", out)
				}
				if step != "job prepared" {
					begun(t, dir)
				}
				if _, now := l.tables(); now != first {
					t.Errorf("readers see run %s, before it was %s", now, first)
				}
				release(t, dir)
				told := ""
				rec, err := l.attemptWith(run.RunOptions{Resuming: func(run, _ string) { told = run }})
				if err == nil || !strings.Contains(err.Error(), "trusted/people.sql:1:1: build people on Spark: it is the stand-in") {
					t.Errorf("the next run says %v", err)
				}
				if rec.Run != told || told == "" {
					t.Errorf("the next run is %s, and went on with %q", rec.Run, told)
				}
				if n := starts(t, dir); n != 1 {
					t.Errorf("the job was started %d times", n)
				}
				if after, now := l.tables(); now != first || !cmp.Equal(before, after) {
					t.Errorf("readers see run %s, before it was %s", now, first)
				}
				if left := l.jobFolder(); len(left) > 0 {
					t.Errorf("of the job there is still %v", left)
				}
				if diff := cmp.Diff(garbage, l.garbage()); diff != "" {
					t.Errorf("the run left (-before +after):\n%s", diff)
				}
			})
		}
	}
}

// TestInterruptEndsTheJob presses Ctrl-C while the job is under way.
func TestInterruptEndsTheJob(t *testing.T) {
	t.Parallel()
	l, dir := idle(t)
	garbage := l.garbage()
	cmd := l.tarn("run", "-q")
	cmd.Env = append(cmd.Env, signalAt+"=job noted", signalIs+"="+strconv.Itoa(int(syscall.SIGINT)))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Fatalf("%v, want exit code 130\n%s", err, out)
	}
	if left := l.jobFolder(); len(left) > 0 {
		t.Errorf("of the job there is still %v", left)
	}
	if diff := cmp.Diff(garbage, l.garbage()); diff != "" {
		t.Errorf("the run left (-before +after):\n%s", diff)
	}
	release(t, dir)
	if err := os.RemoveAll(filepath.Join(dir, "starts")); err != nil {
		t.Fatal(err)
	}
	if _, err := l.attempt(); err == nil || !strings.Contains(err.Error(), "it is the stand-in") || starts(t, dir) != 1 {
		t.Errorf("the next run says %v after %d starts", err, starts(t, dir))
	}
}

// TestLeftJobIsEnded lets other commands, and runs of other definitions, come upon a job that was left: it is ended, and what its
// run has staged goes.
func TestLeftJobIsEnded(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]func(l *testLake, dir string){
		"other definitions": func(l *testLake, dir string) {
			l.replace("trusted/people.sql", "trim(name)", "upper(name)")
			release(l.t, dir)
			if _, err := l.attempt(); err == nil || starts(l.t, dir) != 2 {
				l.t.Errorf("after %d starts: %v", starts(l.t, dir), err)
			}
		},
		"other tables": func(l *testLake, dir string) {
			release(l.t, dir)
			if _, err := l.attempt("people"); err == nil || starts(l.t, dir) != 2 {
				l.t.Errorf("after %d starts: %v", starts(l.t, dir), err)
			}
		},
		"gc": func(l *testLake, dir string) {
			if _, err := l.gc(run.GCOptions{OlderThan: time.Hour}); err != nil || starts(l.t, dir) != 1 {
				l.t.Errorf("after %d starts: %v", starts(l.t, dir), err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, dir := idle(t)
			garbage := l.garbage()
			cmd := l.tarn("run", "-q")
			cmd.Env = append(cmd.Env, signalAt+"=job noted", signalIs+"="+strconv.Itoa(int(syscall.SIGKILL)))
			if out, err := cmd.CombinedOutput(); err == nil {
				t.Fatalf("the run went on\n%s", out)
			}
			begun(t, dir)
			next(l, dir)
			if left := l.jobFolder(); len(left) > 0 {
				t.Errorf("of the job there is still %v", left)
			}
			if diff := cmp.Diff(kinds(garbage), kinds(l.garbage())); diff != "" {
				t.Errorf("the run left (-before +after):\n%s", diff)
			}
		})
	}
}
