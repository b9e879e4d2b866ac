package lake

import (
	"context"
	"fmt"
	"maps"

	"github.com/apache/iceberg-go/table"

	"tarn/internal/catalog"
)

// LooksAs reports whether the table has the rows and columns that it had at a snapshot.
func (t *Table) LooksAs(snapshotID int64) bool {
	now, then := t.current(), t.meta.SnapshotByID(snapshotID)
	if now == nil || then == nil {
		return false
	}
	old, _ := t.At(snapshotID)
	return now.ManifestList == then.ManifestList && sameSchema(t.icebergSchema(), old.icebergSchema())
}

// Revert drafts a table's return to the rows, columns and partitions that it had at one of its kept snapshots, as a new
// snapshot: history only ever grows. The summary of the old snapshot is taken over, with extra entries on top. now is what
// the catalog has under the table's name, which is t itself, or, for a table that [Lake.Find] found, another one or nil.
func (l *Lake) Revert(ctx context.Context, t, now *Table, snapshotID int64, extra map[string]string) (*Draft, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	old := t.meta.SnapshotByID(snapshotID)
	if old == nil {
		return nil, notKept(t.name, snapshotID, t)
	}
	d := &Draft{lake: l, name: t.name, base: t}
	if err := d.place(ctx, t.meta.Location()); err != nil {
		return nil, fmt.Errorf("table %s: %w", t.name, err)
	}
	b, err := table.MetadataBuilderFromBase(t.meta, t.location)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", t.name, err)
	}
	schemaID := t.meta.CurrentSchema().ID
	if old.SchemaID != nil && *old.SchemaID != schemaID {
		schemaID = *old.SchemaID
		if err := b.SetCurrentSchemaID(schemaID); err != nil {
			return nil, fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	d.meta = t.meta
	if b.HasChanges() {
		if d.meta, err = b.Build(); err != nil {
			return nil, fmt.Errorf("table %s: %w", t.name, err)
		}
		d.changed = true
	}
	props := map[string]string{}
	if old.Summary != nil {
		maps.Copy(props, old.Summary.Properties)
	}
	maps.Copy(props, extra)
	if _, err := d.bring(ctx, nil); err != nil {
		return nil, err
	}
	at, _ := t.At(snapshotID)
	files, err := at.Files(ctx)
	if err != nil {
		return nil, err
	}
	d.rows = catalog.Change{All: true, Summary: props}
	for _, f := range files {
		d.rows.Added = append(d.rows.Added, f.Location)
	}
	next, err := d.withSnapshot(ctx, old.ManifestList, table.OpOverwrite, props, schemaID)
	if err == nil {
		next, err = d.claim(next)
	}
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", t.name, err)
	}
	if err := d.write(ctx, next); err != nil {
		return nil, err
	}
	d.from = ""
	if now != nil {
		d.from = now.location
	}
	return d, nil
}
