package flow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"tarn/internal/catalog/glue/gluetest"
	"tarn/internal/catalog/lease"
	"tarn/internal/deploy/machine/machinetest"
	"tarn/internal/engine/spark/jobtest"
	"tarn/internal/store"
)

// A function that is killed in each attempt at a run, in the middle of its publish, and then while it recovers: the execution has
// failed, what was half published is whole, and the next execution finds nothing to do.
func TestKilledWhileRecovering(t *testing.T) {
	w := newWorld(t, config{})
	// left is how many tables more are made; with the last of them the function is killed, and what it asks at the same time is lost.
	const all = 1 << 30
	var left, recovers atomic.Int64
	w.glue.Do(func(op string) gluetest.Fault {
		if op != "CreateTable" {
			return gluetest.Fault{}
		}
		switch n := left.Add(-1); {
		case n == 0:
			w.lambda.Kill()
		case n < 0:
			return gluetest.Fault{Reset: true}
		}
		return gluetest.Fault{}
	})
	w.mu.Lock()
	w.before = func(event string) {
		switch {
		case strings.Contains(event, `"action":"run"`):
			left.Store(3)
		case strings.Contains(event, `"action":"recover"`) && recovers.Add(1) == 1:
			left.Store(1)
		default:
			left.Store(all)
		}
	}
	w.mu.Unlock()
	w.whole()
	const way = "Begin, Wait for more files, Plan, Where does it fit?, Run, Run, Run, Recover, Recover, Report, Failed"
	if e := w.last(); e.Status != "FAILED" || steps(e) != way {
		t.Errorf("%s: %s", e.Status, steps(e))
	}
	if len(w.reports) != 1 || !strings.Contains(w.reports[0], "Runtime.ExitError") || !strings.Contains(w.reports[0], "readers see what run ") {
		t.Errorf("reports: %q", w.reports)
	}
	w.same()
	w.start("next", `{"reason":"manual"}`)
	if e := w.last(); e.Status != "SUCCEEDED" || steps(e) != "Begin, Plan, Where does it fit?, Done" {
		t.Errorf("the next one is %s: %s %s", e.Status, e.Error, steps(e))
	}
	w.same()
}

// A function that is killed while it tidies up does that once more, and takes nothing away that is needed.
func TestKilledWhileTidying(t *testing.T) {
	w := newWorld(t, config{})
	w.whole()
	w.same()
	killed := &atomic.Bool{}
	w.during("tidy", once(func() { killed = w.killAt(8) }))
	w.start("schedule", `{"reason":"schedule"}`)
	if e := w.last(); !killed.Load() || e.Status != "SUCCEEDED" || steps(e) != "Begin, Plan, Where does it fit?, Tidy, Tidy, Done" {
		t.Errorf("killed %v, %s: %s", killed.Load(), e.Status, steps(e))
	}
	w.same()
}

// The function is deployed anew, with other definitions, while a job is under way: what the job was to make is thrown away, and the
// execution begins anew. The function starts no job by itself, which it has no right to.
func TestDeployedDuringJob(t *testing.T) {
	w := newWorld(t, config{keys: "deploy: {engine: glue}"})
	runs := 0
	w.jobs.Do = func(context.Context, jobtest.Run) error {
		if runs++; runs > 1 {
			return errors.New("no more machines today")
		}
		const file = "lake/trusted/customer_trusted.sql"
		text, err := os.ReadFile(filepath.Join(w.dir, file))
		if err == nil {
			w.write(file, strings.Replace(string(text), "trim(c.phone) AS", "upper(c.phone) AS", 1))
			w.lambda.Kill()
		}
		return err
	}
	w.whole()
	const way = "Prepare, Is there a job?, All models, Publish, Is it published?, Another round?, Second round, Wait between rounds, Plan, Where does it fit?, Prepare, Is there a job?, All models, Recover, Report, Failed"
	if e := w.last(); e.Status != "FAILED" || !strings.Contains(steps(e), way) {
		t.Errorf("%s: %s", e.Status, steps(e))
	}
	if len(w.reports) != 1 || !strings.Contains(w.reports[0], "no more machines today") || !strings.Contains(w.reports[0], "was thrown away") {
		t.Errorf("reports: %q", w.reports)
	}
	if left := w.keys(own + "left"); len(left) != 0 {
		t.Errorf("%s is left", left)
	}
}

// Whoever asks the function to publish before there was a job is told so.
func TestPublishWithoutJob(t *testing.T) {
	w := newWorld(t, config{keys: "deploy: {engine: glue}"})
	w.land()
	ask := func(action, run string) (map[string]any, error) {
		out, err := w.invoke(t.Context(), map[string]any{"FunctionName": w.arn(w.spec.Names().FunctionARN()), "Payload": map[string]any{
			"action": action, "run": run, "execution": "arn:aws:states:us-east-1:" + account + ":execution:stedi-aws:by-hand", "start": map[string]any{"reason": "manual"}}})
		if err != nil {
			return nil, err
		}
		var answer map[string]any
		return answer, json.Unmarshal(out.(map[string]any)["Payload"].(json.RawMessage), &answer)
	}
	prepared, err := ask("prepare", "")
	if err != nil || prepared["next"] != "start" {
		t.Fatal(prepared, err)
	}
	var failed *machinetest.Error
	if _, err := ask("publish", prepared["run"].(string)); !errors.As(err, &failed) || failed.Name != "Unexpected" || !strings.Contains(failed.Cause, "nobody has started the job of run "+prepared["run"].(string)) {
		t.Errorf("%v", err)
	}
}

// The lock is held by a run of a machine that has gone: it is waited for until that has been silent for as long as it promised, and
// taken over then.
func TestExpiredLease(t *testing.T) {
	w := newWorld(t, config{})
	held := false
	w.during("run", once(func() {
		// As whoever makes the first run writes it, before there is anything else.
		head, err := json.Marshal(map[string]any{"format": lease.Format, "token": 1, "updates": 0, "write": "one", "owner": map[string]any{
			"run": "20250131T100021Z-1a2b3c4d", "host": "laptop", "pid": 1, "machine": "another", "since": "2025-01-31T10:00:21Z", "id": "one", "ttl_ms": 500}})
		if err == nil {
			_, err = w.store.Put(t.Context(), own+"head.json", bytes.NewReader(head), store.Condition{Absent: true})
		}
		if held = err == nil; !held {
			t.Error(err)
		}
	}))
	w.whole()
	w.allSucceeded()
	if !held {
		t.Error("nobody held the lock")
	}
	w.same()
}
