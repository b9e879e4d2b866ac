package lease

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tarn/internal/catalog"
	"tarn/internal/store"
)

// Take makes the caller the holder. If somebody else holds the lease it waits for that, or fails with an error that wraps
// [catalog.ErrBusy] and names the holder. It also waits without being asked to where the holder looks dead, until that is
// sure or not so: at most for the holder's time to live.
func (l *Lease) Take(ctx context.Context, o catalog.LockOptions) (*Held, error) {
	told := false
	tell := func(h catalog.Holder) {
		if !told && o.Waiting != nil {
			told = true
			o.Waiting(h)
		}
	}
	for {
		d, err := l.await(ctx, o, tell)
		if err != nil {
			return nil, err
		}
		h, err := l.seize(ctx, d, o)
		if !errors.Is(err, errRaced) {
			return h, err
		}
	}
}

// Idle makes sure that nobody holds the lease, or only somebody dead, as [Lease.Take] does, and takes nothing. It gives the
// run of the last holder if that ended without [Held.Release], or "".
func (l *Lease) Idle(ctx context.Context, o catalog.LockOptions) (unfinished string, err error) {
	d, err := l.await(ctx, o, func(catalog.Holder) {})
	if err != nil || d.Owner == nil {
		return d.Unfinished, err
	}
	return d.Owner.Run, nil
}

// await gives a document that nobody holds who lives.
func (l *Lease) await(ctx context.Context, o catalog.LockOptions, tell func(catalog.Holder)) (Document, error) {
	var seen watch
	for {
		d, err := l.Read(ctx)
		if err != nil || d.Owner == nil {
			return d, err
		}
		dead, err := l.dead(ctx, d, o.Owner, &seen)
		if err != nil || dead {
			return d, err
		}
		if !o.Wait && !seen.silent(d) {
			return d, catalog.Busy(d.Owner.Holder)
		}
		if o.Wait {
			tell(d.Owner.Holder)
		}
		if err := l.changed(ctx, d, &seen); err != nil {
			if !o.Wait && errors.Is(ctx.Err(), context.DeadlineExceeded) {
				// There is no time to find out whether the holder is dead: somebody else may have it later.
				err = errors.Join(catalog.Busy(d.Owner.Holder), err)
			}
			return d, err
		}
	}
}

// changed returns when the object is another one, or when its holder has been silent for long enough.
func (l *Lease) changed(ctx context.Context, d Document, seen *watch) error {
	for {
		left := seen.left(d)
		if d.Owner.Execution != "" {
			// Nobody beats for it: ask again how it is doing.
			left = l.o.Poll
		}
		if err := pause(ctx, max(min(l.o.Poll, left), time.Millisecond)); err != nil {
			return err
		}
		now, err := l.Stat(ctx)
		if err != nil {
			return err
		}
		if now.ETag != d.Object.ETag || d.Owner.Execution != "" || seen.left(d) <= 0 {
			return nil
		}
	}
}

// watch is what one who waits has seen of the object.
type watch struct {
	etag string
	// since is when the object was first seen to be this one, by the monotonic clock.
	since time.Time
	// changed is set once the object was seen to change.
	changed bool
}

// see takes note of a document.
func (w *watch) see(d Document) {
	if w.etag != d.Object.ETag {
		w.changed = w.etag != ""
		w.etag, w.since = d.Object.ETag, time.Now()
	}
}

// left is how much longer the holder may be silent.
func (w *watch) left(d Document) time.Duration { return ttl(d) - time.Since(w.since) }

// silent reports whether the holder has missed two heartbeats, as far as two clocks can tell.
func (w *watch) silent(d Document) bool {
	return !w.changed && d.Owner.Execution == "" && time.Since(d.Object.Modified) > ttl(d)/2
}

func ttl(d Document) time.Duration { return time.Duration(d.Owner.TTL) * time.Millisecond }

// dead reports whether the holder of a document is no more.
func (l *Lease) dead(ctx context.Context, d Document, asks catalog.Owner, seen *watch) (bool, error) {
	seen.see(d)
	o := d.Owner
	if o.Execution != "" {
		return asks.MayTake(ctx, o.Holder)
	}
	return o.Dead() || seen.left(d) <= 0 || time.Since(d.Object.Modified) > ttl(d)+Skew, nil
}

// errRaced says that somebody else was faster.
var errRaced = errors.New("raced")

// seize writes the caller over the document's owner.
func (l *Lease) seize(ctx context.Context, d Document, o catalog.LockOptions) (*Held, error) {
	next := d
	next.Format, next.Token, next.Write = Format, d.Token+1, id()
	next.Owner = &Owner{Holder: catalog.Self(o), ID: id(), TTL: l.o.TTL.Milliseconds()}
	if d.Owner != nil {
		next.Unfinished = d.Owner.Run
	}
	asked := time.Now()
	written, err := l.put(ctx, d.Object, next)
	if err != nil {
		now, lookErr := l.Read(ctx)
		switch {
		case lookErr != nil:
			return nil, errors.Join(err, lookErr)
		case now.Owner != nil && now.Owner.ID == next.Owner.ID:
			written = now.Object
		case errors.Is(err, store.ErrCondition):
			return nil, errRaced
		default:
			return nil, fmt.Errorf("take the lock: %w", err)
		}
	}
	next.Object = written
	h := &Held{lease: l, id: next.Owner.ID, token: next.Token, doc: next, alive: asked, turn: make(chan struct{}, 1), lost: make(chan struct{}), unfinished: next.Unfinished, execution: o.Owner.Execution}
	h.begin()
	return h, nil
}
