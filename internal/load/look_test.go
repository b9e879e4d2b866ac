package load

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/awsconf"
	"tarn/internal/store"
	"tarn/internal/store/memory"
	"tarn/internal/store/registry"
)

// listed gives all files of a folder of this machine.
func listed(ctx context.Context, dir, location string) (out []File, err error) {
	for s, err := range Look(ctx, registry.New(awsconf.Settings{}), dir, location, Scope{}) {
		if err != nil {
			return nil, err
		}
		out = append(out, s.File)
	}
	return out, nil
}

// counting is a store in memory that counts the requests that a bucket would get.
type counting struct {
	*memory.Store
	lists int
	stats atomic.Int64 // files are looked at side by side
}

func (c *counting) Locate(_ context.Context, location string) (store.Store, string, error) {
	return c, strings.TrimPrefix(location, c.Root()), nil
}

func (c *counting) List(ctx context.Context, prefix string, o store.ListOptions) iter.Seq2[store.Object, error] {
	return func(yield func(store.Object, error) bool) {
		n := 0
		for o, err := range c.Store.List(ctx, prefix, o) {
			if n%page == 0 {
				c.lists++
			}
			if n++; !yield(o, err) {
				return
			}
		}
		if n == 0 {
			c.lists++
		}
	}
}

func (c *counting) Stat(ctx context.Context, key string) (store.Object, error) {
	c.stats.Add(1)
	return c.Store.Stat(ctx, key)
}

func filled(t *testing.T, keys ...string) *counting {
	c := &counting{Store: memory.New("memory://b/")}
	for _, k := range keys {
		if _, err := c.Put(t.Context(), k, strings.NewReader(k), store.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// seen goes through what a look came across: passed folders end in "…", gone files begin with "-".
func seen(t *testing.T, c *counting, scope Scope) (out []string) {
	t.Helper()
	for s, err := range Look(t.Context(), c, "memory://b/in", "L/", scope) {
		if err != nil {
			t.Fatal(err)
		}
		switch rest := strings.TrimPrefix(s.Name, "L/"); {
		case s.Passed:
			out = append(out, rest+"…")
		case s.Gone:
			out = append(out, "-"+rest)
		default:
			out = append(out, rest)
		}
	}
	if !slices.IsSortedFunc(out, func(a, b string) int { return strings.Compare(strings.Trim(a, "-…"), strings.Trim(b, "-…")) }) {
		t.Errorf("out of order: %q", out)
	}
	return out
}

func day(s string) time.Time {
	d, err := time.Parse("2006-01-02", s)
	if err != nil {
		panic(err)
	}
	return d
}

func TestLookAtRecentDates(t *testing.T) {
	t.Parallel()
	since := day("2024-03-01")
	for name, c := range map[string]struct {
		keys, named, want []string
	}{
		"Firehose": {
			keys: []string{"2023/12/31/23/a", "2024/02/29/23/b", "2024/03/01/00/c", "2024/03/01/00/d", "2024/12/31/00/e", "2025/01/01/00/f"},
			want: []string{"2023/…", "2024/02/…", "2024/03/01/00/c", "2024/03/01/00/d", "2024/12/31/00/e", "2025/01/01/00/f"},
		},
		"k=v": {
			keys: []string{"dt=2024-02-28/a", "dt=2024-02-29/b", "dt=2024-03-01/hour=1/c", "dt=__HIVE_DEFAULT_PARTITION__/d"},
			want: []string{"dt=2024-02-28/…", "dt=2024-02-29/…", "dt=2024-03-01/hour=1/c", "dt=__HIVE_DEFAULT_PARTITION__/d"},
		},
		"k=v in parts": {
			keys: []string{"year=2023/month=1/day=2/a", "year=2024/month=2/day=29/b", "year=2024/month=3/day=1/c", "year=2024/month=x/d"},
			want: []string{"year=2023/…", "year=2024/month=2/…", "year=2024/month=3/day=1/c", "year=2024/month=x/d"},
		},
		"below other folders, beside files": {
			keys: []string{"a.json", "eu/2024-02-29/a", "eu/2024-03-02/b", "us/20240229/c", "us/20240302/d", "zz/deep/er/e"},
			want: []string{"a.json", "eu/2024-02-29/…", "eu/2024-03-02/b", "us/20240229/…", "us/20240302/d", "zz/deep/er/e"},
		},
		"no dates": {
			keys: []string{"1/a", "13/b", "customer=2023/c", "day=01/d", "id=7/e", "month=01/f", "v1.2/g"},
			want: []string{"1/a", "13/b", "customer=2023/c", "day=01/d", "id=7/e", "month=01/f", "v1.2/g"},
		},
		"what is no date in a year": {
			keys: []string{"2024/13/a", "2024/2/b", "2024/99/01/c", "2024/x/2020/d"},
			want: []string{"2024/13/a", "2024/2/b", "2024/99/01/c", "2024/x/2020/d"},
		},
		"a date again": {
			keys: []string{"2023/2024-05-01/a", "2024/2024-01-31/b", "2024/2024-03-31/c"},
			want: []string{"2023/…", "2024/2024-01-31/…", "2024/2024-03-31/c"},
		},
		"hidden": {
			keys: []string{"2024/03/01/_SUCCESS", "2024/03/01/a", "2024/03/_tmp/b", "_spark/2024/03/01/c", ".x/d"},
			want: []string{"2024/03/01/a"},
		},
		"named": {
			keys: []string{"2023/01/01/a", "2023/01/01/b", "2023/05/a b+c%ü", "2024/03/01/c"},
			named: []string{"2023/01/01/b", "2023/01/01/gone", "2023/05/a b+c%ü", "2023/05/a b+c%ü", "2024/03/01/c", "2024/03/01/gone too",
				"2023/01/01/_SUCCESS", "elsewhere"},
			want: []string{"2023/…", "2023/01/01/b", "-2023/01/01/gone", "2023/05/a b+c%ü", "2024/03/01/c"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var keys, named []string
			for _, k := range c.keys {
				keys = append(keys, "in/"+k)
			}
			for _, n := range c.named {
				named = append(named, "L/"+n)
			}
			store := filled(t, append(keys, "inside", "i/2024/03/01/x")...)
			if diff := cmp.Diff(c.want, seen(t, store, Scope{Since: since, Named: named})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Many files of one folder are looked at by listing what lies between them, without more requests than they are.
func TestNamedInOneFolder(t *testing.T) {
	t.Parallel()
	var keys, named []string
	for i := range 3000 {
		keys = append(keys, fmt.Sprintf("in/2020/01/01/%05d", i))
	}
	for i := range 30 {
		named = append(named, fmt.Sprintf("L/2020/01/01/%05d", 100+2*i), fmt.Sprintf("L/2020/01/01/%05d-gone", 100+2*i))
	}
	c := filled(t, keys...)
	got := seen(t, c, Scope{Since: day("2024-03-01"), Named: named})
	gone := slices.DeleteFunc(slices.Clone(got), func(s string) bool { return !strings.HasPrefix(s, "-") })
	if len(gone) != 30 || c.lists > 3 || c.stats.Load() != 0 {
		t.Errorf("%d gone of 30, %d lists, %d single looks", len(gone), c.lists, c.stats.Load())
	}
	for _, n := range named {
		if rest := strings.TrimPrefix(n, "L/"); !strings.HasSuffix(n, "gone") && !slices.Contains(got, rest) {
			t.Errorf("%s was not seen", n)
		}
	}
}

// A survey says before what a look at recent dates asks for, whatever the folders are.
func TestSurvey(t *testing.T) {
	t.Parallel()
	since := day("2024-03-01")
	for range 200 {
		r := rand.New(rand.NewPCG(rand.Uint64(), 1))
		var keys []string
		for range 1 + r.IntN(60) {
			d := since.AddDate(0, 0, r.IntN(40)-35)
			folder := []string{d.Format("2006/01/02/15/"), d.Format("dt=2006-01-02/"), "", "x/", "x/" + d.Format("2006-01-02/"), "y/z/" + d.Format("2006/01/02/")}[r.IntN(6)]
			for range 1 + r.IntN(50) {
				keys = append(keys, fmt.Sprintf("in/%s%d", folder, r.IntN(10_000)))
			}
		}
		c := filled(t, keys...)
		s := NewSurvey("L/", since)
		files := 0
		for _, err := range s.Watch(Look(t.Context(), c, "memory://b/in", "L/", Scope{})) {
			if err != nil {
				t.Fatal(err)
			}
			files++
		}
		if files != s.files {
			t.Errorf("%d files of %d", s.files, files)
		}
		c.lists = 0
		seen(t, c, Scope{Since: since})
		// What makes the difference: pages that are not full, and entries that fill one only together with other folders'.
		if _, recent := s.Requests(); c.lists < s.folders || c.lists > recent+2 {
			t.Errorf("%d requests, expected %d", c.lists, recent)
		}
	}
}

// Compare gives what a comparison of two sets would, however little was looked at.
func TestCompare(t *testing.T) {
	t.Parallel()
	for range 500 {
		r := rand.New(rand.NewPCG(rand.Uint64(), 2))
		there, loaded := map[string]string{}, map[string]string{}
		for range r.IntN(40) {
			name := fmt.Sprintf("L/20%02d/%02d/%d", 22+r.IntN(3), 1+r.IntN(12), r.IntN(3))
			if r.IntN(3) > 0 {
				there[name] = fmt.Sprint(r.IntN(2))
			}
			if r.IntN(3) > 0 {
				loaded[name] = fmt.Sprint(r.IntN(2))
			}
		}
		var keys []string
		for name := range there {
			keys = append(keys, strings.Replace(name, "L/", "in/", 1))
		}
		c := filled(t, keys...)
		all := slices.Collect(func(yield func(string) bool) {
			for i := range 36 {
				for j := range 3 {
					if !yield(fmt.Sprintf("L/20%02d/%02d/%d", 22+i/12, 1+i%12, j)) {
						return
					}
				}
			}
		})
		scope := Scope{Since: day("2023-06-15")}
		for _, name := range all {
			if r.IntN(10) == 0 {
				scope.Named = append(scope.Named, name)
			}
		}
		looked := func(name string) bool {
			// A folder that is not there is seen not to be there.
			in := func(folder string) bool {
				return slices.ContainsFunc(keys, func(k string) bool { return strings.HasPrefix(strings.Replace(k, "in/", "L/", 1), folder) })
			}
			return name >= "L/2023/06" || slices.Contains(scope.Named, name) || !in(name[:7]) || name >= "L/2023" && !in(name[:10])
		}
		again := Again(r.IntN(3))
		var want, got Work
		for _, name := range all {
			etag, is := there[name]
			was, known := loaded[name]
			f := File{Name: name}
			switch {
			case known && !looked(name):
				want.Pass(1)
			case known && !is:
				want.Vanished = append(want.Vanished, Known{Name: name})
			case !is || !looked(name):
			case !known:
				want.Files++
				want.New = append(want.New, f)
			case was != etag:
				want.Files++
				want.Changed = append(want.Changed, f)
			case again == AllAgain || again == RejectedAgain && name[len(name)-1] == '0':
				want.Files++
				want.Reload = append(want.Reload, f)
			default:
				want.Files++
				want.Unchanged++
			}
		}
		sights := func(yield func(Sight, error) bool) {
			for s, err := range Look(t.Context(), c, "memory://b/in", "L/", scope) {
				s.ETag = there[s.Name]
				s.File = File{Name: s.Name, ETag: s.ETag}
				if !yield(s, err) {
					return
				}
			}
		}
		known := func(yield func(Known, error) bool) {
			for _, name := range all {
				if etag, ok := loaded[name]; ok {
					k := Known{Name: name, ETag: etag}
					if name[len(name)-1] == '0' {
						k.Quarantined = 1
					}
					if !yield(k, nil) {
						return
					}
				}
			}
		}
		got, err := Compare(Table{}, sights, known, again)
		if err != nil {
			t.Fatal(err)
		}
		names := cmp.Options{cmp.Transformer("file", func(f File) string { return f.Name }), cmp.Transformer("known", func(k Known) string { return k.Name })}
		if diff := cmp.Diff(want, got, names); diff != "" {
			t.Fatalf("-want +got (named %q)\n%s", scope.Named, diff)
		}
	}
}

// An error in the middle of either side is no reason to take files for vanished.
func TestCompareFails(t *testing.T) {
	t.Parallel()
	broken := fmt.Errorf("broken")
	files := func(yield func(Sight, error) bool) {
		_ = yield(Sight{File: File{Name: "a"}}, nil) && yield(Sight{}, broken)
	}
	known := func(yield func(Known, error) bool) {
		_ = yield(Known{Name: "a"}, nil) && yield(Known{Name: "b"}, nil) && yield(Known{}, broken)
	}
	nothing := func(func(Sight, error) bool) {}
	if _, err := Compare(Table{}, files, known, NoneAgain); err != broken {
		t.Errorf("sights: %v", err)
	}
	if _, err := Compare(Table{}, nothing, known, NoneAgain); err != broken {
		t.Errorf("known: %v", err)
	}
}
