package lake

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/iceberg-go"
	icebergio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"

	"tarn/internal/schema"
)

// PartitionField is one entry of a table's partition spec.
type PartitionField struct {
	// Transform is identity, year, month, day, hour, bucket or truncate, as in the Iceberg spec.
	Transform string
	Column    string
	N         int // of bucket and truncate
}

// Shape is what a table should look like from its next snapshot on.
type Shape struct {
	Columns     []schema.Column
	PartitionBy []PartitionField
	Description string
	Zone        string
}

// Draft is the next state of one table, visible to nobody until it is published.
// Use: [Lake.Draft], write data files with its [Draft.FieldIDs] into its [Draft.DataDir], then [Draft.Replace] or [Draft.Append] once.
type Draft struct {
	lake    *Lake
	name    string
	base    *Table // nil for a new table
	meta    table.Metadata
	dir     string // of the table
	changed bool
	move    sqliteMove
}

type sqliteMove struct{ from, to string }

// Draft starts the next state of a table with a shape; columns of unchanged name and type keep their field ids.
func (l *Lake) Draft(v *View, name string, s Shape) (*Draft, error) {
	d := &Draft{lake: l, name: name, base: v.Table(name)}
	props := iceberg.Properties{
		"write.parquet.compression-codec":      "zstd",
		"write.metadata.previous-versions-max": "100",
		"write.delete.mode":                    "copy-on-write",
		"write.update.mode":                    "copy-on-write",
		"write.merge.mode":                     "copy-on-write",
		"commit.manifest-merge.enabled":        "true",
		"comment":                              s.Description,
		"tarn.zone":                            s.Zone,
	}
	if d.base == nil {
		d.dir = filepath.Join(filepath.FromSlash(l.warehouse), l.database, name)
		sc, err := buildSchema(s.Columns, nil, 0)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
		spec, err := partitionSpec(sc, s.PartitionBy, nil)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
		d.meta, err = table.NewMetadata(sc, &spec, table.UnsortedSortOrder, fileURI(d.dir), props)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
		return d, nil
	}
	d.dir = filepath.FromSlash(LocalPath(d.base.meta.Location()))
	if err := d.reshape(s, props); err != nil {
		return nil, fmt.Errorf("table %s: %w", name, err)
	}
	return d, nil
}

func (d *Draft) reshape(s Shape, props iceberg.Properties) error {
	old := d.base.meta
	sc, err := buildSchema(s.Columns, old.CurrentSchema(), old.LastColumnID())
	if err != nil {
		return err
	}
	b, err := table.MetadataBuilderFromBase(old, d.base.location)
	if err != nil {
		return err
	}
	if !sameSchema(sc, old.CurrentSchema()) {
		if err := b.AddSchema(sc); err != nil {
			return err
		}
		if err := b.SetCurrentSchemaID(-1); err != nil {
			return err
		}
		mapping, err := json.Marshal(sc.NameMapping())
		if err != nil {
			return err
		}
		props[table.DefaultNameMappingKey] = string(mapping)
	}
	spec, err := partitionSpec(sc, s.PartitionBy, old)
	if err != nil {
		return err
	}
	if have := old.PartitionSpec(); !sameSpec(have, spec) {
		if err := b.AddPartitionSpec(&spec, false); err != nil {
			return err
		}
		if err := b.SetDefaultSpecID(-1); err != nil {
			return err
		}
	}
	for k, v := range old.Properties() {
		if props[k] == v {
			delete(props, k)
		}
	}
	if len(props) > 0 {
		if err := b.SetProperties(props); err != nil {
			return err
		}
	}
	if !b.HasChanges() {
		d.meta = old
		return nil
	}
	d.meta, err = b.Build()
	d.changed = true
	return err
}

func sameSchema(a, b *iceberg.Schema) bool {
	x, errX := json.Marshal(a.Fields())
	y, errY := json.Marshal(b.Fields())
	return errX == nil && errY == nil && string(x) == string(y)
}

func sameSpec(a, b iceberg.PartitionSpec) bool {
	if a.NumFields() != b.NumFields() {
		return false
	}
	for i := range a.NumFields() {
		x, y := a.Field(i), b.Field(i)
		if !slices.Equal(x.SourceIDs, y.SourceIDs) || x.Transform.String() != y.Transform.String() || x.Name != y.Name {
			return false
		}
	}
	return true
}

// partitionSpec writes the declared partitions. A field that a spec of old has had keeps its id and name; all others get
// ids that were never used in this table (Iceberg spec, "Partition Evolution"). old is nil for a new table.
func partitionSpec(sc *iceberg.Schema, by []PartitionField, old table.Metadata) (iceberg.PartitionSpec, error) {
	last := iceberg.PartitionDataIDStart - 1
	had := map[string]iceberg.PartitionField{}
	if old != nil {
		if id := old.LastPartitionSpecID(); id != nil {
			last = max(last, *id)
		}
		for _, spec := range old.PartitionSpecs() {
			for f := range spec.Fields() {
				f := spec.Field(f)
				last = max(last, f.FieldID)
				had[fmt.Sprint(f.SourceIDs, f.Transform)] = f
			}
		}
	}
	fields := make([]iceberg.PartitionField, len(by))
	for i, p := range by {
		f, ok := sc.FindFieldByNameCaseInsensitive(p.Column)
		if !ok {
			return iceberg.PartitionSpec{}, fmt.Errorf("partition column %s is not in the table", p.Column)
		}
		text, name := p.Transform, f.Name+"_"+p.Transform
		switch p.Transform {
		case "identity":
			name = f.Name
		case "bucket", "truncate":
			text = fmt.Sprintf("%s[%d]", p.Transform, p.N)
		}
		transform, err := iceberg.ParseTransform(text)
		if err != nil {
			return iceberg.PartitionSpec{}, err
		}
		if !transform.CanTransform(f.Type) {
			return iceberg.PartitionSpec{}, fmt.Errorf("%s does not go with column %s of type %s", p.Transform, f.Name, f.Type)
		}
		fields[i] = iceberg.PartitionField{SourceIDs: []int{f.ID}, Name: name, Transform: transform}
		if f, ok := had[fmt.Sprint(fields[i].SourceIDs, transform)]; ok {
			fields[i].FieldID, fields[i].Name = f.FieldID, f.Name
		} else {
			last++
			fields[i].FieldID = last
		}
	}
	return iceberg.NewPartitionSpec(fields...), nil
}

// Name is the table's name.
func (d *Draft) Name() string { return d.name }

// DataDir is the folder for the data files of one run.
func (d *Draft) DataDir(runID string) string { return filepath.Join(d.dir, "data", runID) }

// FieldIDs writes the field ids as DuckDB's COPY takes them in FIELD_IDS, such as `{"a": 1, "b": {__duckdb_field_id: 2, "element": 3}}`.
func (d *Draft) FieldIDs() string { return structIDs(d.meta.CurrentSchema().Fields(), "") }

func structIDs(fields []iceberg.NestedField, own string) string {
	parts := make([]string, 0, len(fields)+1)
	if own != "" {
		parts = append(parts, "__duckdb_field_id: "+own)
	}
	for _, f := range fields {
		parts = append(parts, schema.Quote(f.Name)+": "+fieldIDs(f.Type, f.ID))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func fieldIDs(t iceberg.Type, id int) string {
	own := strconv.Itoa(id)
	switch t := t.(type) {
	case *iceberg.StructType:
		return structIDs(t.FieldList, own)
	case *iceberg.ListType:
		return "{__duckdb_field_id: " + own + ", element: " + fieldIDs(t.Element, t.ElementID) + "}"
	case *iceberg.MapType:
		return "{__duckdb_field_id: " + own + ", key: " + fieldIDs(t.KeyType, t.KeyID) + ", value: " + fieldIDs(t.ValueType, t.ValueID) + "}"
	}
	return own
}

// Replace makes the table consist of exactly these data files (absolute paths), or of no rows. summary goes into the snapshot.
func (d *Draft) Replace(ctx context.Context, files []string, summary map[string]string) error {
	var old []string
	if d.base != nil {
		current, err := d.base.Files()
		if err != nil {
			return err
		}
		for _, f := range current {
			old = append(old, f.Location)
		}
	}
	return d.change(ctx, old, files, summary)
}

// Swap takes the data files removed (by their Location) out of the table and adds others (absolute paths), all else stays.
func (d *Draft) Swap(ctx context.Context, removed, added []string, summary map[string]string) error {
	return d.change(ctx, removed, added, summary)
}

// change stages one snapshot and writes its metadata file.
func (d *Draft) change(ctx context.Context, removed, added []string, summary map[string]string) error {
	wrap := func(err error) error { return fmt.Errorf("table %s: %w", d.name, err) }
	if err := os.MkdirAll(filepath.Join(d.dir, "metadata"), 0o755); err != nil {
		return wrap(err)
	}
	uris := make([]string, len(added))
	for i, f := range added {
		uris[i] = fileURI(f)
	}
	props := iceberg.Properties(maps.Clone(summary))
	next := d.meta
	if len(removed)+len(added) > 0 {
		fs := func(context.Context) (icebergio.IO, error) { return localFS, nil }
		tbl := table.New(table.Identifier{d.lake.database, d.name}, d.meta, "", fs, nil)
		tx := tbl.NewTransaction()
		if err := tx.ReplaceDataFiles(ctx, removed, uris, props); err != nil {
			return wrap(err)
		}
		commit, err := tx.TableCommit()
		if err != nil {
			return wrap(err)
		}
		b, err := table.MetadataBuilderFromBase(d.meta, d.previous())
		if err != nil {
			return wrap(err)
		}
		for _, u := range commit.Updates {
			if err := u.Apply(b); err != nil {
				return wrap(err)
			}
		}
		if next, err = b.Build(); err != nil {
			return wrap(err)
		}
		if next, err = d.plainLocations(next); err != nil {
			return wrap(err)
		}
	} else {
		var err error
		if next, err = d.unchangedRows(props); err != nil {
			return wrap(err)
		}
	}
	return d.write(next)
}

// previous is the metadata file that the next one's log has to name, unless reshaping has done so.
func (d *Draft) previous() string {
	if d.base == nil || d.changed {
		return ""
	}
	return d.base.location
}

// unchangedRows stages a snapshot with the rows of the one before (or with none), so that its summary moves on.
func (d *Draft) unchangedRows(props iceberg.Properties) (table.Metadata, error) {
	var list string
	if cur := d.meta.CurrentSnapshot(); cur != nil {
		list = cur.ManifestList
	}
	return d.withSnapshot(list, table.OpAppend, props, d.meta.CurrentSchema().ID)
}

// totals are the entries of a snapshot's summary that say what the whole table holds.
var totals = []string{"total-records", "total-data-files", "total-files-size", "total-delete-files", "total-position-deletes", "total-equality-deletes"}

// withSnapshot adds a snapshot that uses an existing manifest list, or an empty one where list is "".
func (d *Draft) withSnapshot(list string, op table.Operation, props iceberg.Properties, schemaID int) (table.Metadata, error) {
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
		if list, err = d.emptyManifestList(id, parent, seq); err != nil {
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

func (d *Draft) emptyManifestList(id int64, parent *int64, seq int64) (string, error) {
	path := filepath.Join(d.dir, "metadata", fmt.Sprintf("snap-%d-0-%s.avro", id, uuid.NewString()))
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	if err := iceberg.WriteManifestList(2, f, id, parent, &seq, 0, nil); err != nil {
		_ = f.Close()
		return "", err
	}
	return fileURI(path), f.Close()
}

// write puts the metadata file where the next pointer will point to.
func (d *Draft) write(next table.Metadata) error {
	version := 0
	if d.base != nil {
		d.move.from = d.base.location
		head, _, _ := strings.Cut(filepath.Base(LocalPath(d.base.location)), "-")
		if n, err := strconv.Atoi(head); err == nil {
			version = n + 1
		}
	}
	raw, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("table %s: %w", d.name, err)
	}
	path := filepath.Join(d.dir, "metadata", fmt.Sprintf("%05d-%s.metadata.json", version, uuid.NewString()))
	if err := writeSynced(path, raw); err != nil {
		return fmt.Errorf("table %s: %w", d.name, err)
	}
	d.meta, d.move.to = next, fileURI(path)
	return nil
}

// Table gives the table as it will be once the draft is published.
func (d *Draft) Table() *Table { return &Table{name: d.name, location: d.move.to, meta: d.meta} }

// Reshaped reports whether columns, partitions or properties differ from what is published.
func (d *Draft) Reshaped() bool { return d.base == nil || d.changed }
