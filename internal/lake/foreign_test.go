package lake

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tarn/internal/catalog"
	"tarn/internal/engine/duckdb"
	"tarn/internal/lake/laketest"
	"tarn/internal/schema"
	"tarn/internal/store/s3/s3test"
)

// elsewhere commits a change to a table as another program does, and gives where its metadata is now.
func (b bench) elsewhere(t *testing.T, name string, changes ...laketest.Change) {
	t.Helper()
	for _, c := range changes {
		at, err := b.Catalog().Pointers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		to, err := laketest.Commit(t.Context(), b.Stores(), at[name], c)
		if err != nil {
			t.Fatal(err)
		}
		b.point(t, name, at[name], to)
	}
}

// point moves a table's pointer.
func (b bench) point(t *testing.T, name, from, to string) {
	t.Helper()
	w, err := b.Catalog().Lock(t.Context(), catalog.LockOptions{Run: "other"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Publish(t.Context(), []catalog.Move{{Table: name, From: from, To: to}}), w.Release(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// values gives the rows of a table with one column of numbers, as it is looked at, in order.
func (b bench) values(t *testing.T, table *Table) string {
	t.Helper()
	r := b.Reader()
	defer r.Close()
	paths, err := r.Table(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		return "[]"
	}
	for i, p := range paths {
		paths[i] = schema.Literal(p)
	}
	var out string
	query := fmt.Sprintf("SELECT list(a ORDER BY a)::VARCHAR FROM read_parquet([%s])", strings.Join(paths, ","))
	if err := b.engine.DB().QueryRowContext(context.Background(), query).Scan(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

var numbers = Shape{Columns: []schema.Column{col("a", schema.BigInt)}}

// plainly runs a test on this disk and in a bucket; other programs write no paths with spaces here.
func plainly(t *testing.T, test func(*testing.T, bench)) {
	t.Run("disk", func(t *testing.T) { test(t, setup(t, filepath.Join(t.TempDir(), "warehouse"))) })
	t.Run("bucket", func(t *testing.T) {
		s3test.Server(t)
		test(t, setup(t, "s3://"+s3test.Bucket(t)+"/warehouse"))
	})
}

// published is a table that was published twice: with 1, and with 1, 2, 3 in two files.
func (b bench) published(t *testing.T) {
	t.Helper()
	if err := b.publish(t, []*Draft{b.whole(t, numbers, "SELECT 1 AS a")}); err != nil {
		t.Fatal(err)
	}
	b.append(t, "r2", "SELECT unnest([2, 3]) AS a")
}

var copies atomic.Int32

// copy writes the rows of a query for a draft, in a folder that is its own.
func (b bench) copy(t *testing.T, d *Draft, query string) []string {
	t.Helper()
	files, err := b.engine.Copy(t.Context(), query, duckdb.Output{Dir: d.DataDir(fmt.Sprint("run-", copies.Add(1))), FieldIDs: d.FieldIDs()})
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range files {
		paths = append(paths, f.Path)
	}
	return paths
}

func (b bench) append(t *testing.T, run, query string) {
	t.Helper()
	if err := b.publish(t, []*Draft{b.appended(t, run, query)}); err != nil {
		t.Fatal(err)
	}
}

// whole drafts the table with exactly the rows of a query.
func (b bench) whole(t *testing.T, s Shape, query string) *Draft {
	t.Helper()
	d, err := b.Draft(t.Context(), b.own(t), "t", s)
	if err != nil {
		t.Fatal(err)
	}
	return must(t, d, d.Replace(t.Context(), b.copy(t, d, query), map[string]string{"tarn.run": "whole"}))
}

func (b bench) appended(t *testing.T, run, query string) *Draft {
	t.Helper()
	d, err := b.Draft(t.Context(), b.own(t), "t", numbers)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Swap(t.Context(), nil, b.copy(t, d, query), map[string]string{"tarn.run": run}); err != nil {
		t.Fatal(err)
	}
	return d
}

func (b bench) own(t *testing.T) *View {
	t.Helper()
	v, _, err := b.view(t).Own(t.Context(), []string{"t"})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestCommitsOfOthers does to a table what other programs do, and looks what is seen of it, and what comes of the next publish.
func TestCommitsOfOthers(t *testing.T) { plainly(t, testCommitsOfOthers) }

func testCommitsOfOthers(t *testing.T, b bench) {
	for i, c := range []struct {
		changes []laketest.Change
		// kept says that nothing else than that was done; why is what is said otherwise.
		kept bool
		why  string
		lost bool
		// theirs are the rows that readers see then.
		theirs string
	}{
		{changes: []laketest.Change{laketest.Compact}, kept: true, theirs: "[1, 2, 3]"},
		{changes: []laketest.Change{laketest.Compact, laketest.Compact}, kept: true, theirs: "[1, 2, 3]"},
		{changes: []laketest.Change{laketest.Compact, laketest.Expire}, kept: true, theirs: "[1, 2, 3]"},
		{changes: []laketest.Change{laketest.Compact, laketest.Compact, laketest.Expire}, kept: true, theirs: "[1, 2, 3]"},
		{changes: []laketest.Change{laketest.Compact, laketest.Compact, laketest.Compact, laketest.Expire, laketest.Compact}, kept: true, theirs: "[1, 2, 3]"},
		{changes: []laketest.Change{laketest.Compact, laketest.Compact, laketest.Forget}, why: "the snapshots in between are gone", lost: true, theirs: "[1, 2, 3]"},
		{changes: []laketest.Change{laketest.Double, laketest.Compact, laketest.Compact, laketest.Expire}, why: "operation append", lost: true, theirs: ""},
		{changes: []laketest.Change{laketest.Double}, why: "operation append", theirs: ""},
		{changes: []laketest.Change{laketest.Lose}, why: "operation ", theirs: ""},
		{changes: []laketest.Change{laketest.Empty}, why: "operation ", theirs: "[]"},
		{changes: []laketest.Change{laketest.Double, laketest.Compact}, why: "operation append", theirs: ""},
		{changes: []laketest.Change{laketest.Double, laketest.Expire}, why: "operation append", lost: true, theirs: ""},
		{changes: []laketest.Change{laketest.Back}, why: "an earlier state was made the current one", theirs: "[1]"},
		{changes: []laketest.Change{laketest.Widen}, why: "its columns are others", theirs: "[1, 2, 3]"},
	} {
		if i > 3 && i != 7 && strings.HasPrefix(b.Warehouse(), "s3:") {
			continue // it is the same code
		}
		t.Run(fmt.Sprint(i, c.changes), func(t *testing.T) {
			b.published(t)
			b.elsewhere(t, "t", c.changes...)
			v := b.view(t)
			own, found, err := v.Own(t.Context(), []string{"t", "none"})
			if err != nil {
				t.Fatal(err)
			}
			f, ok := found["t"]
			if !ok || len(found) != 1 || f.Kept != c.kept || f.Lost != c.lost && !c.kept || !strings.Contains(f.Why, c.why) || (f.Why == "") != c.kept {
				t.Fatalf("%+v", found)
			}
			if _, expired := v.Table("t").Expired(); expired != (slices.Contains(c.changes, laketest.Expire) || slices.Contains(c.changes, laketest.Forget)) {
				t.Errorf("expired: %v", expired)
			}
			if got := b.values(t, v.Table("t")); c.theirs != "" && got != c.theirs {
				t.Errorf("readers see %s", got)
			}
			want := "[1, 2, 3]"
			if c.lost {
				want = "[]"
			}
			if got := b.values(t, own.Table("t")); got != want {
				t.Errorf("a run goes by %s, want %s", got, want)
			}
			if r := own.Table("t").Record(); !c.lost && r["tarn.run"] != "r2" {
				t.Errorf("recorded: %v", r)
			}
			b.append(t, "r3", "SELECT 4 AS a")
			want = strings.Replace(strings.TrimSuffix(want, "]")+", 4]", "[, ", "[", 1)
			if got := b.values(t, b.view(t).Table("t")); got != want {
				t.Errorf("after the next publish: %s, want %s", got, want)
			}
			if _, found, err := b.view(t).Own(t.Context(), []string{"t"}); err != nil || len(found) > 0 {
				t.Errorf("after the next publish: %v, %v", found, err)
			}
			columns, err := b.view(t).Table("t").Columns()
			if err != nil || len(columns) != 1 {
				t.Errorf("columns: %v, %v", columns, err)
			}
		})
	}
}

// TestRebase lets another program commit after a draft was made and before it is published.
func TestRebase(t *testing.T) {
	b := setup(t, filepath.Join(t.TempDir(), "warehouse"))
	drafts := map[string]struct {
		make func() *Draft
		want string
	}{
		"append":  {func() *Draft { return b.appended(t, "r3", "SELECT 4 AS a") }, "[1, 2, 3, 4]"},
		"replace": {func() *Draft { return b.whole(t, numbers, "SELECT 9 AS a") }, "[9]"},
		"unchanged": {func() *Draft {
			d, err := b.Draft(t.Context(), b.own(t), "t", numbers)
			if err != nil {
				t.Fatal(err)
			}
			return must(t, d, d.Swap(t.Context(), nil, nil, map[string]string{"tarn.run": "r3"}))
		}, "[1, 2, 3]"},
		"swap": {func() *Draft {
			v := b.own(t)
			files, err := v.Table("t").Files(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			d, err := b.Draft(t.Context(), v, "t", numbers)
			if err != nil {
				t.Fatal(err)
			}
			return must(t, d, d.Swap(t.Context(), []string{files[0].Location}, b.copy(t, d, "SELECT 7 AS a"), map[string]string{"tarn.run": "r3"}))
		}, ""},
		"wider": {func() *Draft {
			return b.whole(t, Shape{Columns: []schema.Column{col("a", schema.BigInt), col("b", schema.Int)}}, "SELECT 5 AS a, 6 AS b")
		}, "[5]"},
		"revert": {func() *Draft {
			v := b.view(t)
			first := v.Table("t").Snapshots()[len(v.Table("t").Snapshots())-2]
			d, err := b.Revert(t.Context(), v.Table("t"), v.Table("t"), first.ID, nil)
			return must(t, d, err)
		}, "[1]"},
		"expire": {func() *Draft {
			d, _, err := b.Expire(t.Context(), b.view(t).Table("t"), time.Now().Add(time.Hour))
			return must(t, d, err)
		}, "[1, 2, 3]"},
	}
	for name, d := range drafts {
		for _, changes := range [][]laketest.Change{{laketest.Compact}, {laketest.Expire}, {laketest.Compact, laketest.Expire}, {laketest.Double}, {laketest.Double, laketest.Expire},
			{laketest.Widen}, {laketest.Lose, laketest.Expire}, {laketest.Back}} {
			if len(changes) == 1 && (changes[0] == laketest.Expire || changes[0] == laketest.Back) && name != "append" && name != "revert" {
				continue // these are few because each takes a third of a second
			}
			t.Run(name+fmt.Sprint(changes), func(t *testing.T) {
				b.published(t)
				draft := d.make()
				want := d.want
				if want == "" {
					want = b.values(t, draft.Table())
				}
				b.elsewhere(t, "t", changes...)
				theirs := b.view(t).Table("t")
				at := theirs.MetadataLocation()
				m := draft.move()
				to, err := b.Rebase(t.Context(), m, at)
				back := b.TakenBack()
				changed := changes[0] != laketest.Compact && changes[0] != laketest.Expire
				gone := slices.Contains(changes, laketest.Expire) && name == "revert" || len(changes) == 2 && name == "unchanged" && changed || len(changes) == 2 && name == "swap" && changes[0] != laketest.Double ||
					len(changes) == 2 && changes[0] == laketest.Lose && name != "replace" && name != "wider"
				clash := name == "wider" && changes[0] == laketest.Widen
				if gone || clash || changed && name == "expire" {
					if !errors.Is(err, catalog.ErrRowsChanged) || len(back) > 0 {
						t.Errorf("%v, %+v", err, back)
					}
					return
				}
				if err != nil || (len(back) == 1) != changed {
					t.Fatalf("%v, %+v", err, back)
				}
				if changed {
					if _, err := b.RebaseDrafts(t.Context(), []*Draft{draft}); !errors.Is(err, catalog.ErrRowsChanged) {
						t.Errorf("before the publish: %v", err)
					}
					b.point(t, "t", at, to)
					if now, back := b.view(t).Table("t"), back[0]; back.Kept || back.Why == "" || back.Table != "t" || back.Snapshot != theirs.Current() && changes[0] != laketest.Widen ||
						changes[0] != laketest.Back && changes[0] != laketest.Widen && now.meta.SnapshotByID(back.Snapshot) == nil {
						t.Errorf("%+v", back)
					}
				}
				again, err := b.Rebase(t.Context(), m, to)
				if err != nil || name != "expire" && again != to {
					t.Errorf("a second time: %s, %v", again, err)
				}
				id := draft.Table().Current()
				if !changed {
					if moved, err := b.RebaseDrafts(t.Context(), []*Draft{draft}); err != nil || moved != 1 {
						t.Fatalf("%d, %v", moved, err)
					}
					if err := b.publish(t, []*Draft{draft}); err != nil {
						t.Fatal(err)
					}
				}
				now := b.view(t).Table("t")
				if got := b.values(t, now); got != want {
					t.Errorf("%s, want %s", got, want)
				}
				if name != "expire" && now.Current() != id {
					t.Error("its snapshot has another id")
				}
				if _, found, err := b.view(t).Own(t.Context(), []string{"t"}); err != nil || len(found) > 0 && name != "expire" {
					t.Errorf("it does not count as tarn's own: %v, %v", found, err)
				}
				rows, err := now.Rows(t.Context())
				if n := int64(strings.Count(want, ",") + 1); err != nil || rows != n {
					t.Errorf("%d rows said, want %d: %v", rows, n, err)
				}
				if name == "append" && changes[0] == laketest.Compact {
					files, err := now.Files(t.Context())
					if err != nil || len(files) != 3 || slices.ContainsFunc(files, func(f DataFile) bool {
						return strings.Contains(f.Location, "/r2/") && f.Rows == 2 && strings.Count(f.Location, "-") < 4
					}) {
						t.Errorf("their files are not kept: %+v, %v", files, err)
					}
				}
				b.append(t, "r4", "SELECT 8 AS a")
			})
		}
	}
}

func must(t *testing.T, d *Draft, err error) *Draft {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return d
}
