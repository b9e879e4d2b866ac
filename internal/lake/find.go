package lake

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ErrNotKept says that a state of a table is gone: gc has expired its snapshot or removed its files.
var ErrNotKept = errors.New("no longer kept: gc has removed it")

// Find looks for a table that the catalog does not know any more, or knows as another table of the same name, by one of
// its snapshots. It gives the table's last metadata that has the snapshot, with all files of the snapshot there.
func (l *Lake) Find(name string, snapshotID int64) (*Table, error) {
	gone := fmt.Errorf("table %s, snapshot %d: %w", name, snapshotID, ErrNotKept)
	dir := filepath.Join(filepath.FromSlash(l.warehouse), l.database, name, "metadata")
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, gone
	}
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", name, err)
	}
	slices.Reverse(entries)
	var found *Table
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".metadata.json") {
			continue
		}
		t, err := readTable(name, fileURI(filepath.Join(dir, e.Name())))
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
	files, err := at.Files()
	if errors.Is(err, os.ErrNotExist) {
		return nil, gone
	}
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if _, err := os.Stat(f.Path); errors.Is(err, os.ErrNotExist) {
			return nil, gone
		} else if err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
	}
	return found, nil
}
