package lake

import (
	"bytes"
	"context"
	"fmt"
	"maps"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"
)

// unchangedRows stages a snapshot with the rows of the one before (or with none), so that its summary moves on. A table that moves to
// another folder has no rows here, and shares no file with its past: who may read the new folder may not read the old one.
func (d *Draft) unchangedRows(ctx context.Context, props iceberg.Properties) (table.Metadata, error) {
	var list string
	if cur := d.meta.CurrentSnapshot(); cur != nil && !d.moves {
		list = cur.ManifestList
	}
	return d.withSnapshot(ctx, list, table.OpAppend, props, d.meta.CurrentSchema().ID)
}

// totals are the entries of a snapshot's summary that say what the whole table holds.
var totals = []string{"total-records", "total-data-files", "total-files-size", "total-delete-files", "total-position-deletes", "total-equality-deletes"}

// withSnapshot adds a snapshot that uses an existing manifest list, or an empty one where list is "".
func (d *Draft) withSnapshot(ctx context.Context, list string, op table.Operation, props iceberg.Properties, schemaID int) (table.Metadata, error) {
	b, err := table.MetadataBuilderFromBase(d.meta, d.previous())
	if err != nil {
		return nil, err
	}
	id := newSnapshotID(d.meta)
	var parent *int64
	if cur := d.meta.CurrentSnapshot(); cur != nil {
		parent = &cur.SnapshotID
	}
	seq := d.meta.LastSequenceNumber() + 1
	props = withTotals(props, d.meta, list)
	if list == "" {
		if list, err = d.emptyManifestList(ctx, id, parent, seq); err != nil {
			return nil, err
		}
	}
	s := &table.Snapshot{SnapshotID: id, ParentSnapshotID: parent, SequenceNumber: seq, TimestampMs: nowAfter(d.meta),
		ManifestList: list, SchemaID: &schemaID, Summary: &table.Summary{Operation: op, Properties: props}}
	if err := b.AddSnapshot(s); err != nil {
		return nil, err
	}
	if err := b.SetSnapshotRef(table.MainBranch, id, table.BranchRef); err != nil {
		return nil, err
	}
	return b.Build()
}

// withTotals adds to a snapshot's summary the totals of the one whose manifest list it uses, or zeros for the empty one:
// the library works out the next snapshot's totals from them.
func withTotals(props iceberg.Properties, meta table.Metadata, list string) iceberg.Properties {
	out := iceberg.Properties{}
	maps.Copy(out, props)
	if list == "" {
		for _, key := range totals {
			out[key] = "0"
		}
		return out
	}
	for _, s := range meta.Snapshots() {
		if s.ManifestList != list || s.Summary == nil {
			continue
		}
		for _, key := range totals {
			if value, ok := s.Summary.Properties[key]; ok {
				out[key] = value
			}
		}
	}
	return out
}

func (d *Draft) emptyManifestList(ctx context.Context, id int64, parent *int64, seq int64) (string, error) {
	var out bytes.Buffer
	if err := iceberg.WriteManifestList(2, &out, id, parent, &seq, 0, nil); err != nil {
		return "", err
	}
	at := d.metadataFile(fmt.Sprintf("snap-%d-0-%s.avro", id, uuid.NewString()))
	return at, tableIO{ctx: ctx, lake: d.lake, draft: d}.WriteFile(at, out.Bytes())
}
