package run_test

import (
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"tarn/internal/awsconf"
	"tarn/internal/catalog/glue/gluetest"
	"tarn/internal/lake/laketest"
	"tarn/internal/store/registry"
)

// TestRowsChangedInAPublish has another program commit to a table when a publish has happened and its pointer has not moved
// yet. One that kept the rows is carried on; one that changed them is taken back under the same run. Where it has also removed
// the files that the run has added to, theirs stays, the run says so, and the next full refresh repairs it.
func TestRowsChangedInAPublish(t *testing.T) {
	t.Parallel()
	l := newLake(t).inGlue()
	glue := gluetest.New()
	server := httptest.NewServer(glue)
	t.Cleanup(server.Close)
	// A process of its own sees a catalog of its own.
	tarn := func(code int, args ...string) string {
		t.Helper()
		cmd := l.tarn(args...)
		cmd.Env = append(cmd.Env, "AWS_ENDPOINT_URL_GLUE="+server.URL)
		out, err := cmd.CombinedOutput()
		if _, failed := err.(*exec.ExitError); err != nil && !failed || cmd.ProcessState.ExitCode() != code {
			t.Fatalf("%v: exit code %d, want %d: %v\n%s", args, cmd.ProcessState.ExitCode(), code, err, out)
		}
		return string(out)
	}
	// meanwhile commits to a table when the first pointer of a publish is about to move.
	meanwhile := func(table string, changes ...laketest.Change) {
		var once sync.Once
		glue.Do(func(op string) (f gluetest.Fault) {
			if op == "UpdateTable" {
				once.Do(func() {
					to := glue.Location(l.database(), table)
					for _, c := range changes {
						var err error
						if to, err = laketest.Commit(t.Context(), registry.New(awsconf.Settings{}), to, c); err != nil {
							t.Error(err)
							return
						}
					}
					f.Before = func() { glue.Commit(l.database(), table, to, false) }
				})
			}
			return f
		})
	}
	count := func(table string) string {
		return tarn(0, "query", "--format", "csv", "SELECT count(*) FROM "+table)
	}
	upToDate := func() {
		t.Helper()
		if out := tarn(0, "run", "-q"); !strings.Contains(out, "nothing to do: all 6 tables are up to date") {
			t.Error(out)
		}
	}
	l.batch(0)
	tarn(0, "run", "-q")
	l.batch(1)
	meanwhile("daily", laketest.Compact)
	tarn(0, "run", "-q")
	upToDate()

	l.batch(2)
	meanwhile("daily", laketest.Double)
	out := tarn(0, "run", "-q")
	if !strings.Contains(out, "repaired: daily: its rows were changed by a test at ") || !strings.Contains(out, "; that was taken back") || !strings.Contains(out, "published 6 tables") {
		t.Error(out)
	}
	glue.Do(nil)
	upToDate()
	// What the three batches give. Another number of theirs would not tell: pointers move in any order, and theirs may have been too late.
	if now := count("daily"); now != "count_star()\n20\n" {
		t.Errorf("it is not taken back: %s", now)
	}

	l.batch(3)
	meanwhile("people_landing__rows", laketest.Empty, laketest.Expire)
	out = tarn(8, "run", "-q")
	if !strings.Contains(out, "changed elsewhere: people_landing: its rows were changed by a test") || !strings.Contains(out, "published 5 tables") {
		t.Error(out)
	}
	glue.Do(nil)
	if out := tarn(8, "run", "-q"); !strings.Contains(out, "2 tables held, 4 up to date") {
		t.Error(out)
	}
	if now := count("people_landing__rows"); now != "count_star()\n0\n" {
		t.Errorf("theirs is gone: %s", now)
	}
	if out := tarn(0, "run", "-q", "--full-refresh"); !strings.Contains(out, "repaired: people_landing: ") {
		t.Errorf("it is not repaired: %s", out)
	}
	upToDate()
	if now := count("people_landing__rows"); now == "count_star()\n0\n" {
		t.Error("no row came back")
	}
}
