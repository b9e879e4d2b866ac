package lake

import (
	"context"
	"fmt"
	"sync"

	"tarn/internal/cache"
)

// Reader makes data files readable on this machine for as long as it is open. It is safe for concurrent use.
type Reader struct {
	lake *Lake
	mu   sync.Mutex
	held []func()
}

// Reader opens a reader.
func (l *Lake) Reader() *Reader { return &Reader{lake: l} }

// Reader opens a reader for the tables of a view.
func (v *View) Reader() *Reader { return v.lake.Reader() }

// Paths gives files of this machine with the content of data files, in their order. Files of a remote warehouse are
// fetched where there is no copy yet; the error is a [cache.FullError] where there is no room for them.
func (r *Reader) Paths(ctx context.Context, files []DataFile) ([]string, error) {
	want := make([]cache.File, len(files))
	for i, f := range files {
		etag, err := r.referred(ctx, f)
		if err != nil {
			return nil, fmt.Errorf("read the warehouse: %w", err)
		}
		want[i] = cache.File{Location: f.Location, Size: f.Bytes, ETag: etag}
	}
	paths, release, err := r.lake.cache.FetchAll(ctx, want, nil)
	if err != nil {
		return nil, fmt.Errorf("read the warehouse: %w", err)
	}
	r.hold(release)
	return paths, nil
}

// Table gives files of this machine with all rows of a table; there are none for a table that is nil.
func (r *Reader) Table(ctx context.Context, t *Table) ([]string, error) {
	if t == nil {
		return nil, nil
	}
	files, err := t.Files(ctx)
	if err != nil {
		return nil, err
	}
	paths, err := r.Paths(ctx, files)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", t.name, err)
	}
	return paths, nil
}

func (r *Reader) hold(release func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = append(r.held, release)
}

// Close lets the copies go when the room is needed.
func (r *Reader) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, release := range r.held {
		release()
	}
	r.held = nil
}
