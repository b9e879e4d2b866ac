package lake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	fsys "io/fs"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"

	"tarn/internal/catalog"
)

// Rebase brings the change of a publish to a table together with what others have committed to it meanwhile; it is a
// [catalog.Rebase]. The snapshot keeps its id, so that everything which names it stays right. Where others have changed rows,
// theirs become an earlier state and the table has what the publish made of its inputs; [Lake.TakenBack] tells. The error is
// [catalog.ErrRowsChanged] where that cannot be: the publish added to files which are gone, or theirs is another table.
func (l *Lake) Rebase(ctx context.Context, m catalog.Move, theirs string) (string, error) {
	before, err := l.readTable(ctx, m.Table, m.From)
	if err != nil {
		return "", err
	}
	ours, err := l.readTable(ctx, m.Table, m.To)
	if err != nil {
		return "", err
	}
	t, err := l.readTable(ctx, m.Table, theirs)
	if err != nil {
		return "", err
	}
	if s := ours.meta.CurrentSnapshot(); s != nil && before.Current() != s.SnapshotID && t.meta.SnapshotByID(s.SnapshotID) != nil {
		return theirs, nil
	}
	for e := range t.meta.PreviousFiles() {
		if e.MetadataFile == m.To { // they came after it, and have expired its snapshot since
			return theirs, nil
		}
	}
	d, back, err := l.rebased(ctx, before, ours, t, m.Change, true)
	if err != nil {
		return "", fmt.Errorf("table %s: %w", m.Table, err)
	}
	if back != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.takenBack = append(l.takenBack, *back)
	}
	return d.to, nil
}

// TakenBack lists what others have done to rows at the very moment of a publish, since it was asked last: such tables have what
// was published, and theirs is one of their earlier states.
func (l *Lake) TakenBack() []Foreign {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.takenBack
	l.takenBack = nil
	return out
}

// RebaseDrafts moves drafts that could not be published on to where others have moved their tables since, where that has left
// the rows as they are. The error is [catalog.ErrRowsChanged] where it has not. It says how many were moved.
func (l *Lake) RebaseDrafts(ctx context.Context, drafts []*Draft) (moved int, err error) {
	at, err := l.catalog.Pointers(ctx)
	if err != nil {
		return 0, err
	}
	for _, d := range drafts {
		theirs := at[d.name]
		if theirs == d.from {
			continue
		}
		if theirs == "" || d.from == "" || d.to == "" {
			return moved, fmt.Errorf("table %s was made or dropped by another program: %w", d.name, catalog.ErrConflict)
		}
		before, err := l.readTable(ctx, d.name, d.from)
		if err != nil {
			return moved, err
		}
		t, err := l.readTable(ctx, d.name, theirs)
		if err != nil {
			return moved, err
		}
		on, _, err := l.rebased(ctx, before, d.Table(), t, d.rows, false)
		if err != nil {
			return moved, fmt.Errorf("table %s: %w", d.name, err)
		}
		d.mu.Lock()
		d.from, d.to, d.meta, d.metadata = theirs, on.to, on.meta, append(d.metadata, on.metadata...)
		d.mu.Unlock()
		moved++
	}
	return moved, nil
}

// rebased drafts the change from before to ours on top of theirs. If theirs changed rows, that is an error, or with instead it
// is taken back and told.
func (l *Lake) rebased(ctx context.Context, before, ours, theirs *Table, change catalog.Change, instead bool) (_ *Draft, back *Foreign, err error) {
	if a, b := before.meta, theirs.meta; a.TableUUID() != b.TableUUID() || ours.meta.Version() != b.Version() {
		return nil, nil, fmt.Errorf("%w (it is another table now, or one of another format version)", catalog.ErrRowsChanged)
	}
	why, err := theirs.since(ctx, before)
	if err != nil {
		return nil, nil, err
	}
	s := ours.meta.CurrentSnapshot()
	published := s != nil && s.SnapshotID != before.Current()
	if why != "" {
		if !instead || !published {
			return nil, nil, fmt.Errorf("%w (%s)", catalog.ErrRowsChanged, why)
		}
		back = theirs.changedBy()
		back.Why = why
	}
	d := &Draft{lake: l, name: theirs.name, base: theirs, meta: theirs.meta}
	if err := d.place(ctx, theirs.meta.Location()); err != nil {
		return nil, nil, err
	}
	if err := d.reshapeAs(before, ours); err != nil {
		return nil, nil, err
	}
	next := d.meta
	if published {
		list, summary, err := d.together(ctx, before, ours, theirs, back == nil && !change.All && len(change.Removed) == 0)
		if err != nil {
			return nil, nil, err
		}
		if back != nil {
			summary = overwriting(summary)
		}
		if next, err = d.addSnapshot(s, list, summary); err != nil {
			return nil, nil, err
		}
	}
	return d, back, d.write(ctx, next)
}

// since says why the rows count as changed since a table was as before; "" if they do not.
func (t *Table) since(ctx context.Context, before *Table) (why string, err error) {
	s := before.meta.CurrentSnapshot()
	if s == nil {
		if t.meta.CurrentSnapshot() == nil {
			return "", nil
		}
		return "it had no rows", nil
	}
	rows, err := before.Rows(ctx) // its files may be gone
	if err != nil {
		return "", err
	}
	return t.differs(ctx, state{snapshot: s.SnapshotID, fields: before.meta.CurrentSchema(), rows: rows})
}

// reshapeAs gives the draft the columns, partitions, properties and expired snapshots that ours has and before had not.
func (d *Draft) reshapeAs(before, ours *Table) error {
	b, err := table.MetadataBuilderFromBase(d.meta, d.previous())
	if err != nil {
		return err
	}
	if last := before.meta.LastColumnID(); d.meta.LastColumnID() > last && ours.meta.LastColumnID() > last {
		// Both have given the same ids to columns of theirs.
		return fmt.Errorf("%w (it has got other columns)", catalog.ErrRowsChanged)
	}
	if sc := ours.meta.CurrentSchema(); !sameSchema(sc, d.meta.CurrentSchema()) {
		if err := b.AddSchema(iceberg.NewSchemaWithIdentifiers(sc.ID, sc.IdentifierFieldIDs, sc.Fields()...)); err != nil {
			return err
		}
		if err := b.SetCurrentSchemaID(-1); err != nil {
			return err
		}
	}
	if spec := ours.meta.PartitionSpec(); !sameSpec(spec, d.meta.PartitionSpec()) {
		if err := b.AddPartitionSpec(&spec, false); err != nil {
			return err
		}
		if err := b.SetDefaultSpecID(-1); err != nil {
			return err
		}
	}
	props := iceberg.Properties{}
	for k, v := range ours.meta.Properties() {
		if old, had := before.meta.Properties()[k]; (!had || old != v) && d.meta.Properties()[k] != v {
			props[k] = v
		}
	}
	if len(props) > 0 {
		if err := b.SetProperties(props); err != nil {
			return err
		}
	}
	var expired []int64
	kept, _ := referred(d.meta, time.Now())
	for _, s := range before.meta.Snapshots() {
		if !kept[s.SnapshotID] && ours.meta.SnapshotByID(s.SnapshotID) == nil && d.meta.SnapshotByID(s.SnapshotID) != nil {
			expired = append(expired, s.SnapshotID)
		}
	}
	if len(expired) > 0 {
		if err := b.RemoveSnapshots(expired, false); err != nil {
			return err
		}
	}
	if err := retag(b, before.meta, ours.meta, d.meta); err != nil {
		return err
	}
	if !b.HasChanges() {
		return nil
	}
	if d.meta, err = b.Build(); err != nil {
		return err
	}
	d.changed = true
	if d.meta.DefaultPartitionSpec() != ours.meta.DefaultPartitionSpec() {
		// The files of the publish are filed under a number that is another's here.
		return fmt.Errorf("%w (its partitions are others)", catalog.ErrRowsChanged)
	}
	return nil
}

// together gives the manifest list of a snapshot with their files and our change, and what its summary says of both. What
// we have only added comes on top of their files; otherwise ours are taken as they are, for their rows are those that we
// started from.
func (d *Draft) together(ctx context.Context, before, ours, theirs *Table, onlyAdds bool) (list string, summary *table.Summary, err error) {
	s := ours.meta.CurrentSnapshot()
	props := iceberg.Properties{}
	summary = &table.Summary{Operation: table.OpOverwrite, Properties: props}
	if s.Summary != nil {
		summary.Operation = s.Summary.Operation
		maps.Copy(props, s.Summary.Properties)
	}
	fs := d.lake.io(ctx)
	var mine []iceberg.ManifestFile
	if was := before.meta.CurrentSnapshot(); !onlyAdds || was == nil || was.ManifestList != s.ManifestList { // otherwise it added nothing
		mine, err = s.Manifests(fs)
	}
	if errors.Is(err, fsys.ErrNotExist) { // it goes back to a state that is gone
		return "", nil, errExpired
	}
	if err != nil {
		return "", nil, err
	}
	var added, old []iceberg.ManifestFile
	for _, m := range mine {
		switch {
		case m.SnapshotID() != s.SnapshotID:
			old = append(old, m)
		case m.ExistingDataFiles() > 0:
			// It names earlier files, which are there as long as the snapshot is that we started from.
			onlyAdds = false
			if theirs.meta.SnapshotByID(before.Current()) == nil {
				return "", nil, errExpired
			}
		default:
			added = append(added, m)
		}
	}
	if !onlyAdds {
		there := map[string]bool{}
		if err := theirs.reachMetadata(ctx, there); err != nil {
			return "", nil, err
		}
		for _, m := range old {
			if !there[plainScheme(m.FilePath())] {
				return "", nil, errExpired
			}
		}
		return s.ManifestList, summary, nil
	}
	var now []iceberg.ManifestFile
	t := theirs.meta.CurrentSnapshot()
	if t != nil {
		if now, err = t.Manifests(fs); err != nil {
			return "", nil, err
		}
		for total, extra := range map[string]string{"total-data-files": "added-data-files", "total-files-size": "added-files-size"} {
			if err := sum(props, total, t, extra); err != nil {
				return "", nil, err
			}
		}
	}
	var out bytes.Buffer
	seq := d.meta.LastSequenceNumber() + 1
	if err := iceberg.WriteManifestList(2, &out, s.SnapshotID, parentOf(d.meta), &seq, 0, append(now, added...)); err != nil {
		return "", nil, err
	}
	list = d.metadataFile(fmt.Sprintf("snap-%d-0-%s.avro", s.SnapshotID, uuid.NewString()))
	return list, summary, tableIO{ctx: ctx, lake: d.lake, draft: d}.WriteFile(list, out.Bytes())
}

// overwriting gives the summary of a snapshot that takes the place of rows which others have put there: what it says of the files
// that came and went is about a state before theirs.
func overwriting(s *table.Summary) *table.Summary {
	props := maps.Clone(s.Properties)
	maps.DeleteFunc(props, func(key, _ string) bool {
		return strings.HasPrefix(key, "added-") || strings.HasPrefix(key, "deleted-") || strings.HasPrefix(key, "removed-")
	})
	return &table.Summary{Operation: table.OpOverwrite, Properties: props}
}

// errExpired says that another program has removed files which the change needs.
var errExpired = fmt.Errorf("%w (the files that it started from are expired)", catalog.ErrRowsChanged)

// sum corrects a total of ours by what theirs says; where one says nothing there is no total.
func sum(props iceberg.Properties, total string, theirs *table.Snapshot, added string) error {
	if theirs.Summary == nil || theirs.Summary.Properties[total] == "" {
		delete(props, total)
		return nil
	}
	n, err := strconv.ParseInt(theirs.Summary.Properties[total], 10, 64)
	if err != nil {
		return fmt.Errorf("%s of snapshot %d: %w", total, theirs.SnapshotID, err)
	}
	if text := props[added]; text != "" {
		more, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%s: %w", added, err)
		}
		n += more
	}
	props[total] = strconv.FormatInt(n, 10)
	return nil
}

func parentOf(meta table.Metadata) *int64 {
	if cur := meta.CurrentSnapshot(); cur != nil {
		return &cur.SnapshotID
	}
	return nil
}

// addSnapshot adds a snapshot of ours with its id, another manifest list and another summary.
func (d *Draft) addSnapshot(s *table.Snapshot, list string, summary *table.Summary) (table.Metadata, error) {
	b, err := table.MetadataBuilderFromBase(d.meta, d.previous())
	if err != nil {
		return nil, err
	}
	schemaID := d.meta.CurrentSchema().ID
	next := &table.Snapshot{SnapshotID: s.SnapshotID, ParentSnapshotID: parentOf(d.meta), SequenceNumber: d.meta.LastSequenceNumber() + 1,
		TimestampMs: nowAfter(d.meta), ManifestList: list, SchemaID: &schemaID, Summary: summary}
	if err := b.AddSnapshot(next); err != nil {
		return nil, err
	}
	if err := b.SetSnapshotRef(table.MainBranch, s.SnapshotID, table.BranchRef); err != nil {
		return nil, err
	}
	meta, err := b.Build()
	if err != nil {
		return nil, err
	}
	c := claimed(meta)
	if c == nil || c.Schema == schemaID {
		return meta, nil
	}
	// The same columns have another number here.
	c.Schema = schemaID
	return withClaim(meta, *c)
}
