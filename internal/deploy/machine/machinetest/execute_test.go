package machinetest

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tarn/internal/golden"
)

// A case is a machine, most of them examples of the specification, with what its tasks answer and how its execution goes.
type example struct {
	Source     string
	Definition json.RawMessage
	Input      json.RawMessage
	// Tasks answer in turn, the last one again and again: {"result"}, {"error", "cause"}, or {"takes"} seconds before that.
	Tasks map[string][]answer
	// Refused is what the definition is refused with.
	Refused string
	Output  json.RawMessage
	Error   string
	// Steps are the states in order, Given what the tasks got, Seconds how long it takes by the clock.
	Steps   []string
	Given   []json.RawMessage
	Seconds *float64
	// AtMost is in place of Seconds where pauses are partly left to chance.
	AtMost float64
}

type answer struct {
	Result json.RawMessage
	Error  string
	Cause  string
	Takes  float64
}

func TestExamples(t *testing.T) {
	golden.Cases(t, "testdata/*.json", func(t *testing.T, file string) {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var x example
		if err := strict(raw, &x); err != nil {
			t.Fatal(err)
		}
		d, err := Parse(x.Definition)
		if x.Refused != "" {
			if err == nil || !strings.Contains(err.Error(), x.Refused) {
				t.Fatalf("%v, want %s", err, x.Refused)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		e := &Execution{ARN: "arn:aws:states:us-east-1:123456789012:execution:m:e", Name: "e", Clock: NewClock(start), Tasks: map[string]Task{}}
		var given []string
		for resource, answers := range x.Tasks {
			e.Tasks[resource] = func(ctx context.Context, p any) (any, error) {
				e.mu.Lock()
				given = append(given, text(p))
				a := answers[0]
				if len(answers) > 1 {
					answers = answers[1:]
				}
				e.mu.Unlock()
				if err := e.Clock.Sleep(ctx, time.Duration(a.Takes*float64(time.Second))); err != nil {
					return nil, err
				}
				if a.Error != "" {
					return nil, &Error{a.Error, a.Cause}
				}
				return parse(a.Result)
			}
		}
		out, err := e.Run(t.Context(), d, x.Input)
		said := ""
		if err != nil {
			said = err.Error()
		}
		if said != x.Error {
			t.Errorf("the execution ends with %q, want %q", said, x.Error)
		}
		if x.Error == "" {
			same(t, "output", string(out), string(x.Output))
		}
		var steps []string
		for _, s := range e.Steps() {
			steps = append(steps, s.State)
		}
		if x.Steps != nil && strings.Join(steps, ", ") != strings.Join(x.Steps, ", ") {
			t.Errorf("steps are %q", steps)
		}
		for i, want := range x.Given {
			if i >= len(given) {
				t.Fatalf("tasks got %q", given)
			}
			same(t, "given", given[i], string(want))
		}
		took := e.Clock.Now().Sub(start).Seconds()
		if x.Seconds != nil && took != *x.Seconds || x.AtMost > 0 && (took > x.AtMost || took == 0) {
			t.Errorf("it took %g s", took)
		}
	})
}

func same(t *testing.T, what, got, want string) {
	t.Helper()
	a, err := parse([]byte(got))
	b, also := parse([]byte(want))
	if err := errors.Join(err, also); err != nil {
		t.Fatalf("%s: %v: %s", what, err, got)
	}
	if text(a) != text(b) {
		t.Errorf("%s is %s, want %s", what, text(a), text(b))
	}
}

// What the interpreter takes is what it knows: the machines of tarn, whole.
func TestTakesOurMachines(t *testing.T) {
	files, err := filepath.Glob("../testdata/*.asl.json")
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(raw); err != nil {
			t.Errorf("%s: %v", f, err)
		}
		if _, err := Parse([]byte(strings.Replace(string(raw), `"Next": "Plan"`, `"Next": "Nowhere"`, 1))); err == nil {
			t.Errorf("%s: a transition that leads nowhere is taken", f)
		}
	}
}
