package run_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/run"
	"tarn/internal/sparkconf"
)

// TestAnotherEngineForOneRun overrules the target's engine, either way. A job that was left by the other is ended.
func TestAnotherEngineForOneRun(t *testing.T) {
	t.Parallel()
	l, dir := idle(t)
	calm := newLake(t)
	calm.batch(0)
	calm.run()
	calm.batch(1)
	calm.run()
	cmd := l.tarn("run", "-q")
	cmd.Env = append(cmd.Env, signalAt+"=job noted", signalIs+"="+strconv.Itoa(int(syscall.SIGKILL)))
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Fatalf("the run went on\n%s", out)
	}
	begun(t, dir)
	w := l.open(run.Options{Engine: "duckdb"})
	rec, err := w.Run(t.Context(), run.RunOptions{})
	w.Close()
	if err != nil || rec.Status != run.Published || !slices.ContainsFunc(rec.Warnings, func(text string) bool { return strings.Contains(text, " had done was thrown away, as ") }) {
		t.Fatalf("%s %v: %v", rec.Status, rec.Warnings, err)
	}
	want, _ := calm.tables()
	got, _ := l.tables()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the tables:\n%s", diff)
	}
	if left := l.jobFolder(); len(left) > 0 || starts(t, dir) != 1 {
		t.Errorf("of the job there is still %v, after %d starts", left, starts(t, dir))
	}
	l.batch(2)
	l.target = ""
	release(t, dir)
	w = l.open(run.Options{Engine: "spark", Spark: &sparkconf.Settings{Where: sparkconf.Local, Submit: dir + "/submit"}})
	_, err = w.Run(t.Context(), run.RunOptions{})
	w.Close()
	if err == nil || !strings.Contains(err.Error(), itFails) {
		t.Errorf("on Spark: %v", err)
	}
	if _, err := run.Open(t.Context(), l.dir, run.Options{Engine: "spark"}); !errors.Is(err, run.ErrNoSpark) {
		t.Errorf("without settings: %v", err)
	}
}
