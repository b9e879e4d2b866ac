package flow

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/catalog/glue/gluetest"
	"tarn/internal/engine/spark/jobtest"
	"tarn/internal/lambda/lambdatest"
	"tarn/internal/store/s3/s3test"
)

// reference is what the tables have that the real files make, as the first world of this process has made them.
var reference atomic.Pointer[map[string]string]

// same fails where the tables and the account of files are others than in every other world.
func (w *world) same() {
	w.t.Helper()
	got := w.tables()
	if reference.CompareAndSwap(nil, &got) {
		w.rightCounts()
		return
	}
	if diff := cmp.Diff(*reference.Load(), got); diff != "" {
		w.t.Errorf("other tables than without a fault (-want +got):\n%s", diff)
	}
}

// needReference makes the reference, where no world has done so yet.
func needReference(t *testing.T) {
	t.Helper()
	if reference.Load() == nil {
		w := newWorld(t, config{})
		w.whole()
		w.same()
	}
}

// during calls a function before each event of the function that has an action; Records is that of a queue's messages.
func (w *world) during(action string, do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before = func(event string) {
		if action == "Records" && strings.HasPrefix(event, `{"Records"`) || strings.Contains(event, `"action":"`+action+`"`) {
			do()
		}
	}
}

// killAt kills the function at its n-th request to S3 from now on.
func (w *world) killAt(n int64) (killed *atomic.Bool) {
	killed = &atomic.Bool{}
	var count atomic.Int64
	w.s3.Do(func(*http.Request) s3test.Fault {
		if count.Add(1) == n {
			killed.Store(true)
			w.lambda.Kill()
		}
		return s3test.None
	})
	return killed
}

// once calls a function the first time only.
func once(do func()) func() {
	var done atomic.Bool
	return func() {
		if done.CompareAndSwap(false, true) {
			do()
		}
	}
}

// whole sends the real files through a world, and waits for the end of all executions.
func (w *world) whole() {
	w.t.Helper()
	// All of it arrives before the first execution begins.
	hold := w.clock.Work()
	w.arrive(w.land()...)
	w.queue.deliver()
	hold()
	w.states.Wait()
}

// attempts counts how often a state was tried in all executions.
func (w *world) attempts(state string) (n int) {
	for _, e := range w.states.Executions() {
		for _, s := range e.Steps {
			if s.State == state {
				n++
			}
		}
	}
	return n
}

// A function that is killed goes on where it was, in whatever state.
func TestKilled(t *testing.T) {
	for _, c := range []struct {
		action, state string
		requests      []int64
	}{
		{"plan", "Plan", []int64{6, 1}},
		{"run", "Run", []int64{30, 2, 12, 55}},
		{"Records", "", []int64{3, 1}},
	} {
		for i, n := range c.requests {
			if i > 0 && os.Getenv("TARN_LONG") == "" {
				break
			}
			t.Run(fmt.Sprintf("%s at request %d", c.action, n), func(t *testing.T) {
				w := newWorld(t, config{})
				killed := &atomic.Bool{}
				w.during(c.action, once(func() { killed = w.killAt(n) }))
				w.whole()
				if !killed.Load() {
					t.Fatal("it was not killed")
				}
				if c.state != "" && w.attempts(c.state) < 2 {
					t.Errorf("%s was tried %d times", c.state, w.attempts(c.state))
				}
				w.allSucceeded()
				w.same()
				if left := w.keys(own + "hints/"); len(left) != 0 {
					t.Errorf("hints are left: %s", left)
				}
			})
		}
	}
	// In the middle of a publish: some pointers have moved, others have not.
	for _, n := range []int64{5, 1} {
		if n == 1 && os.Getenv("TARN_LONG") == "" {
			break
		}
		t.Run(fmt.Sprintf("publish at table %d", n), func(t *testing.T) {
			w := newWorld(t, config{})
			var count atomic.Int64
			w.glue.Do(func(op string) gluetest.Fault {
				if op == "CreateTable" && count.Add(1) == n {
					w.lambda.Kill()
				}
				return gluetest.Fault{}
			})
			w.whole()
			if w.attempts("Run") != 2 {
				t.Errorf("Run was tried %d times", w.attempts("Run"))
			}
			w.allSucceeded()
			w.same()
		})
	}
}

// Services that refuse for a while.
func TestRefused(t *testing.T) {
	t.Run("throttled Glue", func(t *testing.T) {
		w := newWorld(t, config{})
		var count atomic.Int64
		w.glue.Do(func(string) gluetest.Fault {
			if count.Add(1)%3 == 0 {
				return gluetest.Fault{Error: "ThrottlingException", Message: "Rate exceeded"}
			}
			return gluetest.Fault{}
		})
		w.whole()
		w.glue.Do(nil)
		w.allSucceeded()
		w.same()
	})
	t.Run("expired credentials", func(t *testing.T) {
		w := newWorld(t, config{})
		expired := &atomic.Bool{}
		w.during("run", func() {
			// Those of the first attempt have expired in the middle of it, and the next one gets others.
			if first := !expired.Load() && w.attempts("Run") == 1; !first {
				w.s3.Do(nil)
				return
			}
			expired.Store(true)
			var count atomic.Int64
			w.s3.Do(func(*http.Request) s3test.Fault {
				if count.Add(1) > 12 {
					return s3test.Expired
				}
				return s3test.None
			})
		})
		w.whole()
		if !expired.Load() || w.attempts("Run") < 2 {
			t.Errorf("Run was tried %d times", w.attempts("Run"))
		}
		w.allSucceeded()
		w.same()
	})
	t.Run("Step Functions", func(t *testing.T) {
		w := newWorld(t, config{})
		var count atomic.Int64
		w.states.Refuse = func(op string) string {
			// More often than one client tries by itself.
			if op == "StartExecution" && count.Add(1) <= 5 {
				return "ThrottlingException"
			}
			return ""
		}
		w.whole()
		w.allSucceeded()
		w.same()
		if len(w.queue.dead) != 0 {
			t.Errorf("%d dead letters", len(w.queue.dead))
		}
	})
}

// A check that does not hold: nothing is published, the report goes out, and the next run is fine.
func TestFailedCheck(t *testing.T) {
	w := newWorld(t, config{})
	w.whole()
	w.same()
	bad := w.put("landing/customer/landing/bad.json", strings.ReplaceAll(person("Ada.Doe"), `"email": "Ada.Doe@test.com", `, ""))
	w.arrive(bad)
	w.queue.deliver()
	w.states.Wait()
	if e := w.last(); e.Status != "FAILED" || !strings.HasPrefix(e.Error, "RunFailed") || steps(e) != "Begin, Wait for more files, Plan, Where does it fit?, Run, Recover, Report, Failed" {
		t.Errorf("%s %s: %s", e.Status, e.Error, steps(e))
	}
	if len(w.reports) != 1 || !strings.Contains(w.reports[0], "not_null") || !strings.Contains(w.reports[0], "trusted/customer_trusted.sql") || strings.Contains(w.reports[0], "Ada") {
		t.Errorf("reports: %q", w.reports)
	}
	w.same()
	if err := w.store.Delete(t.Context(), bad); err != nil {
		t.Fatal(err)
	}
	good := w.put("landing/customer/landing/good.json", person("Ada.Doe"))
	w.arrive(good)
	w.queue.deliver()
	w.states.Wait()
	if e := w.last(); e.Status != "SUCCEEDED" {
		t.Errorf("the next run: %s %s", e.Status, e.Error)
	}
	if got := strings.TrimSpace(w.query("SELECT count(*) AS n FROM customer_trusted")); got != "n\n483" {
		t.Errorf("there are %s", got)
	}
}

// Two executions at once: one of them waits.
func TestTwoExecutions(t *testing.T) {
	w := newWorld(t, config{})
	w.land()
	hold := w.clock.Work()
	for _, name := range []string{"one", "two"} {
		if _, err := w.states.Start(machineARN, name, `{"reason":"manual"}`); err != nil {
			t.Fatal(err)
		}
	}
	hold()
	w.states.Wait()
	w.allSucceeded()
	w.same()
}

// What comes while a run is under way is in the tables in the end, without another event.
func TestEventDuringRun(t *testing.T) {
	w := newWorld(t, config{})
	w.during("run", once(func() {
		w.arrive(w.put("landing/customer/landing/more.json", person("Ada.Doe")))
		w.queue.deliver()
	}))
	w.whole()
	w.allSucceeded()
	if got := strings.TrimSpace(w.query("SELECT count(*) AS n FROM customer_trusted")); got != "n\n483" {
		t.Errorf("there are %s", got)
	}
	if left := w.keys(own + "hints/"); len(left) != 0 {
		t.Errorf("hints are left: %s", left)
	}
}

// An execution that was stopped in the middle of its run leaves a lock behind, which goes over to the next one.
func TestStopped(t *testing.T) {
	w := newWorld(t, config{})
	w.during("run", once(func() {
		var count atomic.Int64
		w.s3.Do(func(*http.Request) s3test.Fault {
			if count.Add(1) == 30 {
				if err := w.states.Stop(w.last().ARN); err != nil {
					t.Error(err)
				}
				w.lambda.Kill()
			}
			return s3test.None
		})
	}))
	w.whole()
	if e := w.last(); e.Status != "ABORTED" {
		t.Fatalf("it is %s", e.Status)
	}
	if n := len(w.keys(own + "hints/")); n == 0 {
		t.Error("the hints of a run that was stopped are gone")
	}
	w.start("next", `{"reason":"schedule"}`)
	if e := w.last(); e.Status != "SUCCEEDED" {
		t.Errorf("the next one is %s: %s", e.Status, e.Error)
	}
	w.same()
}

// A job that fails: its error is in the report, and nothing is left half done.
func TestFailedJob(t *testing.T) {
	w := newWorld(t, config{keys: "deploy: {engine: glue}"})
	w.jobs.Do = func(context.Context, jobtest.Run) error { return errors.New("no machines of this type today") }
	killed := &atomic.Bool{}
	w.during("prepare", once(func() { killed = w.killAt(20) }))
	w.whole()
	if !killed.Load() {
		t.Error("it was not killed while it prepared the job")
	}
	if e := w.last(); e.Status != "FAILED" || !strings.Contains(steps(e), "Prepare, Prepare, Is there a job?, All models, Recover, Report, Failed") {
		t.Errorf("%s: %s", e.Status, steps(e))
	}
	if len(w.reports) != 1 || !strings.Contains(w.reports[0], "no machines of this type today") {
		t.Errorf("reports: %q", w.reports)
	}
	if len(w.jobs.Runs()) != 1 {
		t.Errorf("%d job runs", len(w.jobs.Runs()))
	}
}

// A run that takes longer than the function may: it is done in parts, under one lock and one id. A machine that does not get on in that
// time gets four times as much, with requests that take as much longer.
func TestTooLong(t *testing.T) {
	slower := time.Duration(1)
	for ; !tooLong(t, slower, slower < 64); slower *= 4 {
	}
}

// tooLong reports whether the function got on in its time; it has to if nothing else may be.
func tooLong(t *testing.T, slower time.Duration, may bool) bool {
	w := newWorld(t, config{function: lambdatest.Config{Timeout: 3 * slower * time.Second}})
	w.s3.Do(func(*http.Request) s3test.Fault {
		time.Sleep(50 * slower * time.Millisecond)
		return s3test.None
	})
	w.whole()
	w.s3.Do(nil)
	if may {
		for _, e := range w.states.Executions() {
			for _, s := range e.Steps {
				if strings.Contains(s.Error, lambdatest.TimedOut) || strings.Contains(s.Error, "is not made within") {
					t.Log(s.State, s.Error)
					return false
				}
			}
		}
	}
	if n := w.attempts("Has it run?"); n < 2 {
		t.Errorf("all of it was done at once: Run was answered %d times", n)
	}
	if n := strings.TrimSpace(w.query("SELECT count(*) AS n FROM tarn__runs")); n != "n\n1" {
		t.Errorf("runs: %s", n)
	}
	w.allSucceeded()
	w.same()
	return true
}
