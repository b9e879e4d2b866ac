package lake

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

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
	// Reference says that the table's data files are files of others, which no clean-up may remove: gc.enabled tells other
	// engines so (Iceberg, "Table behavior properties").
	Reference bool
}

func (d *Draft) reshape(s Shape, props iceberg.Properties) error {
	old := d.meta
	sc, err := buildSchema(s.Columns, old.CurrentSchema(), old.LastColumnID())
	if err != nil {
		return err
	}
	b, err := table.MetadataBuilderFromBase(old, d.previous())
	if err != nil {
		return err
	}
	if d.moves {
		if err := b.SetLoc(d.at); err != nil {
			return err
		}
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
		f, ok := sc.FindFieldByNameCaseInsensitive(schema.StoredName(p.Column))
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

// FieldIDs writes the field ids as DuckDB's COPY takes them in FIELD_IDS, such as `{"a": 1, "b": {__duckdb_field_id: 2, "element": 3}}`.
// Names are those of the Iceberg table: see [schema.StoredName].
func (d *Draft) FieldIDs() string {
	return structIDs(d.meta.CurrentSchema().Fields(), "")
}

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
