package lease

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"tarn/internal/catalog"
	"tarn/internal/store"
)

// Held is a lease that this process has taken. It is safe for concurrent use.
type Held struct {
	lease      *Lease
	id         string
	unfinished string
	token      int64
	// execution is whom it is held for, "" for this process.
	execution string

	// turn is taken by whoever writes or looks at what follows.
	turn chan struct{}
	// doc is what this process has seen or written last.
	doc Document
	// adopted counts the documents that were found instead of the own, where others change the payload.
	adopted int64
	// unsure is set while a Put may still come to pass that has not been heard of.
	unsure   bool
	released bool
	// alive is when the last Put that succeeded was asked for.
	alive time.Time

	lost     chan struct{}
	loseOnce sync.Once
	stop     context.CancelFunc
	stopped  sync.WaitGroup
}

// ErrReleased says that the lease was let go before.
var ErrReleased = errors.New("the lock was released before")

// Unfinished is the run of the last holder if that ended without [Held.Release], or "".
func (h *Held) Unfinished() string { return h.unfinished }

// Token is the fencing token: higher than that of all who held the lease before.
func (h *Held) Token() int64 { return h.token }

// Lost is closed when the lease is known to be held by somebody else.
func (h *Held) Lost() <-chan struct{} { return h.lost }

// Payload is what was committed last, and a number for [Held.Update], which each update raises by one.
func (h *Held) Payload(ctx context.Context) (_ json.RawMessage, updates int64, _ error) {
	if err := h.enter(ctx); err != nil {
		return nil, 0, err
	}
	defer h.give()
	err := h.refresh(ctx)
	return h.doc.Payload, h.doc.Updates + h.adopted, err
}

// Document is the object as this holder has last seen or written it, which makes no request unless a Put of it is still in
// doubt. Whether the lease is still held shows only by another look at the object: see [Lease.Stat].
func (h *Held) Document(ctx context.Context) (Document, error) {
	if err := h.enter(ctx); err != nil {
		return Document{}, err
	}
	defer h.give()
	err := h.refresh(ctx)
	return h.doc, err
}

// Renew makes sure that [Held.Payload] is what is there now, with one small request if it was.
func (h *Held) Renew(ctx context.Context) error {
	if err := h.enter(ctx); err != nil {
		return err
	}
	defer h.give()
	if o, err := h.lease.Stat(ctx); err != nil {
		return err
	} else if o.ETag != h.doc.Object.ETag {
		h.unsure = true
	}
	return h.refresh(ctx)
}

// ErrStale says that an update was made from an older payload than the one that is there: an update of this holder that
// had failed came to pass after all, or another program has changed it. Nothing was written.
var ErrStale = errors.New("the payload is another one by now")

// Update commits a new payload, made from the one that [Held.Payload] gave with updates, by one Put over exactly what this
// holder has seen last. With nil it has happened, also if the lease was lost since. If the error wraps [catalog.ErrLockLost],
// [ErrReleased] or [ErrStale] it has not and never will. With any other error it may happen until the next Update of this
// holder succeeds or somebody else takes the lease; Payload, or [Lease.Read], then tells.
func (h *Held) Update(ctx context.Context, updates int64, payload json.RawMessage) error {
	update := id()
	return h.write(ctx, update, func(d *Document) error {
		if d.Updates+h.adopted != updates {
			return ErrStale
		}
		d.Payload, d.Updates = payload, d.Updates+1
		d.Recent = append(slices.Clone(d.Recent[max(0, len(d.Recent)-remembered+1):]), update)
		return nil
	})
}

// Confirm makes sure that the lease is still held, without a request if that is known for the next half of the time to
// live. What follows at once is then not likely to come after a take-over; only [Held.Update] rules that out.
func (h *Held) Confirm(ctx context.Context) error {
	if err := h.take(ctx); err != nil {
		return err
	}
	at := h.alive
	h.give()
	// A suspended machine's monotonic clock stands still; its wall clock does not.
	now := time.Now()
	if since := max(now.Sub(at), now.Round(0).Sub(at.Round(0))); since < h.lease.o.TTL/2 {
		return nil
	}
	return h.beat(ctx)
}

// Release lets others take the lease. It also does so after ctx has ended, for a while. A lease that was lost is not
// touched.
func (h *Held) Release(ctx context.Context) error {
	return h.free(ctx, func(d *Document) { d.Owner, d.Unfinished = nil, "" })
}

// Keep ends this process's part: an execution keeps the lease for its next step, and a process lets others take it.
func (h *Held) Keep(ctx context.Context) error {
	if h.execution == "" {
		return h.Release(ctx)
	}
	h.Leave()
	return nil
}

// GiveBack lets others take the lease as if this holder had never had it: they find the same Unfinished run.
func (h *Held) GiveBack(ctx context.Context) error {
	return h.free(ctx, func(d *Document) { d.Owner = nil })
}

func (h *Held) free(ctx context.Context, change func(*Document)) error {
	h.Leave()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(h.lease.o.TTL, letGo))
	defer cancel()
	err := h.write(ctx, "", func(d *Document) error { change(d); return nil })
	if errors.Is(err, catalog.ErrLockLost) || errors.Is(err, ErrReleased) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("release the lock: %w", err)
	}
	return nil
}

// Leave ends the heartbeat and leaves the lease as it is: for the next step of the execution that owns it, or for others
// when the time to live is over.
func (h *Held) Leave() {
	h.stop()
	h.stopped.Wait()
}

// begin starts the heartbeat.
func (h *Held) begin() {
	ctx, cancel := context.WithCancel(context.Background())
	h.stop = cancel
	h.stopped.Go(func() {
		for pause(ctx, h.lease.o.TTL/4) == nil {
			once, cancel := context.WithTimeout(ctx, h.lease.o.TTL/2)
			err := h.beat(once)
			cancel()
			if errors.Is(err, catalog.ErrLockLost) || errors.Is(err, ErrReleased) {
				return
			}
			// All else may pass; whether the lease is still held shows when it matters.
		}
	})
}

func (h *Held) beat(ctx context.Context) error {
	return h.write(ctx, "", func(*Document) error { return nil })
}

// lookFor is how long to look after a Put whose answer is not known, for a caller who has no time left.
const lookFor = 5 * time.Second

// letGo is how long letting go may take at least: what others would wait for instead is no reason to give up sooner.
const letGo = DefaultTTL

// tries is how often a write begins anew because an older one of this holder came to pass in between.
const tries = 8

// write puts what change makes of the document in its place. update is the id that change adds to Recent, or "".
func (h *Held) write(ctx context.Context, update string, change func(*Document) error) error {
	if err := h.enter(ctx); err != nil {
		return err
	}
	defer h.give()
	if err := h.refresh(ctx); err != nil {
		return err
	}
	var last error
	for range tries {
		next := h.doc
		next.Write = id()
		if err := change(&next); err != nil {
			return err
		}
		asked := time.Now()
		written, err := h.lease.put(ctx, h.doc.Object, next)
		if err == nil {
			next.Object = written
			h.wrote(next, asked)
			return nil
		}
		last, h.unsure = err, true
		now, lookErr := h.look(ctx)
		if lookErr != nil {
			return errors.Join(err, lookErr)
		}
		if now.Write == next.Write {
			// Done, and the answer was lost.
			h.adopt(now)
			h.wrote(now, asked)
			return nil
		}
		done := update != "" && slices.Contains(now.Recent, update)
		switch lost := h.mine(now); {
		case done:
			// The same, and there was another Put since: a late one of this holder, or a take-over.
			return nil
		case lost != nil && update != "" && now.Updates-h.doc.Updates >= remembered:
			return fmt.Errorf("%w; whether it was written before that is forgotten", err)
		case lost != nil:
			return lost
		case !errors.Is(err, store.ErrCondition):
			return err
		}
		// An older Put of this holder came to pass after all, or somebody else has changed the payload: go on from there.
		h.adopt(now)
	}
	return last
}

// refresh looks at the document anew where this holder cannot know it.
func (h *Held) refresh(ctx context.Context) error {
	if !h.unsure {
		return nil
	}
	now, err := h.look(ctx)
	if err != nil {
		return err
	}
	if err := h.mine(now); err != nil {
		return err
	}
	h.adopt(now)
	return nil
}

// adopt takes what was looked at for what is there. Whoever changes the payload without the lease leaves all else as it is, so
// what this holder has made of an older payload must not be written over it.
func (h *Held) adopt(now Document) {
	if h.lease.o.Others && now.Object.ETag != h.doc.Object.ETag {
		h.adopted++
	}
	h.doc = now
}

// wrote takes note of a document that is there now.
func (h *Held) wrote(d Document, asked time.Time) {
	h.doc, h.alive, h.unsure = d, asked, false
	h.released = d.Owner == nil
}

// look reads the document, also if the caller has no time left.
func (h *Held) look(ctx context.Context) (Document, error) {
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), lookFor)
		defer cancel()
	}
	return h.lease.Read(ctx)
}

// mine gives [catalog.ErrLockLost] if a document is not this holder's any more.
func (h *Held) mine(now Document) error {
	if now.Owner != nil && now.Owner.ID == h.id {
		return nil
	}
	h.loseOnce.Do(func() { close(h.lost) })
	if now.Owner == nil {
		return catalog.ErrLockLost
	}
	return fmt.Errorf("%w: run %s, %s, has it since %s", catalog.ErrLockLost, now.Owner.Run, now.Owner.Where(), now.Owner.Since.Format(time.RFC3339))
}

// enter takes the turn of a lease that was not let go.
func (h *Held) enter(ctx context.Context) error {
	if err := h.take(ctx); err != nil {
		return err
	}
	if h.released {
		h.give()
		return ErrReleased
	}
	return nil
}

func (h *Held) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case h.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *Held) give() { <-h.turn }
