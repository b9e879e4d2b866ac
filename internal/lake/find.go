package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"tarn/internal/store"
)

// ErrNotKept says that a state of a table is gone: gc or another program has expired its snapshot or removed its files.
var ErrNotKept = errors.New("no longer kept")

// notKept is the error for a state that is gone; now is the table as it is, or nil.
func notKept(name string, snapshotID int64, now *Table) error {
	who := "gc has removed it"
	if now != nil && now.cut() {
		who = "another program has expired it, or gc has removed it"
	}
	return fmt.Errorf("table %s, snapshot %d: %w: %s", name, snapshotID, ErrNotKept, who)
}

// Find looks for a table that the catalog does not know any more, or knows as another table of the same name, by one of
// its snapshots. It gives the table's last metadata that has the snapshot, with all files of the snapshot there.
func (l *Lake) Find(ctx context.Context, name string, now *Table, snapshotID int64) (*Table, error) {
	gone := notKept(name, snapshotID, now)
	var locations []string
	for _, home := range homes(name) {
		err := l.list(ctx, home+"/metadata/", store.ListOptions{}, func(s store.Store, o store.Object) error {
			if strings.HasSuffix(o.Key, ".metadata.json") {
				locations = append(locations, store.Location(s, o.Key))
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
	}
	slices.Reverse(locations)
	var found *Table
	for _, location := range locations {
		t, err := l.readTable(ctx, name, location)
		if err != nil {
			// A killed run can leave half a file.
			continue
		}
		if t.meta.SnapshotByID(snapshotID) == nil || found != nil && t.meta.LastUpdatedMillis() <= found.meta.LastUpdatedMillis() {
			continue
		}
		found = t
	}
	if found == nil {
		return nil, gone
	}
	at, _ := found.At(snapshotID)
	files, err := at.Files(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, gone
	}
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		s, key, err := l.stores.Locate(ctx, f.Location)
		if err == nil {
			_, err = s.Stat(ctx, key)
		}
		if errors.Is(err, store.ErrNotFound) {
			return nil, gone
		}
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
	}
	return found, nil
}
