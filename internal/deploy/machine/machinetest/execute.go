// Package machinetest executes state machines of the Amazon States Language in tests: exactly the states and features that package
// machine uses, with JSONPath. All else is refused when a machine is read, so that nothing is passed over in silence.
//
// Time is that of a [Clock], which jumps: hours of waiting take none. Sources: the specification at states-language.net, and
// the AWS Step Functions Developer Guide where AWS goes beyond it.
package machinetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Task does what a Task state asks for. An error is an [*Error], by whose name the machine goes on; others are States.TaskFailed.
type Task func(ctx context.Context, parameters any) (result any, err error)

// MaxState is how many bytes a state's input or output may have (AWS Step Functions Developer Guide, "Quotas").
const MaxState = 256 << 10

// Step is a state that was entered, or tried again.
type Step struct {
	State   string
	At      time.Time
	Attempt int
	Input   string
	// Output and Error are how it ended; both are "" of one that is under way.
	Output, Error string
}

// Execution is one run through a machine.
type Execution struct {
	// ARN and Name are its own, Machine and MachineName the state machine's.
	ARN, Name, Machine, MachineName string
	// Tasks are by the Resource of Task states.
	Tasks map[string]Task
	Clock *Clock
	// Waited, if not nil, is told that the clock has come to a time for which a Wait state has waited.
	Waited func(time.Time)

	mu    sync.Mutex
	steps []Step
	began time.Time
	input any
	// expired says that it took longer than the whole machine may.
	expired bool
}

// Steps are the states that were entered so far, in the order in which they were.
func (e *Execution) Steps() []Step {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.steps)
}

// Run executes a machine. The caller must not hold the clock. The error is an [*Error], or that of a context which has ended.
func (e *Execution) Run(ctx context.Context, d *Definition, input []byte) ([]byte, error) {
	stop := e.Clock.Work()
	defer stop()
	return e.run(ctx, d, input)
}

// run is [Execution.Run] of one who works by the clock.
func (e *Execution) run(ctx context.Context, d *Definition, input []byte) ([]byte, error) {
	v, err := parse(input)
	if err != nil {
		return nil, fail(runtime, "the input is not JSON: %v", err)
	}
	e.began, e.input = e.Clock.Now(), v
	var own error
	out, err := e.within(ctx, d.timeout, func(ctx context.Context) (out any, _ error) {
		out, own = e.flow(ctx, d.flow, v)
		return out, own
	})
	if err != nil {
		e.expired = err != own
		return nil, err
	}
	return []byte(text(out)), nil
}

// within ends what takes longer than a time, if there is one, with States.Timeout.
func (e *Execution) within(ctx context.Context, most time.Duration, do func(context.Context) (any, error)) (any, error) {
	if most == 0 {
		return do(ctx)
	}
	late := errors.New("too late")
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := e.Clock.after(most, func() { cancel(late) })
	defer stop()
	out, err := do(within)
	if context.Cause(within) == late && ctx.Err() == nil {
		return nil, &Error{Name: timedOut, Cause: "it took longer than " + most.String()}
	}
	return out, err
}

// flow goes from state to state.
func (e *Execution) flow(ctx context.Context, f flow, input any) (any, error) {
	for name := f.startAt; ; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s := f.states[name]
		out, next, err := e.state(ctx, name, s, input)
		if err != nil {
			return nil, err
		}
		if len(text(out)) > MaxState {
			return nil, fail(tooMuch, "state %s has an output of more than %d bytes", name, MaxState)
		}
		if next == "" {
			return out, nil
		}
		name, input = next, out
	}
}

// state does one state with its retries, and gives its output and where to go, "" at the end.
func (e *Execution) state(ctx context.Context, name string, s *state, input any) (any, string, error) {
	retried := make([]int, len(s.retry))
	for attempt := 0; ; attempt++ {
		c := e.context(name, attempt)
		step := e.enter(name, attempt, input)
		out, next, err := e.attempt(ctx, s, input, c)
		if err == nil {
			e.leave(step, out, nil)
			return out, next, nil
		}
		if ctx.Err() != nil {
			return nil, "", err
		}
		failed := named(err)
		e.leave(step, nil, failed)
		if i := matching(failed.Name, len(s.retry), func(i int) []string { return s.retry[i].errors }); i >= 0 && retried[i] < s.retry[i].attempts {
			if err := e.Clock.Sleep(ctx, s.retry[i].pause(retried[i])); err != nil {
				return nil, "", err
			}
			retried[i]++
			continue
		}
		i := matching(failed.Name, len(s.catch), func(i int) []string { return s.catch[i].errors })
		if i < 0 {
			return nil, "", failed
		}
		out = object{"Error": failed.Name, "Cause": failed.Cause}
		if p := s.catch[i].resultPath; p == nil {
			out = input
		} else if out, err = p.put(input, out); err != nil {
			return nil, "", err
		}
		return out, s.catch[i].next, nil
	}
}

// pause is how long a retrier waits before its attempt n, from 0.
func (r retrier) pause(n int) time.Duration {
	d := float64(r.interval)
	for range n {
		d *= r.rate
	}
	if r.most > 0 {
		d = min(d, float64(r.most))
	}
	if r.full {
		d *= rand.Float64()
	}
	return time.Duration(d)
}

func named(err error) *Error {
	var out *Error
	if errors.As(err, &out) {
		return out
	}
	return &Error{Name: anyFailed, Cause: err.Error()}
}

// matching gives the first list that an error is in, or -1.
func matching(name string, n int, list func(int) []string) int {
	for i := range n {
		for _, want := range list(i) {
			switch {
			case want == name,
				// Not even States.ALL takes these.
				want == anyError && name != runtime && name != tooMuch,
				want == anyFailed && name != timedOut && name != runtime && name != tooMuch:
				return i
			}
		}
	}
	return -1
}

// context is the context object ("Context object" in the Developer Guide).
func (e *Execution) context(name string, attempt int) object {
	const form = "2006-01-02T15:04:05.000Z07:00"
	return clone(object{
		"Execution":    object{"Id": e.ARN, "Name": e.Name, "Input": e.input, "StartTime": e.began.Format(form)},
		"State":        object{"Name": name, "EnteredTime": e.Clock.Now().Format(form), "RetryCount": attempt},
		"StateMachine": object{"Id": e.Machine, "Name": e.MachineName},
	}).(object)
}

func (e *Execution) enter(name string, attempt int, input any) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.steps = append(e.steps, Step{State: name, At: e.Clock.Now(), Attempt: attempt, Input: text(input)})
	return len(e.steps) - 1
}

func (e *Execution) leave(step int, out any, err *Error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		e.steps[step].Error = err.Error()
		return
	}
	e.steps[step].Output = text(out)
}
