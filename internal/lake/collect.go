package lake

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/iceberg-go/table"

	"tarn/internal/catalog"
	"tarn/internal/deployconf"
	"tarn/internal/store"
)

// Garbage is what a collection found.
type Garbage struct {
	// Expired counts snapshots that are no longer kept.
	Expired int `json:"expired_snapshots"`
	// Files are those that no kept snapshot needs, relative to the warehouse.
	Files []string `json:"files"`
	Bytes int64    `json:"bytes"`
}

// Stock counts what is in a warehouse.
type Stock struct{ Files, Bytes int64 }

// OverHalfError says that more than half of a warehouse is garbage, which is more than is believed without being told.
type OverHalfError struct{ Garbage, All Stock }

func (e *OverHalfError) Error() string {
	return fmt.Sprintf("%d of %d files (%d of %d bytes) in the warehouse are needed by no snapshot that is kept, more than half: nothing is removed",
		e.Garbage.Files, e.All.Files, e.Garbage.Bytes, e.All.Bytes)
}

// Hint says what helps.
func (e *OverHalfError) Hint() string {
	return "look with --dry-run; if this is what is meant, as after many full rebuilds, say --over-half"
}

// OverHalf gives an [*OverHalfError] if garbage is more than half of all files, or of all bytes.
func (s Stock) OverHalf(g Garbage) error {
	if n := int64(len(g.Files)); 2*n > s.Files || 2*g.Bytes > s.Bytes {
		return &OverHalfError{Stock{n, g.Bytes}, s}
	}
	return nil
}

// ErrEmptyCatalog says that the catalog knows no table while the warehouse has files: it is more likely that the catalog
// was lost than that all files are garbage.
var ErrEmptyCatalog = errors.New("the catalog has no tables, but the warehouse has files: nothing is removed")

// Expire drafts the table without its snapshots from before the given time, and without tags that count no more. The current
// snapshot always stays, and so do those of tags and branches. It gives nil if there is nothing to expire.
func (l *Lake) Expire(ctx context.Context, t *Table, before time.Time) (*Draft, int, error) {
	ids := t.expirable(before)
	_, over := referred(t.meta, time.Now())
	if len(ids) == 0 && len(over) == 0 {
		return nil, 0, nil
	}
	b, err := table.MetadataBuilderFromBase(t.meta, t.location)
	for _, name := range over {
		if err == nil {
			err = b.RemoveSnapshotRef(name)
		}
	}
	if err == nil && len(ids) > 0 {
		// false: the library must not delete files by itself, under the feet of readers.
		err = b.RemoveSnapshots(ids, false)
	}
	var next table.Metadata
	if err == nil {
		next, err = b.Build()
	}
	if c := claimed(t.meta); err == nil && c != nil && len(ids) > 0 {
		c.Oldest, c.Cut = oldest(next), false
		next, err = withClaim(next, *c)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("table %s: expire: %w", t.name, err)
	}
	d := &Draft{lake: l, name: t.name, base: t}
	if err := d.place(ctx, t.meta.Location()); err != nil {
		return nil, 0, fmt.Errorf("table %s: expire: %w", t.name, err)
	}
	return d, len(ids), d.write(ctx, next)
}

// Expirable counts the snapshots that [Lake.Expire] would expire.
func (l *Lake) Expirable(t *Table, before time.Time) int { return len(t.expirable(before)) }

func (t *Table) expirable(before time.Time) []int64 {
	current := t.meta.CurrentSnapshot()
	// What was published stays, to repair what others have changed.
	ours := claimed(t.meta)
	kept, _ := referred(t.meta, time.Now())
	var ids []int64
	for _, s := range t.meta.Snapshots() {
		if !kept[s.SnapshotID] && (current == nil || s.SnapshotID != current.SnapshotID) && (ours == nil || s.SnapshotID != ours.Snapshot) && s.TimestampMs < before.UnixMilli() {
			ids = append(ids, s.SnapshotID)
		}
	}
	return ids
}

// Unreachable lists the files of the lake's database in the warehouse that no kept snapshot of any table in the view
// needs and that were last written before the given time.
func (l *Lake) Unreachable(ctx context.Context, v *View, before time.Time) (Garbage, error) {
	g, _, err := l.unreachable(ctx, v, before, time.Time{})
	return g, err
}

// UnreachableAfter lists what [Lake.Unreachable] would, once all snapshots from before the given time were expired, and
// counts all files.
func (l *Lake) UnreachableAfter(ctx context.Context, v *View, before time.Time) (Garbage, Stock, error) {
	return l.unreachable(ctx, v, before, before)
}

func (l *Lake) unreachable(ctx context.Context, v *View, before, expire time.Time) (g Garbage, all Stock, err error) {
	needed, logged := map[string]bool{}, map[string]metadataLog{}
	for _, name := range v.Names() {
		t := v.Table(name)
		if err := t.reach(ctx, needed, expire); err != nil {
			return g, all, err
		}
		folder, _ := path.Split(plainScheme(t.location))
		logged[folder] = t.metadataLog()
	}
	superseded := time.Now().Add(-deployconf.SupersededFor)
	others, err := l.others(ctx)
	if err != nil {
		return g, all, err
	}
	err = l.list(ctx, "", store.ListOptions{}, func(s store.Store, o store.Object) error {
		location := store.Location(s, o.Key)
		if strings.HasPrefix(l.below(location), OwnFolder(l.database)+"/") || slices.ContainsFunc(others, func(f string) bool { return strings.HasPrefix(location, f) }) {
			return nil
		}
		all.Files, all.Bytes = all.Files+1, all.Bytes+o.Size
		folder, name := path.Split(location)
		if !needed[location] && (o.Modified.Before(before) || o.Modified.Before(superseded) && logged[folder].past(name, o.Modified)) {
			g.Files, g.Bytes = append(g.Files, l.below(location)), g.Bytes+o.Size
		}
		return nil
	})
	if err == nil && len(v.tables) == 0 && len(g.Files) > 0 {
		err = ErrEmptyCatalog
	}
	return g, all, err
}

// metadataLog is what a table's newest metadata says of the versions before it.
type metadataLog struct {
	// first is the oldest version that it names, -1 for none.
	first int
	// since is when the oldest snapshot was made that the table has kept.
	since time.Time
}

func (t *Table) metadataLog() metadataLog {
	l := metadataLog{first: -1, since: time.Now()}
	for e := range t.meta.PreviousFiles() {
		if v, ok := metadataVersion(path.Base(e.MetadataFile)); ok && (l.first < 0 || v < l.first) {
			l.first = v
		}
	}
	for _, s := range t.meta.Snapshots() {
		if at := time.UnixMilli(s.TimestampMs); at.Before(l.since) {
			l.since = at
		}
	}
	return l
}

// skew is how much clocks of this machine and of a store may differ.
const skew = 5 * time.Minute

// past reports whether a metadata file beside the newest one is of a version that this names no more: it is nobody's, as
// "write.metadata.previous-versions-max" bounds them (Apache Iceberg documentation, "Remove old metadata files"). What a run has
// not yet published has a later version, and what a table of the same name has had that was dropped is older than the snapshots of this
// one: [Lake.Find] still looks for it.
func (l metadataLog) past(name string, modified time.Time) bool {
	v, ok := metadataVersion(name)
	return ok && v < l.first && modified.After(l.since.Add(skew))
}

// metadataVersion reads the number of a file that is called 00012-….metadata.json, as Iceberg's libraries call it.
func metadataVersion(name string) (int, bool) {
	number, rest, ok := strings.Cut(name, "-")
	if !ok || !strings.HasSuffix(rest, ".metadata.json") {
		return 0, false
	}
	n, err := strconv.Atoi(number)
	return n, err == nil
}

// others lists the folders, with a slash at their ends, of tables in the database that are not of the lake: somebody may have
// made them in the warehouse.
func (l *Lake) others(ctx context.Context) ([]string, error) {
	s, ok := l.catalog.(catalog.Shared)
	if !ok {
		return nil, nil
	}
	folders, err := s.Others(ctx)
	for i, f := range folders {
		folders[i] = plainScheme(f) + "/"
	}
	return folders, err
}

// OwnFolder is what the catalog and the lake have beside the tables for themselves, relative to the warehouse.
func OwnFolder(database string) string { return database + "/_tarn" }

// reach marks the location of every file that the table's kept snapshots need, without those that expire.
func (t *Table) reach(ctx context.Context, needed map[string]bool, expire time.Time) error {
	fs := t.lake.io(ctx)
	gone := t.expirable(expire)
	if len(gone) == 0 {
		// Expiring writes the metadata anew.
		needed[plainScheme(t.location)] = true
	}
	for _, s := range t.meta.Snapshots() {
		if slices.Contains(gone, s.SnapshotID) {
			continue
		}
		needed[plainScheme(s.ManifestList)] = true
		manifests, err := s.Manifests(fs)
		if err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
		for _, m := range manifests {
			path := plainScheme(m.FilePath())
			if needed[path] {
				continue
			}
			needed[path] = true
			for e, err := range m.Entries(fs, true) {
				if err != nil {
					return fmt.Errorf("table %s: %w", t.name, err)
				}
				needed[plainScheme(e.DataFile().FilePath())] = true
			}
		}
	}
	return nil
}

// reachMetadata marks the metadata file, manifest lists and manifests of all snapshots.
func (t *Table) reachMetadata(ctx context.Context, paths map[string]bool) error {
	if t.location != "" {
		paths[plainScheme(t.location)] = true
	}
	for _, s := range t.meta.Snapshots() {
		if err := t.reachSnapshot(ctx, s, paths); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) reachSnapshot(ctx context.Context, s table.Snapshot, paths map[string]bool) error {
	paths[plainScheme(s.ManifestList)] = true
	manifests, err := s.Manifests(t.lake.io(ctx))
	if err != nil {
		return err
	}
	for _, m := range manifests {
		paths[plainScheme(m.FilePath())] = true
	}
	return nil
}

// plainScheme gives a location the form that stores give: Spark writes file:/path for file:///path, and s3a:// is s3://.
func plainScheme(location string) string {
	for _, p := range []struct{ from, to string }{{"file:///", "file:///"}, {"file:/", "file:///"}, {"s3a://", "s3://"}, {"s3n://", "s3://"}, {"/", "file:///"}} {
		if rest, ok := strings.CutPrefix(location, p.from); ok {
			return p.to + rest
		}
	}
	return location
}

// Remove deletes files that were listed as garbage, and folders that are empty then.
func (l *Lake) Remove(ctx context.Context, g Garbage) error { return l.delete(ctx, g.Files) }

// Size gives the bytes of a file that is named relative to the warehouse.
func (l *Lake) Size(ctx context.Context, file string) (int64, error) {
	s, key, err := l.stores.Locate(ctx, l.warehouse+"/"+file)
	if err != nil {
		return 0, err
	}
	o, err := s.Stat(ctx, key)
	return o.Size, err
}
