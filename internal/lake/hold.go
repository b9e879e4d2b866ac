package lake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apache/iceberg-go/table"
)

// Hold is a tag of a table: a name for one of its snapshots, which is kept for as long as the tag counts. Other programs that
// expire snapshots respect it as well, as it is one of Iceberg's own.
type Hold struct {
	Name     string
	Snapshot int64
	// Until is when it counts no more; the zero time is never.
	Until time.Time
}

// ErrNoHold says that a table has no tag of a name.
var ErrNoHold = errors.New("no such tag")

// over reports whether the tag counts no more.
func (h Hold) over(now time.Time) bool { return !h.Until.IsZero() && !now.Before(h.Until) }

// until is when a reference counts no more: its longest age is that of its snapshot (Iceberg specification, "Snapshot
// Retention Policy").
func until(meta table.Metadata, ref table.SnapshotRef) time.Time {
	s := meta.SnapshotByID(ref.SnapshotID)
	if ref.MaxRefAgeMs == nil || s == nil {
		return time.Time{}
	}
	return time.UnixMilli(s.TimestampMs + *ref.MaxRefAgeMs).UTC()
}

// Holds lists the tags that count now, by their names.
func (t *Table) Holds() []Hold {
	var out []Hold
	for name, ref := range t.meta.Refs() {
		h := Hold{name, ref.SnapshotID, until(t.meta, ref)}
		if ref.SnapshotRefType == table.TagRef && !h.over(time.Now()) {
			out = append(out, h)
		}
	}
	slices.SortFunc(out, func(a, b Hold) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// referred gives the snapshots that tags and branches keep which count at a moment, and the names of those that count no more.
func referred(meta table.Metadata, now time.Time) (kept map[int64]bool, over []string) {
	kept = map[int64]bool{}
	for name, ref := range meta.Refs() {
		if (Hold{Until: until(meta, ref)}).over(now) && name != table.MainBranch {
			over = append(over, name)
			continue
		}
		kept[ref.SnapshotID] = true
	}
	slices.Sort(over)
	return kept, over
}

// Hold drafts a tag on one of the table's kept snapshots. A tag of that name on the same snapshot is made to last longer where
// it ends earlier; on another one it is an error. The draft is nil if there is nothing to change.
func (l *Lake) Hold(ctx context.Context, t *Table, h Hold) (*Draft, error) {
	s := t.meta.SnapshotByID(h.Snapshot)
	if s == nil {
		return nil, notKept(t.name, h.Snapshot, t)
	}
	age := h.Until.UnixMilli() - s.TimestampMs
	if age <= 0 {
		return nil, fmt.Errorf("table %s: a tag until %s would be over before its snapshot", t.name, h.Until.UTC().Format(time.DateTime))
	}
	for name, ref := range t.meta.Refs() {
		if name != h.Name {
			continue
		}
		if ref.SnapshotID != h.Snapshot || ref.SnapshotRefType != table.TagRef {
			return nil, fmt.Errorf("table %s has another tag or branch %s", t.name, name)
		}
		if ref.MaxRefAgeMs == nil || *ref.MaxRefAgeMs >= age {
			return nil, nil
		}
	}
	return l.redraft(ctx, t, func(b *table.MetadataBuilder) error {
		return b.SetSnapshotRef(h.Name, h.Snapshot, table.TagRef, table.WithMaxRefAgeMs(age))
	})
}

// Release drafts the table without a tag. The error is [ErrNoHold] if it has none of that name.
func (l *Lake) Release(ctx context.Context, t *Table, name string) (*Draft, error) {
	for n, ref := range t.meta.Refs() {
		if n == name && ref.SnapshotRefType == table.TagRef {
			return l.redraft(ctx, t, func(b *table.MetadataBuilder) error { return b.RemoveSnapshotRef(name) })
		}
	}
	return nil, fmt.Errorf("table %s: %w: %s", t.name, ErrNoHold, name)
}

// redraft drafts a table with other metadata and the same rows.
func (l *Lake) redraft(ctx context.Context, t *Table, change func(*table.MetadataBuilder) error) (*Draft, error) {
	b, err := table.MetadataBuilderFromBase(t.meta, t.location)
	if err == nil {
		err = change(b)
	}
	var next table.Metadata
	if err == nil {
		next, err = b.Build()
	}
	d := &Draft{lake: l, name: t.name, base: t}
	if err == nil {
		err = d.place(ctx, t.meta.Location())
	}
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", t.name, err)
	}
	return d, d.write(ctx, next)
}

// retag makes the changes to tags and branches in which ours differs from before.
func retag(b *table.MetadataBuilder, before, ours, now table.Metadata) error {
	refs := func(m table.Metadata) map[string]table.SnapshotRef {
		out := map[string]table.SnapshotRef{}
		for name, ref := range m.Refs() {
			if name != table.MainBranch {
				out[name] = ref
			}
		}
		return out
	}
	was, is, there := refs(before), refs(ours), refs(now)
	for name, ref := range is {
		old, had := was[name]
		if had && old.Equals(ref) || now.SnapshotByID(ref.SnapshotID) == nil {
			continue
		}
		var err error
		if ref.MaxRefAgeMs != nil {
			err = b.SetSnapshotRef(name, ref.SnapshotID, ref.SnapshotRefType, table.WithMaxRefAgeMs(*ref.MaxRefAgeMs))
		} else {
			err = b.SetSnapshotRef(name, ref.SnapshotID, ref.SnapshotRefType)
		}
		if err != nil {
			return err
		}
	}
	for name := range was {
		_, keeps := is[name]
		if theirs, has := there[name]; !keeps && has && theirs.Equals(was[name]) {
			if err := b.RemoveSnapshotRef(name); err != nil {
				return err
			}
		}
	}
	return nil
}
