package machine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"tarn/internal/deploy/machine"
	"tarn/internal/deploy/machine/machinetest"
	"tarn/internal/lambda/task"
)

// world is what executions of a machine meet: answers of the function in turn by action, the last one again and again. An answer
// that begins with ! is an error.
type world struct {
	answers map[task.Action][]string
	// job and topic are errors of those.
	job, topic func(arguments map[string]any) error
	started    []string
	told       []string
	calls      map[task.Action]int
	payloads   []string
}

func (w *world) tasks() map[string]machinetest.Task {
	return map[string]machinetest.Task{
		"arn:aws:states:::lambda:invoke": func(_ context.Context, p any) (any, error) {
			payload, err := json.Marshal(p.(map[string]any)["Payload"])
			if err != nil {
				return nil, err
			}
			w.payloads = append(w.payloads, string(payload))
			var t task.Task
			if err := json.Unmarshal(payload, &t); err != nil {
				return nil, &machinetest.Error{Name: "Refused", Cause: err.Error()}
			}
			if w.calls == nil {
				w.calls = map[task.Action]int{}
			}
			list := w.answers[t.Action]
			if len(list) == 0 {
				return nil, &machinetest.Error{Name: "Unexpected", Cause: "no answer to " + string(t.Action)}
			}
			n := min(w.calls[t.Action], len(list)-1)
			w.calls[t.Action]++
			if name, ok := strings.CutPrefix(list[n], "!"); ok {
				return nil, &machinetest.Error{Name: name, Cause: `{"errorMessage":"why"}`}
			}
			a := task.Answer{Next: task.Next(list[n]), Run: "r", Report: "report of " + string(t.Action) + " " + t.Run + t.Cause}
			if a.Next == task.StartJob {
				a.Arguments, a.Late = map[string]string{"--tarn-plan": "s3://plan"}, true
				a.Models = map[string]bool{"customer_trusted": true, "step_trainer_trusted": true, "machine_learning_curated": true}
			}
			return map[string]any{"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": a}, nil
		},
		"arn:aws:states:::glue:startJobRun.sync": func(_ context.Context, p any) (any, error) {
			arguments := p.(map[string]any)["Arguments"].(map[string]any)
			raw, err := json.Marshal(arguments)
			if err != nil {
				return nil, err
			}
			w.started = append(w.started, string(raw))
			if w.job != nil {
				return nil, w.job(arguments)
			}
			return map[string]any{"JobRunState": "SUCCEEDED"}, nil
		},
		"arn:aws:states:::sns:publish": func(_ context.Context, p any) (any, error) {
			w.told = append(w.told, p.(map[string]any)["Message"].(string))
			if w.topic != nil {
				return nil, w.topic(nil)
			}
			return map[string]any{"MessageId": "1"}, nil
		},
	}
}

// Every way through the machines, with a function and a job that answer as they are told.
func TestWays(t *testing.T) {
	denied := func(map[string]any) error {
		return &machinetest.Error{Name: "Glue.AccessDeniedException", Cause: "no"}
	}
	again := strings.Repeat("Plan, Where does it fit?, Run, Has it run?, Another round?, Next round, Wait between rounds, ", 8)
	for name, c := range map[string]struct {
		each  bool
		input string
		world
		way string
		// failure is what the execution ends with, told what the topic gets.
		failure, told string
		starts        []string
		// least and most are how long it takes by the clock.
		least, most time.Duration
	}{
		"nothing to do, without input": {world: world{answers: map[task.Action][]string{task.Plan: {"nothing"}}},
			way: "Begin, Plan, Where does it fit?, Done"},
		"in the function, after a wait": {input: `{"at":"2026-01-02T03:05:05Z","reason":"event"}`, world: world{answers: map[task.Action][]string{task.Plan: {"lambda"}, task.Run: {"continue", "done"}}},
			way: "Begin, Wait for more files, Plan, Where does it fit?, Run, Has it run?, Run, Has it run?, Done", least: time.Minute, most: time.Minute},
		"a time that is none": {input: `{"at":"","reason":"event"}`, world: world{answers: map[task.Action][]string{task.Plan: {"nothing"}}},
			way: "Begin, Plan, Where does it fit?, Done"},
		"the schedule": {input: `{"reason":"schedule"}`, world: world{answers: map[task.Action][]string{task.Plan: {"lambda"}, task.Run: {"done"}, task.Tidy: {"done"}}},
			way: "Begin, Plan, Where does it fit?, Run, Has it run?, Tidy, Done"},
		"files again and again": {input: `{"reason":"event"}`, world: world{answers: map[task.Action][]string{task.Plan: {"lambda"}, task.Run: {"again"}}},
			way:   "Begin, Plan, Where does it fit?, Run, Has it run?, Another round?, Second round, Wait between rounds, " + again + "Plan, Where does it fit?, Run, Has it run?, Another round?, Done",
			least: 45 * time.Minute, most: 45 * time.Minute},
		"on Glue": {world: world{answers: map[task.Action][]string{task.Plan: {"glue"}, task.Prepare: {"continue", "start"}, task.Publish: {"continue", "done"}}},
			way:    "Begin, Plan, Where does it fit?, Prepare, Is there a job?, Prepare, Is there a job?, All models, Publish, Is it published?, Publish, Is it published?, Done",
			starts: []string{`{"--tarn-plan":"s3://plan"}`}},
		"on Glue, nothing left to be made": {world: world{answers: map[task.Action][]string{task.Plan: {"glue"}, task.Prepare: {"done"}}},
			way: "Begin, Plan, Where does it fit?, Prepare, Is there a job?, Done"},
		"on Glue, model by model": {each: true, world: world{answers: map[task.Action][]string{task.Plan: {"glue"}, task.Prepare: {"start"}, task.Publish: {"done"}}},
			starts: []string{`{"--tarn-only":"customer_trusted","--tarn-plan":"s3://plan"}`, `{"--tarn-only":"step_trainer_trusted","--tarn-plan":"s3://plan"}`,
				`{"--tarn-only":"machine_learning_curated","--tarn-plan":"s3://plan"}`, `{"--tarn-late":"true","--tarn-plan":"s3://plan"}`}},
		"a model fails": {each: true, world: world{answers: map[task.Action][]string{task.Plan: {"glue"}, task.Prepare: {"start"}, task.Recover: {"done"}},
			job: func(a map[string]any) error {
				if a["--tarn-only"] == "step_trainer_trusted" {
					return &machinetest.Error{Name: "States.TaskFailed", Cause: "no machines"}
				}
				return nil
			}}, failure: `RunFailed: report of recover r{"Cause":"no machines","Error":"States.TaskFailed"}`, told: "no machines"},
		"a check fails": {world: world{answers: map[task.Action][]string{task.Plan: {"lambda"}, task.Run: {"!Failed"}, task.Recover: {"done"}}},
			way: "Begin, Plan, Where does it fit?, Run, Recover, Report, Failed", failure: `RunFailed: report of recover r{"Cause":"{\"errorMessage\":\"why\"}","Error":"Failed"}`, told: "Failed"},
		"others write": {world: world{answers: map[task.Action][]string{task.Plan: {"lambda"}, task.Run: {"!Busy", "!Busy", "!Busy", "done"}}},
			way: "Begin, Plan, Where does it fit?, Run, Run, Run, Run, Has it run?, Done", least: time.Nanosecond, most: 105 * time.Second},
		"others write for too long": {world: world{answers: map[task.Action][]string{task.Plan: {"lambda"}, task.Run: {"!Busy"}, task.Recover: {"done"}}},
			way: "Begin, Plan, Where does it fit?, " + strings.Repeat("Run, ", 17) + "Recover, Report, Failed", failure: `RunFailed: report of recover r{"Cause":"{\"errorMessage\":\"why\"}","Error":"Busy"}`,
			told: "Busy", least: time.Minute, most: machine.BusyFor},
		"a process dies three times": {world: world{answers: map[task.Action][]string{task.Plan: {"!Runtime.ExitError", "!Sandbox.Timedout", "!Runtime.ExitError"}, task.Recover: {"done"}}},
			way: "Begin, Plan, Plan, Plan, Recover, Report, Failed", failure: `RunFailed: report of recover {"Cause":"{\"errorMessage\":\"why\"}","Error":"Runtime.ExitError"}`, told: "ExitError"},
		"Lambda is throttled": {world: world{answers: map[task.Action][]string{task.Plan: {"!Lambda.TooManyRequestsException", "!Lambda.TooManyRequestsException", "nothing"}}},
			way: "Begin, Plan, Plan, Plan, Where does it fit?, Done", most: 6 * time.Second},
		"the job may not be started, and nothing can be cleared away": {world: world{answers: map[task.Action][]string{task.Plan: {"glue"}, task.Prepare: {"start"}, task.Recover: {"!Unexpected"}}, job: denied},
			way:     "Begin, Plan, Where does it fit?, Prepare, Is there a job?, All models, Recover, Recover, Recover, Not recovered, Report, Failed",
			failure: `RunFailed: What the run has left could not be cleared away, which the next one does: {"Cause":"{\"errorMessage\":\"why\"}","Error":"Unexpected"}`, told: "Unexpected"},
		"nobody can be told": {world: world{answers: map[task.Action][]string{task.Plan: {"!Failed"}, task.Recover: {"done"}}, topic: func(map[string]any) error { return fmt.Errorf("gone") }},
			way:     "Begin, Plan, Recover, Report, Report, Report, Report, Report, Report, Report, Failed",
			failure: `RunFailed: report of recover {"Cause":"{\"errorMessage\":\"why\"}","Error":"Failed"}`, told: "Failed"},
		"another version of the function": {world: world{answers: map[task.Action][]string{task.Plan: {"elsewhere"}, task.Recover: {"done"}}},
			way: "Begin, Plan, Where does it fit?, Unknown answer, Recover, Report, Failed", told: "deploy again",
			failure: `RunFailed: report of recover r{"Cause":"the function has answered what this state machine does not know: deploy again, so that both are of one version","Error":"UnknownAnswer"}`},
	} {
		t.Run(name, func(t *testing.T) {
			o := machine.Stedi()
			o.Each = c.each
			m, err := machine.New(o)
			if err != nil {
				t.Fatal(err)
			}
			text, err := m.Definition()
			if err != nil {
				t.Fatal(err)
			}
			d, err := machinetest.Parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			e := &machinetest.Execution{ARN: "arn:e", Name: "e", Clock: machinetest.NewClock(began), Tasks: c.tasks()}
			if c.input == "" {
				c.input = "{}"
			}
			_, err = e.Run(t.Context(), d, []byte(c.input))
			failure := ""
			if err != nil {
				failure = err.Error()
			}
			if failure != c.failure {
				t.Errorf("it ends with %q, want %q", failure, c.failure)
			}
			var way []string
			for _, s := range e.Steps() {
				way = append(way, s.State)
				if len(s.Output) > 2000 {
					t.Errorf("the state has grown: %s", s.Output)
				}
			}
			if got := strings.Join(way, ", "); c.way != "" && got != c.way {
				t.Errorf("its way is\n%s, want\n%s", got, c.way)
			}
			if c.starts != nil && strings.Join(c.starts, "\n") != strings.Join(c.world.started, "\n") {
				t.Errorf("job runs:\n%s", strings.Join(c.world.started, "\n"))
			}
			if told := strings.Join(c.world.told, "\n"); (told != "") != (c.told != "") || !strings.Contains(told, c.told) {
				t.Errorf("told: %q", told)
			}
			if took := e.Clock.Now().Sub(began); took < c.least || c.most > 0 && took > c.most {
				t.Errorf("it took %s", took)
			}
			for _, p := range c.payloads {
				if !strings.Contains(p, `"execution":"arn:e"`) || !strings.Contains(p, `"start":`+c.input) {
					t.Errorf("a task without its execution and input: %s", p)
				}
			}
		})
	}
}
