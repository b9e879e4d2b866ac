package hints

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"tarn/internal/store"
)

// Pace says when runs begin that events have caused.
type Pace struct {
	// Settle is how long a run waits for more files.
	Settle time.Duration
	// Interval is the least time between the beginnings of two runs.
	Interval time.Duration
}

// soon is how far ahead the next run has to begin for a hint to be in time for it: clocks of two machines differ.
const soon = 5 * time.Second

// astray is how much later than its pace allows a beginning may be, before it is taken for that of a clock which was wrong.
const astray = time.Minute

// next is the object that says when the last run begins that anybody has wanted.
type next struct {
	At time.Time `json:"at"`
}

func (h *Hints) nextKey() string { return h.own + "next.json" }

// Next gives when the run begins that will look at all hints which are there now, in whole seconds of UTC. That is the last one that
// was wanted, if it is still to come, or a new one. Whoever gets a time has to make sure that the execution of that time exists: who
// wrote it down may have died before.
func (h *Hints) Next(ctx context.Context, p Pace) (time.Time, error) {
	for {
		last, etag, err := h.last(ctx)
		if err != nil {
			return time.Time{}, err
		}
		now := h.now()
		if h.comes(last, now, p) {
			return last, nil
		}
		at := now.Add(p.Settle)
		if after := last.Add(p.Interval); after.After(at) && !last.After(now.Add(soon)) {
			at = after
		}
		// Up to the whole second: a name and a state machine's timestamp are compared as texts.
		at = at.UTC().Add(time.Second - time.Nanosecond).Truncate(time.Second)
		raw, err := json.Marshal(next{at})
		if err != nil {
			return time.Time{}, err
		}
		_, err = h.store.Put(ctx, h.nextKey(), bytes.NewReader(raw), store.Condition{Absent: etag == "", ETag: etag})
		if errors.Is(err, store.ErrCondition) {
			// Somebody else was first, and may have wanted what does for us as well.
			if err := ctx.Err(); err != nil {
				return time.Time{}, err
			}
			continue
		}
		return at, err
	}
}

// Coming reports whether a run that was wanted is still to begin, so that it will see all hints that are there now.
func (h *Hints) Coming(ctx context.Context, p Pace) (bool, error) {
	last, _, err := h.last(ctx)
	return err == nil && h.comes(last, h.now(), p), err
}

func (h *Hints) comes(last, now time.Time, p Pace) bool {
	return last.After(now.Add(soon)) && !last.After(now.Add(max(p.Settle, p.Interval)+astray))
}

func (h *Hints) last(ctx context.Context) (at time.Time, etag string, err error) {
	raw, o, err := h.store.Get(ctx, h.nextKey())
	if errors.Is(err, store.ErrNotFound) {
		return time.Time{}, "", nil
	}
	if err != nil {
		return time.Time{}, "", err
	}
	var n next
	if json.Unmarshal(raw, &n) != nil {
		// Whatever somebody has put there, it is no time at which a run begins.
		return time.Time{}, o.ETag, nil
	}
	return n.At, o.ETag, nil
}
