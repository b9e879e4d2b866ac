package glue

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"tarn/internal/catalog"
	"tarn/internal/catalog/catalogtest"
	"tarn/internal/catalog/glue/gluetest"
	"tarn/internal/store"
)

// Two handles publish 100 times in all, or more often where they lose the lock a lot, with slow and lost answers of Glue and of the store, and pauses in which the lock is
// lost. What they count as published is what there is, and a reader never sees half of a publish.
func TestTwoWritersRace(t *testing.T) {
	l := newLake(t)
	l.store = &lossy{Store: l.store}
	l.o.Lease.TTL = 150 * time.Millisecond
	var mu sync.Mutex
	dice := rand.New(rand.NewPCG(1, 2))
	chance := func(percent int) bool {
		mu.Lock()
		defer mu.Unlock()
		return dice.IntN(100) < percent
	}
	l.server.Do(func(string) (f gluetest.Fault) {
		f.Delay = time.Millisecond
		switch {
		case chance(5):
			f.LostAnswer = true
		case chance(3):
			f.Reset = true
		case chance(3):
			f.Error = "ThrottlingException"
		case chance(2):
			f.Error = "InternalServiceException"
		}
		return f
	})
	if err := catalogtest.Publish(t, quick(l.open()), catalogtest.Step("a", 0, 1), catalogtest.Step("b", 0, 1), catalogtest.Step("c", 0, 1)); err != nil {
		t.Fatal(err)
	}

	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	reader := quick(l.open())
	readers.Go(func() {
		last := 0
		for ctx.Err() == nil {
			at, err := reader.Pointers(ctx)
			if err != nil {
				continue
			}
			n := version(at["a"])
			if n < last || at["b"] != catalogtest.At("b", n) || at["c"] != catalogtest.At("c", n) {
				t.Errorf("a reader saw version %d, and then %v", last, at)
				return
			}
			last = n
		}
	})

	var wg sync.WaitGroup
	var published, lost, unclear int
	for h := range 2 {
		c := quick(l.open())
		wg.Go(func() {
			enough := func() bool {
				mu.Lock()
				defer mu.Unlock()
				return published >= 60
			}
			for n := 0; n < 50 || n < 500 && !enough(); n++ {
				outcome, err := raceOnce(ctx, c, fmt.Sprintf("run-%d-%d", h, n), chance)
				mu.Lock()
				switch outcome {
				case "published":
					published++
				case "lost":
					lost++
				default:
					unclear++
					t.Logf("run-%d-%d: %s: %v", h, n, outcome, err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	stop()
	readers.Wait()
	l.server.Do(nil)
	l.store.(*lossy).off.Store(true)
	at, err := l.open().Pointers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := version(at["a"]) - 1
	t.Logf("%d published, %d lost the lock before, %d unclear; the tables are at version %d", published, lost, unclear, got+1)
	if got < published || got > published+unclear {
		t.Errorf("%d to %d were published, and the tables have moved %d times", published, published+unclear, got)
	}
	if unclear > published/5 || published < 50 {
		t.Errorf("the test has tested little: %d published, %d lost, %d unclear", published, lost, unclear)
	}
	if l.server.Archived() > 0 {
		t.Errorf("%d versions were archived", l.server.Archived())
	}
}

func version(at string) (n int) {
	_, _ = fmt.Sscanf(at[strings.LastIndexByte(at, '/')+1:], "%d-", &n)
	return n
}

func raceOnce(ctx context.Context, c *Catalog, run string, chance func(int) bool) (string, error) {
	lw, err := c.Lock(ctx, catalog.LockOptions{Run: run, Wait: true})
	if err != nil {
		return "lost", err
	}
	w := lw.(*writer)
	defer func() {
		if chance(10) {
			w.held.Leave() // dies
			return
		}
		_ = w.Release(ctx)
	}()
	now, err := c.Pointers(ctx)
	if err != nil {
		return "lost", err
	}
	n := version(now["a"])
	pauseAt := map[string]bool{}
	if chance(25) {
		names := []string{"read", "journal", "committed", "move a", "moved a", "move b", "moved c", "done"}
		pauseAt[names[rand.IntN(len(names))]] = true
	}
	c.step = func(name string) error {
		if pauseAt[name] {
			w.held.Leave()
			time.Sleep(400 * time.Millisecond)
		}
		return nil
	}
	err = w.Publish(ctx, []catalog.Move{catalogtest.Step("a", n, n+1), catalogtest.Step("b", n, n+1), catalogtest.Step("c", n, n+1)})
	c.step = func(string) error { return nil }
	var pending *PendingError
	switch {
	case err == nil, errors.As(err, &pending):
		return "published", err
	case errors.Is(err, catalog.ErrLockLost), errors.Is(err, catalog.ErrConflict):
		return "lost", err
	}
	return "unclear", err
}

// quick has requests tried again without the pauses that are right on a real network.
func quick(c *Catalog) *Catalog {
	o := c.client.Options()
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.RateLimiter = 8, unlimited{}
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return time.Millisecond, nil })
	})
	c.client = newClient(o)
	return c
}

type unlimited struct{}

func (unlimited) GetToken(context.Context, uint) (func() error, error) {
	return func() error { return nil }, nil
}
func (unlimited) AddTokens(uint) error { return nil }

// lossy is a store that loses answers to writes now and then.
type lossy struct {
	store.Store
	n   atomicCounter
	off atomicBool
}

func (s *lossy) Put(ctx context.Context, key string, body store.Body, c store.Condition) (store.Object, error) {
	n := s.n.Add(1)
	if !s.off.Load() && n%11 == 5 {
		return store.Object{}, store.ErrCondition
	}
	o, err := s.Store.Put(ctx, key, body, c)
	if !s.off.Load() && n%7 == 3 {
		return store.Object{}, errors.New("answer lost")
	}
	return o, err
}
