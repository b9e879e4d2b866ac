package spark

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tarn/internal/awsconf"
	"tarn/internal/exetest"
	"tarn/internal/store/registry"
)

// scripted is a launcher whose jobs are what a test says.
type scripted struct {
	states    []State
	fails     error
	cancelled bool
	started   []Job
}

func (s *scripted) Ready(context.Context) (string, error) { return "here", nil }
func (s *scripted) Start(_ context.Context, j Job) (string, error) {
	s.started = append(s.started, j)
	return "7", nil
}
func (s *scripted) Find(context.Context, Job) ([]string, error) {
	if len(s.started) > 0 {
		return []string{"7"}, nil
	}
	return nil, nil
}
func (s *scripted) State(context.Context, Job, string) (State, error) {
	if s.fails != nil {
		return State{}, s.fails
	}
	now := s.states[0]
	if len(s.states) > 1 {
		s.states = s.states[1:]
	}
	return now, nil
}
func (s *scripted) Cancel(context.Context, Job, string) error {
	s.cancelled = true
	return s.fails
}

func scriptedEngine(t *testing.T, l *scripted) *Engine {
	return &Engine{Kind: "test", Launcher: l, Stores: registry.New(awsconf.Settings{}), Own: "file://" + t.TempDir() + "/own", IO: map[string]string{"a": "1"}, Poll: time.Millisecond}
}

func (e *Engine) write(t *testing.T, name string, v any) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.put(t.Context(), e.Folder("r")+name, raw); err != nil {
		t.Fatal(err)
	}
}

func TestJob(t *testing.T) {
	t.Parallel()
	l := &scripted{states: []State{{Phase: Waiting}, {Phase: Running}, {Phase: Running}, {Phase: Succeeded}}}
	e := scriptedEngine(t, l)
	h, err := e.Prepare(t.Context(), Plan{Run: "r", Database: "d"})
	if err != nil {
		t.Fatal(err)
	}
	if found, err := e.Find(t.Context(), h); err != nil || found.ID != "" {
		t.Errorf("before the start there is job %q, %v", found.ID, err)
	}
	if h, err = e.Start(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	script, err := e.get(t.Context(), h.Script)
	if err != nil || string(script) != string(runner) || !strings.Contains(h.Script, "/runner-") {
		t.Errorf("%s: %v", h.Script, err)
	}
	var p Plan
	raw, err := e.File(t.Context(), "r", "plan.json")
	if err := errors.Join(err, json.Unmarshal(raw, &p)); err != nil || p.Format != Format || p.Place != e.Folder("r") {
		t.Errorf("%+v: %v", p, err)
	}
	if args := strings.Join(l.started[0].Args(), " "); args != "--tarn-plan "+e.Folder("r")+"plan.json --tarn-io a=1" {
		t.Errorf("started with %s", args)
	}
	e.write(t, "progress.json", map[string]any{"application": "app", "finished": []map[string]any{{"table": "t", "rows": 3}}})
	e.write(t, "result.json", Result{Run: "r", Spark: "3.5.4", Steps: []StepResult{{Table: "t", Rows: 3}}})
	var phases []Phase
	r, err := e.Wait(t.Context(), Handle{Run: h.Run, Kind: h.Kind, ID: h.ID}, func(s State, p Progress) {
		phases = append(phases, s.Phase)
		if len(p.Finished) != 1 || p.Finished[0].Rows != 3 {
			t.Errorf("progress %+v", p)
		}
	})
	if err != nil || len(r.Steps) != 1 || len(phases) != 3 {
		t.Errorf("%+v, %v, %v", r, phases, err)
	}
	if err := e.Remove(t.Context(), "r"); err != nil {
		t.Fatal(err)
	}
	if _, err := e.File(t.Context(), "r", "plan.json"); err == nil {
		t.Error("the plan is still there")
	}
}

// TestEnds tells the ways apart in which a job ends.
func TestEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		state  State
		fails  error
		result *Result
		is     func(error) bool
		says   string
	}{
		"a step fails":         {State{Phase: Failed}, nil, &Result{Run: "r", Error: &StepError{Table: "t", What: "model", Message: "no"}}, as[*StepError], "build t on Spark: no"},
		"a check fails to ask": {State{Phase: Failed}, nil, &Result{Run: "r", Error: &StepError{Table: "t", What: "c", Message: "no"}}, as[*StepError], "check c of t on Spark: no"},
		"no result":            {State{Phase: Failed, Message: "out of memory", Logs: "last line"}, nil, nil, as[*JobError], "out of memory\nlast line"},
		"stopped":              {State{Phase: Stopped}, nil, nil, is(ErrCancelled), "7"},
		"no answer":            {State{}, errors.New("no network"), nil, is(ErrUnheard), "no network"},
		"another's result":     {State{Phase: Succeeded}, nil, &Result{Run: "x"}, func(err error) bool { return err != nil }, "is of run x, not of r"},
	} {
		e := scriptedEngine(t, &scripted{states: []State{c.state}, fails: c.fails})
		if c.result != nil {
			e.write(t, "result.json", c.result)
		}
		_, err := e.Wait(t.Context(), Handle{Run: "r", Kind: "test", ID: "7"}, nil)
		if !c.is(err) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	l := &scripted{fails: errors.New("no network")}
	if err := scriptedEngine(t, l).Cancel(t.Context(), Handle{Run: "r", ID: "7"}); !errors.Is(err, ErrUnheard) || !l.cancelled {
		t.Errorf("a job that cannot be cancelled: %v", err)
	}
	l = &scripted{}
	if err := scriptedEngine(t, l).Cancel(t.Context(), Handle{Run: "r"}); err != nil || l.cancelled {
		t.Errorf("a job that was never started: %v", err)
	}
}

func as[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// TestLeftovers lists runners and programs of other versions and folders of forgotten runs, if they are old, and nothing that a
// job of this version would read.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	e := scriptedEngine(t, &scripted{})
	program := t.TempDir() + "/tarn"
	own, err := os.ReadFile(os.Args[0])
	if err := errors.Join(err, exetest.WriteFile(program, own)); err != nil {
		t.Fatal(err)
	}
	e.Worker = Worker{Program: program}
	l, err := e.reading(t.Context(), []Batch{{Table: "t", Location: "l"}})
	if err != nil {
		t.Fatal(err)
	}
	h, err := e.Prepare(t.Context(), Plan{Run: "forgotten", Load: l})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"runner-000000000000.py", "worker-000000000000000000000000", "job.json"} {
		if err := e.put(t.Context(), e.Own+"/"+name, []byte("old")); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := e.Leftovers(t.Context(), time.Now().Add(-time.Hour)); err != nil || len(out) > 0 {
		t.Errorf("nothing is an hour old: %v %v", out, err)
	}
	out, err := e.Leftovers(t.Context(), time.Now().Add(time.Hour), "job.json")
	var got []string
	for _, o := range out {
		got = append(got, strings.TrimPrefix(o.Location, e.Own+"/"))
	}
	want := []string{"forgotten/plan.json", "runner-000000000000.py", "worker-000000000000000000000000"}
	if err != nil || !slices.Equal(got, want) || out[1].Bytes != 3 {
		t.Errorf("%v, expected %v: %v\nscript %s, worker %s", out, want, err, h.Script, l.Worker)
	}
}
