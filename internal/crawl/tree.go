package crawl

import (
	"context"
	"math"
	"slices"
	"strings"

	"tarn/internal/store"
)

// tree lists a store below a prefix. Where there is little, one flat listing gives all of it; where there is much, folders
// are listed when they are looked into, and most are not.
type tree struct {
	store  store.Store
	root   string // key of the crawled folder, empty or ending in a slash
	listed map[string]*listing
	// whole says that everything below root is in listed.
	whole bool
	// folders counts the listings asked for.
	folders  int
	progress func(files int64)
	seen     int64
}

// listing is what lies directly in a folder, hidden names left out.
type listing struct {
	files   []store.Object
	folders []string // keys, ending in a slash
	more    bool     // there is more than maxEntries
}

const (
	// flatLimit is up to how many files a tree is listed whole: five requests of S3.
	flatLimit = 5_000
	// maxEntries bounds what is listed of one folder.
	maxEntries = 10_000
)

func openTree(ctx context.Context, s store.Store, root string, progress func(int64)) (*tree, error) {
	t := &tree{store: s, root: root, listed: map[string]*listing{}, progress: progress}
	var files []store.Object
	for o, err := range s.List(ctx, root, store.ListOptions{}) {
		if err != nil {
			return nil, err
		}
		if len(files) == flatLimit {
			return t, nil
		}
		files = append(files, o)
	}
	t.whole, t.seen = true, int64(len(files))
	t.listed[root] = &listing{}
	for _, f := range files {
		if hidden(f.Key[len(root):]) {
			continue
		}
		dir := root
		for {
			rest := f.Key[len(dir):]
			i := strings.IndexByte(rest, '/')
			l := t.listed[dir]
			if i < 0 {
				l.files = append(l.files, f)
				break
			}
			below := dir + rest[:i+1]
			if t.listed[below] == nil {
				t.listed[below] = &listing{}
				l.folders = append(l.folders, below)
			}
			dir = below
		}
	}
	return t, nil
}

// hidden reports whether a path has a name that is no data, as in Hive.
func hidden(path string) bool {
	for name := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") {
			return true
		}
	}
	return false
}

// folder lists a folder.
func (t *tree) folder(ctx context.Context, key string) (*listing, error) {
	if l := t.listed[key]; l != nil {
		return l, nil
	}
	l := &listing{}
	t.listed[key] = l
	if t.whole {
		return l, nil
	}
	t.folders++
	for o, err := range t.store.List(ctx, key, store.ListOptions{Folders: true}) {
		if err != nil {
			delete(t.listed, key)
			return nil, err
		}
		if len(l.files)+len(l.folders) == maxEntries {
			l.more = true
			break
		}
		switch {
		case hidden(strings.TrimSuffix(o.Key[len(key):], "/")):
		case o.Folder():
			l.folders = append(l.folders, o.Key)
		default:
			l.files = append(l.files, o)
			t.seen++
		}
	}
	if t.progress != nil {
		t.progress(t.seen)
	}
	return l, nil
}

// count is a number of files and their size: exact, or grown from what was listed.
type count struct {
	files, bytes float64
	exact        bool
}

// pick chooses up to want files below a folder, spread evenly over folders and names, first and last included, and counts
// or estimates how many there are. Of folders not more than want are looked into.
func (t *tree) pick(ctx context.Context, key string, want int) ([]store.Object, count, error) {
	l, err := t.folder(ctx, key)
	if err != nil {
		return nil, count{}, err
	}
	c := count{files: float64(len(l.files)), exact: !l.more}
	for _, f := range l.files {
		c.bytes += float64(f.Size)
	}
	if len(l.folders) == 0 {
		return spread(l.files, want), c, nil
	}
	out := l.files
	if len(out) > 0 {
		// Files beside folders get their share.
		out = spread(out, max(1, want/2))
		want = max(1, want-len(out))
	}
	into := l.folders
	if !t.whole {
		into = spread(into, want)
	}
	share := want
	var sum count
	each := make([][]store.Object, len(into))
	for i, f := range into {
		if len(into) > 1 {
			share = max(1, (want+len(into)-1)/len(into))
		}
		files, below, err := t.pick(ctx, f, share)
		if err != nil {
			return nil, count{}, err
		}
		each[i] = files
		sum.files, sum.bytes = sum.files+below.files, sum.bytes+below.bytes
		c.exact = c.exact && below.exact
	}
	c.exact = c.exact && len(into) == len(l.folders)
	grow := float64(len(l.folders)) / float64(len(into))
	c.files, c.bytes = c.files+sum.files*grow, c.bytes+sum.bytes*grow
	below := slices.Concat(each...)
	return append(slices.Clone(out), spread(below, want)...), c, nil
}

// spread takes n of a list at even distances, with the first and the last.
func spread[T any](list []T, n int) []T {
	if len(list) <= n {
		return list
	}
	if n <= 1 {
		return list[len(list)-1:]
	}
	out := make([]T, n)
	for i := range n {
		out[i] = list[int(math.Round(float64(i)*float64(len(list)-1)/float64(n-1)))]
	}
	return out
}

// below gives the keys of all files and folders below a folder that were listed.
func (t *tree) below(key string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		if t == nil {
			return
		}
		for dir, l := range t.listed {
			if !strings.HasPrefix(dir, key) {
				continue
			}
			for _, f := range l.folders {
				if !yield(f) {
					return
				}
			}
		}
	}
}
