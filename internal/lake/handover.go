package lake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"
)

// An engine elsewhere gets tables as Iceberg metadata that no catalog points to: what it reads as it stands at its
// snapshot, and what it writes as an empty table with the columns, ids and partitions of a draft. It gives back the
// snapshot that it has made, whose data files [Draft.Take] then takes into the real table.

// Handed describes the table at its snapshot to an engine that reads it, as table metadata of the Iceberg spec without history.
// Names and ids of columns are the table's: see [schema.StoredName].
func (t *Table) Handed() (json.RawMessage, error) {
	m, err := outline(t.meta)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", t.name, err)
	}
	m["properties"] = map[string]string{}
	if s := t.current(); s != nil {
		m["snapshots"], m["current-snapshot-id"] = []table.Snapshot{*s}, s.SnapshotID
		m["refs"] = map[string]any{table.MainBranch: map[string]any{"snapshot-id": s.SnapshotID, "type": "branch"}}
	}
	if sc := t.icebergSchema(); sc.ID != t.meta.CurrentSchema().ID {
		m["schemas"], m["current-schema-id"] = []*iceberg.Schema{sc}, sc.ID
	}
	return json.Marshal(m)
}

// Handed describes the draft as a table without rows to an engine that writes it. The engine's data files go below run's own
// folder of the table, and its manifests into the folder metadata (a location).
func (d *Draft) Handed(run, metadata string) (json.RawMessage, error) {
	m, err := outline(d.meta)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", d.name, err)
	}
	m["table-uuid"], m["last-sequence-number"] = uuid.NewString(), 0
	m["properties"] = map[string]string{
		"write.data.path": d.handedDir(run), "write.metadata.path": metadata,
		"write.parquet.compression-codec": "zstd",
		// Values of rows do not belong into paths.
		"write.object-storage.enabled": "true", "write.object-storage.partitioned-paths": "false",
	}
	return json.Marshal(m)
}

// HandedAside describes a table without rows and partitions, with the draft's columns, that lies below at (a location) and
// belongs to no catalog ever.
func (d *Draft) HandedAside(at string) (json.RawMessage, error) {
	m, err := outline(d.meta)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", d.name, err)
	}
	m["table-uuid"], m["last-sequence-number"], m["location"] = uuid.NewString(), 0, at
	m["partition-specs"], m["default-spec-id"] = []any{map[string]any{"spec-id": 0, "fields": []any{}}}, 0
	m["properties"] = map[string]string{"write.parquet.compression-codec": "zstd"}
	return json.Marshal(m)
}

// handedDir is where an engine elsewhere puts the draft's data files.
func (d *Draft) handedDir(run string) string { return d.at + "/data/" + run + "/spark" }

// outline gives metadata without snapshots, history and properties, with the current schema and spec only.
func outline(meta table.Metadata) (map[string]any, error) {
	raw, err := json.Marshal(meta)
	if err != nil {
		return nil, err
	}
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		return nil, err
	}
	for _, key := range []string{"snapshots", "snapshot-log", "metadata-log", "refs", "current-snapshot-id", "statistics", "partition-statistics"} {
		delete(m, key)
	}
	m["schemas"] = []*iceberg.Schema{meta.CurrentSchema()}
	m["partition-specs"] = []iceberg.PartitionSpec{meta.PartitionSpec()}
	return m, nil
}

// handedFiles lists the data files of a snapshot that an engine has made, given as Iceberg writes snapshots in JSON.
func (l *Lake) handedFiles(ctx context.Context, snapshot json.RawMessage) ([]iceberg.DataFile, error) {
	var s table.Snapshot
	if err := json.Unmarshal(snapshot, &s); err != nil {
		return nil, err
	}
	fs := l.io(ctx)
	manifests, err := s.Manifests(fs)
	if err != nil {
		return nil, err
	}
	var out []iceberg.DataFile
	for _, m := range manifests {
		for e, err := range m.Entries(fs, true) {
			if err != nil {
				return nil, err
			}
			if m.ManifestContent() != iceberg.ManifestContentData {
				return nil, fmt.Errorf("%s lists delete files", m.FilePath())
			}
			out = append(out, e.DataFile())
		}
	}
	return out, nil
}

// HandedFiles lists the data files of a snapshot that an engine has made, such as of a table of [Draft.HandedAside].
func (l *Lake) HandedFiles(ctx context.Context, snapshot json.RawMessage) ([]DataFile, error) {
	files, err := l.handedFiles(ctx, snapshot)
	if err != nil {
		return nil, err
	}
	out := make([]DataFile, len(files))
	for i, f := range files {
		out[i] = DataFile{Location: f.FilePath(), Rows: f.Count(), Bytes: f.FileSizeBytes()}
	}
	return out, nil
}
