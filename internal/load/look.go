package load

import (
	"context"
	"errors"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tarn/internal/store"
)

// Scope says how much of a landing table's place is looked at; the zero value is all of it.
type Scope struct {
	// Since leaves out the folders of dates that are over by then, such as 2024/01/31/ or dt=2024-01-31/.
	Since time.Time
	// Named are files, by their Name, that are looked at wherever they are.
	Named []string
}

// All reports whether nothing is left out.
func (s Scope) All() bool { return s.Since.IsZero() }

// Sight is what a look at a landing table's place came across: a file, or one of the things below.
type Sight struct {
	File
	// Passed says that names which begin with Name were not looked at, but for those that follow as sights of their own.
	Passed bool
	// Gone says that the file Name, which was asked for, is not there.
	Gone bool
}

// place is where the raw files of a landing table are.
type place struct {
	store  store.Store
	disk   store.OnDisk // nil where the files are elsewhere
	dir    string
	prefix string // of keys
	base   string // of names
}

// Look goes through the raw files below a folder of this machine or a place in an object store, in the order of their
// names' bytes. Names that begin with "_" or "." are not data, as in Hive. A folder that is not there holds no files.
//
// A look at recent dates lists folder by folder, and those of dates that are over not at all. [Survey] tells whether that
// takes less than to list everything.
func Look(ctx context.Context, stores store.Locator, dir, location string, scope Scope) iter.Seq2[Sight, error] {
	return func(yield func(Sight, error) bool) {
		p, err := findPlace(ctx, stores, dir, location)
		if err == nil && scope.All() {
			err = p.all(ctx, p.prefix, yield)
		} else if err == nil {
			w := walk{place: p, since: scope.Since, named: slices.Compact(slices.Sorted(slices.Values(scope.Named)))}
			err = w.folder(ctx, p.prefix, period{}, yield)
		}
		if err != nil && !errors.Is(err, errEnough) {
			yield(Sight{}, Unlisted(dir, location, err))
		}
	}
}

// errEnough ends a look whose reader has seen enough.
var errEnough = errors.New("enough")

func findPlace(ctx context.Context, stores store.Locator, dir, location string) (p place, err error) {
	if !strings.Contains(dir, "://") {
		// The folder itself can be a link; links to folders below it are not followed.
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			dir = real
		}
	}
	p.dir, p.base = dir, strings.TrimSuffix(location, "/")+"/"
	if p.store, p.prefix, err = stores.Locate(ctx, dir); err != nil {
		return p, err
	}
	if p.prefix = strings.TrimSuffix(p.prefix, "/") + "/"; p.prefix == "/" {
		p.prefix = ""
	}
	p.disk, _ = p.store.(store.OnDisk)
	return p, nil
}

// below gives a key relative to the place.
func (p place) below(key string) string { return strings.TrimPrefix(key, p.prefix) }

func (p place) file(o store.Object) Sight {
	rel := p.below(o.Key)
	f := File{Name: p.base + rel, Location: store.Location(p.store, o.Key), Size: o.Size, ETag: o.ETag, Keys: hiveKeys(rel)}
	if p.disk != nil {
		f.Path = p.disk.Path(o.Key)
	}
	return Sight{File: f}
}

// all lists everything below a prefix.
func (p place) all(ctx context.Context, prefix string, yield func(Sight, error) bool) error {
	for o, err := range p.store.List(ctx, prefix, store.ListOptions{}) {
		if err != nil {
			return err
		}
		if !hidden(p.below(o.Key)) && !yield(p.file(o), nil) {
			return errEnough
		}
	}
	return nil
}

// walk goes through the folders of recent dates.
type walk struct {
	place
	since time.Time
	named []string // sorted
}

// folder lists one folder whose name was read up to a period, and goes into those in it.
func (w *walk) folder(ctx context.Context, prefix string, at period, yield func(Sight, error) bool) error {
	for o, err := range w.store.List(ctx, prefix, store.ListOptions{Folders: true}) {
		if err != nil {
			return err
		}
		if hidden(w.below(strings.TrimSuffix(o.Key, "/"))) {
			continue
		}
		if !o.Folder() {
			if !yield(w.file(o), nil) {
				return errEnough
			}
			continue
		}
		next, ok := at.enter(folderName(o.Key))
		switch {
		case ok && !next.end().After(w.since):
			err = w.pass(ctx, o.Key, yield)
		case ok && next.whole() || !ok && at.dated():
			err = w.all(ctx, o.Key, yield)
		default:
			err = w.folder(ctx, o.Key, next, yield)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// pass leaves a folder out, but for the files in it that are asked for.
func (w *walk) pass(ctx context.Context, prefix string, yield func(Sight, error) bool) error {
	passed := w.base + w.below(prefix)
	if !yield(Sight{File: File{Name: passed}, Passed: true}, nil) {
		return errEnough
	}
	from, _ := slices.BinarySearch(w.named, passed)
	var keys []string
	for _, name := range w.named[from:] {
		if !strings.HasPrefix(name, passed) {
			break
		}
		if rel := strings.TrimPrefix(name, w.base); !hidden(rel) {
			keys = append(keys, w.prefix+rel)
		}
	}
	for len(keys) > 0 {
		n := 1
		for n < len(keys) && folderOf(keys[n]) == folderOf(keys[0]) {
			n++
		}
		if err := w.ask(ctx, keys[:n], yield); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

const (
	// askSingly is up to how many files of one folder are asked for one by one.
	askSingly = 20
	// page is how many keys one request lists.
	page = 1000
)

// ask looks at some files of one folder, in order: many by listing what lies between the first and the last of them, as
// long as that takes no more requests than they are.
func (w *walk) ask(ctx context.Context, keys []string, yield func(Sight, error) bool) error {
	if len(keys) > askSingly {
		listed, most := 0, page*len(keys)
		last := keys[len(keys)-1]
		for o, err := range w.store.List(ctx, folderOf(keys[0]), store.ListOptions{After: justBefore(keys[0])}) {
			if err != nil {
				return err
			}
			for len(keys) > 0 && keys[0] < o.Key {
				if !yield(Sight{File: File{Name: w.base + w.below(keys[0])}, Gone: true}, nil) {
					return errEnough
				}
				keys = keys[1:]
			}
			if o.Key > last || listed == most {
				break
			}
			listed++
			if len(keys) > 0 && keys[0] == o.Key {
				keys = keys[1:]
			}
			if !hidden(w.below(o.Key)) && !yield(w.file(o), nil) {
				return errEnough
			}
		}
		if listed < most {
			for _, k := range keys {
				if !yield(Sight{File: File{Name: w.base + w.below(k)}, Gone: true}, nil) {
					return errEnough
				}
			}
			return nil
		}
	}
	sights := make([]Sight, len(keys))
	err := each(ctx, len(keys), func(i int) error {
		o, err := w.store.Stat(ctx, keys[i])
		switch {
		case errors.Is(err, store.ErrNotFound):
			sights[i] = Sight{File: File{Name: w.base + w.below(keys[i])}, Gone: true}
			return nil
		case err != nil:
			return err
		}
		sights[i] = w.file(o)
		return nil
	})
	if err != nil {
		return err
	}
	for _, s := range sights {
		if !yield(s, nil) {
			return errEnough
		}
	}
	return nil
}

// folderOf gives a key up to its last slash, and folderName what stands between the last two of a folder's key.
func folderOf(key string) string { return key[:strings.LastIndexByte(key, '/')+1] }

func folderName(key string) string {
	key = strings.TrimSuffix(key, "/")
	return key[strings.LastIndexByte(key, '/')+1:]
}

// justBefore gives a text that comes before a key in order, with little between.
func justBefore(key string) string {
	_, n := utf8.DecodeLastRuneInString(key)
	return key[:len(key)-n]
}
