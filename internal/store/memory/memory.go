// Package memory is a store that forgets: for tests, and for looking at what would be written.
package memory

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"tarn/internal/store"
)

// Store keeps objects in memory. The zero value is not ready: see [New].
type Store struct {
	root string
	mu   sync.Mutex
	last int
	all  map[string]entry
}

type entry struct {
	store.Object
	data []byte
}

// New gives an empty store with a root such as "memory://name/".
func New(root string) *Store {
	return &Store{root: strings.TrimSuffix(root, "/") + "/", all: map[string]entry{}}
}

// Root implements [store.Store].
func (s *Store) Root() string { return s.root }

// List implements [store.Store].
func (s *Store) List(ctx context.Context, prefix string, o store.ListOptions) iter.Seq2[store.Object, error] {
	return func(yield func(store.Object, error) bool) {
		s.mu.Lock()
		var found []store.Object
		folders := map[string]bool{}
		for key, e := range s.all {
			rest, ok := strings.CutPrefix(key, prefix)
			if !ok {
				continue
			}
			if i := strings.IndexByte(rest, '/'); o.Folders && i >= 0 {
				folders[prefix+rest[:i+1]] = true
				continue
			}
			found = append(found, e.Object)
		}
		s.mu.Unlock()
		for key := range folders {
			found = append(found, store.Object{Key: key})
		}
		slices.SortFunc(found, func(a, b store.Object) int { return strings.Compare(a.Key, b.Key) })
		for _, f := range found {
			if f.Key <= o.After {
				continue
			}
			if err := ctx.Err(); err != nil {
				yield(store.Object{}, err)
				return
			}
			if !yield(f, nil) {
				return
			}
		}
	}
}

// Stat implements [store.Store].
func (s *Store) Stat(ctx context.Context, key string) (store.Object, error) {
	e, err := s.find(ctx, key, "")
	return e.Object, err
}

func (s *Store) find(ctx context.Context, key, etag string) (entry, error) {
	if err := ctx.Err(); err != nil {
		return entry{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.all[key]
	if !ok {
		return e, fmt.Errorf("%s%s: %w", s.root, key, store.ErrNotFound)
	}
	if etag != "" && e.ETag != etag {
		return e, fmt.Errorf("%s%s: %w", s.root, key, store.ErrCondition)
	}
	return e, nil
}

// Open implements [store.Store].
func (s *Store) Open(ctx context.Context, key, etag string, offset, length int64) (io.ReadCloser, error) {
	e, err := s.find(ctx, key, etag)
	if err != nil {
		return nil, err
	}
	data := e.data[min(offset, int64(len(e.data))):]
	if length >= 0 {
		data = data[:min(length, int64(len(data)))]
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

// Get implements [store.Store].
func (s *Store) Get(ctx context.Context, key string) ([]byte, store.Object, error) {
	e, err := s.find(ctx, key, "")
	return bytes.Clone(e.data), e.Object, err
}

// Download implements [store.Store].
func (s *Store) Download(ctx context.Context, o store.Object, to io.WriterAt) error {
	e, err := s.find(ctx, o.Key, o.ETag)
	if err != nil {
		return err
	}
	_, err = to.WriteAt(e.data, 0)
	return err
}

// Put implements [store.Store].
func (s *Store) Put(ctx context.Context, key string, body store.Body, c store.Condition) (store.Object, error) {
	if err := ctx.Err(); err != nil {
		return store.Object{}, err
	}
	data, err := io.ReadAll(io.NewSectionReader(body, 0, body.Size()))
	if err != nil {
		return store.Object{}, fmt.Errorf("%s%s: %w", s.root, key, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	have, ok := s.all[key]
	if c.Absent && ok || c.ETag != "" && have.ETag != c.ETag {
		return store.Object{}, fmt.Errorf("%s%s: %w", s.root, key, store.ErrCondition)
	}
	s.last++
	e := entry{store.Object{Key: key, Size: int64(len(data)), ETag: strconv.Itoa(s.last), Modified: time.Now().UTC()}, data}
	s.all[key] = e
	return e.Object, nil
}

// Delete implements [store.Store].
func (s *Store) Delete(ctx context.Context, keys ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		delete(s.all, key)
	}
	return nil
}
