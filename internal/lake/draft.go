package lake

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/iceberg-go"
	icebergio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"
)

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

	mu sync.Mutex
	// metadata are the files that the draft has made or is about to make, added its new data files.
	metadata, added []string
	syncing         []<-chan error
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

// Name is the table's name.
func (d *Draft) Name() string { return d.name }

// DataDir is the folder for the data files of one run.
func (d *Draft) DataDir(runID string) string { return filepath.Join(d.dir, "data", runID) }

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
	d.startSync(added)
	uris := make([]string, len(added))
	for i, f := range added {
		uris[i] = fileURI(f)
	}
	props := iceberg.Properties(maps.Clone(summary))
	var next table.Metadata
	if len(removed)+len(added) > 0 {
		fs := func(context.Context) (icebergio.IO, error) { return stagingFS{draft: d}, nil }
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
	if err := d.stage(path); err != nil {
		return fmt.Errorf("table %s: %w", d.name, err)
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		return fmt.Errorf("table %s: %w", d.name, err)
	}
	d.meta, d.move.to = next, fileURI(path)
	return nil
}

// Table gives the table as it will be once the draft is published.
func (d *Draft) Table() *Table { return &Table{name: d.name, location: d.move.to, meta: d.meta} }

// Reshaped reports whether columns, partitions or properties differ from what is published.
func (d *Draft) Reshaped() bool { return d.base == nil || d.changed }
