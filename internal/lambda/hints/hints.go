// Package hints keeps what events have named, beside a lake's tables, until a run has published it, and says when the next run
// begins.
//
// An event is acknowledged once its hint is written and an execution is sure to look at it. A run lists the hints before it looks at
// the landing files, and removes exactly those when it has published. So whatever happens in between, nothing is lost; at worst
// something is looked at twice.
package hints

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"tarn/internal/store"
)

// atOnce bounds how many hints are read or removed side by side.
const atOnce = 32

// Hints are those of one lake. It is safe for concurrent use, in any number of processes.
type Hints struct {
	store store.Store
	// own is the folder that the lake has for itself, with a slash at its end.
	own string
	now func() time.Time
}

// Open gives the hints of a lake. own is the location of the folder that the lake has for itself in its warehouse. It makes no
// request.
func Open(ctx context.Context, stores store.Locator, own string, now func() time.Time) (*Hints, error) {
	s, key, err := stores.Locate(ctx, own)
	if err != nil {
		return nil, err
	}
	return &Hints{store: s, own: strings.TrimSuffix(key, "/") + "/", now: now}, nil
}

// hint is one object: what a batch of events has named.
type hint struct {
	Objects []string `json:"objects"`
}

// Add writes down locations that events have named.
func (h *Hints) Add(ctx context.Context, objects []string) error {
	raw, err := json.Marshal(hint{objects})
	if err != nil {
		return err
	}
	// The name is another one each time: what comes again may tell of a newer content, and a run removes by name what it has listed.
	key := h.own + "hints/" + h.now().UTC().Format("20060102T150405.000Z") + "-" + rand.Text() + ".json"
	_, err = h.store.Put(ctx, key, bytes.NewReader(raw), store.Condition{Absent: true})
	return err
}

// Taken are hints as a run has listed them.
type Taken struct {
	// Keys name them, for [Hints.Remove].
	Keys []string `json:"keys"`
	// Objects are the locations in them, each once, in order.
	Objects []string `json:"-"`
}

// List gives all hints.
func (h *Hints) List(ctx context.Context) (Taken, error) {
	var t Taken
	for o, err := range h.store.List(ctx, h.own+"hints/", store.ListOptions{}) {
		if err != nil {
			return Taken{}, err
		}
		t.Keys = append(t.Keys, o.Key)
	}
	found := make([][]string, len(t.Keys))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i, key := range t.Keys {
		g.Go(func() error {
			raw, _, err := h.store.Get(ctx, key)
			if errors.Is(err, store.ErrNotFound) {
				// Another run has just removed it.
				return nil
			}
			if err != nil {
				return err
			}
			var one hint
			// What somebody else has put there names nothing, and goes with the others.
			if json.Unmarshal(raw, &one) == nil {
				found[i] = one.Objects
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return Taken{}, err
	}
	t.Objects = slices.Concat(found...)
	slices.Sort(t.Objects)
	t.Objects = slices.Compact(t.Objects)
	return t, nil
}

// Any reports whether there are hints.
func (h *Hints) Any(ctx context.Context) (bool, error) {
	for _, err := range h.store.List(ctx, h.own+"hints/", store.ListOptions{}) {
		return err == nil, err
	}
	return false, nil
}

// Remove takes away hints that a run has published.
func (h *Hints) Remove(ctx context.Context, t Taken) error {
	if len(t.Keys) == 0 {
		return nil
	}
	return h.store.Delete(ctx, t.Keys...)
}

func (h *Hints) noted() string { return h.own + "taken/" }

func (h *Hints) noteKey(run string) string { return h.noted() + run + ".json" }

// Note writes down what a run has listed that goes on in another process.
func (h *Hints) Note(ctx context.Context, run string, t Taken) error {
	if len(t.Keys) == 0 {
		return nil
	}
	raw, err := json.Marshal(t)
	if err != nil {
		return err
	}
	_, err = h.store.Put(ctx, h.noteKey(run), bytes.NewReader(raw), store.Condition{})
	return err
}

// Noted gives what [Hints.Note] has written down for a run, without Objects: that run has looked at them. Nothing is there for a run
// that has listed none, or that ended before it was written: then its hints stay for the next one.
func (h *Hints) Noted(ctx context.Context, run string) (t Taken, err error) {
	raw, _, err := h.store.Get(ctx, h.noteKey(run))
	if errors.Is(err, store.ErrNotFound) {
		return Taken{}, nil
	}
	if err != nil {
		return Taken{}, err
	}
	return t, json.Unmarshal(raw, &t)
}

// Forget takes away what [Hints.Note] has written down for a run.
func (h *Hints) Forget(ctx context.Context, run string) error {
	return h.store.Delete(ctx, h.noteKey(run))
}

// Sweep takes away what was noted before a time for runs that have come to no end. Hints stay.
func (h *Hints) Sweep(ctx context.Context, before time.Time) error {
	var keys []string
	for o, err := range h.store.List(ctx, h.noted(), store.ListOptions{}) {
		if err != nil {
			return err
		}
		if o.Modified.Before(before) {
			keys = append(keys, o.Key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return h.store.Delete(ctx, keys...)
}
