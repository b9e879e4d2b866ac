package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"tarn/internal/catalog"
)

// poll is how often a waiting process looks whether the lock is free.
const poll = 250 * time.Millisecond

// Lock implements [catalog.Catalog]. The lock of a holder that gives no sign of life for the time to live, by this
// process's own clock, is taken over, as clocks of two machines are never compared; that of a dead process of this
// machine at once.
func (c *Object) Lock(ctx context.Context, o catalog.LockOptions) (catalog.Writer, error) {
	w := &lease{catalog: c, lost: make(chan struct{}), stop: make(chan struct{})}
	own := catalog.Self(o.Run)
	var seen lockRow
	var since time.Time
	told := false
	for {
		var busy *catalog.Holder
		err := c.change(ctx, func(tx *sql.Tx) error {
			now, err := c.readLock(ctx, tx)
			if err != nil {
				return err
			}
			w.unfinished = ""
			if busy = now.holder; busy != nil {
				if since.IsZero() || now.token != seen.token || now.beat != seen.beat {
					seen, since = now, time.Now()
				}
				if time.Since(since) < c.o.TTL && !busy.Dead() {
					return errUnchanged
				}
				w.unfinished = busy.Run
				busy = nil
			}
			w.token = now.token + 1
			return c.writeLock(ctx, tx, lockRow{token: w.token, holder: &own})
		})
		switch {
		case err != nil:
			return nil, err
		case busy == nil:
			go w.live()
			return w, nil
		case !o.Wait:
			return nil, catalog.Busy(*busy)
		}
		if !told && o.Waiting != nil {
			o.Waiting(*busy)
			told = true
		}
		if err := sleep(ctx, min(poll, c.o.TTL/4)); err != nil {
			return nil, err
		}
	}
}

// Idle implements [catalog.Catalog].
func (c *Object) Idle(ctx context.Context, wait bool) (unfinished string, err error) {
	for {
		var busy *catalog.Holder
		err := c.change(ctx, func(tx *sql.Tx) error {
			now, err := c.readLock(ctx, tx)
			if err != nil {
				return err
			}
			busy = now.holder
			return errUnchanged
		})
		switch {
		case err != nil:
			return "", err
		case busy == nil:
			return "", nil
		case busy.Dead():
			return busy.Run, nil
		case !wait:
			return "", catalog.Busy(*busy)
		}
		if err := sleep(ctx, poll); err != nil {
			return "", err
		}
	}
}

// lease is the lock of one holder.
type lease struct {
	catalog    *Object
	token      int64
	unfinished string

	once sync.Once
	lost chan struct{}
	done sync.Once
	stop chan struct{}
}

// live gives signs of life until the lease is released or lost.
func (l *lease) live() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-l.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		if sleep(ctx, l.catalog.o.Beat) != nil {
			return
		}
		// A sign that cannot be given now may be given with the next; if not, somebody else takes over and that shows.
		_ = l.mine(ctx, func(tx *sql.Tx, now lockRow) error {
			now.beat++
			return l.catalog.writeLock(ctx, tx, now)
		})
		select {
		case <-l.lost:
			return
		default:
		}
	}
}

// mine changes the catalog if this lease holds the lock at that moment; else the error is [catalog.ErrLockLost].
func (l *lease) mine(ctx context.Context, do func(tx *sql.Tx, now lockRow) error) error {
	select {
	case <-l.stop:
		return catalog.ErrLockLost
	default:
	}
	err := l.catalog.change(ctx, func(tx *sql.Tx) error {
		now, err := l.catalog.readLock(ctx, tx)
		if err != nil {
			return err
		}
		switch {
		case now.token == l.token && now.holder != nil:
		case now.holder != nil:
			return fmt.Errorf("%w: %s, %s, has taken it over", catalog.ErrLockLost, now.holder.Run, now.holder.Where())
		default:
			return fmt.Errorf("%w, which has let go of it since (turn %d, and this was turn %d)", catalog.ErrLockLost, now.token, l.token)
		}
		return do(tx, now)
	})
	if errors.Is(err, catalog.ErrLockLost) {
		l.once.Do(func() { close(l.lost) })
	}
	return err
}

// Unfinished implements [catalog.Writer].
func (l *lease) Unfinished() string { return l.unfinished }

// Lost implements [catalog.Writer].
func (l *lease) Lost() <-chan struct{} { return l.lost }

// Publish implements [catalog.Writer].
func (l *lease) Publish(ctx context.Context, moves []catalog.Move) error {
	err := l.mine(ctx, func(tx *sql.Tx, now lockRow) error {
		if err := moveAll(ctx, tx, l.catalog.o.Database, moves); err != nil {
			return err
		}
		// Each content of the object has to tell its writer, also where nothing moves.
		now.beat++
		return l.catalog.writeLock(ctx, tx, now)
	})
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// Release implements [catalog.Writer]. It is no error if the lock was lost before.
func (l *lease) Release(ctx context.Context) error {
	err := l.mine(ctx, func(tx *sql.Tx, now lockRow) error {
		return l.catalog.writeLock(ctx, tx, lockRow{token: now.token, beat: now.beat})
	})
	l.done.Do(func() { close(l.stop) })
	if errors.Is(err, catalog.ErrLockLost) {
		return nil
	}
	return err
}
