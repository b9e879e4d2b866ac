package lake

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"tarn/internal/schema"
)

// Table is one table at one moment: at its current snapshot, or at the one that [Table.At] chose.
type Table struct {
	lake     *Lake
	name     string
	location string // of the metadata file
	meta     table.Metadata
	snapshot *table.Snapshot // nil: the current one
	nothing  bool            // it is looked at as if it had no rows
}

// DataFile is one Parquet file of a snapshot.
type DataFile struct {
	// Location is the name that the table has for it; [Reader.Paths] makes it readable.
	Location string
	Rows     int64
	Bytes    int64
	// Partition maps a partition field's name to its value as Iceberg stores it (days since 1970-01-01 for day()).
	Partition map[string]any
}

// Snapshot is one state that a table has had.
type Snapshot struct {
	ID   int64
	Time time.Time
	// Summary holds what was recorded with it: Iceberg's own counts and tarn's `tarn.*` entries.
	Summary map[string]string
}

// Name is the table's name without its database.
func (t *Table) Name() string { return t.name }

// MetadataLocation is the file that the catalog points to.
func (t *Table) MetadataLocation() string { return t.location }

// Location is the folder that the table says is its own.
func (t *Table) Location() string { return t.meta.Location() }

// Properties gives the table's properties.
func (t *Table) Properties() map[string]string { return t.meta.Properties() }

func (t *Table) current() *table.Snapshot {
	if t.nothing {
		return nil
	}
	if t.snapshot != nil {
		return t.snapshot
	}
	return t.meta.CurrentSnapshot()
}

// Snapshot gives the state that the table is looked at in; ok is false for a table that was never written.
func (t *Table) Snapshot() (s Snapshot, ok bool) {
	if cur := t.current(); cur != nil {
		return snapshotOf(*cur), true
	}
	return Snapshot{}, false
}

// Snapshots gives all states that are still kept, oldest first.
func (t *Table) Snapshots() []Snapshot {
	all := t.meta.Snapshots()
	out := make([]Snapshot, len(all))
	for i, s := range all {
		out[i] = snapshotOf(s)
	}
	return out
}

func snapshotOf(s table.Snapshot) Snapshot {
	out := Snapshot{ID: s.SnapshotID, Time: time.UnixMilli(s.TimestampMs).UTC(), Summary: map[string]string{}}
	if s.Summary != nil {
		for k, v := range s.Summary.Properties {
			out.Summary[k] = v
		}
	}
	return out
}

// Current is the id of the snapshot that all readers see, whatever the table is looked at as; 0 for none.
func (t *Table) Current() int64 {
	if s := t.meta.CurrentSnapshot(); s != nil {
		return s.SnapshotID
	}
	return 0
}

// At gives the table as it was at a snapshot; false if that snapshot is no longer kept.
func (t *Table) At(snapshotID int64) (*Table, bool) {
	s := t.meta.SnapshotByID(snapshotID)
	if s == nil {
		return nil, false
	}
	return &Table{lake: t.lake, name: t.name, location: t.location, meta: t.meta, snapshot: s}, true
}

func (t *Table) icebergSchema() *iceberg.Schema {
	if s := t.current(); s != nil && s.SchemaID != nil {
		for _, sc := range t.meta.Schemas() {
			if sc.ID == *s.SchemaID {
				return sc
			}
		}
	}
	return t.meta.CurrentSchema()
}

// Columns gives names, types and comments in order.
func (t *Table) Columns() ([]schema.Column, error) {
	fields := t.icebergSchema().Fields()
	out := make([]schema.Column, len(fields))
	for i, f := range fields {
		typ, err := columnType(f.Type)
		if err != nil {
			return nil, fmt.Errorf("table %s, column %s: %w", t.name, f.Name, err)
		}
		out[i] = schema.Column{Name: schema.OwnName(f.Name), Type: typ, Comment: f.Doc}
	}
	return out, nil
}

// ErrDeletes says that rows of a snapshot are deleted by files that only say so.
var ErrDeletes = errors.New("has delete files written by another engine")

// Files lists the data files of the snapshot. Delete files, which other engines can leave behind, are an error:
// reading only the data files would bring deleted rows back.
func (t *Table) Files(ctx context.Context) ([]DataFile, error) { return t.Matching(ctx, nil) }

func (t *Table) described(files []iceberg.DataFile) []DataFile {
	out := make([]DataFile, len(files))
	for i, df := range files {
		names := map[int]string{}
		if spec := t.meta.PartitionSpecByID(int(df.SpecID())); spec != nil {
			for f := range spec.Fields() {
				names[spec.Field(f).FieldID] = spec.Field(f).Name
			}
		}
		out[i] = DataFile{Location: df.FilePath(), Rows: df.Count(), Bytes: df.FileSizeBytes(), Partition: map[string]any{}}
		for id, v := range df.Partition() {
			out[i].Partition[names[id]] = v
		}
	}
	return out
}

// dataFiles lists them as the table library has them.
func (t *Table) dataFiles(ctx context.Context) ([]iceberg.DataFile, error) {
	s := t.current()
	if s == nil {
		return nil, nil
	}
	fs := t.lake.io(ctx)
	manifests, err := s.Manifests(fs)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", t.name, err)
	}
	var out []iceberg.DataFile
	for _, m := range manifests {
		if m.AddedDataFiles() == 0 && m.ExistingDataFiles() == 0 {
			// It only names files that have left the table.
			continue
		}
		for e, err := range m.Entries(fs, true) {
			if err != nil {
				return nil, fmt.Errorf("table %s: %w", t.name, err)
			}
			if m.ManifestContent() == iceberg.ManifestContentDeletes {
				return nil, fmt.Errorf("table %s %w; rewrite the table there, or rebuild it with --full-refresh", t.name, ErrDeletes)
			}
			out = append(out, e.DataFile())
		}
	}
	return out, nil
}

// Rows adds up the rows of the snapshot from metadata alone: from its summary where that has the total, else from its
// manifests.
func (t *Table) Rows(ctx context.Context) (int64, error) {
	if deletes, ok := t.total("total-delete-files"); ok && deletes == 0 {
		if n, ok := t.total("total-records"); ok {
			return n, nil
		}
	}
	files, err := t.Files(ctx)
	var n int64
	for _, f := range files {
		n += f.Rows
	}
	return n, err
}

// Bytes adds up the data files of the snapshot, as [Table.Rows] does their rows.
func (t *Table) Bytes(ctx context.Context) (int64, error) {
	if n, ok := t.total("total-files-size"); ok {
		return n, nil
	}
	files, err := t.Files(ctx)
	var n int64
	for _, f := range files {
		n += f.Bytes
	}
	return n, err
}

// total gives a total that the summary of the snapshot has.
func (t *Table) total(key string) (int64, bool) {
	s := t.current()
	if s == nil || s.Summary == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(s.Summary.Properties[key], 10, 64)
	return n, err == nil && n >= 0
}
