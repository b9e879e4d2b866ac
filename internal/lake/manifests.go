package lake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"golang.org/x/sync/errgroup"
)

// Manifests that the table library writes wait in memory until its operation is over. It writes one for the files that come
// and another for those that leave; each is a request when it is written, and one more for everybody who reads the table.

// joinBelow is how many bytes manifests may have together to be made one: what Iceberg's libraries aim at
// (commit.manifest.target-size-bytes).
const joinBelow = 8 << 20

// waiting gives a metadata file of the draft that is not written yet.
func (d *Draft) waiting(location string) ([]byte, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	raw, ok := d.pending[location]
	return raw, ok
}

// wait keeps a metadata file until [Draft.flush].
func (d *Draft) wait(location string, raw []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pending == nil {
		d.pending = map[string][]byte{}
	}
	d.pending[location] = raw
}

// forget drops a metadata file that waits; false is one that does not.
func (d *Draft) forget(location string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.pending[location]
	delete(d.pending, location)
	return ok
}

// flush writes the metadata files that wait.
func (d *Draft) flush(ctx context.Context) error {
	d.mu.Lock()
	files := d.pending
	d.pending = nil
	d.mu.Unlock()
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(uploads)
	for location, raw := range files {
		if err := d.stage(location); err != nil {
			return errors.Join(err, g.Wait())
		}
		g.Go(func() error { return d.lake.write(within, location, raw) })
	}
	return g.Wait()
}

// joinManifests makes one manifest of those that a new snapshot has made, where they are of one partition spec and not too
// large. The snapshot keeps its manifest list's location.
func (d *Draft) joinManifests(ctx context.Context, next table.Metadata) error {
	s := next.CurrentSnapshot()
	if s == nil || next.Version() != 2 {
		return nil
	}
	files := tableIO{ctx: ctx, lake: d.lake, draft: d}
	all, err := s.Manifests(files)
	if err != nil {
		return err
	}
	var fresh, list []iceberg.ManifestFile
	var size int64
	for _, m := range all {
		if _, waits := d.waiting(files.plain(m.FilePath())); waits && m.ManifestContent() == iceberg.ManifestContentData &&
			(len(fresh) == 0 || fresh[0].PartitionSpecID() == m.PartitionSpecID()) {
			if fresh, size = append(fresh, m), size+m.Length(); len(fresh) > 1 {
				continue
			}
		}
		list = append(list, m)
	}
	if len(fresh) < 2 || size > joinBelow {
		return nil
	}
	joined, err := d.joined(files, next, fresh)
	if err != nil {
		return err
	}
	for i, m := range list {
		if m.FilePath() == joined.FilePath() {
			list[i] = joined
		}
	}
	var out bytes.Buffer
	if err := iceberg.WriteManifestList(2, &out, s.SnapshotID, s.ParentSnapshotID, &s.SequenceNumber, 0, list); err != nil {
		return fmt.Errorf("manifest list: %w", err)
	}
	d.wait(files.plain(s.ManifestList), out.Bytes())
	return nil
}

// joined puts the entries of manifests into one, in the place of the first.
func (d *Draft) joined(files tableIO, next table.Metadata, manifests []iceberg.ManifestFile) (iceberg.ManifestFile, error) {
	spec := next.PartitionSpecByID(int(manifests[0].PartitionSpecID()))
	if spec == nil {
		return nil, fmt.Errorf("manifest %s: %w", manifests[0].FilePath(), fs.ErrInvalid)
	}
	var out bytes.Buffer
	w, err := iceberg.NewManifestWriter(2, &out, *spec, next.CurrentSchema(), next.CurrentSnapshot().SnapshotID)
	if err != nil {
		return nil, err
	}
	for _, m := range manifests {
		for e, err := range m.Entries(files, false) {
			if err != nil {
				return nil, err
			}
			switch id := e.SnapshotID(); e.Status() {
			case iceberg.EntryStatusADDED:
				// Its sequence number is that of the manifest list, which can still become another one.
				err = w.Add(iceberg.NewManifestEntry(iceberg.EntryStatusADDED, &id, nil, nil, e.DataFile()))
			case iceberg.EntryStatusDELETED:
				err = w.Delete(e)
			default:
				err = w.Existing(e)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	joined, err := w.ToManifestFile(manifests[0].FilePath(), int64(out.Len()))
	if err != nil {
		return nil, err
	}
	for _, m := range manifests {
		d.forget(files.plain(m.FilePath()))
	}
	d.wait(files.plain(joined.FilePath()), out.Bytes())
	return joined, nil
}
