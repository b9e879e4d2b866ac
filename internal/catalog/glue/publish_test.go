package glue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/catalog"
	"tarn/internal/catalog/catalogtest"
	"tarn/internal/catalog/glue/gluetest"
)

var errKilled = errors.New("killed")

// Before and after the publish that the tests below interrupt: one table moves, one is dropped, one is made.
var (
	first    = []catalog.Move{catalogtest.Step("a", 0, 1), catalogtest.Step("b", 0, 1), catalogtest.Step("c", 0, 1)}
	second   = []catalog.Move{catalogtest.Step("a", 1, 2), catalogtest.Step("b", 1, 0), catalogtest.Step("d", 0, 2)}
	oldState = map[string]string{"a": catalogtest.At("a", 1), "b": catalogtest.At("b", 1), "c": catalogtest.At("c", 1)}
	newState = map[string]string{"a": catalogtest.At("a", 2), "c": catalogtest.At("c", 1), "d": catalogtest.At("d", 2)}
)

// shortLived is a lake of which a silent writer loses the lock soon.
func shortLived(t *testing.T) *lake {
	l := newLake(t)
	l.o.Lease.TTL = 150 * time.Millisecond
	return l
}

// inGlue is what others see.
func (l *lake) inGlue(tables ...string) map[string]string {
	out := map[string]string{}
	for _, name := range tables {
		if at := l.server.Location("db", name); at != "" {
			out[name] = at
		}
	}
	return out
}

// steps lists the steps of a publish, each once.
func steps(t *testing.T, before, moves []catalog.Move) []string {
	t.Helper()
	c := newLake(t).open()
	if err := catalogtest.Publish(t, c, before...); err != nil {
		t.Fatal(err)
	}
	var names []string
	c.step = func(name string) error {
		names = append(names, name)
		return nil
	}
	if err := catalogtest.Publish(t, c, moves...); err != nil {
		t.Fatal(err)
	}
	return names
}

// A publisher dies at each step. Before the commit nothing has happened, after it everything has, and the next one to lock
// brings Glue there.
func TestKilledAtEveryStep(t *testing.T) {
	names := steps(t, first, second)
	if want := []string{"read", "journal", "committed", "move a", "moved a", "move b", "moved b", "move d", "moved d", "done", "closed"}; !slices.Equal(names, want) {
		t.Fatalf("steps %q", names)
	}
	for i, name := range names {
		t.Run(name, func(t *testing.T) {
			l := shortLived(t)
			c := l.open()
			if err := catalogtest.Publish(t, c, first...); err != nil {
				t.Fatal(err)
			}
			w := catalogtest.Lock(t, c, "run-1")
			c.step = func(now string) error {
				if now == name {
					return errKilled
				}
				return nil
			}
			if err := w.Publish(t.Context(), second); !errors.Is(err, errKilled) {
				t.Fatalf("publish: %v", err)
			}
			w.(*writer).held.Leave()

			want := oldState
			if i >= slices.Index(names, "committed") {
				want = newState
			}
			catalogtest.Want(t, l.open(), want)
			next, err := l.open().Lock(t.Context(), catalog.LockOptions{Run: "run-2", Wait: true})
			if err != nil {
				t.Fatal(err)
			}
			if next.Unfinished() != "run-1" {
				t.Errorf("unfinished: %q", next.Unfinished())
			}
			if diff := cmp.Diff(want, l.inGlue("a", "b", "c", "d")); diff != "" {
				t.Errorf("Glue after recovery (-want +got):\n%s", diff)
			}
			catalogtest.Want(t, l.open(), want)
			if err := next.Publish(t.Context(), []catalog.Move{catalogtest.Step("c", 1, 5)}); err != nil {
				t.Errorf("the next publish: %v", err)
			}
			if err := next.Release(t.Context()); err != nil {
				t.Error(err)
			}
			if l.server.Archived() > 0 {
				t.Errorf("%d versions were archived", l.server.Archived())
			}
		})
	}
}

// A recovery dies at each step as well, several times over.
func TestRecoveryKilledAtEveryStep(t *testing.T) {
	l := shortLived(t)
	c := l.open()
	if err := catalogtest.Publish(t, c, first...); err != nil {
		t.Fatal(err)
	}
	killAt := "committed"
	c.step = func(now string) error {
		if now == killAt {
			return errKilled
		}
		return nil
	}
	w := catalogtest.Lock(t, c, "run-1")
	if err := w.Publish(t.Context(), second); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	w.(*writer).held.Leave()
	for _, killAt = range []string{"move a", "moved a", "move b", "moved b", "move d", "moved d", "done"} {
		// A recovery that fails gives the lock back, so that the next one need not wait.
		if _, err := c.Lock(t.Context(), catalog.LockOptions{Run: "run at " + killAt, Wait: true}); !errors.Is(err, errKilled) || !strings.Contains(err.Error(), "run-1") {
			t.Errorf("killed at %s: %v", killAt, err)
		}
		catalogtest.Want(t, l.open(), newState)
	}
	killAt = ""
	last, err := c.Lock(t.Context(), catalog.LockOptions{Run: "last"})
	if err != nil {
		t.Fatal(err)
	}
	defer last.(*writer).held.Leave()
	if last.Unfinished() != "run-1" {
		t.Errorf("unfinished: %q", last.Unfinished())
	}
	if diff := cmp.Diff(newState, l.inGlue("a", "b", "c", "d")); diff != "" {
		t.Errorf("Glue (-want +got):\n%s", diff)
	}
}

// takeOver waits for a silent holder's lock, publishes, and lets go.
func takeOver(t *testing.T, c *Catalog, moves ...catalog.Move) {
	w, err := c.Lock(context.Background(), catalog.LockOptions{Run: "other", Wait: true})
	if err != nil {
		t.Errorf("take over: %v", err)
		return
	}
	if err := errors.Join(w.Publish(context.Background(), moves), w.Release(context.Background())); err != nil {
		t.Errorf("publish of the one that took over: %v", err)
	}
}

// A writer pauses at each step until another has taken over and published twice, and goes on then.
func TestPausedAtEveryStep(t *testing.T) {
	names := steps(t, first, second)
	for i, name := range names {
		if name == "closed" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			l := shortLived(t)
			c := l.open()
			if err := catalogtest.Publish(t, c, first...); err != nil {
				t.Fatal(err)
			}
			committed := i >= slices.Index(names, "committed")
			base := map[bool][]catalog.Move{false: {catalogtest.Step("a", 1, 7), catalogtest.Step("b", 1, 7), catalogtest.Step("c", 1, 7)},
				true: {catalogtest.Step("a", 2, 7), catalogtest.Step("b", 0, 7), catalogtest.Step("c", 1, 7), catalogtest.Step("d", 2, 0)}}
			w := catalogtest.Lock(t, c, "run-1")
			c.step = func(now string) error {
				if now != name {
					return nil
				}
				w.(*writer).held.Leave() // its heartbeat pauses as well
				takeOver(t, l.open(), base[committed]...)
				takeOver(t, l.open(), catalogtest.Step("a", 7, 8))
				return nil
			}
			err := w.Publish(t.Context(), second)
			switch {
			case committed && err != nil:
				t.Errorf("it was committed, and the error is %v", err)
			case !committed && !errors.Is(err, catalog.ErrLockLost) && !errors.Is(err, catalog.ErrConflict):
				t.Errorf("it had lost the lock, and the error is %v", err)
			}
			if err := w.Release(t.Context()); err != nil {
				t.Error(err)
			}
			want := map[string]string{"a": catalogtest.At("a", 8), "b": catalogtest.At("b", 7), "c": catalogtest.At("c", 7)}
			catalogtest.Want(t, l.open(), want)
			if diff := cmp.Diff(want, l.inGlue("a", "b", "c", "d")); diff != "" {
				t.Errorf("Glue (-want +got):\n%s", diff)
			}
		})
	}
}

// The pause is within a call of Glue, after all that could be checked before.
func TestPausedInACall(t *testing.T) {
	for _, op := range []string{"UpdateTable", "CreateTable"} {
		t.Run(op, func(t *testing.T) {
			l := shortLived(t)
			c := l.open()
			if err := catalogtest.Publish(t, c, first...); err != nil {
				t.Fatal(err)
			}
			w := catalogtest.Lock(t, c, "run-1")
			var once sync.Once
			l.server.Do(func(now string) (f gluetest.Fault) {
				if now == op {
					once.Do(func() {
						f.Before = func() {
							w.(*writer).held.Leave()
							takeOver(t, l.open(), catalogtest.Step("a", 2, 7), catalogtest.Step("d", 2, 0))
							takeOver(t, l.open(), catalogtest.Step("a", 7, 8))
						}
					})
				}
				return f
			})
			if err := w.Publish(t.Context(), second); err != nil {
				t.Errorf("it was committed, and the error is %v", err)
			}
			want := map[string]string{"a": catalogtest.At("a", 8), "c": catalogtest.At("c", 1)}
			catalogtest.Want(t, l.open(), want)
			got := l.inGlue("a", "b", "c", "d")
			if op == "CreateTable" && got["d"] != "" {
				// Glue cannot be told not to make it. It counts as not there, and gives way to the next of its name.
				delete(got, "d")
				takeOver(t, l.open(), catalogtest.Step("d", 0, 9))
				if at := l.server.Location("db", "d"); at != catalogtest.At("d", 9) {
					t.Errorf("d is at %s", at)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Glue (-want +got):\n%s", diff)
			}
		})
	}
}

// Others commit to a table at each step of a publish, and their commit is never lost.
func TestForeignCommitAtEveryStep(t *testing.T) {
	const theirs = "s3://elsewhere/theirs.json"
	moves := []catalog.Move{catalogtest.Step("c", 1, 2), catalogtest.Step("a", 1, 2)}
	rebase := func(_ context.Context, m catalog.Move, at string) (string, error) {
		if m.Change.Summary["by"] != "test" {
			return "", errors.New("the change is not there")
		}
		return at + "+" + m.To, nil
	}
	moves[1].Change.Summary = map[string]string{"by": "test"}
	names := steps(t, first, moves)
	for _, kind := range []string{"no rebase", "rows kept", "rows changed", "rows kept, recovered by another"} {
		for i, name := range names {
			for _, forget := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/forget=%v", kind, name, forget), func(t *testing.T) {
					l := shortLived(t)
					switch kind {
					case "rows kept", "rows kept, recovered by another":
						l.o.Rebase = rebase
					case "rows changed":
						l.o.Rebase = func(context.Context, catalog.Move, string) (string, error) { return "", catalog.ErrRowsChanged }
					}
					c := l.open()
					if err := catalogtest.Publish(t, c, first...); err != nil {
						t.Fatal(err)
					}
					w := catalogtest.Lock(t, c, "run-1")
					committed := false
					c.step = func(now string) error {
						if now == name && !committed {
							committed = true
							l.server.Commit("db", "a", theirs, forget)
							if kind == "rows kept, recovered by another" {
								return errKilled
							}
						}
						return nil
					}
					err := w.Publish(t.Context(), moves)
					if errors.Is(err, errKilled) {
						w.(*writer).held.Leave()
						if w, err = l.open().Lock(t.Context(), catalog.LockOptions{Run: "run-2", Wait: true}); err != nil {
							t.Fatal(err)
						}
						if i < slices.Index(names, "committed") {
							err = w.Publish(t.Context(), moves)
						}
					}
					if err := w.Release(t.Context()); err != nil {
						t.Error(err)
					}
					want, c2 := theirs, catalogtest.At("c", 2)
					killed := kind == "rows kept, recovered by another"
					switch {
					case i == 0 || killed && i < slices.Index(names, "committed"): // before the tables were read
						if !errors.Is(err, catalog.ErrConflict) {
							t.Errorf("error %v", err)
						}
						c2 = catalogtest.At("c", 1)
					case i >= slices.Index(names, "moved a"): // on top of it
						if err != nil {
							t.Errorf("error %v", err)
						}
					case kind == "rows kept" || killed:
						if want = theirs + "+" + catalogtest.At("a", 2); err != nil {
							t.Errorf("error %v", err)
						}
					default:
						var contested *ContestedError
						if !errors.As(err, &contested) || contested.Tables[0].Theirs != theirs || contested.Tables[0].To != catalogtest.At("a", 2) {
							t.Errorf("error %v", err)
						}
						if list, err := l.open().Contested(t.Context()); err != nil || list["a"].Run != "run-1" {
							t.Errorf("contested: %v, %v", list, err)
						}
						// Publishing it anew settles it.
						m := catalogtest.Step("a", 0, 9)
						m.From = theirs
						if err := catalogtest.Publish(t, l.open(), m); err != nil {
							t.Error(err)
						}
						if list, err := l.open().Contested(t.Context()); err != nil || len(list) > 0 {
							t.Errorf("still contested: %v, %v", list, err)
						}
						want = m.To
					}
					if got := l.inGlue("a", "c"); got["a"] != want || got["c"] != c2 {
						t.Errorf("Glue has %v, want a at %s and c at %s", got, want, c2)
					}
					catalogtest.Want(t, l.open(), map[string]string{"a": want, "b": catalogtest.At("b", 1), "c": c2})
				})
			}
		}
	}
}

// A conflict, or a name that is taken, leaves everything as it was.
func TestNothingIsTouched(t *testing.T) {
	l := newLake(t)
	if err := catalogtest.Publish(t, l.open(), first...); err != nil {
		t.Fatal(err)
	}
	theirs := map[string]map[string]any{
		"iceberg":  {"table_type": "ICEBERG", "metadata_location": "s3://x/deep/metadata/y.json"},
		"csv":      {"classification": "csv"},
		"tenants":  {"table_type": "ICEBERG", "metadata_location": "s3://x/z.json", "tarn.lake": "lake-2"},
		"our_csv":  {"classification": "csv", "tarn.lake": "lake-1"},
		"our_view": {"presto_view": "true"},
	}
	for name, parameters := range theirs {
		if _, err := l.server.Call("CreateTable", map[string]any{"DatabaseName": "db", "TableInput": map[string]any{"Name": name, "TableType": "EXTERNAL_TABLE",
			"Parameters": parameters, "StorageDescriptor": map[string]any{"Location": "s3://x/"}}}); err != nil {
			t.Fatal(err)
		}
	}
	before := map[string]string{}
	for name := range theirs {
		before[name] = l.server.Text("db", name)
	}
	for name := range theirs {
		for _, from := range []int{0, 1} {
			err := catalogtest.Publish(t, l.open(), catalogtest.Step("a", 1, 2), catalogtest.Step(name, from, 2))
			if !errors.Is(err, ErrNotOurs) || !strings.Contains(err.Error(), "db."+name) || hint(err) == "" {
				t.Errorf("%s from %d: %v", name, from, err)
			}
			m := catalogtest.Step(name, 0, 0)
			m.From, m.To = "s3://x/deep/metadata/y.json", ""
			if err := catalogtest.Publish(t, l.open(), m); !errors.Is(err, ErrNotOurs) {
				t.Errorf("drop %s: %v", name, err)
			}
		}
	}
	for name := range theirs {
		if diff := cmp.Diff(before[name], l.server.Text("db", name)); diff != "" {
			t.Errorf("%s was touched:\n%s", name, diff)
		}
	}
	catalogtest.Want(t, l.open(), oldState)
	others, err := l.open().Others(t.Context())
	if slices.Sort(others); err != nil || !slices.Equal(others, []string{"s3://x", "s3://x", "s3://x", "s3://x", "s3://x/deep"}) {
		t.Errorf("others: %q, %v", others, err)
	}
}

func TestOtherLake(t *testing.T) {
	l := newLake(t)
	if err := catalogtest.Publish(t, l.open(), first...); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Options){"lake": func(o *Options) { o.Lake = "lake-2" }, "database": func(o *Options) { o.Database = "other" },
		"account": func(o *Options) { o.CatalogID = "000000000000" }} {
		other := &lake{t: t, server: l.server, store: l.store, o: l.o}
		change(&other.o)
		if _, err := other.open().Lock(t.Context(), catalog.LockOptions{Run: "x"}); !errors.Is(err, ErrOtherLake) || !strings.Contains(err.Error(), name) {
			t.Errorf("lock by another %s: %v", name, err)
		}
		if unfinished, err := l.open().Idle(t.Context(), catalog.LockOptions{}); err != nil || unfinished != "" {
			t.Errorf("it left %q, %v", unfinished, err)
		}
	}
}

// TestCallsOfARun counts what a small run asks of Glue, and measures what others can see of it in between.
func TestCallsOfARun(t *testing.T) {
	const tables, call = 8, 20 * time.Millisecond
	l := newLake(t)
	counted := &counting{Store: l.store}
	l.store = counted
	step := func(from int) (moves []catalog.Move) {
		for i := range tables {
			moves = append(moves, catalogtest.Step(fmt.Sprintf("table_%d", i), from, from+1))
		}
		return moves
	}
	if err := catalogtest.Publish(t, l.open(), step(0)...); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var firstAt, lastAt time.Time
	l.server.Do(func(op string) gluetest.Fault {
		return gluetest.Fault{Delay: call, Before: func() {
			if op == "UpdateTable" {
				mu.Lock()
				defer mu.Unlock()
				if lastAt = time.Now(); firstAt.IsZero() {
					firstAt = lastAt
				}
			}
		}}
	})
	before := total(l.server.Counts())
	counted.n.Store(0)
	c := l.open()
	w := catalogtest.Lock(t, c, "run")
	if _, err := c.Pointers(t.Context()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := w.Publish(t.Context(), step(1)); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	if err := w.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	calls := total(l.server.Counts()) - before
	t.Logf("%d tables: %d calls of Glue and %d requests of the store; with %v a call the publish took %v, and others could see a part of it for %v",
		tables, calls, counted.n.Load(), call, took.Round(time.Millisecond), lastAt.Sub(firstAt).Round(time.Millisecond))
	if want := tables + 2; calls != want {
		t.Errorf("%d calls of Glue, want %d", calls, want)
	}
	if n := counted.n.Load(); n > 12 {
		t.Errorf("%d requests of the store", n)
	}
}

func total(counts map[string]int) (n int) {
	for _, k := range counts {
		n += k
	}
	return n
}
