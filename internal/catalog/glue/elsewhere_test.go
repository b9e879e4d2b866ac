package glue

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tarn/internal/awsconf"
	"tarn/internal/cache"
	"tarn/internal/catalog"
	"tarn/internal/engine/duckdb"
	tables "tarn/internal/lake"
	"tarn/internal/lake/laketest"
	"tarn/internal/schema"
	"tarn/internal/store/registry"
)

// real is a lake of real tables whose pointers are in Glue.
type real struct {
	*tables.Lake
	t       *testing.T
	catalog *Catalog
	engine  *duckdb.Engine
	runs    int
}

func newReal(t *testing.T, l *lake, e *duckdb.Engine) *real {
	t.Helper()
	r := &real{t: t, engine: e}
	l.o.Rebase = func(ctx context.Context, m catalog.Move, theirs string) (string, error) {
		return r.Rebase(ctx, m, theirs)
	}
	r.catalog = l.open()
	dir, stores := t.TempDir(), registry.New(awsconf.Settings{})
	var err error
	if r.Lake, err = tables.Open(t.Context(), tables.Options{Catalog: r.catalog, Stores: stores, Cache: cache.New(filepath.Join(dir, "cache"), 1<<30, stores),
		Warehouse: filepath.Join(dir, "warehouse"), Database: "db"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// draft makes the next state of a table with one column: more rows, or exactly these.
func (r *real) draft(name string, whole bool, query string) *tables.Draft {
	r.t.Helper()
	v, err := r.View(r.t.Context())
	if err == nil {
		v, _, err = v.Own(r.t.Context(), []string{name})
	}
	if err != nil {
		r.t.Fatal(err)
	}
	d, err := r.Draft(r.t.Context(), v, name, tables.Shape{Columns: []schema.Column{{Name: "a", Type: schema.Type{Kind: schema.BigInt}}}})
	if err != nil {
		r.t.Fatal(err)
	}
	r.runs++
	files, err := r.engine.Copy(r.t.Context(), query, duckdb.Output{Dir: d.DataDir(fmt.Sprint("run-", r.runs)), FieldIDs: d.FieldIDs()})
	if err != nil {
		r.t.Fatal(err)
	}
	var paths []string
	for _, f := range files {
		paths = append(paths, f.Path)
	}
	summary := map[string]string{"tarn.run": fmt.Sprint("run-", r.runs)}
	if whole {
		err = d.Replace(r.t.Context(), paths, summary)
	} else {
		err = d.Swap(r.t.Context(), nil, paths, summary)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

func (r *real) publish(drafts ...*tables.Draft) error {
	r.t.Helper()
	w, err := r.catalog.Lock(r.t.Context(), catalog.LockOptions{Run: fmt.Sprint("run-", r.runs)})
	if err != nil {
		r.t.Fatal(err)
	}
	err = r.Publish(r.t.Context(), w, drafts)
	return errors.Join(err, w.Release(r.t.Context()))
}

// values gives the rows of a table as all others see it, and what tarn says of it.
func (r *real) values(name string) (string, map[string]tables.Foreign) {
	r.t.Helper()
	v, err := r.View(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	_, found, err := v.Own(r.t.Context(), []string{name})
	if err != nil {
		r.t.Fatal(err)
	}
	reader := v.Reader()
	defer reader.Close()
	paths, err := reader.Table(r.t.Context(), v.Table(name))
	if err != nil {
		r.t.Fatal(err)
	}
	if len(paths) == 0 {
		return "[]", found
	}
	for i, p := range paths {
		paths[i] = schema.Literal(p)
	}
	var out string
	if err := r.engine.DB().QueryRowContext(r.t.Context(), "SELECT list(a ORDER BY a)::VARCHAR FROM read_parquet(["+strings.Join(paths, ",")+"])").Scan(&out); err != nil {
		r.t.Fatal(err)
	}
	return out, found
}

// TestOthersCommitAtEveryStep has another program commit to a table at each step of its publish: before it that is a conflict,
// and after it their commit stands. In between, one that kept the rows is brought together with it, one that changed them becomes
// an earlier state, and where the files are gone that would be needed, theirs stays. So it is also where the publisher dies at
// that step and another one finishes.
func TestOthersCommitAtEveryStep(t *testing.T) {
	e, err := duckdb.Open(t.Context(), duckdb.Options{Database: "db"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	before := []string{"read", "journal"}
	during := []string{"committed", "move a"}
	after := []string{"moved a", "move b", "moved b", "done", "closed"}
	for _, at := range slices.Concat(before, during, after) {
		for _, change := range [][]laketest.Change{{laketest.Compact}, {laketest.Compact, laketest.Expire}, {laketest.Double}, {laketest.Empty}, {laketest.Widen},
			{laketest.Empty, laketest.Expire}} {
			for n := range 4 {
				whole, killed := n&1 > 0, n&2 > 0
				simple := len(change) == 1 && (change[0] == laketest.Compact || change[0] == laketest.Double)
				if at != "committed" && (whole || !simple) || killed && (!simple || slices.Contains(before, at)) {
					continue
				}
				t.Run(fmt.Sprintf("%s %v whole=%v killed=%v", at, change, whole, killed), func(t *testing.T) {
					l := newLake(t)
					r := newReal(t, l, e)
					if err := r.publish(r.draft("a", true, "SELECT 1 AS a"), r.draft("b", true, "SELECT 5 AS a")); err != nil {
						t.Fatal(err)
					}
					drafts := []*tables.Draft{r.draft("a", whole, "SELECT 2 AS a"), r.draft("b", whole, "SELECT 6 AS a")}
					done := false
					r.catalog.step = func(name string) error {
						if name != at || done {
							return nil
						}
						done = true
						for _, c := range change {
							to, err := laketest.Commit(t.Context(), r.Stores(), l.server.Location("db", "a"), c)
							if err != nil {
								t.Error(err)
								return nil
							}
							l.server.Commit("db", "a", to, false)
						}
						if killed {
							return errKilled
						}
						return nil
					}
					err := r.publish(drafts...)
					r.catalog.step = func(string) error { return nil }
					if killed {
						if !errors.Is(err, errKilled) {
							t.Fatal(err)
						}
						err = r.publish()
					}
					ours, kept := "[1, 2]", change[0] == laketest.Compact
					if whole {
						ours = "[2]"
					}
					got, found := r.values("a")
					f, foreign := found["a"]
					back := r.TakenBack()
					var contested *ContestedError
					switch {
					case at == "read":
						// It was read as theirs already, and the draft is from before.
						if !errors.Is(err, catalog.ErrConflict) {
							t.Errorf("%v", err)
						}
						return
					case kept:
						if err != nil || got != ours || foreign && !f.Kept || len(back) > 0 {
							t.Errorf("%s, want %s: %v %+v", got, ours, err, found)
						}
					case slices.Contains(after, at):
						if err != nil || got == ours || !foreign || f.Kept || len(back) > 0 {
							t.Errorf("on top of the publish: %s %v %+v", got, err, found)
						}
					case len(change) > 1 && !whole:
						if !errors.As(err, &contested) || got != "[]" || !foreign || f.Kept || len(back) > 0 {
							t.Errorf("theirs was to stay: %s %v %+v", got, err, found)
						}
					default:
						if err != nil || got != ours || foreign || len(back) != 1 || back[0].Table != "a" || back[0].Kept {
							t.Errorf("%s, want %s: %v %+v %+v", got, ours, err, found, back)
						}
					}
					if other, _ := r.values("b"); other != strings.NewReplacer("1", "5", "2", "6").Replace(ours) {
						t.Errorf("the other table: %s", other)
					}
					// The next publish has the last word on what it makes.
					if err := r.publish(r.draft("a", true, "SELECT 7 AS a")); err != nil {
						t.Fatal(err)
					}
					if got, found := r.values("a"); got != "[7]" || len(found) > 0 {
						t.Errorf("afterwards: %s %+v", got, found)
					}
				})
			}
		}
	}
}
