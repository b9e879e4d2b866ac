package glue

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/catalog"
	"tarn/internal/catalog/catalogtest"
	"tarn/internal/catalog/lease"
)

// TestExecutionDiesInAPublish ends a process of an execution at each step of a publish. Nobody else finishes it while the
// execution lives; its next process does at once, whatever the clock says.
func TestExecutionDiesInAPublish(t *testing.T) {
	names := steps(t, first, second)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			l := newLake(t)
			c := l.open()
			if err := catalogtest.Publish(t, c, first...); err != nil {
				t.Fatal(err)
			}
			owner := catalog.Owner{Execution: "arn:1"}
			w, err := c.Lock(t.Context(), catalog.LockOptions{Run: "run-1", Owner: owner})
			if err != nil {
				t.Fatal(err)
			}
			reached := false
			c.step = func(now string) error {
				reached = reached || now == name
				if reached {
					return errKilled
				}
				return nil
			}
			if err := w.Publish(t.Context(), second); err == nil {
				t.Fatal("it was not killed")
			}
			w.(*writer).held.Leave()
			if _, err := l.open().Lock(t.Context(), catalog.LockOptions{Run: "run-2"}); !errors.Is(err, catalog.ErrBusy) {
				t.Errorf("somebody else: %v", err)
			}
			from := time.Now()
			next := l.open()
			w, err = next.Lock(t.Context(), catalog.LockOptions{Run: "run-1", Owner: owner})
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(from); took > lease.DefaultTTL/2 {
				t.Errorf("the next process has waited for %v", took)
			}
			now, err := next.Pointers(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if now["a"] == catalogtest.At("a", 1) {
				// It had not happened.
				if err := w.Publish(t.Context(), second); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Release(t.Context()); err != nil {
				t.Error(err)
			}
			want := map[string]string{}
			for _, m := range append(first, second...) {
				if want[m.Table] = m.To; m.To == "" {
					delete(want, m.Table)
				}
			}
			catalogtest.Want(t, l.open(), want)
			got := l.inGlue("a", "b", "c", "d")
			for table, at := range got {
				if at == "" {
					delete(got, table)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Glue (-want +got):\n%s", diff)
			}
		})
	}
}
