// Package lease lets one process write at a time, from any number of machines, and commits in the same breath.
//
// A lease is one object of a store. It says who holds it and carries a payload: what its holders have committed. All
// writes to it are conditional on what the writer has seen there last, so the object has one history, and
//
//   - [Held.Update], one Put of a new payload, is a commit: either it happened while the lease was held, or never. A
//     process that was paused, lost the lease and woke up again cannot make it happen.
//   - each taking has a fencing token ([Document.Token]) one higher than the last.
//
// # Life and death of a holder
//
// A holder writes a heartbeat every quarter of its time to live. One who waits sees a holder as dead if the object did not
// change for that time by the waiter's own monotonic clock. Clocks of different machines are compared in one case only: an
// object that is older than the time to live and all the skew that S3 accepts in a signed request is taken over at once. So
// is the lease of a process of this machine that exists no more. That a holder was taken for dead too early costs work and
// never tables, because of the above.
//
// A lease can belong to an execution instead, of AWS Step Functions say, whose steps are short processes: see
// [catalog.Owner]. It has no heartbeat between them, and is taken over when its execution has ended, or by itself: then the
// token fences off an earlier step that still runs.
package lease

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"tarn/internal/catalog"
	"tarn/internal/diag"
	"tarn/internal/store"
)

const (
	// DefaultTTL is how long a holder may give no sign of life.
	DefaultTTL = 60 * time.Second
	// DefaultPoll is how often one who waits looks.
	DefaultPoll = 2 * time.Second
	// Skew is how far S3 lets a client's clock be off (Amazon S3 API Reference, error RequestTimeTooSkewed).
	Skew = 15 * time.Minute
	// remembered is how many updates a document can still tell of.
	remembered = 32
	// Format is that of documents.
	Format = 1
)

// Options of a lease; the zero value is right for a process on a machine. Durations are of the clock that package time
// has, which testing/synctest replaces.
type Options struct {
	// TTL is how long this process may give no sign of life when it holds the lease; 0 is [DefaultTTL].
	TTL time.Duration
	// Poll is how often to look while waiting; 0 is [DefaultPoll].
	Poll time.Duration
	// Form is how the object is written; nil is JSON, and payloads have to be JSON then.
	Form Form
	// Others says that programs change the payload which know nothing of the lease, and leave all else in the object as it is.
	Others bool
}

// Form is how a document is written as an object.
type Form interface {
	Marshal(ctx context.Context, d Document) ([]byte, error)
	// Unmarshal gives a document without its Object.
	Unmarshal(ctx context.Context, raw []byte) (Document, error)
}

// plainForm is JSON.
type plainForm struct{}

func (plainForm) Marshal(_ context.Context, d Document) ([]byte, error) { return json.Marshal(d) }

func (plainForm) Unmarshal(_ context.Context, raw []byte) (d Document, err error) {
	return d, json.Unmarshal(raw, &d)
}

// Lease is an object of a store that can be held.
type Lease struct {
	store store.Store
	key   string
	o     Options

	mu sync.Mutex
	// last is the document that was read or written last.
	last Document
}

// New names a lease; it makes no request. The object need not be there.
func New(s store.Store, key string, o Options) *Lease {
	if o.TTL <= 0 {
		o.TTL = DefaultTTL
	}
	if o.Poll <= 0 {
		o.Poll = DefaultPoll
	}
	if o.Form == nil {
		o.Form = plainForm{}
	}
	return &Lease{store: s, key: key, o: o}
}

// Location is where the object is.
func (l *Lease) Location() string { return store.Location(l.store, l.key) }

// Owner is who holds a lease.
type Owner struct {
	catalog.Holder
	// ID is another one for each taking.
	ID string `json:"id"`
	// TTL is what this holder promises, in milliseconds.
	TTL int64 `json:"ttl_ms"`
}

// Document is the object's content.
type Document struct {
	Format int `json:"format"`
	// Token grows by one with each taking.
	Token int64 `json:"token"`
	// Owner is nil while nobody holds the lease.
	Owner *Owner `json:"owner,omitempty"`
	// Unfinished is the run of a holder that ended without [Held.Release], until one ends with it.
	Unfinished string `json:"unfinished,omitempty"`
	// Updates counts the calls of [Held.Update] that took place, and Recent has the ids of the last of them.
	Updates int64    `json:"updates"`
	Recent  []string `json:"recent,omitempty"`
	// Write is another one for each Put, so that a writer knows its own again.
	Write   string          `json:"write"`
	Payload json.RawMessage `json:"payload,omitempty"`

	// Object is what the store says of it; its ETag is empty where there is no object yet.
	Object store.Object `json:"-"`
}

// Read gives the document as it is now; one that was never written is empty and no error. It is fetched only if it is another
// one than that which was read or written through this Lease last.
func (l *Lease) Read(ctx context.Context) (Document, error) {
	for attempt := 1; ; attempt++ {
		d, err := l.read(ctx)
		if !errors.Is(err, store.ErrCondition) || attempt == 10 {
			return d, err
		}
		// It was replaced while it was read.
	}
}

func (l *Lease) read(ctx context.Context) (Document, error) {
	l.mu.Lock()
	last := l.last
	l.mu.Unlock()
	if last.Object.ETag != "" {
		now, err := l.Stat(ctx)
		if err != nil {
			return Document{}, err
		}
		if now.ETag == last.Object.ETag {
			last.Object = now
			return last, nil
		}
	}
	raw, o, err := l.store.Get(ctx, l.key)
	if errors.Is(err, store.ErrNotFound) {
		return Document{}, nil
	}
	if err != nil {
		return Document{}, err
	}
	if o.ETag == "" {
		return Document{}, fmt.Errorf("%s has no ETag: this store cannot tell one content from another", l.Location())
	}
	d, err := l.o.Form.Unmarshal(ctx, raw)
	if err != nil {
		return d, diag.WithHint(fmt.Errorf("%s is damaged: %w", l.Location(), err), "it says where the tables stand: restore an older version of the object")
	}
	if d.Format != Format {
		return d, diag.WithHint(fmt.Errorf("%s is of format %d, and this program knows %d", l.Location(), d.Format, Format), "use the newer tarn that wrote it")
	}
	d.Object = o
	l.keep(d)
	return d, nil
}

func (l *Lease) keep(d Document) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = d
}

// Stat looks whether the object is still the one that a document was read from, with one small request.
func (l *Lease) Stat(ctx context.Context) (store.Object, error) {
	o, err := l.store.Stat(ctx, l.key)
	if errors.Is(err, store.ErrNotFound) {
		return store.Object{}, nil
	}
	return o, err
}

// put writes d over the object that it was read as.
func (l *Lease) put(ctx context.Context, over store.Object, d Document) (store.Object, error) {
	raw, err := l.o.Form.Marshal(ctx, d)
	if err != nil {
		return store.Object{}, err
	}
	o, err := l.store.Put(ctx, l.key, bytes.NewReader(raw), store.Condition{Absent: over.ETag == "", ETag: over.ETag})
	if err == nil {
		d.Object = o
		l.keep(d)
	}
	return o, err
}

func id() string { return rand.Text() }

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
