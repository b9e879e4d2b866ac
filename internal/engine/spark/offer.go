package spark

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tarn/internal/engine"
	"tarn/internal/store"
)

// A job can be started by somebody else, in one job run, or with one for each model: then each writes what has become of its own
// steps, and what they have made is put together here.

var _ engine.Offerer = (*Engine)(nil)

// Arguer is a [Launcher] whose jobs are started with more than the runner's arguments.
type Arguer interface {
	// Arguments are what a job run is started with, by name.
	Arguments(j Job) map[string]string
}

// partFile is what a job run leaves that was started for some models only: one file for each of them, and one for late checks.
func partFile(table string) string { return "result-" + table + ".json" }

const lateFile = "late.json"

// Offer implements [engine.Offerer].
func (e *Engine) Offer(ctx context.Context, j engine.Job, t engine.Tables) (*engine.Offer, error) {
	p, err := e.plan(ctx, j, t)
	if err != nil {
		return nil, err
	}
	h, err := e.Prepare(ctx, p)
	if err != nil {
		return nil, err
	}
	h.Offered = true
	if err := j.Note(ctx, h); err != nil {
		return nil, err
	}
	return e.offer(h, p), nil
}

// Offered implements [engine.Offerer].
func (e *Engine) Offered(ctx context.Context, h Handle) (*engine.Offer, error) {
	p, err := e.planOf(ctx, h)
	if err != nil {
		return nil, &unheard{h.Run, err}
	}
	return e.offer(h, p), nil
}

func (e *Engine) offer(h Handle, p Plan) *engine.Offer {
	j := e.job(h)
	o := &engine.Offer{Plan: j.Plan, Arguments: j.Arguments(), After: map[string][]string{}, Late: len(p.Late) > 0}
	if a, ok := e.Launcher.(Arguer); ok {
		o.Arguments = a.Arguments(j)
	}
	for _, s := range p.Steps {
		o.Models = append(o.Models, s.Table)
		o.After[s.Table] = s.After
	}
	return o
}

// Failure implements [engine.Offerer].
func (e *Engine) Failure(ctx context.Context, h Handle) error {
	if p, err := e.planOf(ctx, h); err == nil {
		var step *StepError
		if _, err := e.whole(ctx, h, p); errors.As(err, &step) {
			return err
		}
	}
	ids, err := e.ids(ctx, h)
	if err != nil {
		return nil
	}
	for _, id := range ids {
		if s, err := e.Launcher.State(ctx, e.job(h), id); err == nil && s.Phase == Failed {
			return &JobError{Kind: h.Kind, ID: id, Message: s.Message, Logs: s.Logs}
		}
	}
	return nil
}

// resumeOffered waits for a job that somebody else has started, or starts it where nobody has.
func (e *Engine) resumeOffered(ctx context.Context, h Handle, p Plan, j engine.Job, t engine.Tables) (*engine.Result, error) {
	r, err := e.whole(ctx, h, p)
	if err != nil {
		return nil, err
	}
	var last State
	if r == nil {
		ids, err := e.ids(ctx, h)
		if err != nil {
			return nil, &unheard{h.Run, err}
		}
		switch {
		case len(ids) == 0 && j.Started:
			return nil, NotStarted(h.Kind, errors.New("nobody has started the job of run "+h.Run+", or it is too long ago"), "start an execution of the state machine, which starts it")
		case len(ids) == 0:
			h.Offered = false
			return e.started(ctx, h, p, j, t)
		}
		for _, id := range ids {
			h.ID = id
			if err := e.until(ctx, h, follow(p, j.Tell), &last); err != nil {
				return nil, err
			}
			if last.Phase == Failed {
				break
			}
		}
		if r, err = e.whole(ctx, h, p); err != nil {
			return nil, err
		}
	}
	switch {
	case r != nil:
		return e.brought(ctx, h, r, t)
	case last.Phase == Stopped:
		return nil, fmt.Errorf("%w: %s (%s)", ErrCancelled, h.ID, h.Kind)
	}
	return nil, &JobError{Kind: h.Kind, ID: h.ID, Message: last.Message, Logs: last.Logs}
}

// whole reads what has become of a job: in one file, or in one for each model. It gives nil while something is missing, and the
// first error that a step has ended with.
func (e *Engine) whole(ctx context.Context, h Handle, p Plan) (*Result, error) {
	r, err := e.part(ctx, h, "result.json")
	if r != nil || err != nil {
		return r, err
	}
	out, missing := &Result{Run: h.Run}, false
	files := make([]string, 0, len(p.Steps)+1)
	for _, s := range p.Steps {
		files = append(files, partFile(s.Table))
	}
	if len(p.Late) > 0 {
		files = append(files, lateFile)
	}
	for _, name := range files {
		r, err := e.part(ctx, h, name)
		if err != nil {
			return nil, err
		}
		if r == nil {
			missing = true
			continue
		}
		out.Spark = r.Spark
		out.Steps, out.Late = append(out.Steps, r.Steps...), append(out.Late, r.Late...)
	}
	if missing || len(files) == 0 {
		return nil, nil
	}
	return out, nil
}

// part reads one file of results; nil is one that is not there.
func (e *Engine) part(ctx context.Context, h Handle, name string) (*Result, error) {
	raw, err := e.File(ctx, h.Run, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, &unheard{h.Run, err}
	}
	var r Result
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, fmt.Errorf("read %s of the Spark job of run %s: %w", name, h.Run, err)
	}
	if r.Run != h.Run {
		return nil, fmt.Errorf("%s of the Spark job is of run %s, not of %s", name, r.Run, h.Run)
	}
	if r.Error != nil {
		return nil, e.placed(ctx, h, r.Error)
	}
	return &r, nil
}

// ids are those of the job runs that were started for a plan, the newest first.
func (e *Engine) ids(ctx context.Context, h Handle) ([]string, error) {
	if h.ID != "" && !h.Offered {
		return []string{h.ID}, nil
	}
	ids, err := e.Launcher.Find(ctx, e.job(h))
	if h.ID != "" && !slices.Contains(ids, h.ID) {
		ids = append(ids, h.ID)
	}
	return ids, err
}
