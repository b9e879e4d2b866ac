// Package local is the disk of this machine as a store. Keys are paths without their leading slash, so that the
// location of a file is file:/// and its path, and the root covers every warehouse and landing folder.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"tarn/internal/store"
)

// Store is the disk. Links to files are followed, links to folders below a prefix are not: they could lead in circles.
type Store struct{}

// New gives the disk.
func New() Store { return Store{} }

// Root implements [store.Store].
func (Store) Root() string { return "file:///" }

// Path is the file of a key.
func (Store) Path(key string) string { return filepath.FromSlash("/" + key) }

// ETag of a file changes when its content may have changed.
func ETag(info fs.FileInfo) string {
	return fmt.Sprintf("%d-%d", info.Size(), info.ModTime().UnixNano())
}

func object(key string, info fs.FileInfo) store.Object {
	return store.Object{Key: key, Size: info.Size(), ETag: ETag(info), Modified: info.ModTime().UTC()}
}

// DeniesWriting reports whether a file or folder could not be made because nothing may be written where it would be.
func DeniesWriting(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS)
}

func located(key string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		err = store.ErrNotFound
	}
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	return fmt.Errorf("/%s: %w", key, err)
}

// List implements [store.Store]. A folder that is not there has no files.
func (s Store) List(ctx context.Context, prefix string, o store.ListOptions) iter.Seq2[store.Object, error] {
	return func(yield func(store.Object, error) bool) {
		dir, _ := splitKey(prefix)
		l := lister{ctx: ctx, prefix: prefix, o: o, yield: yield}
		l.folder(dir)
	}
}

// splitKey cuts a key after its last slash.
func splitKey(key string) (dir, name string) {
	i := strings.LastIndexByte(key, '/') + 1
	return key[:i], key[i:]
}

type lister struct {
	ctx    context.Context
	prefix string
	o      store.ListOptions
	yield  func(store.Object, error) bool
}

// folder lists what is in a folder, whose key is empty or ends in a slash; false ends the listing.
func (l *lister) folder(dir string) bool {
	if err := l.ctx.Err(); err != nil {
		return l.yield(store.Object{}, err)
	}
	entries, err := os.ReadDir(Store{}.Path(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		return l.yield(store.Object{}, located(dir, err)) && false
	}
	keys := make([]string, 0, len(entries))
	for _, e := range entries {
		key := dir + e.Name()
		if e.IsDir() {
			key += "/"
		}
		keys = append(keys, key)
	}
	// Of "a/" and "a.b" the second comes first, as it does in a bucket.
	slices.Sort(keys)
	for _, key := range keys {
		if !l.entry(key) {
			return false
		}
	}
	return true
}

func (l *lister) entry(key string) bool {
	folder := strings.HasSuffix(key, "/")
	inside := strings.HasPrefix(key, l.prefix)
	if !inside && !(folder && strings.HasPrefix(l.prefix, key)) {
		return true
	}
	if folder {
		if l.o.Folders && inside && key != l.prefix {
			if key <= l.o.After || !holdsFile(key) {
				return true
			}
			return l.yield(store.Object{Key: key}, nil)
		}
		if key <= l.o.After && !strings.HasPrefix(l.o.After, key) {
			return true
		}
		return l.folder(key)
	}
	if key <= l.o.After {
		return true
	}
	info, err := os.Stat(Store{}.Path(key))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ELOOP) {
		// It is gone since, or a link that leads nowhere.
		return true
	}
	if err != nil {
		return l.yield(store.Object{}, located(key, err)) && false
	}
	if !info.Mode().IsRegular() {
		return true
	}
	if !utf8.ValidString(key) {
		return l.yield(store.Object{}, fmt.Errorf("the name %q is not UTF-8: no table could hold it", "/"+key)) && false
	}
	return l.yield(object(key, info), nil)
}

// holdsFile reports whether there is any file below a folder: an empty one does not exist in a bucket.
func holdsFile(dir string) bool {
	found := false
	_ = filepath.WalkDir(Store{}.Path(dir), func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			found = true
			return filepath.SkipAll
		}
		return nil
	})
	return found
}

// Stat implements [store.Store].
func (s Store) Stat(ctx context.Context, key string) (store.Object, error) {
	if err := ctx.Err(); err != nil {
		return store.Object{}, err
	}
	info, err := os.Stat(s.Path(key))
	if err != nil {
		return store.Object{}, located(key, err)
	}
	if !info.Mode().IsRegular() {
		return store.Object{}, located(key, store.ErrNotFound)
	}
	return object(key, info), nil
}

// Open implements [store.Store]. As a file can be written in place by others, a changed etag is also looked for at the
// end of reading.
func (s Store) Open(ctx context.Context, key, etag string, offset, length int64) (io.ReadCloser, error) {
	f, _, err := s.open(ctx, key, etag)
	if err != nil {
		return nil, err
	}
	if length < 0 {
		length = 1<<63 - 1 - offset
	}
	return &reader{Reader: io.NewSectionReader(f, offset, length), ctx: ctx, f: f, key: key, etag: etag}, nil
}

func (s Store) open(ctx context.Context, key, etag string) (*os.File, fs.FileInfo, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	// Opening a pipe would wait for its other end.
	if info, err := os.Stat(s.Path(key)); err != nil {
		return nil, nil, located(key, err)
	} else if !info.Mode().IsRegular() {
		return nil, nil, located(key, store.ErrNotFound)
	}
	f, err := os.Open(s.Path(key))
	if err != nil {
		return nil, nil, located(key, err)
	}
	info, err := f.Stat()
	if err == nil && etag != "" && ETag(info) != etag {
		err = store.ErrCondition
	}
	if err != nil {
		return nil, nil, errors.Join(located(key, err), f.Close())
	}
	return f, info, nil
}

type reader struct {
	io.Reader
	ctx       context.Context
	f         *os.File
	key, etag string
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.Reader.Read(p)
	if err == io.EOF && r.etag != "" {
		if info, statErr := r.f.Stat(); statErr != nil || ETag(info) != r.etag {
			return n, located(r.key, store.ErrCondition)
		}
	}
	return n, err
}

func (r *reader) Close() error { return r.f.Close() }

// Get implements [store.Store].
func (s Store) Get(ctx context.Context, key string) ([]byte, store.Object, error) {
	f, info, err := s.open(ctx, key, "")
	if err != nil {
		return nil, store.Object{}, err
	}
	r := &reader{Reader: f, ctx: ctx, f: f, key: key, etag: ETag(info)}
	raw, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, store.Object{}, err
	}
	return raw, object(key, info), nil
}

// Download implements [store.Store]. What is on this disk need not be copied: see [store.OnDisk].
func (s Store) Download(ctx context.Context, o store.Object, to io.WriterAt) error {
	r, err := s.Open(ctx, o.Key, o.ETag, 0, -1)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(io.NewOffsetWriter(to, 0), r)
	return err
}

// Delete implements [store.Store]. Folders that are empty then stay: somebody may be about to write into one.
func (s Store) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := os.Remove(s.Path(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return located(key, err)
		}
	}
	return nil
}
