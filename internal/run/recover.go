package run

import (
	"context"
	"errors"

	"tarn/internal/engine"
)

// Recovered is what was tidied up after a process or an execution that has ended without letting go of the lake.
type Recovered struct {
	// Run is the run that it was working on, or "".
	Run string
	// Published says that the run became visible.
	Published bool
	// Thrown says that what the run had done was thrown away.
	Thrown bool
	// Last is the run that readers see, "" where none was published yet.
	Last string
	// Err is what the run's job has failed by, with its place in the definitions; nil where it did not fail, or is not known.
	Err error
}

// Recover lets go of what the workspace's owner holds, or of what an execution holds that has ended: a publish that was left half
// done is finished, a run that was not published is thrown away with its job, and the lock is free. Where nothing is to be done,
// it does nothing. It fails with [ErrBusy] while somebody else is at work.
func (w *Workspace) Recover(ctx context.Context) (_ *Recovered, err error) {
	id := newRunID(w.now())
	// What was left half done is finished by the catalog.
	l, err := w.Lake.Catalog().Lock(ctx, w.lock(id, false))
	if err != nil {
		return nil, err
	}
	ctx, stop := whileHeld(ctx, l)
	defer stop()
	defer func() { err = w.letGo(ctx, l, id, err) }()
	if err := w.Lake.Identify(ctx); err != nil {
		return nil, err
	}
	v, err := w.Lake.View(ctx)
	if err != nil {
		return nil, err
	}
	r := &Recovered{Run: l.Unfinished(), Last: lastRun(v)}
	left, err := w.left(ctx)
	if err != nil {
		return nil, err
	}
	if left != nil {
		r.Run, r.Published = left.Run, published(v, left.Run)
		if r.Thrown = !r.Published; r.Thrown {
			r.Err = w.failure(ctx, left)
		}
		if err := w.abandon(ctx, v, left); err != nil {
			return nil, err
		}
	} else if r.Run != "" {
		r.Published = published(v, r.Run)
	}
	swept, err := w.sweep(ctx, v, l.Unfinished())
	if err != nil {
		return nil, err
	}
	r.Thrown = r.Thrown || len(swept.Files) > 0
	return r, errors.Join(w.jobs.remove(ctx, l.Unfinished()), w.removeLeft(ctx, l.Unfinished()))
}

// failure is what the job of a left run has failed by, as far as its result tells.
func (w *Workspace) failure(ctx context.Context, l *leftRun) error {
	if l.Job == nil || w.jobs == nil {
		return nil
	}
	o, ok := w.jobs.Lasting.(engine.Offerer)
	if !ok {
		return nil
	}
	err := o.Failure(ctx, *l.Job)
	if err == nil {
		return nil
	}
	x := &execution{w: w}
	return x.placed(w.maker, err)
}
