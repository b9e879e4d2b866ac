package sqlite

import (
	"context"
	"errors"
	"testing"
	"time"

	"tarn/internal/catalog"
	"tarn/internal/catalog/catalogtest"
	"tarn/internal/store/memory"
)

// machines gives handles to one catalog object whose holders count as dead after 300 ms; with beats they give signs of
// life, without they are as good as paused.
func machines(t *testing.T) func(beats bool) *Object {
	s := memory.New("memory://bucket")
	return func(beats bool) *Object {
		o := ObjectOptions{Store: s, Key: "catalog.db", Database: "db", TempDir: t.TempDir(), Beat: 50 * time.Millisecond, TTL: 300 * time.Millisecond}
		if !beats {
			o.Beat = time.Hour
		}
		return OpenObject(o)
	}
}

func TestAPausedWriterPublishesNothing(t *testing.T) {
	machine := machines(t)
	paused := catalogtest.Lock(t, machine(false), "paused")
	next, err := machine(true).Lock(t.Context(), catalog.LockOptions{Run: "next", Wait: true})
	if err != nil {
		t.Fatal(err)
	}
	if next.Unfinished() != "paused" {
		t.Errorf("unfinished is %q", next.Unfinished())
	}
	// The new holder has published nothing yet, so no pointer tells the paused one.
	if err := paused.Publish(t.Context(), []catalog.Move{catalogtest.Step("a", 0, 1)}); !errors.Is(err, catalog.ErrLockLost) {
		t.Errorf("the paused writer: %v", err)
	}
	select {
	case <-paused.Lost():
	case <-time.After(time.Second):
		t.Error("the paused writer does not know")
	}
	if err := paused.Release(t.Context()); err != nil {
		t.Errorf("release of a lost lock: %v", err)
	}
	if err := next.Publish(t.Context(), []catalog.Move{catalogtest.Step("a", 0, 2)}); err != nil {
		t.Errorf("the next writer: %v", err)
	}
	if err := next.Release(t.Context()); err != nil {
		t.Error(err)
	}
	catalogtest.Want(t, machine(true), map[string]string{"a": catalogtest.At("a", 2)})
}

func TestALivingHolderKeepsTheLock(t *testing.T) {
	machine := machines(t)
	w := catalogtest.Lock(t, machine(true), "living")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := machine(true).Lock(ctx, catalog.LockOptions{Run: "next", Wait: true}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a living holder was passed over: %v", err)
	}
	if err := w.Publish(t.Context(), []catalog.Move{catalogtest.Step("a", 0, 1)}); err != nil {
		t.Error(err)
	}
	if err := w.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTwoDatabasesInOneFile(t *testing.T) {
	s := memory.New("memory://bucket")
	open := func(db string) *Object {
		return OpenObject(ObjectOptions{Store: s, Key: "catalog.db", Database: db, TempDir: t.TempDir()})
	}
	one := catalogtest.Lock(t, open("one"), "run-1")
	two := catalogtest.Lock(t, open("two"), "run-2")
	for _, w := range []catalog.Writer{one, two} {
		if err := w.Publish(t.Context(), []catalog.Move{catalogtest.Step("a", 0, 1)}); err != nil {
			t.Error(err)
		}
		if err := w.Release(t.Context()); err != nil {
			t.Error(err)
		}
	}
	catalogtest.Want(t, open("one"), map[string]string{"a": catalogtest.At("a", 1)})
}
