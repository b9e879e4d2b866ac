package lake

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"tarn/internal/store"
)

// Refers reports whether the table's data files are files of others: see [Shape.Reference].
func (t *Table) Refers() bool { return t.meta.Properties()["gc.enabled"] == "false" }

// ReferenceError says that a file which a table refers to is not there as it was.
type ReferenceError struct {
	File string
	// Gone says that it is not there at all.
	Gone bool
}

func (e *ReferenceError) Error() string {
	if e.Gone {
		return e.File + " is gone, and a table has it as a data file (load: reference)"
	}
	return e.File + " has changed, and a table has it as a data file (load: reference)"
}

// Hint says what helps.
func (e *ReferenceError) Hint() string {
	if e.Gone {
		return "put the file back, or let `tarn run --prune` take its rows out"
	}
	return "put the file back as it was, or take it as it is now with `tarn run TABLE --full-refresh`"
}

// Referred is a file of others: a location, and a file of this machine with the same content.
type Referred struct{ Location, Path string }

// CanRefer says why a Parquet file cannot be one of the table's data files, for engines that go by the rules of Iceberg.
func (d *Draft) CanRefer(ctx context.Context, f Referred) error {
	if strings.HasPrefix(f.Location, d.lake.warehouse+"/"+d.lake.database+"/") {
		return errors.New("it lies among the lake's own files, where it would be taken for garbage one day")
	}
	d.alias(f)
	_, err := table.FileToDataFile(ctx, tableIO{ctx: ctx, lake: d.lake, draft: d}, f.Location, d.meta.CurrentSchema(), d.meta.PartitionSpec(), 0, d.mapped())
	return err
}

// mapped gives the properties by which columns of files without field ids are found.
func (d *Draft) mapped() iceberg.Properties { return maps.Clone(d.meta.Properties()) }

func (d *Draft) alias(f Referred) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.copies[f.Location] = f.Path
}

// Refer takes data files out of the table, by their locations, and adds files of others, which stay where they are. The
// same location can be both, where its content has changed.
func (d *Draft) Refer(ctx context.Context, removed []string, added []Referred, summary map[string]string) error {
	locations := make([]string, len(added))
	for i, f := range added {
		d.alias(f)
		locations[i] = f.Location
	}
	if _, err := d.bring(ctx, nil); err != nil { // for the folder of its metadata
		return err
	}
	d.rows.Added, d.rows.Removed, d.rows.Summary = locations, removed, summary
	props := iceberg.Properties(maps.Clone(summary))
	if both := slices.ContainsFunc(locations, func(l string) bool { return slices.Contains(removed, l) }); both {
		next, err := d.operated(ctx, props, swap(ctx, removed, nil))
		if err != nil {
			return fmt.Errorf("table %s: %w", d.name, err)
		}
		d.meta, d.changed, removed = next, true, nil
	}
	return d.commit(ctx, len(removed)+len(locations) > 0, summary, swap(ctx, removed, locations))
}

// referred fills in what tells the contents of a file of others apart, and makes sure that it is as it was.
func (r *Reader) referred(ctx context.Context, f DataFile) (etag string, err error) {
	if strings.HasPrefix(f.Location, r.lake.warehouse+"/") {
		return "", nil
	}
	s, key, err := r.lake.stores.Locate(ctx, f.Location)
	if err != nil {
		return "", err
	}
	o, err := s.Stat(ctx, key)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "", &ReferenceError{File: f.Location, Gone: true}
	case err != nil:
		return "", err
	case o.Size != f.Bytes:
		return "", &ReferenceError{File: f.Location}
	}
	return o.ETag, nil
}
