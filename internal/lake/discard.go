package lake

import (
	"os"
	"path/filepath"

	"github.com/apache/iceberg-go/table"
)

// Discard removes the metadata files that the draft has written, for a draft that will not be published. What cannot be
// removed is garbage for gc. Data files are the caller's.
func (d *Draft) Discard() {
	if d.move.to == "" {
		return
	}
	used := map[string]bool{}
	if d.base != nil && d.base.reachMetadata(used) != nil {
		return
	}
	fresh := map[string]bool{LocalPath(d.move.to): true}
	_ = (&Table{name: d.name, meta: d.meta}).reachMetadata(fresh)
	for path := range fresh {
		if !used[path] {
			_ = os.Remove(filepath.FromSlash(path))
		}
	}
	d.move.to = ""
	// Both fail, as they should, where other files are in them.
	if os.Remove(filepath.Join(d.dir, "metadata")) == nil {
		_ = os.Remove(d.dir)
	}
}

// reachMetadata marks the metadata file, manifest lists and manifests of all snapshots.
func (t *Table) reachMetadata(paths map[string]bool) error {
	if t.location != "" {
		paths[LocalPath(t.location)] = true
	}
	for _, s := range t.meta.Snapshots() {
		if err := reachSnapshot(s, paths); err != nil {
			return err
		}
	}
	return nil
}

func reachSnapshot(s table.Snapshot, paths map[string]bool) error {
	paths[LocalPath(s.ManifestList)] = true
	manifests, err := s.Manifests(localFS)
	if err != nil {
		return err
	}
	for _, m := range manifests {
		paths[LocalPath(m.FilePath())] = true
	}
	return nil
}
