package glue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"golang.org/x/sync/errgroup"

	"tarn/internal/catalog"
)

const (
	// finishFor is how long a publish goes on moving pointers after its caller has been cancelled: what others see in
	// between should last no longer than it must.
	finishFor = 30 * time.Second
	// crossings is how often others may commit to one table while it is being moved before that is given up.
	crossings = 10
	// sideBySide is how many pointers are moved at a time. A call takes some 100 ms, and until the last one others see a part of the
	// publish.
	sideBySide = 4
)

// forward moves the pointers of an open journal and closes it. It can be called again at any time, by anybody who holds the
// lease. The error is [*ContestedError] if the journal was closed and some tables stay as others have left them.
func (w *writer) forward(ctx context.Context, s *state) error {
	ctx, cancel := outlive(ctx, finishFor)
	defer cancel()
	if s.tables == nil {
		var exists bool
		var err error
		if s.tables, exists, err = w.c.tables(ctx); err != nil {
			return err
		}
		if !exists {
			// Somebody dropped the database, or the publisher died before it was there.
			if err := w.c.createDatabase(ctx); err != nil {
				return err
			}
		}
	}
	j := s.head.Journal
	if err := w.moveAll(ctx, s); err != nil {
		return err
	}
	if err := w.c.step("done"); err != nil {
		return err
	}
	var contested []Contested
	j.Open = false
	for i := range j.Moves {
		e := &j.Moves[i]
		// Enough for readers that began before, and small.
		e.Shape, e.Change = catalog.Shape{}, catalog.Change{}
		if e.Contested {
			contested = append(contested, s.head.Contested[e.Table])
		}
	}
	if err := w.save(ctx, s); err != nil {
		return err
	}
	if err := w.c.step("closed"); err != nil {
		return err
	}
	if contested != nil {
		return &ContestedError{Tables: contested}
	}
	return nil
}

// moveAll moves the pointers of a journal, some at a time. After an error no other move is begun, and what is under way comes to its
// end.
func (w *writer) moveAll(ctx context.Context, s *state) error {
	var g errgroup.Group
	g.SetLimit(w.c.sideBySide)
	var failed atomic.Bool
	for i := range s.head.Journal.Moves {
		if s.head.Journal.Moves[i].Contested {
			continue
		}
		g.Go(func() error {
			if failed.Load() {
				return nil
			}
			err := w.move(ctx, s, i)
			if err != nil {
				failed.Store(true)
			}
			return err
		})
	}
	return g.Wait()
}

// outlive gives a context that ends after d, or with its parent if that is later.
func outlive(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(parent))
	stop := context.AfterFunc(parent, func() {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() { stop(); cancel() }
}

// standing is where a table is on the way of a move.
type standing int

const (
	before standing = iota
	after
	crossed // somebody else has committed in between
)

func (c *Catalog) standing(h *head, e *entry, t *types.Table) standing {
	if e.To != "" && at(t) == e.To {
		return after
	}
	if t != nil && e.From == "" {
		// A ghost is no table; it has this very publish's number if it was made by an earlier try.
		seq, err := strconv.ParseInt(t.Parameters[paramSeq], 10, 64)
		if iceberg(t) && t.Parameters[paramLake] == c.o.Lake && t.Parameters[paramName] == e.Table && err == nil && seq < h.Seq {
			return before
		}
		return crossed
	}
	switch {
	case t == nil && e.To == "":
		return after
	case t == nil && e.From == "", t != nil && at(t) == e.From:
		return before
	}
	// On top of ours: then it has been moved.
	if t != nil && e.To != "" && t.Parameters[paramPrevious] == e.To {
		return after
	}
	return crossed
}

// move brings one table to where the journal has it. Of the state it changes its own entry only, and what else [writer.cross] does.
func (w *writer) move(ctx context.Context, s *state, i int) error {
	e := &s.head.Journal.Moves[i]
	t := s.tables[e.Table]
	for range crossings {
		switch w.c.standing(&s.head, e, t) {
		case after:
			w.c.note(e)
			return nil
		case crossed:
			if done, err := w.cross(ctx, s, i, t); done || err != nil {
				return err
			}
			continue
		}
		if err := w.c.step("move " + e.Table); err != nil {
			return err
		}
		// Glue looks at no token, so make sure right before: see package lease.
		if err := w.held.Confirm(ctx); err != nil {
			return err
		}
		err := w.c.apply(ctx, e, s.head.Seq, t)
		if stepErr := w.c.step("moved " + e.Table); stepErr != nil {
			return stepErr
		}
		if err == nil {
			w.c.note(e)
			return nil
		}
		// Whatever the answer was, or if there was none: what counts is where the table is.
		now, lookErr := w.c.table(ctx, e.Table)
		if lookErr != nil {
			return errors.Join(err, lookErr)
		}
		if w.c.standing(&s.head, e, now) == before && !raced(err) {
			return err
		}
		t = now
	}
	return fmt.Errorf("%s: others committed to it %d times while it was being moved", w.c.name(e.Table), crossings)
}

// raced reports whether Glue has refused a change because somebody else was faster.
func raced(err error) bool {
	switch code(err) {
	case "ConcurrentModificationException", "AlreadyExistsException", "EntityNotFoundException", "VersionMismatchException":
		return true
	}
	return false
}

// apply asks Glue for one move of a table that is t now.
func (c *Catalog) apply(ctx context.Context, e *entry, seq int64, t *types.Table) error {
	switch {
	case e.To == "":
		_, err := c.client.DeleteTable(ctx, &glue.DeleteTableInput{DatabaseName: &c.o.Database, Name: &e.Table, CatalogId: c.id()})
		return c.asked("DeleteTable", e.Table, err)
	case t == nil:
		_, err := c.client.CreateTable(ctx, &glue.CreateTableInput{DatabaseName: &c.o.Database, CatalogId: c.id(), TableInput: c.input(e, seq, nil)})
		return c.asked("CreateTable", e.Table, err)
	default:
		_, err := c.client.UpdateTable(ctx, &glue.UpdateTableInput{DatabaseName: &c.o.Database, CatalogId: c.id(), TableInput: c.input(e, seq, t),
			VersionId: t.VersionId, SkipArchive: aws.Bool(true)})
		return c.asked("UpdateTable", e.Table, err)
	}
}

func (c *Catalog) asked(op, table string, err error) error {
	if err == nil {
		return nil
	}
	return failed(op, c.name(table), err)
}

// cross judges a commit that others made to a table after the publish was written down. done says that the table stays as
// it is; otherwise the journal leads on from theirs.
func (w *writer) cross(ctx context.Context, s *state, i int, t *types.Table) (done bool, err error) {
	s.crossing.Lock()
	defer s.crossing.Unlock()
	e := &s.head.Journal.Moves[i]
	theirs := at(t)
	contest := func(why string) (bool, error) {
		e.Contested = true
		s.head.Contested[e.Table] = Contested{Table: e.Table, Run: s.head.Journal.Run, To: e.To, Theirs: theirs, Why: why}
		delete(s.head.Tables, e.Table)
		if theirs != "" && e.From != "" {
			s.head.Tables[e.Table] = place{At: theirs, Folder: folder(t)}
		}
		return true, nil
	}
	if s.head.Contested == nil {
		s.head.Contested = map[string]Contested{}
	}
	switch {
	case t == nil:
		return contest("it was dropped by somebody else")
	case e.From == "":
		return contest("somebody else has made a table of this name")
	case theirs == "":
		return contest("somebody else has made another table of it")
	case e.To == "":
		return contest("it was to be dropped, and somebody else has committed to it")
	case w.c.o.Rebase == nil:
		return contest("somebody else has committed to it")
	}
	to, err := w.c.o.Rebase(ctx, e.Move, theirs)
	if errors.Is(err, catalog.ErrRowsChanged) {
		return contest(err.Error())
	}
	if err != nil {
		return false, fmt.Errorf("%s: bring together with the commit of somebody else: %w", w.c.name(e.Table), err)
	}
	e.Passed, e.From, e.To, e.Version = append(e.Passed, e.From), theirs, to, aws.ToString(t.VersionId)
	if p, ok := s.head.Tables[e.Table]; ok {
		p.At = to
		s.head.Tables[e.Table] = p
	}
	if err := w.c.step("rebased " + e.Table); err != nil {
		return false, err
	}
	// Whoever comes next has to know the new place when the pointer is there.
	return false, w.save(ctx, s)
}
