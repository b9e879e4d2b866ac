package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	parquetschema "github.com/apache/arrow-go/v18/parquet/schema"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"golang.org/x/sync/errgroup"

	"tarn/internal/store"
)

// ErrForeignFile says that a data file which another engine has made is not what the table wants: it is taken in no case.
var ErrForeignFile = errors.New("a data file does not fit the table")

// Take makes the table consist of exactly the data files of a snapshot that an engine has made of [Draft.Handed] for a run.
// Each file has to lie in the run's own folder, of the draft's partitions, and to hold the draft's columns by id, name and
// type; otherwise the error is [ErrForeignFile]. rows is how many there are. summary goes into the snapshot.
func (d *Draft) Take(ctx context.Context, run string, snapshot json.RawMessage, summary map[string]string) (rows int64, err error) {
	var files []iceberg.DataFile
	if len(snapshot) > 0 && string(snapshot) != "null" {
		if files, err = d.lake.handedFiles(ctx, snapshot); err != nil {
			return 0, fmt.Errorf("table %s: %w", d.name, err)
		}
	}
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(sideBySide)
	for _, f := range files {
		rows += f.Count()
		g.Go(func() error {
			if err := d.fits(within, run, f); err != nil {
				return fmt.Errorf("table %s: %s: %w", d.name, f.FilePath(), err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	var old []iceberg.DataFile
	if d.base != nil {
		if old, err = d.base.dataFiles(ctx); err != nil {
			return 0, err
		}
	}
	d.rows.All = true
	for _, f := range files {
		d.rows.Added = append(d.rows.Added, f.FilePath())
	}
	for _, f := range old {
		d.rows.Removed = append(d.rows.Removed, f.FilePath())
	}
	d.rows.Summary = summary
	if err := d.settleTaken(ctx); err != nil {
		return 0, fmt.Errorf("table %s: %w", d.name, err)
	}
	return rows, d.commit(ctx, len(old)+len(files) > 0, summary, func(tx *table.Transaction, props iceberg.Properties) error {
		return tx.ReplaceDataFilesWithDataFiles(ctx, old, files, props)
	})
}

// settleTaken makes files durable that another engine has written to this disk. In an object store they are.
func (d *Draft) settleTaken(ctx context.Context) error {
	if d.remote {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(d.local, "metadata"), 0o755); err != nil {
		return err
	}
	var paths []string
	for _, at := range d.rows.Added {
		path, err := d.lake.onDisk(ctx, at)
		if err != nil {
			return err
		}
		paths = append(paths, path)
	}
	d.startSync(paths)
	return nil
}

// Superseded gives the locations of the data files that an engine has written for a snapshot and then left out of a later
// one: nothing will ever refer to them.
func (l *Lake) Superseded(ctx context.Context, earlier, later json.RawMessage) ([]string, error) {
	before, err := l.handedFiles(ctx, earlier)
	if err != nil {
		return nil, err
	}
	after, err := l.handedFiles(ctx, later)
	if err != nil {
		return nil, err
	}
	stay := map[string]bool{}
	for _, f := range after {
		stay[f.FilePath()] = true
	}
	var out []string
	for _, f := range before {
		if !stay[f.FilePath()] {
			out = append(out, f.FilePath())
		}
	}
	return out, nil
}

// Discard deletes files by their locations.
func (l *Lake) Discard(ctx context.Context, locations []string) error {
	for _, at := range locations {
		s, key, err := l.stores.Locate(ctx, at)
		if err != nil {
			return err
		}
		if err := s.Delete(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// fits compares a data file with the draft.
func (d *Draft) fits(ctx context.Context, run string, f iceberg.DataFile) (err error) {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrForeignFile, fmt.Sprintf(format, args...))
	}
	if !strings.HasPrefix(plainScheme(f.FilePath()), d.handedDir(run)+"/") {
		return wrong("it is not below %s", d.handedDir(run))
	}
	if f.ContentType() != iceberg.EntryContentData || f.FileFormat() != iceberg.ParquetFile {
		return wrong("it holds %s as %s", f.ContentType(), f.FileFormat())
	}
	if spec := d.meta.PartitionSpec(); int(f.SpecID()) != spec.ID() || len(f.Partition()) != spec.NumFields() {
		return wrong("it is of partition spec %d, expected %d", f.SpecID(), spec.ID())
	}
	r, err := d.lake.openRanges(ctx, f.FilePath(), f.FileSizeBytes())
	if err != nil {
		return err
	}
	p, err := file.NewParquetReader(r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	if p.NumRows() != f.Count() {
		return wrong("it has %d rows, and %d are said", p.NumRows(), f.Count())
	}
	if err := sameGroup(p.MetaData().Schema.Root(), d.meta.CurrentSchema().Fields()); err != nil {
		return wrong("%v", err)
	}
	return nil
}

func sameGroup(group *parquetschema.GroupNode, fields []iceberg.NestedField) error {
	if group.NumFields() != len(fields) {
		return fmt.Errorf("%s has %d columns, expected %d", group.Name(), group.NumFields(), len(fields))
	}
	for i, f := range fields {
		if err := sameField(group.Field(i), f.Name, f.ID, f.Type); err != nil {
			return err
		}
	}
	return nil
}

// sameField compares a field of a Parquet file with a column; name is "" where the format leaves it to the writer.
func sameField(n parquetschema.Node, name string, id int, t iceberg.Type) error {
	if name != "" && n.Name() != name {
		return fmt.Errorf("column %s is there where %s is expected", n.Name(), name)
	}
	if int(n.FieldID()) != id {
		return fmt.Errorf("column %s has the id %d, expected %d", n.Name(), n.FieldID(), id)
	}
	group, nested := n.(*parquetschema.GroupNode)
	other := fmt.Errorf("column %s is %s, expected %s", n.Name(), parquetType(n), t)
	switch t := t.(type) {
	case *iceberg.StructType:
		if !nested {
			return other
		}
		return sameGroup(group, t.FieldList)
	case *iceberg.ListType:
		repeated, ok := onlyGroup(group, 1)
		if !ok {
			return other
		}
		return sameField(repeated.Field(0), "", t.ElementID, t.Element)
	case *iceberg.MapType:
		repeated, ok := onlyGroup(group, 2)
		if !ok {
			return other
		}
		if err := sameField(repeated.Field(0), "", t.KeyID, t.KeyType); err != nil {
			return err
		}
		return sameField(repeated.Field(1), "", t.ValueID, t.ValueType)
	}
	if nested || !samePrimitive(n.(*parquetschema.PrimitiveNode), t) {
		return other
	}
	return nil
}

// onlyGroup gives the repeated group inside a list or map, which holds so many fields.
func onlyGroup(group *parquetschema.GroupNode, fields int) (*parquetschema.GroupNode, bool) {
	if group == nil || group.NumFields() != 1 {
		return nil, false
	}
	inner, ok := group.Field(0).(*parquetschema.GroupNode)
	return inner, ok && inner.NumFields() == fields
}

// samePrimitive compares types by the table of the Iceberg spec, appendix A, "Parquet".
func samePrimitive(n *parquetschema.PrimitiveNode, t iceberg.Type) bool {
	physical, logical := n.PhysicalType(), n.LogicalType()
	switch t := t.(type) {
	case iceberg.BooleanType:
		return physical == parquet.Types.Boolean
	case iceberg.Int32Type:
		return physical == parquet.Types.Int32 && !logical.Equals(parquetschema.DateLogicalType{})
	case iceberg.Int64Type:
		_, stamp := logical.(parquetschema.TimestampLogicalType)
		return physical == parquet.Types.Int64 && !stamp
	case iceberg.Float32Type:
		return physical == parquet.Types.Float
	case iceberg.Float64Type:
		return physical == parquet.Types.Double
	case iceberg.DateType:
		return logical.Equals(parquetschema.DateLogicalType{})
	case iceberg.TimestampType:
		stamp, ok := logical.(parquetschema.TimestampLogicalType)
		return ok && !stamp.IsAdjustedToUTC() && stamp.TimeUnit() == parquetschema.TimeUnitMicros
	case iceberg.TimestampTzType:
		stamp, ok := logical.(parquetschema.TimestampLogicalType)
		return ok && stamp.IsAdjustedToUTC() && stamp.TimeUnit() == parquetschema.TimeUnitMicros
	case iceberg.DecimalType:
		d, ok := logical.(parquetschema.DecimalLogicalType)
		return ok && int(d.Precision()) == t.Precision() && int(d.Scale()) == t.Scale()
	case iceberg.StringType:
		return physical == parquet.Types.ByteArray && logical.Equals(parquetschema.StringLogicalType{})
	case iceberg.BinaryType:
		return physical == parquet.Types.ByteArray && !logical.Equals(parquetschema.StringLogicalType{})
	}
	return false
}

func parquetType(n parquetschema.Node) string {
	if p, ok := n.(*parquetschema.PrimitiveNode); ok {
		return fmt.Sprintf("%s (%s)", p.PhysicalType(), p.LogicalType())
	}
	return "a group"
}

// ranges reads pieces of a file in a store. The Parquet library reads a footer with two of them.
type ranges struct {
	*io.SectionReader
}

func (l *Lake) openRanges(ctx context.Context, location string, size int64) (ranges, error) {
	s, key, err := l.stores.Locate(ctx, location)
	if err != nil {
		return ranges{}, err
	}
	return ranges{io.NewSectionReader(rangeReader{ctx: ctx, store: s, key: key}, 0, size)}, nil
}

type rangeReader struct {
	ctx   context.Context
	store store.Store
	key   string
}

func (r rangeReader) ReadAt(p []byte, off int64) (int, error) {
	body, err := r.store.Open(r.ctx, r.key, "", off, int64(len(p)))
	if err != nil {
		return 0, err
	}
	n, err := io.ReadFull(body, p)
	return n, errors.Join(err, body.Close())
}
