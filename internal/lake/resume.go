package lake

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"tarn/internal/catalog"
)

// Saved is a draft whose change is staged, for a process that publishes it in place of the one that made it. Its JSON form is
// kept in a store.
type Saved struct {
	Name string `json:"name"`
	// From and To are the pointer as it was and as it will be.
	From string         `json:"from,omitempty"`
	To   string         `json:"to"`
	Rows catalog.Change `json:"rows"`
	// Metadata are the locations of all metadata files that the draft has made.
	Metadata []string `json:"metadata"`
}

// Save describes a draft that holds a change.
func (d *Draft) Save() Saved {
	d.mu.Lock()
	defer d.mu.Unlock()
	return Saved{Name: d.name, From: d.from, To: d.to, Rows: d.rows, Metadata: append([]string{}, d.metadata...)}
}

// Resume gives the draft that was saved. The view has to show the table as it was then: if it does not, the error is
// [catalog.ErrConflict].
func (l *Lake) Resume(ctx context.Context, v *View, s Saved) (*Draft, error) {
	base := v.Table(s.Name)
	if base != nil && base.location != s.From || base == nil && s.From != "" {
		return nil, fmt.Errorf("table %s: %w", s.Name, catalog.ErrConflict)
	}
	t, err := l.readTable(ctx, s.Name, s.To)
	if err != nil {
		return nil, err
	}
	d := &Draft{lake: l, name: s.Name, base: base, meta: t.meta, changed: true, from: s.From, to: s.To, rows: s.Rows, metadata: s.Metadata}
	if err := d.place(ctx, t.meta.Location()); err != nil {
		return nil, fmt.Errorf("table %s: %w", s.Name, err)
	}
	for _, at := range s.Metadata {
		// From here on this process answers for them.
		if err := l.journal.note(at); err != nil {
			return nil, err
		}
	}
	if d.remote {
		return d, nil
	}
	// Whether the process before has brought them to the disk is not known.
	var files []string
	for _, at := range s.Rows.Added {
		path, err := l.onDisk(ctx, at)
		if err != nil {
			return nil, err
		}
		files = append(files, path)
	}
	if err := os.MkdirAll(filepath.Join(d.local, "metadata"), 0o755); err != nil {
		return nil, err
	}
	d.startSync(files)
	return d, nil
}
