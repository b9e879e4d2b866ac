// Package launchtest says what every place for Spark has to do, and tests it.
package launchtest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tarn/internal/engine/spark"
)

// Place is where the suite starts jobs. Its jobs are shell scripts in place of the runner, which get the runner's arguments.
type Place struct {
	// Launcher makes a launcher; each call is another process.
	Launcher func() spark.Launcher
	// Script puts a script where jobs find it, and gives its location.
	Script func(t *testing.T, text string) string
}

// Run tests a place; open makes one for each test.
func Run(t *testing.T, open func(t *testing.T) Place) {
	for name, test := range map[string]func(t *testing.T, p Place){
		"a job that ends": ends, "a job that fails": fails, "another process finds it": found, "a job that is cancelled": cancelled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// patience is for what takes a moment; only what never comes takes as long.
const patience = 5 * time.Minute

// job makes a job whose script works in a folder of its own, which the text calls $1.
func job(t *testing.T, p Place, run, text string) (spark.Job, string) {
	t.Helper()
	dir := t.TempDir()
	script := p.Script(t, strings.ReplaceAll(text, "$1", dir))
	return spark.Job{Run: run, Script: script, Plan: "file://" + dir + "/plan.json", Folder: "file://" + dir + "/", IO: map[string]string{"s3.endpoint": "http://localhost:1", "b": "2"}}, dir
}

// until waits for a state.
func until(t *testing.T, l spark.Launcher, j spark.Job, id string, want ...spark.Phase) spark.State {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		s, err := l.State(t.Context(), j, id)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if s.Phase == w {
				return s
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("the job is %s (%s), want %v", s.Phase, s.Message, want)
		}
	}
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func wait(t *testing.T, path string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !there(path); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s was not made", path)
		}
	}
}

func start(t *testing.T, l spark.Launcher, j spark.Job) string {
	t.Helper()
	id, err := l.Start(t.Context(), j)
	if err != nil || id == "" {
		t.Fatalf("start: %q, %v", id, err)
	}
	return id
}

func ends(t *testing.T, p Place) {
	l := p.Launcher()
	if about, err := l.Ready(t.Context()); err != nil || about == "" {
		t.Errorf("the place is %q, %v", about, err)
	}
	j, dir := job(t, p, "run-1", `echo "$@" >$1/args.new; mv $1/args.new $1/args; until [ -e $1/go ]; do sleep 0.02; done; touch $1/done`)
	id := start(t, l, j)
	wait(t, filepath.Join(dir, "args"))
	until(t, l, j, id, spark.Running)
	args, err := os.ReadFile(filepath.Join(dir, "args"))
	if want := "--tarn-plan " + j.Plan + " --tarn-io b=2,s3.endpoint=http://localhost:1"; err != nil || !sameArgs(string(args), want) {
		t.Errorf("the arguments are %q, want %q: %v", args, want, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	// A place may leave it to the result whether a job that has ended did its work.
	s := until(t, l, j, id, spark.Succeeded, spark.Failed)
	if !s.Phase.Ended() || !there(filepath.Join(dir, "done")) {
		t.Errorf("the job is %s", s.Phase)
	}
	if err := l.Cancel(t.Context(), j, id); err != nil {
		t.Errorf("cancelling a job that has ended: %v", err)
	}
}

// sameArgs compares pairs of arguments, whose order is the place's.
func sameArgs(got, want string) bool {
	g, w := strings.Fields(got), strings.Fields(want)
	for i := 0; i+1 < len(w); i += 2 {
		if !strings.Contains(strings.Join(g, " "), w[i]+" "+w[i+1]) {
			return false
		}
	}
	return len(g) == len(w)
}

func fails(t *testing.T, p Place) {
	l := p.Launcher()
	j, _ := job(t, p, "run-1", `echo "what went wrong" >&2; exit 3`)
	s := until(t, l, j, start(t, l, j), spark.Failed)
	if !strings.Contains(s.Logs+s.Message, "what went wrong") {
		t.Errorf("message %q, logs %q", s.Message, s.Logs)
	}
}

func found(t *testing.T, p Place) {
	one, two := p.Launcher(), p.Launcher()
	j, dir := job(t, p, "run-1", `touch $1/began; until [ -e $1/go ]; do sleep 0.02; done`)
	other := j
	other.Run, other.Plan = "run-2", j.Plan+".other"
	if ids, err := two.Find(t.Context(), j); err != nil || len(ids) > 0 {
		t.Errorf("a job that was not started is %q, %v", ids, err)
	}
	id := start(t, one, j)
	wait(t, filepath.Join(dir, "began"))
	if got, err := two.Find(t.Context(), j); err != nil || len(got) != 1 || got[0] != id {
		t.Errorf("found %q, want %q: %v", got, id, err)
	}
	if got, err := two.Find(t.Context(), other); err != nil || len(got) > 0 {
		t.Errorf("the job of another run is %q: %v", got, err)
	}
	until(t, two, j, id, spark.Running)
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	until(t, two, j, id, spark.Succeeded, spark.Failed)
}

func cancelled(t *testing.T, p Place) {
	one, two := p.Launcher(), p.Launcher()
	j, dir := job(t, p, "run-1", `touch $1/began; while true; do date +%N >$1/tick; sleep 0.02; done`)
	id := start(t, one, j)
	wait(t, filepath.Join(dir, "tick"))
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	if err := two.Cancel(ctx, j, id); err != nil {
		t.Fatal(err)
	}
	if s := until(t, two, j, id, spark.Stopped, spark.Failed, spark.Succeeded); s.Phase != spark.Stopped {
		t.Errorf("the job is %s", s.Phase)
	}
	before, err := os.ReadFile(filepath.Join(dir, "tick"))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	if after, err := os.ReadFile(filepath.Join(dir, "tick")); err != nil || string(after) != string(before) {
		t.Errorf("the job still writes: %v", err)
	}
}
