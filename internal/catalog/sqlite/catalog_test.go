package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T, path string) *Catalog {
	t.Helper()
	c, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func pointers(t *testing.T, c *Catalog) map[string]string {
	t.Helper()
	p, err := c.Pointers(context.Background(), "db")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPublishMovesAllOrNone(t *testing.T) {
	t.Parallel()
	c := open(t, filepath.Join(t.TempDir(), "odd name %20 ?.db"))
	if err := c.Publish(t.Context(), "db", []Move{{Table: "a", To: "a1"}, {Table: "b", To: "b1"}}); err != nil {
		t.Fatal(err)
	}
	for name, moves := range map[string][]Move{
		"stale pointer":  {{Table: "a", From: "a1", To: "a2"}, {Table: "b", From: "b0", To: "b2"}},
		"exists already": {{Table: "a", From: "a1", To: "a2"}, {Table: "b", To: "b2"}},
		"gone":           {{Table: "a", From: "a1", To: "a2"}, {Table: "x", From: "x1", To: ""}},
	} {
		if err := c.Publish(t.Context(), "db", moves); !errors.Is(err, ErrConflict) {
			t.Errorf("%s: %v, want a conflict", name, err)
		}
		if diff := cmp.Diff(map[string]string{"a": "a1", "b": "b1"}, pointers(t, c)); diff != "" {
			t.Errorf("%s changed the catalog:\n%s", name, diff)
		}
	}
	if err := c.Publish(t.Context(), "db", []Move{{Table: "a", From: "a1", To: "a2"}, {Table: "b", From: "b1"}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "a2"}, pointers(t, c)); diff != "" {
		t.Error(diff)
	}
}

func TestOneOfManyPublishersWins(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "catalog.db")
	if err := open(t, path).Publish(t.Context(), "db", []Move{{Table: "a", To: "0"}}); err != nil {
		t.Fatal(err)
	}
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		c := open(t, path)
		wg.Go(func() {
			switch err := c.Publish(context.Background(), "db", []Move{{Table: "a", From: "0", To: string(rune('a' + i))}}); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, ErrConflict):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d publishers won, want 1", won.Load())
	}
}
