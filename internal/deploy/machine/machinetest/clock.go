package machinetest

import (
	"context"
	"sync"
	"time"
)

// Clock is a clock whose time goes on only while nobody works: then it jumps to when the next one wants to wake. So what waits
// for hours takes no time, and the order of things is still that of their times.
type Clock struct {
	mu   sync.Mutex
	now  time.Time
	busy int
	next []*alarm
}

// alarm is somebody who sleeps (ctx is not nil), or what is called at a time.
type alarm struct {
	at   time.Time
	ctx  context.Context
	wake chan struct{}
	call func()
}

// NewClock gives a clock that stands at a time, and stays there while nobody has begun to work.
func NewClock(now time.Time) *Clock { return &Clock{now: now.UTC()} }

// Now is the clock's time, in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Work holds the clock until the returned function is called.
func (c *Clock) Work() (stop func()) {
	c.mu.Lock()
	c.busy++
	c.mu.Unlock()
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.busy--
		c.advance()
	})
}

// Sleep is called by one who works, and does not work until the time has passed or the context ends.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	c.mu.Lock()
	a := &alarm{at: c.now.Add(d), ctx: ctx, wake: make(chan struct{})}
	c.next = append(c.next, a)
	c.busy--
	c.advance()
	c.mu.Unlock()
	// A context that ends by other hands than a clock's is noticed all the same.
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ended()
	})
	defer stop()
	<-a.wake
	return ctx.Err()
}

// after calls a function at a time, which must not block, unless it is stopped before.
func (c *Clock) after(d time.Duration, call func()) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &alarm{at: c.now.Add(d), call: call}
	c.next = append(c.next, a)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.drop(a)
	}
}

func (c *Clock) drop(a *alarm) bool {
	for i, have := range c.next {
		if have == a {
			c.next = append(c.next[:i], c.next[i+1:]...)
			return true
		}
	}
	return false
}

// advance jumps as long as nobody works. What is called at a time ends contexts, on which others sleep.
func (c *Clock) advance() {
	for c.busy == 0 && len(c.next) > 0 && c.sleeps() {
		first := c.next[0]
		for _, a := range c.next[1:] {
			if a.at.Before(first.at) {
				first = a
			}
		}
		c.drop(first)
		if first.at.After(c.now) {
			c.now = first.at
		}
		if first.call != nil {
			first.call()
			c.ended()
			continue
		}
		c.busy++
		close(first.wake)
	}
}

// sleeps reports whether anybody would notice that time goes on.
func (c *Clock) sleeps() bool {
	for _, a := range c.next {
		if a.ctx != nil {
			return true
		}
	}
	return false
}

// ended wakes all whose contexts have ended.
func (c *Clock) ended() {
	var left []*alarm
	for _, a := range c.next {
		if a.ctx != nil && a.ctx.Err() != nil {
			c.busy++
			close(a.wake)
			continue
		}
		left = append(left, a)
	}
	c.next = left
}

// rest is called by one who works and then waits for others that do, the last of whom hands its own work on to it.
func (c *Clock) rest() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy--
	c.advance()
}

// notice wakes those who sleep on contexts that have ended.
func (c *Clock) notice() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended()
}
