package catalogtest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"tarn/internal/catalog"
)

// executions says which are alive.
type executions map[string]bool

func (e executions) owner(execution string) catalog.Owner {
	return catalog.Owner{Execution: execution, Alive: func(_ context.Context, x string) (bool, error) { return e[x], nil }}
}

func lockFor(t *testing.T, c catalog.Catalog, run string, o catalog.Owner) catalog.Writer {
	t.Helper()
	w, err := c.Lock(t.Context(), catalog.LockOptions{Run: run, Owner: o})
	if err != nil {
		t.Fatalf("lock for %s of %s: %v", run, o.Execution, err)
	}
	return w
}

func refused(t *testing.T, c catalog.Catalog, o catalog.Owner) {
	t.Helper()
	_, err := c.Lock(t.Context(), catalog.LockOptions{Run: "run-2", Owner: o})
	if !errors.Is(err, catalog.ErrBusy) || !strings.Contains(err.Error(), "run-1") || !strings.Contains(err.Error(), "arn:1") {
		t.Errorf("lock of a living execution: %v", err)
	}
	if _, err := c.Idle(t.Context(), catalog.LockOptions{Owner: o}); !errors.Is(err, catalog.ErrBusy) {
		t.Errorf("idle while an execution holds the lock: %v", err)
	}
}

// executionKeepsIt passes the lock from one process of an execution to the next.
func executionKeepsIt(t *testing.T, open func() catalog.Catalog) {
	alive := executions{"arn:1": true, "arn:2": true}
	first := lockFor(t, open(), "run-1", alive.owner("arn:1"))
	if err := first.Publish(t.Context(), []catalog.Move{Step("a", 0, 1)}); err != nil {
		t.Fatal(err)
	}
	if err := first.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	refused(t, open(), alive.owner("arn:2"))
	refused(t, open(), alive.owner(""))
	refused(t, open(), catalog.Owner{})
	second := lockFor(t, open(), "run-1", alive.owner("arn:1"))
	if second.Unfinished() != "run-1" {
		t.Errorf("unfinished: %q", second.Unfinished())
	}
	if err := first.Publish(t.Context(), []catalog.Move{Step("a", 1, 7)}); err == nil {
		t.Error("a process that had ended its part published")
	}
	if err := second.Publish(t.Context(), []catalog.Move{Step("a", 1, 2)}); err != nil {
		t.Error(err)
	}
	if err := second.Release(t.Context()); err != nil {
		t.Error(err)
	}
	third := lockFor(t, open(), "run-2", alive.owner("arn:2"))
	if third.Unfinished() != "" {
		t.Errorf("unfinished after release: %q", third.Unfinished())
	}
	if err := third.Release(t.Context()); err != nil {
		t.Error(err)
	}
	process := lockFor(t, open(), "run-3", catalog.Owner{})
	if err := process.Keep(t.Context()); err != nil {
		t.Error(err)
	}
	if err := Publish(t, open(), Step("a", 2, 3)); err != nil {
		t.Errorf("a process without an execution kept the lock: %v", err)
	}
	Want(t, open(), versions(3, "a"))
}

// executionHasEnded takes the lock of an execution over that has ended without letting go.
func executionHasEnded(t *testing.T, open func() catalog.Catalog) {
	alive := executions{"arn:1": true}
	first := lockFor(t, open(), "run-1", alive.owner("arn:1"))
	if err := first.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	refused(t, open(), alive.owner("arn:2"))
	alive["arn:1"] = false
	if _, err := open().Lock(t.Context(), catalog.LockOptions{Run: "run-2"}); !errors.Is(err, catalog.ErrBusy) {
		t.Errorf("one who cannot ask: %v", err)
	}
	if unfinished, err := open().Idle(t.Context(), catalog.LockOptions{Owner: alive.owner("arn:2")}); err != nil || unfinished != "run-1" {
		t.Errorf("idle: %q, %v", unfinished, err)
	}
	next := lockFor(t, open(), "run-2", alive.owner("arn:2"))
	if next.Unfinished() != "run-1" {
		t.Errorf("unfinished: %q", next.Unfinished())
	}
	if err := first.Publish(t.Context(), []catalog.Move{Step("a", 0, 7)}); err == nil {
		t.Error("an execution published whose lock was taken over")
	}
	if err := next.Publish(t.Context(), []catalog.Move{Step("a", 0, 1)}); err != nil {
		t.Error(err)
	}
	if err := next.Release(t.Context()); err != nil {
		t.Error(err)
	}
	Want(t, open(), versions(1, "a"))
}
