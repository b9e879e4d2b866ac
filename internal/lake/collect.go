package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/apache/iceberg-go/table"
)

// Garbage is what a collection found.
type Garbage struct {
	// Expired counts snapshots that are no longer kept.
	Expired int `json:"expired_snapshots"`
	// Files are those that no kept snapshot needs, relative to the warehouse.
	Files []string `json:"files"`
	Bytes int64    `json:"bytes"`
}

// ErrEmptyCatalog says that the catalog knows no table while the warehouse has files: it is more likely that the catalog
// was lost than that all files are garbage.
var ErrEmptyCatalog = errors.New("the catalog has no tables, but the warehouse has files: nothing is removed")

// Expire drafts the table without its snapshots from before the given time; the current one always stays. It gives nil
// if there is nothing to expire.
func (l *Lake) Expire(t *Table, before time.Time) (*Draft, int, error) {
	ids := t.expirable(before)
	if len(ids) == 0 {
		return nil, 0, nil
	}
	b, err := table.MetadataBuilderFromBase(t.meta, t.location)
	if err == nil {
		// false: the library must not delete files by itself, under the feet of readers.
		err = b.RemoveSnapshots(ids, false)
	}
	var next table.Metadata
	if err == nil {
		next, err = b.Build()
	}
	if err != nil {
		return nil, 0, fmt.Errorf("table %s: expire: %w", t.name, err)
	}
	d := &Draft{lake: l, name: t.name, base: t, dir: filepath.FromSlash(LocalPath(t.meta.Location()))}
	return d, len(ids), d.write(next)
}

// Expirable counts the snapshots that [Lake.Expire] would expire.
func (l *Lake) Expirable(t *Table, before time.Time) int { return len(t.expirable(before)) }

func (t *Table) expirable(before time.Time) []int64 {
	current := t.meta.CurrentSnapshot()
	var ids []int64
	for _, s := range t.meta.Snapshots() {
		if (current == nil || s.SnapshotID != current.SnapshotID) && s.TimestampMs < before.UnixMilli() {
			ids = append(ids, s.SnapshotID)
		}
	}
	return ids
}

// Unreachable lists the files of the lake's database in the warehouse that no kept snapshot of any table in the view
// needs and that were last written before the given time.
func (l *Lake) Unreachable(ctx context.Context, v *View, before time.Time) (Garbage, error) {
	return l.unreachable(ctx, v, before, time.Time{})
}

// UnreachableAfter lists what [Lake.Unreachable] would, once all snapshots from before the given time were expired.
func (l *Lake) UnreachableAfter(ctx context.Context, v *View, before time.Time) (Garbage, error) {
	return l.unreachable(ctx, v, before, before)
}

func (l *Lake) unreachable(ctx context.Context, v *View, before, expire time.Time) (Garbage, error) {
	var g Garbage
	needed := map[string]bool{}
	for _, name := range v.Names() {
		if err := v.Table(name).reach(needed, expire); err != nil {
			return g, err
		}
	}
	root := filepath.Join(filepath.FromSlash(l.warehouse), l.database)
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if e.IsDir() || needed[filepath.ToSlash(path)] {
			return nil
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if info.ModTime().Before(before) {
			rel, err := filepath.Rel(filepath.FromSlash(l.warehouse), path)
			if err != nil {
				return err
			}
			g.Files = append(g.Files, filepath.ToSlash(rel))
			g.Bytes += info.Size()
		}
		return nil
	})
	if err == nil && len(v.tables) == 0 && len(g.Files) > 0 {
		err = ErrEmptyCatalog
	}
	return g, err
}

// reach marks every file that the table's kept snapshots need, without those that expire.
func (t *Table) reach(needed map[string]bool, expire time.Time) error {
	gone := t.expirable(expire)
	if len(gone) == 0 {
		// Expiring writes the metadata anew.
		needed[LocalPath(t.location)] = true
	}
	for _, s := range t.meta.Snapshots() {
		if slices.Contains(gone, s.SnapshotID) {
			continue
		}
		needed[LocalPath(s.ManifestList)] = true
		manifests, err := s.Manifests(localFS)
		if err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
		for _, m := range manifests {
			path := LocalPath(m.FilePath())
			if needed[path] {
				continue
			}
			needed[path] = true
			for e, err := range m.Entries(localFS, true) {
				if err != nil {
					return fmt.Errorf("table %s: %w", t.name, err)
				}
				needed[LocalPath(e.DataFile().FilePath())] = true
			}
		}
	}
	return nil
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

// Remove deletes files that [Lake.Unreachable] listed, and folders that are empty then.
func (l *Lake) Remove(ctx context.Context, g Garbage) error {
	root := filepath.FromSlash(l.warehouse)
	for _, f := range g.Files {
		if err := ctx.Err(); err != nil {
			return err
		}
		path := filepath.Join(root, filepath.FromSlash(f))
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		l.removeEmpty(filepath.Dir(path))
	}
	return nil
}

// removeEmpty removes a folder of the warehouse and those above it, as far as they are empty.
func (l *Lake) removeEmpty(dir string) {
	root := filepath.FromSlash(l.warehouse)
	for ; dir != root && len(dir) > len(root); dir = filepath.Dir(dir) {
		if os.Remove(dir) != nil {
			// Not empty, which is how it is found out.
			return
		}
	}
}
