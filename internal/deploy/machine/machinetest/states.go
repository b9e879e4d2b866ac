package machinetest

import (
	"context"
	"sync"
)

// attempt does one state once.
func (e *Execution) attempt(ctx context.Context, s *state, input any, c object) (out any, next string, err error) {
	next = s.next
	switch s.kind {
	case "Succeed":
		return input, "", nil
	case "Fail":
		failed := s.failure
		if s.cause != nil {
			v, err := s.cause.need(input, c)
			if err != nil {
				return nil, "", err
			}
			text, ok := v.(string)
			if !ok {
				return nil, "", fail(runtime, "%s is no text", s.cause.text)
			}
			failed.Cause = text
		}
		return nil, "", &failed
	case "Choice":
		next, err = s.choose(input, c)
		return input, next, err
	case "Wait":
		return input, next, e.wait(ctx, s, input, c)
	}
	given := input
	if s.parameters != nil {
		if given, err = s.parameters.fill(input, c); err != nil {
			return nil, "", err
		}
	}
	result := given
	switch s.kind {
	case "Pass":
		if s.result != nil {
			result = clone(s.result)
		}
	case "Task":
		if result, err = e.task(ctx, s, given); err != nil {
			return nil, "", err
		}
	case "Parallel":
		if result, err = e.parallel(ctx, s, given); err != nil {
			return nil, "", err
		}
	}
	if s.selector != nil {
		if result, err = s.selector.fill(result, c); err != nil {
			return nil, "", err
		}
	}
	if s.resultPath == nil {
		return input, next, nil
	}
	out, err = s.resultPath.put(input, result)
	return out, next, err
}

func (s *state) choose(input any, c object) (string, error) {
	for _, r := range s.rules {
		ok, err := r.holds(input, c)
		if err != nil {
			return "", err
		}
		if ok {
			return r.next, nil
		}
	}
	if s.otherwise == "" {
		return "", fail(noChoice, "no rule holds for %s", text(input))
	}
	return s.otherwise, nil
}

func (e *Execution) wait(ctx context.Context, s *state, input any, c object) error {
	if s.seconds != nil {
		return e.Clock.Sleep(ctx, *s.seconds)
	}
	v, err := s.until.need(input, c)
	if err != nil {
		return err
	}
	at, ok := moment(v)
	if !ok {
		return fail(runtime, "%s is no timestamp", text(v))
	}
	if err := e.Clock.Sleep(ctx, at.Sub(e.Clock.Now())); err != nil {
		return err
	}
	if e.Waited != nil {
		e.Waited(at)
	}
	return nil
}

func (e *Execution) task(ctx context.Context, s *state, given any) (any, error) {
	do := e.Tasks[s.resource]
	if do == nil {
		return nil, fail(runtime, "nothing does %s here", s.resource)
	}
	if len(text(given)) > MaxState {
		return nil, fail(tooMuch, "the task gets more than %d bytes", MaxState)
	}
	out, err := e.within(ctx, s.timeout, func(ctx context.Context) (any, error) { return do(ctx, clone(given)) })
	if err != nil {
		return nil, err
	}
	// What a service answers is JSON with names as it has them.
	return clone(out), nil
}

// parallel does all branches side by side. Where one fails, the others are stopped.
func (e *Execution) parallel(ctx context.Context, s *state, given any) (any, error) {
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	out := make([]any, len(s.branches))
	var mu sync.Mutex
	var first error
	left, done := len(s.branches), make(chan struct{})
	for i, b := range s.branches {
		// The branch works from now on, so that the clock does not run away before it has begun.
		stop := e.Clock.Work()
		go func() {
			v, err := e.flow(within, b, clone(given))
			mu.Lock()
			defer mu.Unlock()
			if out[i] = v; err != nil && first == nil {
				first = err
				cancel()
				e.Clock.notice()
			}
			if left--; left == 0 {
				close(done)
				return
			}
			stop()
		}()
	}
	e.Clock.rest()
	<-done
	if first != nil {
		return nil, first
	}
	return out, nil
}
