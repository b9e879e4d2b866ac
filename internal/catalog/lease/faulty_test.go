package lease

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"tarn/internal/store"
	"tarn/internal/store/memory"
)

// fault is what happens to one Put.
type fault int

const (
	none fault = iota
	// lostAnswer applies the Put and fails.
	lostAnswer
	// refused fails and applies nothing, as 409 does in the end.
	refused
	// late fails at once and applies the Put a moment later, if its condition still holds then.
	late
	// down fails and applies nothing, and so does all else until the fault is taken away.
	down
)

var errFault = errors.New("connection reset")

// faulty is a store in memory whose writes go wrong on request.
type faulty struct {
	*memory.Store
	mu sync.Mutex
	// next are the faults of the next Puts.
	next []fault
	off  bool
	puts int
	// before is called before each request with its name, and may block.
	before func(op string)
}

func newStore() *faulty { return &faulty{Store: memory.New("memory://lake/")} }

func (f *faulty) script(next ...fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next, f.off = next, false
}

func (f *faulty) pause(op string) {
	f.mu.Lock()
	before := f.before
	f.mu.Unlock()
	if before != nil {
		before(op)
	}
}

func (f *faulty) isOff() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.off
}

func (f *faulty) Stat(ctx context.Context, key string) (store.Object, error) {
	f.pause("stat")
	if f.isOff() {
		return store.Object{}, errFault
	}
	return f.Store.Stat(ctx, key)
}

func (f *faulty) Open(ctx context.Context, key, etag string, offset, length int64) (io.ReadCloser, error) {
	f.pause("open")
	if f.isOff() {
		return nil, errFault
	}
	return f.Store.Open(ctx, key, etag, offset, length)
}

func (f *faulty) Get(ctx context.Context, key string) ([]byte, store.Object, error) {
	f.pause("get")
	if f.isOff() {
		return nil, store.Object{}, errFault
	}
	return f.Store.Get(ctx, key)
}

func (f *faulty) Put(ctx context.Context, key string, body store.Body, c store.Condition) (store.Object, error) {
	f.pause("put")
	f.mu.Lock()
	what := none
	if len(f.next) > 0 {
		what, f.next = f.next[0], f.next[1:]
	}
	f.puts++
	if what == down {
		f.off = true
	}
	off := f.off
	f.mu.Unlock()
	switch {
	case off:
		return store.Object{}, errFault
	case what == refused:
		return store.Object{}, store.ErrCondition
	case what == late:
		go func() {
			time.Sleep(3 * time.Second)
			_, _ = f.Store.Put(context.WithoutCancel(ctx), key, body, c)
		}()
		return store.Object{}, errFault
	}
	o, err := f.Store.Put(ctx, key, body, c)
	if what == lostAnswer {
		return store.Object{}, errFault
	}
	return o, err
}
