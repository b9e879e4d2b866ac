package flow

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tarn/internal/cost"
	"tarn/internal/deploy/machine/machinetest"
	"tarn/internal/lambda/task"
	"tarn/internal/store/s3/s3test"
)

var update = flag.Bool("update", false, "write what was counted into internal/cost/function.json")

// TestCosts holds what costs are reckoned with to what a deployed lake does: state transitions, lines and bytes of logs, metrics, and the
// requests of S3 that are about hints.
func TestCosts(t *testing.T) {
	w := newWorld(t, config{})
	w.arrive(w.land()...)
	w.queue.deliver()
	w.states.Wait()
	w.allSucceeded()

	one := w.counted(1)
	now := cost.Function{Measured: time.Now().UTC().Format(time.DateOnly), Transitions: w.transitions(), OnGlue: w.onGlue(), Batch: w.counted(3).Less(one).Over(2)}
	now.Run = one.Less(now.Batch)
	now.Schedule = w.worked(func(string) bool { return true }, func() { w.start("schedule", `{"reason":"schedule"}`) })
	now.Scheduled, now.Metrics = w.transitions(), len(w.metrics())
	raw, err := json.MarshalIndent(now, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(filepath.Join("..", "..", "internal", "cost", "function.json"), append(raw, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	then := cost.Figures().Function
	near := func(what string, now, then, within float64) {
		if math.Abs(now-then) > within {
			t.Errorf("%s: %.1f now, and %.1f in internal/cost/function.json: go test ./test/flow -run TestCosts -update\n%s", what, now, then, raw)
		}
	}
	near("transitions", float64(now.Transitions), float64(then.Transitions), 0)
	near("transitions on Glue", float64(now.OnGlue), float64(then.OnGlue), 0)
	near("transitions of the schedule", float64(now.Scheduled), float64(then.Scheduled), 0)
	near("metrics", float64(now.Metrics), float64(then.Metrics), 0)
	for what, pair := range map[string][2]cost.Worked{"a run": {now.Run, then.Run}, "a batch": {now.Batch, then.Batch}, "the schedule": {now.Schedule, then.Schedule}} {
		near(what+", lines of logs", pair[0].LogLines, pair[1].LogLines, 2)
		near(what+", bytes of logs", pair[0].LogBytes, pair[1].LogBytes, 200+pair[1].LogBytes/5)
		near(what+", listings", pair[0].List, pair[1].List, 1)
		near(what+", reads", pair[0].Get+pair[0].Head, pair[1].Get+pair[1].Head, 2)
		near(what+", writes", pair[0].Put, pair[1].Put, 1)
	}
}

// counted lets so many files come, each by itself, and counts what the function did about hints, for them and for the one run that they make.
func (w *world) counted(batches int) cost.Worked {
	w.t.Helper()
	executions := len(w.states.Executions())
	hints := func(at string) bool {
		return strings.Contains(at, own+"hints/") || strings.Contains(at, own+"next.json") || strings.Contains(at, own+"taken/")
	}
	c := w.worked(hints, func() {
		hold := w.clock.Work()
		for n := range batches {
			name := fmt.Sprintf("cost%d-%d", batches, n)
			w.arrive(w.put("landing/customer/landing/"+name+".json", person(name)))
			w.queue.deliver()
		}
		hold()
		w.states.Wait()
	})
	if n := len(w.states.Executions()) - executions; n != 1 {
		w.t.Fatalf("%d files made %d executions", batches, n)
	}
	return c
}

// worked counts what the function writes into its log meanwhile, and those of its requests of S3 whose path or prefix is asked for.
func (w *world) worked(asked func(at string) bool, do func()) (c cost.Worked) {
	w.t.Helper()
	var mu sync.Mutex
	w.s3.Do(func(r *http.Request) s3test.Fault {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case !asked(r.URL.Path + "?" + r.URL.Query().Get("prefix")):
		case r.URL.Query().Has("list-type"):
			c.List++
		case r.Method == http.MethodGet:
			c.Get++
		case r.Method == http.MethodHead:
			c.Head++
		case r.Method == http.MethodPut:
			c.Put++
		}
		return s3test.None
	})
	before := len(w.log.String())
	do()
	w.s3.Do(nil)
	w.allSucceeded()
	// The stand-in writes the report of each invocation, as Lambda does; with it, Lambda writes that it begins and that it ends.
	const request = "059f36b4-87a3-44ab-83d2-661975830a7d"
	text := w.log.String()[before:]
	calls := strings.Count(text, "REPORT RequestId")
	c.LogLines = float64(strings.Count(text, "\n") + 2*calls)
	c.LogBytes = float64(len(text) + calls*len("START RequestId: "+request+" Version: $LATEST"+"END RequestId: "+request))
	return c
}

// transitions are those that AWS counts for the last execution: one for each state and attempt, and the beginning and the end.
func (w *world) transitions() int { return len(w.last().Steps) + 2 }

// onGlue are the transitions of an execution that has a run for a job, with a function and a job that do nothing.
func (w *world) onGlue() int {
	w.t.Helper()
	answers := map[task.Action]task.Answer{task.Plan: {Next: task.OnGlue}, task.Prepare: {Next: task.StartJob, Run: "r", Arguments: map[string]string{"--tarn-plan": "s3://plan"}},
		task.Publish: {Next: task.Done, Run: "r"}}
	e := machinetest.Execution{ARN: "arn", Name: "name", Machine: machineARN, MachineName: "stedi-aws", Clock: machinetest.NewClock(time.Now()), Tasks: map[string]machinetest.Task{
		"arn:aws:states:::lambda:invoke": func(_ context.Context, p any) (any, error) {
			raw, err := json.Marshal(p.(map[string]any)["Payload"])
			if err != nil {
				return nil, err
			}
			var asked task.Task
			err = json.Unmarshal(raw, &asked)
			return map[string]any{"Payload": answers[asked.Action]}, err
		},
		"arn:aws:states:::glue:startJobRun.sync": func(context.Context, any) (any, error) { return map[string]any{}, nil },
	}}
	if _, err := e.Run(w.t.Context(), w.machine(), []byte(`{"at":"2026-01-02T03:04:05Z","reason":"event"}`)); err != nil {
		w.t.Fatal(err)
	}
	return len(e.Steps()) + 2
}

// metrics are the names of those that the log has had so far.
func (w *world) metrics() []string {
	names := map[string]bool{}
	for line := range strings.Lines(w.log.String()) {
		var found struct {
			AWS struct {
				CloudWatchMetrics []struct{ Metrics []struct{ Name string } }
			} `json:"_aws"`
		}
		if json.Unmarshal([]byte(line), &found) != nil {
			continue
		}
		for _, d := range found.AWS.CloudWatchMetrics {
			for _, m := range d.Metrics {
				names[m.Name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}
