package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// Foreign says what other programs have done to a table since it was last published.
type Foreign struct {
	Table string
	// Kept says that the rows are the same, as after a compaction: nothing but replacing snapshots since, the same columns,
	// and as many rows. Anything else counts as changed.
	Kept bool
	// Snapshot is their last one and Time when it was made, Operation and By what it says of itself; By can be "". Where they
	// have made none, as with other columns, it is 0, and Time is when the table was changed last.
	Snapshot      int64
	Time          time.Time
	Operation, By string
	// Why says in words what makes the rows count as changed.
	Why string
	// Lost says that the rows as they were published are gone.
	Lost bool
}

// String says it for people.
func (f Foreign) String() string {
	who := "another program"
	if f.By != "" {
		who = f.By
	}
	if f.Kept {
		return fmt.Sprintf("%s has rewritten its files at %s, and its rows are the same", who, f.Time.Format(time.RFC3339))
	}
	text := fmt.Sprintf("its rows were changed by %s at %s (%s", who, f.Time.Format(time.RFC3339), f.Why)
	if f.Snapshot != 0 {
		text += fmt.Sprintf(", snapshot %d", f.Snapshot)
	}
	text += ")"
	if f.Lost {
		text += "; what was published before is gone"
	}
	return text
}

// Own gives the tables as they were published by tarn, and says what others have done to them since, by name. A table whose
// rows they have kept is shown with their files; one whose rows they have changed is shown as it was before, or without
// rows where that is gone. A draft of the latter takes the change back.
func (v *View) Own(ctx context.Context, names []string) (*View, map[string]Foreign, error) {
	out := v.Without(nil)
	found := map[string]Foreign{}
	for _, name := range names {
		t := v.tables[name]
		if t == nil {
			continue
		}
		f, err := t.foreign(ctx)
		if err != nil {
			return nil, nil, err
		}
		if f == nil {
			continue
		}
		found[name] = *f
		if f.Kept {
			continue
		}
		c := claimed(t.meta)
		if c == nil || f.Lost {
			out.tables[name] = &Table{lake: t.lake, name: t.name, location: t.location, meta: t.meta, nothing: true}
			continue
		}
		out.tables[name], _ = t.At(c.Snapshot)
	}
	return out, found, nil
}

// Expired reports whether another program has expired snapshots of the table that were kept when it was last published,
// and the time of the oldest one that is left.
func (t *Table) Expired() (since time.Time, expired bool) {
	c := claimed(t.meta)
	if c == nil || c.Oldest == 0 || t.meta.SnapshotByID(c.Oldest) != nil {
		return time.Time{}, false
	}
	if s := t.meta.SnapshotByID(oldest(t.meta)); s != nil {
		since = time.UnixMilli(s.TimestampMs).UTC()
	}
	return since, true
}

// foreign judges what others have committed to a table; nil for nothing.
func (t *Table) foreign(ctx context.Context) (*Foreign, error) {
	cur := t.meta.CurrentSnapshot()
	c := claimed(t.meta)
	if c == nil {
		if cur == nil || isOurs(cur) {
			return nil, nil
		}
		f := t.changedBy()
		f.Why, f.Lost = "it carries no mark of a publish", true
		return f, nil
	}
	if cur != nil && cur.SnapshotID == c.Snapshot && sameFields(t.meta.CurrentSchema(), schemaOf(t.meta, c.Schema)) {
		return nil, nil
	}
	f := t.changedBy()
	f.Lost = t.meta.SnapshotByID(c.Snapshot) == nil
	var err error
	f.Why, err = t.differs(ctx, state{snapshot: c.Snapshot, fields: schemaOf(t.meta, c.Schema), rows: c.Rows})
	f.Kept = f.Why == ""
	return f, err
}

// isOurs tells the snapshots of tarn from those of others where nothing else does.
func isOurs(s *table.Snapshot) bool {
	if s.Summary == nil {
		return false
	}
	for k := range s.Summary.Properties {
		if strings.HasPrefix(k, "tarn.") {
			return true
		}
	}
	return false
}

// changedBy says what others have made of the table, as far as its snapshot tells.
func (t *Table) changedBy() *Foreign {
	f, s := &Foreign{Table: t.name, Time: time.UnixMilli(t.meta.LastUpdatedMillis()).UTC()}, t.meta.CurrentSnapshot()
	if c := claimed(t.meta); s == nil || c != nil && c.Snapshot == s.SnapshotID {
		return f
	}
	f.Snapshot, f.Time = s.SnapshotID, time.UnixMilli(s.TimestampMs).UTC()
	if s.Summary != nil {
		f.Operation = string(s.Summary.Operation)
		for _, key := range []string{"engine-name", "app-name", "trino_query_id"} {
			if by := s.Summary.Properties[key]; by != "" {
				if key == "trino_query_id" {
					by = "Trino or Athena"
				}
				f.By = by
				break
			}
		}
	}
	return f
}

func schemaOf(meta table.Metadata, id int) *iceberg.Schema {
	for _, s := range meta.Schemas() {
		if s.ID == id {
			return s
		}
	}
	return nil
}

// state is one that a table was in.
type state struct {
	snapshot int64
	fields   *iceberg.Schema
	rows     int64 // -1 if it is not known
}

// differs says why the table's rows count as changed since it was in a state; "" if they do not.
func (t *Table) differs(ctx context.Context, then state) (why string, err error) {
	cur := t.meta.CurrentSnapshot()
	if cur == nil {
		return "it has no rows any more", nil
	}
	if !sameFields(t.meta.CurrentSchema(), then.fields) {
		return "its columns are others", nil
	}
	for s := t.meta.SnapshotByID(then.snapshot); s != nil && cur.SnapshotID != then.snapshot && s.ParentSnapshotID != nil; {
		if s = t.meta.SnapshotByID(*s.ParentSnapshotID); s != nil && s.SnapshotID == cur.SnapshotID {
			return "an earlier state was made the current one", nil
		}
	}
	earlier := t.past(then.snapshot)
	for s, in := cur, t.meta; s.SnapshotID != then.snapshot; {
		op := table.Operation("unknown")
		if s.Summary != nil {
			op = s.Summary.Operation
		}
		if op != table.OpReplace {
			return "operation " + string(op), nil
		}
		if s.SchemaID != nil && !sameFields(schemaOf(in, *s.SchemaID), then.fields) {
			return "its columns were others", nil
		}
		if s.ParentSnapshotID == nil {
			return "what was published is none of its earlier states", nil
		}
		if *s.ParentSnapshotID == then.snapshot {
			break
		}
		if s, in, err = earlier.snapshot(ctx, *s.ParentSnapshotID); err != nil {
			return "", err
		}
		if s == nil {
			return "the snapshots in between are gone", nil
		}
	}
	if cur.SnapshotID == then.snapshot {
		return "", nil
	}
	was := then.rows
	if was < 0 {
		before, ok := t.At(then.snapshot)
		if !ok {
			return "how many rows it had is not known any more", nil
		}
		if was, err = before.countRows(ctx); err != nil {
			return "", err
		}
	}
	now, err := t.countRows(ctx)
	switch {
	case errors.Is(err, ErrDeletes):
		return "some of its rows are deleted", nil
	case err != nil:
		return "", err
	case now != was:
		return fmt.Sprintf("%d rows, and it was published with %d", now, was), nil
	}
	return "", nil
}

// countRows adds up the rows of the data files; what summaries say is not asked for, as others have written them.
func (t *Table) countRows(ctx context.Context) (n int64, err error) {
	files, err := t.Files(ctx)
	for _, f := range files {
		n += f.Rows
	}
	return n, err
}

// sameFields compares columns without their comments.
func sameFields(a, b *iceberg.Schema) bool {
	return a != nil && b != nil && plainFields(a) == plainFields(b)
}

func plainFields(s *iceberg.Schema) string {
	fields := make([]iceberg.NestedField, len(s.Fields()))
	for i, f := range s.Fields() {
		f.Doc = ""
		fields[i] = f
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// takenBack reports whether the table is looked at as it was before others have changed its rows, so that a draft of it has
// to begin there.
func (t *Table) takenBack() bool {
	cur := t.meta.CurrentSnapshot()
	return t.nothing || t.snapshot != nil && (cur == nil || cur.SnapshotID != t.snapshot.SnapshotID)
}

// takeBack begins a draft with a snapshot that has the rows which the base is looked at with.
func (d *Draft) takeBack(ctx context.Context) error {
	list, schemaID := "", d.meta.CurrentSchema().ID
	if s := d.base.snapshot; s != nil {
		list = s.ManifestList
		if s.SchemaID != nil {
			schemaID = *s.SchemaID
		}
	}
	if schemaID != d.meta.CurrentSchema().ID {
		b, err := table.MetadataBuilderFromBase(d.meta, d.previous())
		if err == nil {
			err = b.SetCurrentSchemaID(schemaID)
		}
		if err == nil {
			d.meta, err = b.Build()
		}
		if err != nil {
			return err
		}
		d.changed = true
	}
	if _, err := d.bring(ctx, nil); err != nil {
		return err
	}
	next, err := d.withSnapshot(ctx, list, table.OpOverwrite, iceberg.Properties{"tarn.taken-back": "true"}, schemaID)
	if err != nil {
		return err
	}
	d.meta, d.changed = next, true
	return nil
}

// Adopt drafts a table to which others have committed as tarn's own again, with what was recorded with its rows: with their
// files where they have kept the rows, and as it was before where they have not.
func (l *Lake) Adopt(ctx context.Context, t *Table) (*Draft, error) {
	d := &Draft{lake: l, name: t.name, base: t, meta: t.meta}
	if err := d.place(ctx, t.meta.Location()); err != nil {
		return nil, fmt.Errorf("table %s: %w", t.name, err)
	}
	summary := t.Record()
	if t.takenBack() {
		if err := d.takeBack(ctx); err != nil {
			return nil, fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	return d, d.change(ctx, nil, nil, nil, summary)
}
