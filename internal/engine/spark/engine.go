package spark

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"tarn/internal/engine"
	"tarn/internal/store"
)

//go:embed runner.py
var runner []byte

// Engine sends plans to Spark and brings the answers. It is safe for concurrent use.
type Engine struct {
	// Kind is what the target calls the launcher.
	Kind     string
	Launcher Launcher
	Stores   store.Locator
	// Own is the location of the folder that runner and runs are in, without a slash at its end.
	Own string
	// IO are properties of Iceberg's file access, such as s3.endpoint.
	IO map[string]string
	// Poll is how often a job is asked after.
	Poll time.Duration
	// Worker is what reads landing files, and Loading which of them.
	Worker  Worker
	Loading engine.Loads
}

// Handle names a job.
type Handle = engine.Handle

// Folder is the location of a run's own folder, with a slash at its end.
func (e *Engine) Folder(run string) string { return e.Own + "/" + run + "/" }

// runnerLocation is where a runner lies, by its content: a job goes on with the one that it was started with.
func (e *Engine) runnerLocation() string {
	sum := sha256.Sum256(runner)
	return e.Own + "/runner-" + hex.EncodeToString(sum[:6]) + ".py"
}

// Prepare writes plan and runner, and gives the handle of a job that [Engine.Start] can start.
func (e *Engine) Prepare(ctx context.Context, p Plan) (Handle, error) {
	p.Format, p.Place, p.TellEvery = Format, e.Folder(p.Run), max(e.Poll, leastTelling).Seconds()
	raw, err := json.Marshal(p)
	if err != nil {
		return Handle{}, err
	}
	if err := e.put(ctx, p.Place+"plan.json", raw); err != nil {
		return Handle{}, err
	}
	script := e.runnerLocation()
	if err := e.putOnce(ctx, script, bytes.NewReader(runner)); err != nil {
		return Handle{}, err
	}
	return Handle{Run: p.Run, Kind: e.Kind, Script: script}, nil
}

// Ready tells where jobs run, for people, or why none could be started: a [StartError].
func (e *Engine) Ready(ctx context.Context) (string, error) {
	about, err := e.Launcher.Ready(ctx)
	return e.Kind + ": " + about, err
}

// Start starts the job of a handle.
func (e *Engine) Start(ctx context.Context, h Handle) (Handle, error) {
	var err error
	h.ID, err = e.Launcher.Start(ctx, e.job(h))
	return h, err
}

// Find completes the handle of a job of which it is not known whether it was started: its ID stays empty if it was not.
func (e *Engine) Find(ctx context.Context, h Handle) (Handle, error) {
	if h.ID != "" {
		return h, nil
	}
	ids, err := e.Launcher.Find(ctx, e.job(h))
	if len(ids) > 0 {
		h.ID = ids[0]
	}
	return h, err
}

func (e *Engine) job(h Handle) Job {
	return Job{Run: h.Run, Script: h.Script, Plan: e.Folder(h.Run) + "plan.json", Folder: e.Folder(h.Run), IO: e.IO}
}

// leastTelling is the least time between two notes of a job on how far it is: a note costs more than a look.
const leastTelling = 500 * time.Millisecond

// Wait waits for the end of a job and gives its result; it does not matter which process has started it. tell is told how
// far it is, when that changes. When ctx ends, the job goes on: see [Engine.Cancel]. The error is a [StepError] if a step
// failed, a [JobError] if the job did, [ErrCancelled], and [ErrUnheard] where nothing could be learned.
func (e *Engine) Wait(ctx context.Context, h Handle, tell func(State, Progress)) (*Result, error) {
	var last State
	if err := e.until(ctx, h, tell, &last); err != nil {
		return nil, err
	}
	return e.result(ctx, h, last)
}

// until waits for the end of a job run, and gives its last state.
func (e *Engine) until(ctx context.Context, h Handle, tell func(State, Progress), last *State) error {
	var told []byte
	var phase Phase
	for {
		state, err := e.Launcher.State(ctx, e.job(h), h.ID)
		if err != nil {
			return &unheard{h.ID, err}
		}
		if raw, err := e.get(ctx, e.Folder(h.Run)+"progress.json"); err == nil && (!bytes.Equal(raw, told) || state.Phase != phase) {
			var p Progress
			if json.Unmarshal(raw, &p) == nil && tell != nil {
				tell(state, p)
			}
			told, phase = raw, state.Phase
		} else if state.Phase != phase && tell != nil {
			tell(state, Progress{})
			phase = state.Phase
		}
		if state.Phase.Ended() {
			*last = state
			return nil
		}
		if err := pause(ctx, e.Poll); err != nil {
			return err
		}
	}
}

// result reads the answer of a job that has ended.
func (e *Engine) result(ctx context.Context, h Handle, state State) (*Result, error) {
	raw, err := e.get(ctx, e.Folder(h.Run)+"result.json")
	switch {
	case errors.Is(err, store.ErrNotFound) && state.Phase == Stopped:
		return nil, fmt.Errorf("%w: %s (%s)", ErrCancelled, h.ID, h.Kind)
	case errors.Is(err, store.ErrNotFound):
		return nil, &JobError{Kind: h.Kind, ID: h.ID, Message: state.Message, Logs: state.Logs}
	case err != nil:
		return nil, &unheard{h.ID, err}
	}
	var r Result
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, fmt.Errorf("read the result of the Spark job %s: %w", h.ID, err)
	}
	if r.Run != h.Run {
		return nil, fmt.Errorf("the result of the Spark job %s is of run %s, not of %s", h.ID, r.Run, h.Run)
	}
	if r.Error != nil {
		return nil, e.placed(ctx, h, r.Error)
	}
	return &r, nil
}

// Cancel ends a job and returns when it can write no more. The error is an [ErrUnheard].
func (e *Engine) Cancel(ctx context.Context, h Handle) error {
	ids, err := e.ids(ctx, h)
	for _, id := range ids {
		err = errors.Join(err, e.Launcher.Cancel(ctx, e.job(h), id))
	}
	if err != nil {
		return &unheard{h.ID, fmt.Errorf("cancel it: %w", err)}
	}
	return nil
}

// File reads a file that the runner has left in a run's folder.
func (e *Engine) File(ctx context.Context, run, name string) ([]byte, error) {
	return e.get(ctx, e.Folder(run)+name)
}

// Remove deletes a run's folder.
func (e *Engine) Remove(ctx context.Context, run string) error {
	s, prefix, err := e.Stores.Locate(ctx, e.Folder(run))
	if err != nil {
		return err
	}
	return store.DeleteBelow(ctx, s, prefix)
}

func (e *Engine) put(ctx context.Context, location string, content []byte) error {
	s, key, err := e.Stores.Locate(ctx, location)
	if err != nil {
		return err
	}
	_, err = s.Put(ctx, key, bytes.NewReader(content), store.Condition{})
	return err
}

// putOnce writes what lies under a name made of its content, unless it is there.
func (e *Engine) putOnce(ctx context.Context, location string, content store.Body) error {
	s, key, err := e.Stores.Locate(ctx, location)
	if err != nil {
		return err
	}
	if _, err := s.Stat(ctx, key); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	_, err = s.Put(ctx, key, content, store.Condition{})
	return err
}

func (e *Engine) get(ctx context.Context, location string) ([]byte, error) {
	return store.ReadLocation(ctx, e.Stores, location)
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
