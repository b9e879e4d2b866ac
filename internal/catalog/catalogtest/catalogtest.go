// Package catalogtest tests that a catalog keeps its contract. A new kind of catalog is right when [Run] passes on it.
package catalogtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/catalog"
	"tarn/internal/schema"
)

// Kind is a kind of catalog to be tested.
type Kind struct {
	// Open gives a catalog of a database without tables. Each call gives another handle to the same database, as another
	// machine would have it; they are closed by the suite.
	Open func(t *testing.T) func() catalog.Catalog
}

// Run tests a kind of catalog.
func Run(t *testing.T, k Kind) {
	for name, test := range map[string]func(*testing.T, func() catalog.Catalog){
		"PublishTogether":     publishTogether,
		"ConflictMovesNone":   conflictMovesNone,
		"DropAndCreateAgain":  dropAndCreateAgain,
		"ManyTables":          manyTables,
		"CancelledPublish":    cancelledPublish,
		"NothingToMove":       nothingToMove,
		"OneWriter":           oneWriter,
		"WaitForTheOther":     waitForTheOther,
		"GiveUpWaiting":       giveUpWaiting,
		"WriterAfterWriter":   writerAfterWriter,
		"ReadersSeeWholeRuns": readersSeeWholeRuns,
		"WritersInTurn":       writersInTurn,
		"Identity":            identity,
		"ExecutionKeepsIt":    executionKeepsIt,
		"ExecutionHasEnded":   executionHasEnded,
	} {
		t.Run(name, func(t *testing.T) {
			open := k.Open(t)
			test(t, func() catalog.Catalog {
				c := open()
				t.Cleanup(func() {
					if err := c.Close(); err != nil {
						t.Errorf("close: %v", err)
					}
				})
				return c
			})
		})
	}
}

// At makes up the location of a table's metadata file.
func At(table string, version int) string {
	return fmt.Sprintf("s3://bucket/warehouse/db/%s/metadata/%05d-x.metadata.json", table, version)
}

// Step is the move of a table from one version to the next; version 0 is none.
func Step(table string, from, to int) catalog.Move {
	m := catalog.Move{Table: table, Shape: catalog.Shape{Location: "s3://bucket/warehouse/db/" + table, Description: "About " + table,
		Columns: []schema.Column{{Name: "id", Type: schema.Type{Kind: schema.BigInt}, Comment: "key"}, {Name: "at", Type: schema.Type{Kind: schema.Timestamp}}}}}
	if from > 0 {
		m.From = At(table, from)
	}
	if to > 0 {
		m.To = At(table, to)
	}
	return m
}

// Lock takes the lock at once.
func Lock(t *testing.T, c catalog.Catalog, run string) catalog.Writer {
	t.Helper()
	w, err := c.Lock(t.Context(), catalog.LockOptions{Run: run})
	if err != nil {
		t.Fatalf("lock for %s: %v", run, err)
	}
	return w
}

// Publish locks, moves and lets go.
func Publish(t *testing.T, c catalog.Catalog, moves ...catalog.Move) error {
	t.Helper()
	w := Lock(t, c, "publish")
	err := w.Publish(t.Context(), moves)
	if err := w.Release(t.Context()); err != nil {
		t.Errorf("release: %v", err)
	}
	return err
}

// Want compares where the tables stand.
func Want(t *testing.T, c catalog.Catalog, want map[string]string) {
	t.Helper()
	got, err := c.Pointers(t.Context())
	if err != nil {
		t.Fatalf("pointers: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pointers (-want +got):\n%s", diff)
	}
}

func versions(n int, tables ...string) map[string]string {
	out := map[string]string{}
	for _, t := range tables {
		out[t] = At(t, n)
	}
	return out
}

func publishTogether(t *testing.T, open func() catalog.Catalog) {
	c := open()
	Want(t, c, map[string]string{})
	if err := Publish(t, c, Step("a", 0, 1), Step("b", 0, 1)); err != nil {
		t.Fatal(err)
	}
	Want(t, c, versions(1, "a", "b"))
	Want(t, open(), versions(1, "a", "b"))
	if err := Publish(t, open(), Step("a", 1, 2), Step("c", 0, 2), Step("b", 1, 2)); err != nil {
		t.Fatal(err)
	}
	Want(t, c, versions(2, "a", "b", "c"))
}

func conflictMovesNone(t *testing.T, open func() catalog.Catalog) {
	c := open()
	if err := Publish(t, c, Step("a", 0, 1), Step("b", 0, 1)); err != nil {
		t.Fatal(err)
	}
	for name, moves := range map[string][]catalog.Move{
		"an older version":       {Step("a", 1, 2), Step("b", 7, 8)},
		"a table that is new":    {Step("a", 1, 2), Step("b", 0, 1)},
		"a table that is gone":   {Step("a", 1, 2), Step("c", 1, 2)},
		"a drop of an older one": {Step("a", 1, 2), Step("b", 7, 0)},
	} {
		if err := Publish(t, c, moves...); !errors.Is(err, catalog.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
		Want(t, c, versions(1, "a", "b"))
	}
	if err := Publish(t, c, Step("a", 1, 2), Step("b", 1, 2)); err != nil {
		t.Errorf("after conflicts: %v", err)
	}
}

func dropAndCreateAgain(t *testing.T, open func() catalog.Catalog) {
	c := open()
	if err := Publish(t, c, Step("a", 0, 1), Step("b", 0, 1)); err != nil {
		t.Fatal(err)
	}
	if err := Publish(t, c, Step("a", 1, 0), Step("b", 1, 2)); err != nil {
		t.Fatal(err)
	}
	Want(t, c, versions(2, "b"))
	if err := Publish(t, c, Step("a", 0, 3)); err != nil {
		t.Fatal(err)
	}
	Want(t, open(), map[string]string{"a": At("a", 3), "b": At("b", 2)})
}

func manyTables(t *testing.T, open func() catalog.Catalog) {
	var moves []catalog.Move
	want := map[string]string{}
	for i := range 130 { // more than a page of any catalog
		name := fmt.Sprintf("table_%03d__rows", i)
		moves, want[name] = append(moves, Step(name, 0, 1)), At(name, 1)
	}
	c := open()
	if err := Publish(t, c, moves...); err != nil {
		t.Fatal(err)
	}
	Want(t, c, want)
}

func nothingToMove(t *testing.T, open func() catalog.Catalog) {
	c := open()
	if err := Publish(t, c); err != nil {
		t.Error(err)
	}
	Want(t, c, map[string]string{})
}

func cancelledPublish(t *testing.T, open func() catalog.Catalog) {
	c := open()
	if err := Publish(t, c, Step("a", 0, 1)); err != nil {
		t.Fatal(err)
	}
	w := Lock(t, c, "run-1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Publish(ctx, []catalog.Move{Step("a", 1, 2), Step("b", 0, 2)}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before it began: %v", err)
	}
	Want(t, open(), versions(1, "a"))
	if err := w.Publish(t.Context(), []catalog.Move{Step("a", 1, 3)}); err != nil {
		t.Errorf("the same writer goes on: %v", err)
	}
	if err := w.Release(t.Context()); err != nil {
		t.Error(err)
	}
	Want(t, open(), versions(3, "a"))
}

func oneWriter(t *testing.T, open func() catalog.Catalog) {
	w := Lock(t, open(), "run-1")
	_, err := open().Lock(t.Context(), catalog.LockOptions{Run: "run-2"})
	if !errors.Is(err, catalog.ErrBusy) || !strings.Contains(err.Error(), "run-1") {
		t.Errorf("the second writer: %v", err)
	}
	if _, err := open().Idle(t.Context(), catalog.LockOptions{}); !errors.Is(err, catalog.ErrBusy) || !strings.Contains(err.Error(), "run-1") {
		t.Errorf("idle while somebody writes: %v", err)
	}
	if err := w.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if unfinished, err := open().Idle(t.Context(), catalog.LockOptions{}); err != nil || unfinished != "" {
		t.Errorf("idle after release: %q, %v", unfinished, err)
	}
	if err := Publish(t, open(), Step("a", 0, 1)); err != nil {
		t.Errorf("after release: %v", err)
	}
	select {
	case <-w.Lost():
		t.Error("a lock that was released counts as lost")
	default:
	}
}

func waitForTheOther(t *testing.T, open func() catalog.Catalog) {
	w := Lock(t, open(), "run-1")
	told := make(chan catalog.Holder, 2)
	got := make(chan error, 1)
	other := open()
	go func() {
		next, err := other.Lock(t.Context(), catalog.LockOptions{Run: "run-2", Wait: true, Waiting: func(h catalog.Holder) { told <- h }})
		if err == nil {
			err = next.Release(t.Context())
		}
		got <- err
	}()
	if h := <-told; h.Run != "run-1" || h.Since.IsZero() {
		t.Errorf("waits for %+v", h)
	}
	select {
	case err := <-got:
		t.Fatalf("did not wait: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	if err := w.Publish(t.Context(), []catalog.Move{Step("a", 0, 1)}); err != nil {
		t.Error(err)
	}
	if err := w.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-got; err != nil {
		t.Errorf("the one that waited: %v", err)
	}
	if len(told) > 0 {
		t.Error("was told twice whom it waits for")
	}
}

func giveUpWaiting(t *testing.T, open func() catalog.Catalog) {
	w := Lock(t, open(), "run-1")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := open().Lock(ctx, catalog.LockOptions{Run: "run-2", Wait: true}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("gave up with %v", err)
	}
	if err := w.Publish(t.Context(), []catalog.Move{Step("a", 0, 1)}); err != nil {
		t.Errorf("the holder was disturbed: %v", err)
	}
	if err := w.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

func writerAfterWriter(t *testing.T, open func() catalog.Catalog) {
	first := Lock(t, open(), "run-1")
	if err := first.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := Lock(t, open(), "run-2")
	if second.Unfinished() != "" {
		t.Errorf("run %q counts as unfinished, but it let go", second.Unfinished())
	}
	if err := first.Publish(t.Context(), []catalog.Move{Step("a", 0, 1)}); err == nil {
		t.Error("a writer published after it had let go")
	}
	Want(t, open(), map[string]string{})
	if err := second.Publish(t.Context(), []catalog.Move{Step("a", 0, 2)}); err != nil {
		t.Error(err)
	}
	if err := second.Publish(t.Context(), []catalog.Move{Step("a", 2, 3)}); err != nil {
		t.Errorf("the same writer once more: %v", err)
	}
	if err := second.Release(t.Context()); err != nil {
		t.Error(err)
	}
	Want(t, open(), versions(3, "a"))
}

func readersSeeWholeRuns(t *testing.T, open func() catalog.Catalog) {
	tables := []string{"a", "b", "c", "d", "e", "f"}
	step := func(from int) (moves []catalog.Move) {
		for _, name := range tables {
			moves = append(moves, Step(name, from, from+1))
		}
		return moves
	}
	c := open()
	if err := Publish(t, c, step(0)...); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 3 {
		r := open()
		readers.Go(func() {
			for ctx.Err() == nil {
				got, err := r.Pointers(t.Context())
				if err != nil {
					t.Errorf("read: %v", err)
					return
				}
				seen := map[string]bool{}
				for name, at := range got {
					seen[strings.ReplaceAll(at, "/"+name+"/", "/x/")] = true
				}
				if len(got) != len(tables) || len(seen) != 1 {
					t.Errorf("half a run: %v", got)
					return
				}
			}
		})
	}
	for n := range 20 {
		if err := Publish(t, c, step(n+1)...); err != nil {
			t.Errorf("publish %d: %v", n, err)
		}
	}
	stop()
	readers.Wait()
	Want(t, c, versions(21, tables...))
}

func writersInTurn(t *testing.T, open func() catalog.Catalog) {
	const writers, each = 3, 5
	var wg sync.WaitGroup
	for i := range writers {
		c := open()
		wg.Go(func() {
			for n := range each {
				if err := one(t.Context(), c, fmt.Sprintf("run-%d-%d", i, n)); err != nil {
					t.Errorf("writer %d: %v", i, err)
				}
			}
		})
	}
	wg.Wait()
	Want(t, open(), versions(writers*each, "a", "b"))
}

// one moves two tables one version on, whatever that is.
func one(ctx context.Context, c catalog.Catalog, run string) error {
	w, err := c.Lock(ctx, catalog.LockOptions{Run: run, Wait: true})
	if err != nil {
		return err
	}
	now, err := c.Pointers(ctx)
	if err != nil {
		return err
	}
	var from int
	if at, ok := now["a"]; ok {
		if _, err := fmt.Sscanf(at[strings.LastIndexByte(at, '/')+1:], "%d-", &from); err != nil {
			return err
		}
	}
	err = w.Publish(ctx, []catalog.Move{Step("a", from, from+1), Step("b", from, from+1)})
	return errors.Join(err, w.Release(ctx))
}

// identity is the same for all handles of a catalog, before and after a publish.
func identity(t *testing.T, open func() catalog.Catalog) {
	ask := func(c catalog.Catalog) catalog.Identity {
		t.Helper()
		id, err := c.Identity(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	one, two := open(), open()
	w := Lock(t, one, "run")
	before := ask(one)
	if before.Kind == "" || before.Lake == "" || before.Database == "" {
		t.Errorf("it says too little: %+v", before)
	}
	if err := w.Publish(t.Context(), []catalog.Move{Step("a", 0, 1)}); err != nil {
		t.Fatal(err)
	}
	if err := w.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := ask(two); after != before {
		t.Errorf("%+v, and before it was %+v", after, before)
	}
}
