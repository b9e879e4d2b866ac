package lake

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/lake/laketest"
	"tarn/internal/schema"
)

func TestHold(t *testing.T) {
	everywhere(t, func(t *testing.T, b bench) {
		shape := Shape{Columns: []schema.Column{col("a", schema.BigInt)}}
		put := func(d *Draft, err error) {
			t.Helper()
			if err == nil {
				err = b.publish(t, []*Draft{d})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, rows := range []string{"1", "2", "3"} {
			put(b.replace(t, "x", "run"+rows, shape, "SELECT "+rows+"::BIGINT AS a"), nil)
		}
		x := b.view(t).Table("x")
		first := x.Snapshots()[0].ID
		future, month := time.Now().Add(time.Hour), time.Now().Add(30*24*time.Hour)
		put(b.Hold(t.Context(), x, Hold{"training", first, month}))
		x = b.view(t).Table("x")
		if got := x.Holds(); len(got) != 1 || got[0].Name != "training" || got[0].Snapshot != first || got[0].Until.Sub(month).Abs() > time.Second {
			t.Fatalf("%+v", got)
		}
		// Again until an earlier moment is no change; on another snapshot it is a mistake.
		if d, err := b.Hold(t.Context(), x, Hold{"training", first, future}); d != nil || err != nil {
			t.Errorf("%v, %v", d, err)
		}
		if _, err := b.Hold(t.Context(), x, Hold{"training", x.Current(), month}); err == nil {
			t.Error("a tag was moved to another snapshot")
		}
		if _, err := b.Hold(t.Context(), x, Hold{"gone", 7, month}); !errors.Is(err, ErrNotKept) {
			t.Error(err)
		}

		collect := func(wantExpired int) {
			t.Helper()
			d, n, err := b.Expire(t.Context(), b.view(t).Table("x"), future)
			if err != nil || n != wantExpired || b.Expirable(b.view(t).Table("x"), future) != wantExpired {
				t.Fatalf("expired %d, want %d: %v", n, wantExpired, err)
			}
			if d != nil {
				put(d, nil)
			}
			g, err := b.Unreachable(t.Context(), b.view(t), future)
			if err == nil {
				err = b.Remove(t.Context(), g)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		collect(1)
		held, ok := b.view(t).Table("x").At(first)
		if !ok {
			t.Fatal("the snapshot of the tag is gone")
		}
		if diff := cmp.Diff([]string{"{'a': 1}"}, b.rows(t, held)); diff != "" {
			t.Error(diff)
		}
		// A publish and a change of columns leave tags alone.
		put(b.replace(t, "x", "run4", Shape{Columns: []schema.Column{col("a", schema.BigInt), col("b", schema.String)}}, "SELECT 4::BIGINT AS a, 'four' AS b"), nil)
		if len(b.view(t).Table("x").Holds()) != 1 {
			t.Error("a publish has taken the tag away")
		}
		collect(1)
		put(b.Release(t.Context(), b.view(t).Table("x"), "training"))
		if _, err := b.Release(t.Context(), b.view(t).Table("x"), "training"); !errors.Is(err, ErrNoHold) {
			t.Error(err)
		}
		collect(1)
		if n := len(b.view(t).Table("x").Snapshots()); n != 1 {
			t.Errorf("%d snapshots are left", n)
		}

		// A tag whose time is over counts no more, and goes.
		x = b.view(t).Table("x")
		over := func(x *Table) time.Time { return x.Snapshots()[len(x.Snapshots())-1].Time.Add(time.Millisecond) }
		put(b.Hold(t.Context(), x, Hold{"short", x.Current(), over(x)}))
		put(b.replace(t, "x", "run5", shape, "SELECT 5::BIGINT AS a"), nil)
		if got := b.view(t).Table("x").Holds(); len(got) != 0 {
			t.Errorf("%+v", got)
		}
		collect(1)
		for name := range b.view(t).Table("x").meta.Refs() {
			if name != "main" {
				t.Errorf("%s is still there", name)
			}
		}
		// Also where it was the last thing to do: its snapshot is the current one.
		x = b.view(t).Table("x")
		put(b.Hold(t.Context(), x, Hold{"shorter", x.Current(), over(x)}))
		collect(0)
		if n := len(slices.Collect(keys(b.view(t).Table("x")))); n != 1 {
			t.Errorf("%d references are left, want main", n)
		}
	})
}

func keys(t *Table) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range t.meta.Refs() {
			if !yield(name) {
				return
			}
		}
	}
}

// A tag that is made while others rewrite the table is there afterwards, beside what they did.
func TestHoldIsRebased(t *testing.T) {
	t.Parallel()
	b := setup(t, filepath.Join(t.TempDir(), "warehouse"))
	b.published(t)
	x := b.view(t).Table("t")
	d, err := b.Hold(t.Context(), x, Hold{"training", x.Current(), time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	b.elsewhere(t, "t", laketest.Compact)
	at := b.view(t).Table("t").MetadataLocation()
	to, err := b.Rebase(t.Context(), d.move(), at)
	if err != nil {
		t.Fatal(err)
	}
	b.point(t, "t", at, to)
	if got := b.view(t).Table("t"); len(got.Holds()) != 1 || got.Holds()[0].Snapshot != x.Current() || got.Current() == x.Current() {
		t.Errorf("%+v, %d", got.Holds(), got.Current())
	}
}
