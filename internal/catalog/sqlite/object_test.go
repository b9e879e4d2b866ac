package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tarn/internal/catalog"
	"tarn/internal/catalog/catalogtest"
	"tarn/internal/catalog/lease"
	"tarn/internal/store"
	"tarn/internal/store/memory"
)

// machines gives handles to one catalog object.
func machines(t *testing.T) func() *Object {
	s := memory.New("memory://bucket")
	return func() *Object {
		return OpenObject(ObjectOptions{Store: s, Key: "catalog.db", Database: "db", TempDir: t.TempDir()})
	}
}

func TestAPausedWriterPublishesNothing(t *testing.T) { synctest.Test(t, aPausedWriterPublishesNothing) }

func aPausedWriterPublishesNothing(t *testing.T) {
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

func TestALivingHolderKeepsTheLock(t *testing.T) { synctest.Test(t, aLivingHolderKeepsTheLock) }

func aLivingHolderKeepsTheLock(t *testing.T) {
	machine := machines(t)
	w := catalogtest.Lock(t, machine(), "living")
	ctx, cancel := context.WithTimeout(t.Context(), 10*lease.DefaultTTL)
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

// meddled is a store in which another program changes the catalog file right before a Put.
type meddled struct {
	store.Store
	before chan func()
}

func (m *meddled) Put(ctx context.Context, key string, body store.Body, c store.Condition) (store.Object, error) {
	select {
	case before := <-m.before:
		before()
	default:
	}
	return m.Store.Put(ctx, key, body, c)
}

// TestOthersChangeTheFile lets a program that knows nothing of the lock move a pointer while somebody holds it: before a publish,
// in the middle of one, and before a heartbeat. What it has done is never lost, and a publish over it is a conflict.
func TestOthersChangeTheFile(t *testing.T) {
	for _, at := range []string{"before", "during", "heartbeat"} {
		t.Run(at, func(t *testing.T) {
			s := &meddled{memory.New("memory://bucket"), make(chan func(), 1)}
			ttl := time.Hour // heartbeats would come in between
			if at == "heartbeat" {
				ttl = 300 * time.Millisecond
			}
			open := func(over store.Store) *Object {
				return OpenObject(ObjectOptions{Store: over, Key: "catalog.db", Database: "db", TempDir: t.TempDir(), Lease: lease.Options{TTL: ttl}})
			}
			if err := catalogtest.Publish(t, open(s), catalogtest.Step("a", 0, 1), catalogtest.Step("b", 0, 1)); err != nil {
				t.Fatal(err)
			}
			elsewhere := func() {
				raw, o, err := s.Get(t.Context(), "catalog.db")
				if err == nil {
					raw, err = file{t.TempDir()}.inside(t.Context(), raw, func(tx *sql.Tx) error {
						return moveAll(t.Context(), tx, "db", []catalog.Move{catalogtest.Step("a", 1, 7)})
					})
				}
				if err == nil {
					_, err = s.Store.Put(t.Context(), "catalog.db", bytes.NewReader(raw), store.Condition{ETag: o.ETag})
				}
				if err != nil {
					t.Error(err)
				}
			}
			w := catalogtest.Lock(t, open(s), "run")
			switch at {
			case "before":
				elsewhere()
			case "during":
				s.before <- elsewhere
			case "heartbeat":
				s.before <- elsewhere
				for len(s.before) > 0 {
					time.Sleep(5 * time.Millisecond)
				}
			}
			if err := w.Publish(t.Context(), []catalog.Move{catalogtest.Step("a", 1, 2), catalogtest.Step("b", 1, 2)}); !errors.Is(err, catalog.ErrConflict) {
				t.Errorf("over the change of another program: %v", err)
			}
			catalogtest.Want(t, open(s), map[string]string{"a": catalogtest.At("a", 7), "b": catalogtest.At("b", 1)})
			if err := w.Publish(t.Context(), []catalog.Move{catalogtest.Step("a", 7, 8), catalogtest.Step("b", 1, 2)}); err != nil {
				t.Errorf("from what it has left: %v", err)
			}
			if err := w.Release(t.Context()); err != nil {
				t.Error(err)
			}
			catalogtest.Want(t, open(s), map[string]string{"a": catalogtest.At("a", 8), "b": catalogtest.At("b", 2)})
		})
	}
}
