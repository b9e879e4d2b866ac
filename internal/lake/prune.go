package lake

import (
	"context"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	pqschema "github.com/apache/arrow-go/v18/parquet/schema"
	"github.com/apache/iceberg-go"

	"tarn/internal/schema"
)

// Matching lists the data files of the snapshot as [Table.Files] does, without those that can have no row which lies in all
// ranges of one of the lists, as far as their bounds in the manifests say. nil leaves out none.
func (t *Table) Matching(ctx context.Context, any [][]schema.Range) ([]DataFile, error) {
	files, err := t.dataFiles(ctx)
	if err != nil {
		return nil, err
	}
	if any != nil {
		fields := t.icebergSchema()
		files = slices.DeleteFunc(slices.Clone(files), func(f iceberg.DataFile) bool {
			return !matches(any, func(column string) (low, high int64, known bool) { return bounds(f, fields, column) })
		})
	}
	return t.described(files), nil
}

// matches reports whether a row can lie in all ranges of one of the lists, where all rows lie between the known bounds of
// columns.
func matches(any [][]schema.Range, of func(column string) (low, high int64, known bool)) bool {
	return slices.ContainsFunc(any, func(all []schema.Range) bool {
		return !slices.ContainsFunc(all, func(r schema.Range) bool {
			low, high, known := of(r.Column)
			return known && !r.Meets(low, high)
		})
	})
}

// bounds gives the least and the greatest value of a column that a manifest says of a data file (Iceberg table spec, Manifests,
// lower_bounds and upper_bounds).
func bounds(f iceberg.DataFile, fields *iceberg.Schema, column string) (low, high int64, known bool) {
	field, ok := fields.FindFieldByName(schema.StoredName(column))
	if !ok {
		return 0, 0, false
	}
	low, least := whole(field.Type, f.LowerBoundValues()[field.ID])
	high, most := whole(field.Type, f.UpperBoundValues()[field.ID])
	return low, high, least && most
}

// whole reads a bound as [schema.Range] has values.
func whole(t iceberg.Type, raw []byte) (int64, bool) {
	if raw == nil {
		return 0, false
	}
	l, err := iceberg.LiteralFromBytes(t, raw)
	if err != nil {
		return 0, false
	}
	switch v := l.(type) {
	case iceberg.Int32Literal:
		return int64(v), true
	case iceberg.Int64Literal:
		return int64(v), true
	case iceberg.DateLiteral:
		return int64(v), true
	case iceberg.TimestampLiteral:
		return int64(v), true
	}
	return 0, false
}

// groupMatches is [matches] for a row group, by the statistics of its columns.
func groupMatches(footer *metadata.FileMetaData, group *metadata.RowGroupMetaData, any [][]schema.Range) bool {
	return any == nil || matches(any, func(column string) (low, high int64, known bool) {
		for i := range group.NumColumns() {
			c := footer.Schema.Column(i)
			if path := c.ColumnPath(); len(path) != 1 || !strings.EqualFold(schema.OwnName(path[0]), column) {
				continue
			}
			chunk, err := group.ColumnChunk(i)
			if err != nil || !comparable(c) {
				return 0, 0, false
			}
			return chunkBounds(chunk)
		}
		return 0, 0, false
	})
}

// comparable reports whether the values of a Parquet column are those of a [schema.Range] as they are stored.
func comparable(c *pqschema.Column) bool {
	switch l := c.LogicalType().(type) {
	case nil, pqschema.NoLogicalType, pqschema.DateLogicalType:
		return true
	case pqschema.IntLogicalType:
		return l.IsSigned()
	case pqschema.TimestampLogicalType:
		return l.TimeUnit() == pqschema.TimeUnitMicros
	}
	return false
}

func chunkBounds(chunk *metadata.ColumnChunkMetaData) (low, high int64, known bool) {
	if set, err := chunk.StatsSet(); err != nil || !set {
		return 0, 0, false
	}
	s, err := chunk.Statistics()
	if err != nil || s == nil || !s.HasMinMax() {
		return 0, 0, false
	}
	switch s := s.(type) {
	case *metadata.Int32Statistics:
		return int64(s.Min()), int64(s.Max()), chunk.Type() == parquet.Types.Int32
	case *metadata.Int64Statistics:
		return s.Min(), s.Max(), chunk.Type() == parquet.Types.Int64
	}
	return 0, 0, false
}
