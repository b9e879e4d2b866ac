package lease

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tarn/internal/catalog"
	"tarn/internal/diag"
	"tarn/internal/store"
	"tarn/internal/store/memory"
)

func open(s store.Store) *Lease { return New(s, "db/head.json", Options{}) }

func take(t *testing.T, l *Lease, run string) *Held {
	t.Helper()
	h, err := l.Take(t.Context(), catalog.LockOptions{Run: run})
	if err != nil {
		t.Fatalf("take for %s: %v", run, err)
	}
	t.Cleanup(h.Leave)
	return h
}

func payload(t *testing.T, l *Lease) string {
	t.Helper()
	d, err := l.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return string(d.Payload)
}

func update(t *testing.T, h *Held, to json.RawMessage) error {
	_, updates, err := h.Payload(t.Context())
	if err != nil {
		return err
	}
	return h.Update(t.Context(), updates, to)
}

func number(n int) json.RawMessage { return json.RawMessage(fmt.Sprint(n)) }

func TestOneHolderAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		a := take(t, open(s), "run-1")
		if _, err := open(s).Take(t.Context(), catalog.LockOptions{Run: "run-2"}); !errors.Is(err, catalog.ErrBusy) || !strings.Contains(err.Error(), "run-1") {
			t.Errorf("the second: %v", err)
		}
		if err := update(t, a, number(1)); err != nil {
			t.Fatal(err)
		}
		if err := a.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := update(t, a, number(2)); !errors.Is(err, ErrReleased) {
			t.Errorf("update after release: %v", err)
		}
		b := take(t, open(s), "run-2")
		if b.Unfinished() != "" || b.Token() != a.Token()+1 {
			t.Errorf("unfinished %q, token %d after %d", b.Unfinished(), b.Token(), a.Token())
		}
		if got := payload(t, open(s)); got != "1" {
			t.Errorf("payload is %s", got)
		}
	})
}

// A holder that beats is never taken over, however long it holds the lease.
func TestTheLivingKeepIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		a := take(t, open(s), "run-1")
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := open(s).Take(ctx, catalog.LockOptions{Run: "run-2", Wait: true}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the one that waits: %v", err)
		}
		if err := update(t, a, number(1)); err != nil {
			t.Error(err)
		}
	})
}

func TestTheDeadLoseIt(t *testing.T) {
	for _, wait := range []bool{true, false} {
		t.Run(fmt.Sprint("wait=", wait), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				a := take(t, open(s), "run-1")
				if err := update(t, a, number(1)); err != nil {
					t.Fatal(err)
				}
				a.Leave()
				time.Sleep(DefaultTTL * 2 / 3)
				from := time.Now()
				b, err := open(s).Take(t.Context(), catalog.LockOptions{Run: "run-2", Wait: wait})
				if err != nil {
					t.Fatal(err)
				}
				defer b.Leave()
				if took := time.Since(from); took < DefaultTTL || took > DefaultTTL+2*DefaultPoll {
					t.Errorf("took %v", took)
				}
				if b.Unfinished() != "run-1" || payload(t, open(s)) != "1" {
					t.Errorf("unfinished %q, payload %s", b.Unfinished(), payload(t, open(s)))
				}
				if err := update(t, a, number(2)); !errors.Is(err, catalog.ErrLockLost) || !strings.Contains(err.Error(), "run-2") {
					t.Errorf("the old holder's update: %v", err)
				}
				if err := a.Release(t.Context()); err != nil {
					t.Errorf("the old holder lets go: %v", err)
				}
				if err := update(t, b, number(3)); err != nil {
					t.Errorf("the new holder's update: %v", err)
				}
				select {
				case <-a.Lost():
				default:
					t.Error("the old holder does not know that it has lost")
				}
			})
		})
	}
}

func TestTooLittleTimeToTellTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		take(t, open(s), "run-1").Leave()
		time.Sleep(DefaultTTL * 2 / 3)
		ctx, cancel := context.WithTimeout(t.Context(), DefaultTTL/2)
		defer cancel()
		if _, err := open(s).Take(ctx, catalog.LockOptions{Run: "run-2"}); !errors.Is(err, catalog.ErrBusy) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

func TestTheLongDeadLoseItAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		take(t, open(s), "run-1").Leave()
		time.Sleep(DefaultTTL + Skew + time.Second)
		from := time.Now()
		take(t, open(s), "run-2").Leave()
		if time.Since(from) > 0 {
			t.Errorf("took %v", time.Since(from))
		}
	})
}

func TestAProcessThatIsGoneLosesItAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		l := open(s)
		take(t, l, "run-1").Leave()
		edit(t, l, func(d *Document) { d.Owner.PID = 1<<22 + 1 }) // above Linux's highest
		if d, err := l.Read(t.Context()); err != nil || !d.Owner.Dead() {
			t.Skip("this system does not tell")
		}
		from := time.Now()
		if unfinished, err := l.Idle(t.Context(), catalog.LockOptions{}); err != nil || unfinished != "run-1" {
			t.Errorf("idle: %q, %v", unfinished, err)
		}
		take(t, l, "run-2").Leave()
		if time.Since(from) > 0 {
			t.Errorf("took %v", time.Since(from))
		}
		edit(t, l, func(d *Document) { d.Owner.PID, d.Owner.Machine = 1<<22+1, "another" })
		if _, err := l.Take(t.Context(), catalog.LockOptions{Run: "run-3"}); !errors.Is(err, catalog.ErrBusy) {
			t.Errorf("the same number on another machine: %v", err)
		}
	})
}

func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		l := open(s)
		idle := func(wait bool, want string) {
			t.Helper()
			if got, err := l.Idle(t.Context(), catalog.LockOptions{Wait: wait}); err != nil || got != want {
				t.Errorf("idle: %q, %v; want %q", got, err, want)
			}
		}
		idle(false, "")
		a := take(t, l, "run-1")
		if _, err := l.Idle(t.Context(), catalog.LockOptions{}); !errors.Is(err, catalog.ErrBusy) {
			t.Errorf("while somebody holds it: %v", err)
		}
		go func() {
			time.Sleep(time.Hour)
			a.Leave()
		}()
		from := time.Now()
		idle(true, "run-1")
		if took := time.Since(from); took < time.Hour || took > time.Hour+2*DefaultTTL {
			t.Errorf("waited %v", took)
		}
		b := take(t, l, "run-2")
		if err := b.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		puts := s.puts
		idle(false, "")
		if s.puts != puts {
			t.Error("looking has written")
		}
	})
}

func edit(t *testing.T, l *Lease, change func(*Document)) {
	t.Helper()
	d, err := l.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	change(&d)
	d.Write = id()
	if _, err := l.put(t.Context(), d.Object, d); err != nil {
		t.Fatal(err)
	}
}

func TestExecutions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		var ended atomic.Bool
		alive := func(context.Context, string) (bool, error) { return !ended.Load(), nil }
		mine, other := catalog.Owner{Execution: "arn:1", Alive: alive}, catalog.Owner{Execution: "arn:2", Alive: alive}
		l := New(s, "head", Options{})
		takeFor := func(o catalog.Owner, run string) *Held {
			h, err := l.Take(t.Context(), catalog.LockOptions{Run: run, Owner: o})
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
		first := takeFor(mine, "run-1")
		if err := first.Keep(t.Context()); err != nil { // a step has ended
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		for _, o := range []catalog.Owner{other, {Alive: alive}, {}} {
			if _, err := l.Take(t.Context(), catalog.LockOptions{Run: "run-2", Owner: o}); !errors.Is(err, catalog.ErrBusy) || !strings.Contains(err.Error(), "execution arn:1") ||
				!strings.Contains(diag.Hint(err), "tarn recover --ended arn:1") {
				t.Errorf("while the execution lasts: %v (%s)", err, diag.Hint(err))
			}
		}
		deaf := catalog.Owner{Alive: func(context.Context, string) (bool, error) { return false, errors.New("no right to ask") }}
		if _, err := l.Take(t.Context(), catalog.LockOptions{Run: "run-2", Owner: deaf, Wait: true}); !errors.Is(err, catalog.ErrBusy) || !strings.Contains(err.Error(), "no right to ask") {
			t.Errorf("where asking fails: %v", err)
		}
		second := takeFor(mine, "run-1") // its next step
		if second.Token() != first.Token()+1 {
			t.Errorf("token %d after %d", second.Token(), first.Token())
		}
		if err := update(t, first, number(1)); !errors.Is(err, catalog.ErrLockLost) {
			t.Errorf("a step that was given up: %v", err)
		}
		if err := update(t, second, number(2)); err != nil {
			t.Error(err)
		}
		second.Leave()
		got := make(chan *Held)
		go func() {
			h, err := l.Take(t.Context(), catalog.LockOptions{Run: "run-2", Wait: true, Owner: other})
			if err != nil {
				t.Error(err)
			}
			got <- h
		}()
		time.Sleep(time.Hour)
		synctest.Wait()
		ended.Store(true)
		h := <-got
		h.Leave()
		if h.Unfinished() != "run-1" {
			t.Errorf("unfinished: %q", h.Unfinished())
		}
	})
}

// Whatever happens to the Put of an update, its error tells the truth.
func TestFaultsOfAnUpdate(t *testing.T) {
	for name, c := range map[string]struct {
		faults []fault
		want   string // of the payload at the end, after another update failed or not
		err    error
	}{
		"answer lost":        {[]fault{lostAnswer}, "1", nil},
		"refused once":       {[]fault{refused}, "1", nil},
		"refused five times": {[]fault{refused, refused, refused, refused, refused}, "1", nil},
		"refused, then lost": {[]fault{refused, lostAnswer}, "1", nil},
		"down":               {[]fault{down}, "0", errFault},
		"late":               {[]fault{late}, "1", errFault},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				a := take(t, open(s), "run-1")
				if err := update(t, a, number(0)); err != nil {
					t.Fatal(err)
				}
				s.script(c.faults...)
				if err := update(t, a, number(1)); !errors.Is(err, c.err) {
					t.Errorf("error %v, want %v", err, c.err)
				}
				s.script()
				time.Sleep(time.Second * 5)
				if got := payload(t, open(s)); got != c.want {
					t.Errorf("payload %s, want %s", got, c.want)
				}
				if err := update(t, a, number(2)); err != nil {
					t.Errorf("the next update: %v", err)
				}
				if err := a.Release(t.Context()); err != nil {
					t.Error(err)
				}
				select {
				case <-a.Lost():
					t.Error("counts as lost")
				default:
				}
				take(t, open(s), "run-2")
			})
		})
	}
}

// An update that was made from an older payload than the one that is there by now is none.
func TestALateUpdateMakesTheNextOneStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		a := take(t, open(s), "run-1")
		s.script(late)
		if err := update(t, a, number(1)); !errors.Is(err, errFault) {
			t.Fatal(err)
		}
		_, updates, err := a.Payload(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if err := a.Update(t.Context(), updates, number(2)); !errors.Is(err, ErrStale) {
			t.Errorf("made from what was there before: %v", err)
		}
		if got := payload(t, open(s)); got != "1" {
			t.Errorf("payload %s", got)
		}
		if err := update(t, a, number(3)); err != nil {
			t.Errorf("made from what is there: %v", err)
		}
	})
}

func TestGiveBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		take(t, open(s), "run-1").Leave()
		b, err := open(s).Take(t.Context(), catalog.LockOptions{Run: "run-2", Wait: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.GiveBack(t.Context()); err != nil {
			t.Fatal(err)
		}
		c := take(t, open(s), "run-3")
		if c.Unfinished() != "run-1" {
			t.Errorf("unfinished: %q", c.Unfinished())
		}
		if err := c.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := take(t, open(s), "run-4"); d.Unfinished() != "" {
			t.Errorf("unfinished after a release: %q", d.Unfinished())
		}
	})
}

// An update that failed cannot come to pass any more once another write of its holder did.
func TestALateUpdateIsFencedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		a := take(t, open(s), "run-1")
		s.script(late)
		if err := update(t, a, number(1)); !errors.Is(err, errFault) {
			t.Fatal(err)
		}
		if err := update(t, a, number(2)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got := payload(t, open(s)); got != "2" {
			t.Errorf("payload %s", got)
		}
	})
}

// The answer to a commit is lost, the writer pauses, others take over and commit many times: it still knows.
func TestCommittedBeforeItWasLost(t *testing.T) {
	for updates, want := range map[int]string{0: "committed", 3: "committed", remembered - 1: "committed", remembered + 5: "unknown"} {
		t.Run(fmt.Sprint(updates, " updates later"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				a := take(t, open(s), "run-1")
				a.Leave()
				s.script(lostAnswer)
				s.before = func(op string) {
					// The look after the Put, by a process that has slept.
					if s.puts == 2 && op == "get" {
						s.before = nil
						edit(t, open(s), func(d *Document) { d.Owner = nil })
						b := take(t, open(s), "run-2")
						for n := range updates {
							if err := update(t, b, number(n)); err != nil {
								t.Error(err)
							}
						}
						b.Leave()
					}
				}
				got := "committed"
				if err := update(t, a, number(77)); errors.Is(err, catalog.ErrLockLost) {
					got = "lost"
				} else if err != nil {
					got = "unknown"
				}
				if got != want {
					t.Errorf("the writer thinks %s", got)
				}
			})
		})
	}
}

// A writer is paused before each of its requests in turn for so long that it loses the lease: what it says of its commit
// is what the history of the object says.
func TestPausedBeforeEachRequest(t *testing.T) {
	for pauseAt := range 12 {
		synctest.Test(t, func(t *testing.T) {
			s := newStore()
			a := take(t, open(s), "run-1")
			a.Leave()
			seen := 0
			s.before = func(string) {
				if seen++; seen == pauseAt+1 {
					s.before = nil
					b, err := open(s).Take(t.Context(), catalog.LockOptions{Run: "run-2", Wait: true})
					if err != nil {
						t.Error(err)
						return
					}
					defer b.Leave()
					d, _, _ := b.Payload(t.Context())
					if err := update(t, b, json.RawMessage(fmt.Sprintf(`"after %s"`, d))); err != nil {
						t.Error(err)
					}
				}
			}
			s.script(refused, lostAnswer)
			err := update(t, a, number(1))
			s.before = nil
			got := payload(t, open(s))
			switch {
			case err == nil && got != "1" && got != `"after 1"`, errors.Is(err, catalog.ErrLockLost) && got != `"after "`, err != nil && !errors.Is(err, catalog.ErrLockLost):
				t.Errorf("paused at request %d: update says %v, and the payload is %s", pauseAt, err, got)
			}
		})
	}
}

// A taker is killed before or after its Put: the next one gets the lease in the end.
func TestTakerKilled(t *testing.T) {
	for name, f := range map[string]fault{"before": down, "after": lostAnswer, "in flight": late} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				s.script(f)
				ctx, kill := context.WithCancel(t.Context())
				s.before = func(op string) {
					if s.puts == 1 {
						kill()
					}
				}
				if h, err := open(s).Take(ctx, catalog.LockOptions{Run: "run-1"}); err == nil {
					h.Leave()
				}
				s.before = nil
				s.script()
				time.Sleep(5 * time.Second)
				h, err := open(s).Take(t.Context(), catalog.LockOptions{Run: "run-2", Wait: true})
				if err != nil {
					t.Fatal(err)
				}
				h.Leave()
			})
		})
	}
}

func TestManyTakers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New("memory://lake/")
		var wg sync.WaitGroup
		for w := range 5 {
			wg.Go(func() {
				for n := range 8 {
					h, err := open(s).Take(t.Context(), catalog.LockOptions{Run: fmt.Sprint(w, ".", n), Wait: true})
					if err != nil {
						t.Error(err)
						return
					}
					raw, _, _ := h.Payload(t.Context())
					have := 0
					_ = json.Unmarshal(raw, &have)
					time.Sleep(time.Second)
					if err := update(t, h, number(have+1)); err != nil {
						t.Error(err)
					}
					if n%4 == 3 {
						h.Leave() // dies
					} else if err := h.Release(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if got := payload(t, open(s)); got != "40" {
			t.Errorf("%s updates of 40 are left", got)
		}
	})
}

func TestDamage(t *testing.T) {
	for content, want := range map[string]string{"": "damaged", "{": "damaged", "<html>": "damaged", `{"format":2}`: "format 2", `{}`: "format 0"} {
		s := newStore()
		if _, err := s.Store.Put(t.Context(), "db/head.json", strings.NewReader(content), store.Condition{}); err != nil {
			t.Fatal(err)
		}
		_, err := open(s).Take(t.Context(), catalog.LockOptions{Run: "run-1"})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "memory://lake/db/head.json") {
			t.Errorf("%q: %v", content, err)
		}
	}
}

func TestDeletedUnderTheHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		a := take(t, open(s), "run-1")
		if err := s.Delete(t.Context(), "db/head.json"); err != nil {
			t.Fatal(err)
		}
		if err := update(t, a, number(1)); !errors.Is(err, catalog.ErrLockLost) {
			t.Errorf("update: %v", err)
		}
	})
}

func TestConfirm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		a := take(t, open(s), "run-1")
		a.Leave()
		puts := s.puts
		if err := a.Confirm(t.Context()); err != nil || s.puts != puts {
			t.Errorf("just taken: %v, %d requests", err, s.puts-puts)
		}
		time.Sleep(DefaultTTL * 3 / 4)
		if err := a.Confirm(t.Context()); err != nil || s.puts != puts+1 {
			t.Errorf("later: %v, %d requests", err, s.puts-puts)
		}
		time.Sleep(2 * (DefaultTTL + Skew))
		take(t, open(s), "run-2")
		if err := a.Confirm(t.Context()); !errors.Is(err, catalog.ErrLockLost) {
			t.Errorf("lost: %v", err)
		}
	})
}
