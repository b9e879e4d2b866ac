package sqlite

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tarn/internal/catalog"
	"tarn/internal/catalog/catalogtest"
	"tarn/internal/catalog/lease"
	"tarn/internal/store"
	"tarn/internal/store/memory"
)

// machines gives handles to one catalog object whose holders count as dead after 300 ms of silence.
func machines(t *testing.T) func() *Object {
	s := memory.New("memory://bucket")
	return func() *Object {
		return OpenObject(ObjectOptions{Store: s, Key: "catalog.db", Database: "db", TempDir: t.TempDir(), Lease: lease.Options{TTL: 300 * time.Millisecond, Poll: 5 * time.Millisecond}})
	}
}

func TestAPausedWriterPublishesNothing(t *testing.T) {
	machine := machines(t)
	paused := catalogtest.Lock(t, machine(), "paused")
	paused.(*objectWriter).Leave()
	next, err := machine().Lock(t.Context(), catalog.LockOptions{Run: "next", Wait: true})
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
	catalogtest.Want(t, machine(), map[string]string{"a": catalogtest.At("a", 2)})
}

func TestALivingHolderKeepsTheLock(t *testing.T) {
	machine := machines(t)
	w := catalogtest.Lock(t, machine(), "living")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := machine().Lock(ctx, catalog.LockOptions{Run: "next", Wait: true}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a living holder was passed over: %v", err)
	}
	if err := w.Publish(t.Context(), []catalog.Move{catalogtest.Step("a", 0, 1)}); err != nil {
		t.Error(err)
	}
	if err := w.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAFileOfOthers begins with a catalog file that another program has made.
func TestAFileOfOthers(t *testing.T) {
	dir, s := t.TempDir(), memory.New("memory://bucket")
	c, err := Open(t.Context(), Options{Path: filepath.Join(dir, "catalog.db"), Lock: filepath.Join(dir, "lock"), Database: "db"})
	if err == nil {
		err = errors.Join(c.publish(t.Context(), []catalog.Move{catalogtest.Step("a", 0, 1)}), c.Close())
	}
	raw, readErr := os.ReadFile(filepath.Join(dir, "catalog.db"))
	if err := errors.Join(err, readErr); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "catalog.db", bytes.NewReader(raw), store.Condition{}); err != nil {
		t.Fatal(err)
	}
	o := OpenObject(ObjectOptions{Store: s, Key: "catalog.db", Database: "db", TempDir: dir})
	catalogtest.Want(t, o, map[string]string{"a": catalogtest.At("a", 1)})
	if err := catalogtest.Publish(t, o, catalogtest.Step("a", 1, 2)); err != nil {
		t.Error(err)
	}
	catalogtest.Want(t, o, map[string]string{"a": catalogtest.At("a", 2)})
	if _, err := s.Put(t.Context(), "catalog.db", strings.NewReader("no database"), store.Condition{}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Pointers(t.Context()); err == nil || !strings.Contains(err.Error(), "catalog.db is damaged") {
		t.Errorf("damaged: %v", err)
	}
}
