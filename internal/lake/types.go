package lake

import (
	"fmt"

	"github.com/apache/iceberg-go"

	"tarn/internal/schema"
)

// icebergType gives the Iceberg v2 type that holds every value of t. The small whole numbers become int, as in Spark.
// next hands out the field ids of nested parts.
func icebergType(t schema.Type, next func() int) (iceberg.Type, error) {
	switch t.Kind {
	case schema.Boolean:
		return iceberg.PrimitiveTypes.Bool, nil
	case schema.TinyInt, schema.SmallInt, schema.Int:
		return iceberg.PrimitiveTypes.Int32, nil
	case schema.BigInt:
		return iceberg.PrimitiveTypes.Int64, nil
	case schema.Float:
		return iceberg.PrimitiveTypes.Float32, nil
	case schema.Double:
		return iceberg.PrimitiveTypes.Float64, nil
	case schema.Decimal:
		return iceberg.DecimalTypeOf(t.Precision, t.Scale), nil
	case schema.String, schema.Varchar, schema.Char:
		return iceberg.PrimitiveTypes.String, nil
	case schema.Binary:
		return iceberg.PrimitiveTypes.Binary, nil
	case schema.Date:
		return iceberg.PrimitiveTypes.Date, nil
	case schema.Time:
		return iceberg.PrimitiveTypes.Time, nil
	case schema.Timestamp:
		return iceberg.PrimitiveTypes.Timestamp, nil
	case schema.TimestampTZ:
		return iceberg.PrimitiveTypes.TimestampTz, nil
	case schema.UUID:
		return iceberg.PrimitiveTypes.UUID, nil
	case schema.Array:
		id := next()
		elem, err := icebergType(*t.Elem, next)
		return &iceberg.ListType{ElementID: id, Element: elem}, err
	case schema.Map:
		keyID, valueID := next(), next()
		key, err := icebergType(*t.Key, next)
		if err != nil {
			return nil, err
		}
		value, err := icebergType(*t.Elem, next)
		return &iceberg.MapType{KeyID: keyID, KeyType: key, ValueID: valueID, ValueType: value}, err
	case schema.Struct:
		fields := make([]iceberg.NestedField, len(t.Fields))
		for i, f := range t.Fields {
			id := next()
			typ, err := icebergType(f.Type, next)
			if err != nil {
				return nil, err
			}
			fields[i] = iceberg.NestedField{ID: id, Name: f.Name, Type: typ, Doc: f.Comment}
		}
		return &iceberg.StructType{FieldList: fields}, nil
	}
	return nil, fmt.Errorf("type %s has no counterpart in an Iceberg table", t.Kind)
}

// columnType is the way back. A table written by another program can have types that tarn does not know.
func columnType(t iceberg.Type) (schema.Type, error) {
	switch t := t.(type) {
	case iceberg.BooleanType:
		return schema.Type{Kind: schema.Boolean}, nil
	case iceberg.Int32Type:
		return schema.Type{Kind: schema.Int}, nil
	case iceberg.Int64Type:
		return schema.Type{Kind: schema.BigInt}, nil
	case iceberg.Float32Type:
		return schema.Type{Kind: schema.Float}, nil
	case iceberg.Float64Type:
		return schema.Type{Kind: schema.Double}, nil
	case iceberg.DecimalType:
		return schema.Type{Kind: schema.Decimal, Precision: t.Precision(), Scale: t.Scale()}, nil
	case iceberg.StringType:
		return schema.Type{Kind: schema.String}, nil
	case iceberg.BinaryType, iceberg.FixedType:
		return schema.Type{Kind: schema.Binary}, nil
	case iceberg.DateType:
		return schema.Type{Kind: schema.Date}, nil
	case iceberg.TimeType:
		return schema.Type{Kind: schema.Time}, nil
	case iceberg.TimestampType:
		return schema.Type{Kind: schema.Timestamp}, nil
	case iceberg.TimestampTzType:
		return schema.Type{Kind: schema.TimestampTZ}, nil
	case iceberg.UUIDType:
		return schema.Type{Kind: schema.UUID}, nil
	case *iceberg.ListType:
		elem, err := columnType(t.Element)
		return schema.Type{Kind: schema.Array, Elem: &elem}, err
	case *iceberg.MapType:
		key, err := columnType(t.KeyType)
		if err != nil {
			return schema.Type{}, err
		}
		elem, err := columnType(t.ValueType)
		return schema.Type{Kind: schema.Map, Key: &key, Elem: &elem}, err
	case *iceberg.StructType:
		out := schema.Type{Kind: schema.Struct}
		for _, f := range t.FieldList {
			typ, err := columnType(f.Type)
			if err != nil {
				return out, err
			}
			out.Fields = append(out.Fields, schema.Field{Name: f.Name, Type: typ, Comment: f.Doc})
		}
		return out, nil
	}
	return schema.Type{}, fmt.Errorf("an Iceberg column of type %s is not supported", t)
}

// buildSchema writes columns as an Iceberg schema. A column that stood in old with the same name, and the same type or one
// that Iceberg lets grow into the new one, keeps its field id; all others get ids above last, which were never used in
// this table (Iceberg spec, "Schema Evolution").
func buildSchema(columns []schema.Column, old *iceberg.Schema, last int) (*iceberg.Schema, error) {
	next := func() int { last++; return last }
	fields := make([]iceberg.NestedField, len(columns))
	type pending struct{ index int }
	var fresh []pending
	for i, c := range columns {
		name := schema.StoredName(c.Name)
		if old != nil {
			f, ok := old.FindFieldByName(name)
			if !ok {
				f, ok = old.FindFieldByName(c.Name)
			}
			if ok {
				if have, err := columnType(f.Type); err == nil && have.DuckDB() == normal(c.Type).DuckDB() {
					fields[i] = iceberg.NestedField{ID: f.ID, Name: name, Type: f.Type, Doc: c.Comment}
					continue
				}
				if typ, ok := widened(f.Type, c.Type); ok {
					fields[i] = iceberg.NestedField{ID: f.ID, Name: name, Type: typ, Doc: c.Comment}
					continue
				}
			}
		}
		// Ids of the top level come first, as Iceberg's own fresh assignment has them.
		fields[i] = iceberg.NestedField{ID: next(), Name: name, Doc: c.Comment}
		fresh = append(fresh, pending{i})
	}
	for _, p := range fresh {
		typ, err := icebergType(columns[p.index].Type, next)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", columns[p.index].Name, err)
		}
		fields[p.index].Type = typ
	}
	return iceberg.NewSchema(0, fields...), nil
}

// widened gives the new type of a column if every reader may take the old one's values for it: int to long, float to
// double, and a decimal to one of the same scale with more digits.
func widened(old iceberg.Type, to schema.Type) (iceberg.Type, bool) {
	typ, err := icebergType(to, func() int { return 0 })
	if err != nil {
		return nil, false
	}
	switch old := old.(type) {
	case iceberg.Int32Type:
		_, ok := typ.(iceberg.Int64Type)
		return typ, ok
	case iceberg.Float32Type:
		_, ok := typ.(iceberg.Float64Type)
		return typ, ok
	case iceberg.DecimalType:
		wide, ok := typ.(iceberg.DecimalType)
		return typ, ok && wide.Scale() == old.Scale() && wide.Precision() > old.Precision()
	}
	return nil, false
}

// normal is t as it comes back from an Iceberg table.
func normal(t schema.Type) schema.Type {
	n := 0
	typ, err := icebergType(t, func() int { n++; return n })
	if err != nil {
		return t
	}
	out, err := columnType(typ)
	if err != nil {
		return t
	}
	return out
}

// SameType reports whether two column types are stored alike, as a string and a varchar(10) are.
func SameType(a, b schema.Type) bool { return normal(a).DuckDB() == normal(b).DuckDB() }
