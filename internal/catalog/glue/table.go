package glue

import (
	"maps"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"tarn/internal/schema"
)

// Parameters of tables in Glue. The first three are Iceberg's, as all its libraries write and read them.
const (
	paramType     = "table_type"
	paramAt       = "metadata_location"
	paramPrevious = "previous_metadata_location"
	// paramLake is the id of the lake that a table belongs to, paramName the name that it was given there: a table that was
	// renamed carries another.
	paramLake = "tarn.lake"
	paramName = "tarn.table"
	// paramSeq is the number of the publish that moved it last.
	paramSeq = "tarn.publish"
	// paramPartitions is on landing tables: see marks.
	paramPartitions = "tarn.partitions"
)

// Longest texts that Glue takes, in UTF-16 units (AWS Glue Developer Guide, "Catalog objects").
const (
	longestComment     = 255
	longestDescription = 2048
)

// iceberg reports whether a table is one, whoever made it.
func iceberg(t *types.Table) bool {
	return t != nil && strings.EqualFold(t.Parameters[paramType], "ICEBERG") && t.Parameters[paramAt] != ""
}

// at is where the metadata of a table is; "" for one that does not exist or is no Iceberg table.
func at(t *types.Table) string {
	if !iceberg(t) {
		return ""
	}
	return t.Parameters[paramAt]
}

// ghost reports whether a table was made by a publisher that had slept since before it was dropped again. Glue has no way
// to keep that out, so such a table counts as not there.
func (c *Catalog) ghost(h *head, t *types.Table) bool {
	if !iceberg(t) || t.Parameters[paramLake] != c.o.Lake || t.Parameters[paramName] != aws.ToString(t.Name) {
		return false
	}
	_, known := h.Tables[aws.ToString(t.Name)]
	seq, err := strconv.ParseInt(t.Parameters[paramSeq], 10, 64)
	return !known && err == nil && seq <= h.Seq
}

// ours reports whether a table belongs to the lake.
func (c *Catalog) ours(h *head, t *types.Table) bool {
	if t.Parameters[paramLake] != "" {
		return t.Parameters[paramLake] == c.o.Lake
	}
	p, known := h.Tables[aws.ToString(t.Name)]
	return known && iceberg(t) && (p.At == at(t) || p.Folder != "" && p.Folder == folder(t))
}

func folder(t *types.Table) string {
	if t.StorageDescriptor == nil {
		return ""
	}
	return strings.TrimSuffix(aws.ToString(t.StorageDescriptor.Location), "/")
}

// input describes a table as a move leaves it. What others have written about the table that is no business of ours stays.
func (c *Catalog) input(e *entry, seq int64, old *types.Table) *types.TableInput {
	in := &types.TableInput{Name: &e.Table, TableType: aws.String("EXTERNAL_TABLE"), Parameters: map[string]string{}, StorageDescriptor: &types.StorageDescriptor{}}
	if old != nil {
		maps.Copy(in.Parameters, old.Parameters)
		in.Owner, in.Retention, in.PartitionKeys, in.Description = old.Owner, old.Retention, old.PartitionKeys, old.Description
		if old.StorageDescriptor != nil {
			*in.StorageDescriptor = *old.StorageDescriptor
		}
	}
	maps.Copy(in.Parameters, map[string]string{"EXTERNAL": "TRUE", paramType: "ICEBERG", paramAt: e.To, paramLake: c.o.Lake, paramName: e.Table, paramSeq: strconv.FormatInt(seq, 10)})
	delete(in.Parameters, paramPrevious)
	if e.From != "" {
		in.Parameters[paramPrevious] = e.From
	}
	if e.Shape.Description != "" {
		in.Description = aws.String(cut(e.Shape.Description, longestDescription, true))
	}
	if e.Shape.Location != "" {
		in.StorageDescriptor.Location = &e.Shape.Location
	}
	if e.Shape.Columns != nil {
		in.StorageDescriptor.Columns = columns(e.Shape.Columns)
	}
	return in
}

// columns writes columns as Glue has them: names in lower case, Hive's types.
func columns(list []schema.Column) []types.Column {
	out := make([]types.Column, len(list))
	for i, c := range list {
		out[i] = types.Column{Name: aws.String(strings.ToLower(c.Name)), Type: aws.String(glueType(c.Type).Hive())}
		if c.Comment != "" {
			out[i].Comment = aws.String(cut(c.Comment, longestComment, false))
		}
	}
	return out
}

// glueType replaces types that Hive has no name for, as Iceberg's own library does (IcebergToGlueConverter).
func glueType(t schema.Type) schema.Type {
	switch t.Kind {
	case schema.TimestampTZ:
		return schema.Type{Kind: schema.Timestamp}
	case schema.Time, schema.UUID:
		return schema.Type{Kind: schema.String}
	case schema.Array:
		elem := glueType(*t.Elem)
		t.Elem = &elem
	case schema.Map:
		key, elem := glueType(*t.Key), glueType(*t.Elem)
		t.Key, t.Elem = &key, &elem
	case schema.Struct:
		fields := make([]schema.Field, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = schema.Field{Name: f.Name, Type: glueType(f.Type)}
		}
		t.Fields = fields
	}
	return t
}

// cut makes a text fit into most UTF-16 units and into what Glue takes as text: no control characters, and line breaks only
// where lines is set.
func cut(text string, most int, lines bool) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\t', lines && (r == '\n' || r == '\r'):
			return r
		case r == '\n', r == '\r':
			return ' '
		case r < ' ', r == '\uFFFE', r == '\uFFFF', r == '\uFFFD':
			return -1
		}
		return r
	}, strings.TrimSpace(text))
	if len(utf16.Encode([]rune(text))) <= most {
		return text
	}
	var b strings.Builder
	left := most - 1 // for the …
	for _, r := range text {
		if left -= utf16.RuneLen(r); left < 0 {
			break
		}
		b.WriteRune(r)
	}
	return b.String() + "…"
}
