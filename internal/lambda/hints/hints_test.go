package hints_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tarn/internal/lambda/hints"
	"tarn/internal/store"
	"tarn/internal/store/memory"
)

// place gives one store for every location.
type place struct{ store.Store }

func (p place) Locate(_ context.Context, location string) (store.Store, string, error) {
	return p.Store, strings.TrimPrefix(location, "memory://lake/"), nil
}

func open(t *testing.T, s store.Store, now func() time.Time) *hints.Hints {
	t.Helper()
	h, err := hints.Open(t.Context(), place{s}, "memory://lake/db/_tarn", now)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func list(t *testing.T, h *hints.Hints) hints.Taken {
	t.Helper()
	taken, err := h.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return taken
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOnlyWhatWasListedGoes(t *testing.T) {
	t.Parallel()
	s := memory.New("memory://lake/")
	stopped := time.Date(2025, 1, 31, 10, 0, 0, 0, time.UTC)
	h := open(t, s, func() time.Time { return stopped })
	must(t, h.Add(t.Context(), []string{"s3://b/in/2", "s3://b/in/1"}))
	// The same again at the same moment is another hint: it can tell of another content.
	must(t, h.Add(t.Context(), []string{"s3://b/in/1"}))
	taken := list(t, h)
	if len(taken.Keys) != 2 || !slices.Equal(taken.Objects, []string{"s3://b/in/1", "s3://b/in/2"}) {
		t.Errorf("%+v", taken)
	}
	must(t, h.Add(t.Context(), []string{"s3://b/in/1"}))
	must(t, h.Remove(t.Context(), taken))
	if left := list(t, h); len(left.Keys) != 1 || slices.Contains(taken.Keys, left.Keys[0]) {
		t.Errorf("left %+v of %+v", left, taken)
	}
	if any, err := h.Any(t.Context()); err != nil || !any {
		t.Error(any, err)
	}
	must(t, h.Remove(t.Context(), list(t, h)))
	if any, err := h.Any(t.Context()); err != nil || any {
		t.Error(any, err)
	}
}

func TestNoted(t *testing.T) {
	t.Parallel()
	h := open(t, memory.New("memory://lake/"), time.Now)
	must(t, h.Add(t.Context(), []string{"s3://b/in/1"}))
	taken := list(t, h)
	must(t, h.Note(t.Context(), "run1", taken))
	must(t, h.Add(t.Context(), []string{"s3://b/in/2"}))
	if noted, err := h.Noted(t.Context(), "run1"); err != nil || !slices.Equal(noted.Keys, taken.Keys) {
		t.Error(noted, err)
	}
	if noted, err := h.Noted(t.Context(), "run2"); err != nil || len(noted.Keys) != 0 {
		t.Error(noted, err)
	}
	must(t, h.Sweep(t.Context(), time.Now().Add(-time.Hour)))
	if noted, err := h.Noted(t.Context(), "run1"); err != nil || len(noted.Keys) != 1 {
		t.Error("what a run has just noted was swept", err)
	}
	must(t, h.Note(t.Context(), "run3", taken))
	must(t, h.Sweep(t.Context(), time.Now().Add(time.Hour)))
	if noted, err := h.Noted(t.Context(), "run3"); err != nil || len(noted.Keys) != 0 {
		t.Error("what nobody has ended was not swept", err)
	}
	must(t, h.Note(t.Context(), "run1", taken))
	must(t, h.Forget(t.Context(), "run1"))
	if noted, err := h.Noted(t.Context(), "run1"); err != nil || len(noted.Keys) != 0 {
		t.Error(noted, err)
	}
	if left := list(t, h); len(left.Keys) != 2 {
		t.Errorf("what is noted counts as a hint: %+v", left)
	}
}

func TestPace(t *testing.T) {
	t.Parallel()
	s := memory.New("memory://lake/")
	now := time.Date(2025, 1, 31, 10, 0, 0, 1, time.UTC)
	h := open(t, s, func() time.Time { return now })
	p := hints.Pace{Settle: 20 * time.Second, Interval: 5 * time.Minute}
	for _, c := range []struct{ after, begins string }{
		{"0s", "10:00:21"}, // the first waits for more
		{"10s", "10:00:21"},
		{"15.5s", "10:00:21"},
		{"16.5s", "10:05:21"}, // too near to be sure to be seen
		{"1m", "10:05:21"},
		{"5m30s", "10:10:21"},
		{"30m", "10:30:21"}, // nothing for long: it does not wait
	} {
		d, err := time.ParseDuration(c.after)
		must(t, err)
		now = time.Date(2025, 1, 31, 10, 0, 0, 1, time.UTC).Add(d)
		at, err := h.Next(t.Context(), p)
		if err != nil || at.Format("15:04:05") != c.begins {
			t.Errorf("after %s: %v %v, want %s", c.after, at, err, c.begins)
		}
		if coming, err := h.Coming(t.Context(), p); err != nil || !coming {
			t.Error(c.after, coming, err)
		}
	}
	now = now.Add(time.Minute)
	if coming, err := h.Coming(t.Context(), p); err != nil || coming {
		t.Error("a run that has begun is still to come", err)
	}
}

// A clock that was years ahead must not keep everybody waiting for years.
func TestStrayClock(t *testing.T) {
	t.Parallel()
	s := memory.New("memory://lake/")
	now := time.Date(2032, 1, 31, 10, 0, 0, 0, time.UTC)
	h := open(t, s, func() time.Time { return now })
	p := hints.Pace{Settle: 20 * time.Second, Interval: 5 * time.Minute}
	_, err := h.Next(t.Context(), p)
	must(t, err)
	now = now.AddDate(-7, 0, 0)
	for range 2 {
		if at, err := h.Next(t.Context(), p); err != nil || !at.Equal(now.Add(20*time.Second)) {
			t.Error(at, err)
		}
	}
	for _, damaged := range []string{"", "{", `{"at": 7}`} {
		_, err := s.Put(t.Context(), "db/_tarn/next.json", strings.NewReader(damaged), store.Condition{})
		must(t, err)
		if at, err := h.Next(t.Context(), p); err != nil || !at.Equal(now.Add(20*time.Second)) {
			t.Errorf("%q: %v %v", damaged, at, err)
		}
	}
}

// Many at once agree on one beginning.
func TestTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memory.New("memory://lake/")
		var mu sync.Mutex
		begins := map[string]int{}
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				h := open(t, s, time.Now)
				time.Sleep(time.Duration(i*7919%50) * 10 * time.Millisecond)
				at, err := h.Next(t.Context(), hints.Pace{Settle: 20 * time.Second, Interval: 5 * time.Minute})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				begins[fmt.Sprint(at)]++
				mu.Unlock()
			})
		}
		wg.Wait()
		if len(begins) != 1 {
			t.Errorf("%v", begins)
		}
	})
}
