package glue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"tarn/internal/catalog"
	"tarn/internal/catalog/lease"
	"tarn/internal/diag"
)

// writer is the right to publish.
type writer struct {
	c    *Catalog
	run  string
	held *lease.Held
	// mu is held by one publish at a time.
	mu sync.Mutex
}

// Lock implements [catalog.Catalog].
func (c *Catalog) Lock(ctx context.Context, o catalog.LockOptions) (catalog.Writer, error) {
	held, err := c.lease.Take(ctx, o)
	if err != nil {
		return nil, err
	}
	c.holds(held)
	w := &writer{c: c, run: o.Run, held: held}
	if err := w.recover(ctx); err != nil {
		c.holds(nil)
		if o.Owner.Execution != "" {
			// Its next step tries again, or whoever comes after it.
			held.Leave()
			return nil, err
		}
		return nil, errors.Join(err, held.GiveBack(ctx))
	}
	return w, nil
}

// Idle implements [catalog.Catalog].
func (c *Catalog) Idle(ctx context.Context, o catalog.LockOptions) (unfinished string, err error) {
	return c.lease.Idle(ctx, o)
}

// recover finishes what another publisher has left open.
func (w *writer) recover(ctx context.Context) error {
	h, updates, err := w.head(ctx)
	if err != nil || h.Journal == nil || !h.Journal.Open {
		return err
	}
	err = w.forward(ctx, &state{head: h, updates: updates})
	var contested *ContestedError
	if errors.As(err, &contested) {
		// It is in the head for whoever asks, and no reason to stop others.
		return nil
	}
	if err != nil {
		return fmt.Errorf("finish the publish of run %s: %w", h.Journal.Run, err)
	}
	return nil
}

// Unfinished implements [catalog.Writer].
func (w *writer) Unfinished() string { return w.held.Unfinished() }

// Lost implements [catalog.Writer].
func (w *writer) Lost() <-chan struct{} { return w.held.Lost() }

// Release implements [catalog.Writer].
func (w *writer) Release(ctx context.Context) error {
	w.c.holds(nil)
	return w.held.Release(ctx)
}

// Keep implements [catalog.Writer].
func (w *writer) Keep(ctx context.Context) error {
	w.c.holds(nil)
	return w.held.Keep(ctx)
}

// holds keeps in mind that this process has the lock; nil is that it has not.
func (c *Catalog) holds(held *lease.Held) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = held
}

func (w *writer) head(ctx context.Context) (head, int64, error) {
	raw, updates, err := w.held.Payload(ctx)
	if err != nil {
		return head{}, 0, err
	}
	h, err := w.c.decode(raw)
	return h, updates, err
}

// state is a head under way, and how many updates of the lease it was made from.
type state struct {
	head    head
	updates int64
	// tables are those that were just read; nil if none were.
	tables map[string]*types.Table
	// crossing is held by a move that changes more of the head than its own entry, and writes it, while others are under way.
	crossing sync.Mutex
}

// save writes the head.
func (w *writer) save(ctx context.Context, s *state) error {
	raw, err := json.Marshal(s.head)
	if err != nil {
		return err
	}
	if err := w.held.Update(ctx, s.updates, raw); err != nil {
		return err
	}
	s.updates++
	return nil
}

// Publish implements [catalog.Writer]. Beside the errors of the contract there are [*ContestedError] and [*PendingError], with
// which the publish has happened, and [ErrNotOurs], with which it has not.
func (w *writer) Publish(ctx context.Context, moves []catalog.Move) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := checkMoves(moves); err != nil {
		return err
	}
	for {
		err := w.publish(ctx, moves)
		if !errors.Is(err, lease.ErrStale) {
			return err
		}
		// An earlier publish of this writer, thought to have failed, is in the head after all: go by what it says now.
	}
}

func (w *writer) publish(ctx context.Context, moves []catalog.Move) error {
	if err := w.recover(ctx); err != nil { // of an earlier publish of this writer, if it was interrupted
		return err
	}
	if len(moves) == 0 {
		return w.held.Confirm(ctx)
	}
	h, updates, err := w.head(ctx)
	if err != nil {
		return err
	}
	if err := w.c.step("read"); err != nil {
		return err
	}
	tables, exists, err := w.c.tables(ctx)
	if err != nil {
		return err
	}
	next, err := w.plan(&h, tables, moves)
	if err != nil {
		return err
	}
	if !exists {
		if err := w.c.step("database"); err != nil {
			return err
		}
		if err := w.c.createDatabase(ctx); err != nil {
			return err
		}
	}
	if err := w.c.step("journal"); err != nil {
		return err
	}
	s := &state{head: next, updates: updates, tables: tables}
	if err := w.save(ctx, s); err != nil {
		return err
	}
	if err := w.c.step("committed"); err != nil {
		return err
	}
	err = w.forward(ctx, s)
	var contested *ContestedError
	switch {
	case err == nil || errors.As(err, &contested):
		return err
	case errors.Is(err, catalog.ErrLockLost), errors.Is(err, lease.ErrStale):
		// It has happened, and whoever has the lock now finishes it.
		return nil
	}
	return &PendingError{Run: w.run, Err: err}
}

// checkMoves refuses what no publish can do.
func checkMoves(moves []catalog.Move) error {
	seen := map[string]bool{}
	for _, m := range moves {
		if err := checkName("table", m.Table); err != nil {
			return err
		}
		if seen[m.Table] {
			return fmt.Errorf("table %s is moved twice in one publish", m.Table)
		}
		seen[m.Table] = true
		if m.From == m.To {
			return fmt.Errorf("table %s is moved to where it is: %q", m.Table, m.To)
		}
	}
	return nil
}

// plan gives the head after the moves, or says why it cannot be.
func (w *writer) plan(h *head, tables map[string]*types.Table, moves []catalog.Move) (head, error) {
	next := h.clone()
	// Where others have moved tables of the lake since, that is how they stand.
	for name := range next.Tables {
		if tables[name] == nil {
			delete(next.Tables, name)
		}
	}
	for name, t := range tables {
		if iceberg(t) && !w.c.ghost(h, t) && w.c.ours(h, t) {
			next.Tables[name] = place{At: at(t), Folder: folder(t)}
		}
	}
	next.Seq++
	next.Journal = &journal{Run: w.run, Token: w.held.Token(), Open: true}
	for _, m := range moves {
		t := tables[m.Table]
		if w.c.ghost(h, t) {
			// It will be written over.
		} else if t != nil && (!iceberg(t) || !w.c.ours(h, t)) {
			return next, w.c.notOurs(t, "as an Iceberg table")
		} else if at(t) != m.From {
			return next, fmt.Errorf("table %s is at %s, and this run started from %s: %w", m.Table, where(at(t)), where(m.From), catalog.ErrConflict)
		}
		e := entry{Move: m}
		if t != nil {
			e.Version = aws.ToString(t.VersionId)
		}
		next.Journal.Moves = append(next.Journal.Moves, e)
		delete(next.Contested, m.Table)
		delete(next.Tables, m.Table)
		if m.To != "" {
			next.Tables[m.Table] = place{At: m.To, Folder: strings.TrimSuffix(m.Shape.Location, "/")}
		}
	}
	return next, nil
}

func where(at string) string {
	if at == "" {
		return "no place yet"
	}
	return at
}

// notOurs says whose table it is, as far as that can be told. as is what it was wanted as.
func (c *Catalog) notOurs(t *types.Table, as string) error {
	whose := ""
	switch l := t.Parameters[paramLake]; {
	case l != "" && l != c.o.Lake:
		whose = " (it is of lake " + l + ")"
	case as != "" && !iceberg(t):
		whose = " " + as
	}
	return diag.WithHint(fmt.Errorf("%s %w%s", c.name(aws.ToString(t.Name)), ErrNotOurs, whose),
		"tarn does not touch it: rename the table of the lake, or give the target a database of its own")
}
