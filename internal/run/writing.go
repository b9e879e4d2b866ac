package run

import (
	"context"
	"errors"

	"tarn/internal/catalog"
	"tarn/internal/lake"
)

// ErrBusy says that another process is writing to the lake.
var ErrBusy = catalog.ErrBusy

// lock says how the lock is asked for.
func (w *Workspace) lock(run string, wait bool) catalog.LockOptions {
	return catalog.LockOptions{Run: run, Wait: wait, Owner: w.owner}
}

// whileHeld gives a context that ends when the lock is lost: going on would be in vain.
func whileHeld(ctx context.Context, w catalog.Writer) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-w.Lost():
			cancel(catalog.ErrLockLost)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// letGo ends the work of a writing command: what has failed is tidied up, and others may write.
func (w *Workspace) letGo(ctx context.Context, l catalog.Writer, id string, failed error) error {
	if cause := context.Cause(ctx); errors.Is(cause, catalog.ErrLockLost) && errors.Is(failed, context.Canceled) {
		// Whatever the work was stopped at says nothing of why.
		failed = cause
	}
	cause := context.Cause(ctx)
	ctx = context.WithoutCancel(ctx)
	if w.goesOn(cause, failed) {
		// Everything stays for whoever goes on with the run.
		return errors.Join(failed, l.Keep(ctx))
	}
	return errors.Join(failed, w.settle(ctx, id, failed), l.Release(ctx))
}

// change is one writing command other than a run: it holds the lock, works on one view, and publishes at most once. It is
// told what the writer before had left behind, which is gone then.
func (w *Workspace) change(ctx context.Context, wait bool, do func(ctx context.Context, c change) error) (id string, err error) {
	id = newRunID(w.now())
	l, err := w.Lake.Catalog().Lock(ctx, w.lock(id, wait))
	if err != nil {
		return id, err
	}
	ctx, stop := whileHeld(ctx, l)
	defer stop()
	defer func() { err = w.letGo(ctx, l, id, err) }()
	if err := w.Lake.Identify(ctx); err != nil {
		return id, err
	}
	v, err := w.Lake.View(ctx)
	if err != nil {
		return id, err
	}
	left, err := w.left(ctx)
	if err != nil {
		return id, err
	}
	if left != nil {
		if err := w.abandon(ctx, v, left); err != nil {
			return id, err
		}
	}
	swept, err := w.sweep(ctx, v, l.Unfinished())
	if err != nil {
		return id, err
	}
	return id, do(ctx, change{id: id, view: v, writer: l, swept: swept})
}

// change is what a writing command works with.
type change struct {
	id     string
	view   *lake.View
	writer catalog.Writer
	// swept is what the writer before had left behind, and is gone.
	swept lake.Garbage
}
