package lake

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/iceberg-go"
	icebergio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"tarn/internal/catalog"
	"tarn/internal/deployconf"
)

// Draft is the next state of one table, visible to nobody until it is published.
// Use: [Lake.Draft], write data files with its [Draft.FieldIDs] into its [Draft.DataDir], then [Draft.Replace] or [Draft.Append] once.
type Draft struct {
	lake    *Lake
	name    string
	base    *Table // nil for a new table
	meta    table.Metadata
	changed bool
	// moves says that the table goes to the folder of another zone.
	moves bool
	from  string // the pointer that is there now, to: the one that will be
	to    string
	rows  catalog.Change

	// at is the table's location, escaped how the table library writes it.
	at, escaped string
	// local is the folder of this machine in which data files are made: the table's own, or one for staging.
	local string
	// remote says that data files have to be brought from there to the table.
	remote bool

	mu sync.Mutex
	// metadata are the locations that the draft has made or is about to make.
	metadata []string
	// pending are metadata files that are not written yet, by location: see [Draft.flush].
	pending map[string][]byte
	// added are the paths of new data files on this disk.
	added   []string
	syncing []<-chan error
	// ahead are uploads of files that the draft will be given.
	ahead errgroup.Group
	// copies has the paths of data files by the locations that they were brought to.
	copies map[string]string
	// there has the sizes of data files that were made elsewhere, by their locations.
	there map[string]int64
}

// Draft starts the next state of a table with a shape; columns of unchanged name and type keep their field ids. Where the zone is
// another than that in whose folder the table lies, it moves, and [Draft.Replace] has to give it all its rows anew.
func (l *Lake) Draft(ctx context.Context, v *View, name string, s Shape) (*Draft, error) {
	d := &Draft{lake: l, name: name, base: v.Table(name)}
	d.ahead.SetLimit(uploads)
	at := l.home(name, s.Zone)
	if d.base != nil {
		// One that lies in no zone's folder stays there.
		zone := d.base.Zone()
		if d.moves = zone != "" && zone != ZoneFolder(s.Zone); !d.moves {
			at = d.base.meta.Location()
		}
	}
	if err := d.place(ctx, at); err != nil {
		return nil, fmt.Errorf("table %s: %w", name, err)
	}
	props := iceberg.Properties{
		"write.parquet.compression-codec":      "zstd",
		"write.metadata.previous-versions-max": strconv.Itoa(deployconf.KeptVersions),
		"write.delete.mode":                    "copy-on-write",
		"write.update.mode":                    "copy-on-write",
		"write.merge.mode":                     "copy-on-write",
		"commit.manifest-merge.enabled":        "true",
		// Whoever reads the table for the first time fetches each of them.
		"commit.manifest.min-count-to-merge": "5",
		"comment":                            s.Description,
		"tarn.zone":                          s.Zone,
	}
	if s.Reference {
		props["gc.enabled"] = "false"
	} else if d.base != nil && d.base.Refers() {
		props["gc.enabled"] = "true"
	}
	if d.base == nil {
		sc, err := buildSchema(s.Columns, nil, 0)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
		spec, err := partitionSpec(sc, s.PartitionBy, nil)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
		d.meta, err = table.NewMetadata(sc, &spec, table.UnsortedSortOrder, d.at, props)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
		return d, nil
	}
	d.meta = d.base.meta
	if d.base.takenBack() {
		if err := d.takeBack(ctx); err != nil {
			return nil, fmt.Errorf("table %s: %w", name, err)
		}
	}
	if err := d.reshape(s, props); err != nil {
		return nil, fmt.Errorf("table %s: %w", name, err)
	}
	return d, nil
}

// Name is the table's name.
func (d *Draft) Name() string { return d.name }

// place says where a draft's files go.
func (d *Draft) place(ctx context.Context, at string) error {
	d.at, d.escaped, d.copies = strings.TrimSuffix(at, "/"), escapedLocation(strings.TrimSuffix(at, "/")), map[string]string{}
	dir, err := d.lake.onDisk(ctx, d.at)
	if err != nil {
		return err
	}
	if d.local = dir; dir == "" {
		d.remote, d.local = true, filepath.Join(d.lake.staging, d.name)
	}
	return nil
}

// DataDir is the folder of this machine for the data files of one run.
func (d *Draft) DataDir(runID string) string { return filepath.Join(d.local, "data", runID) }

// Replace makes the table consist of exactly these data files (absolute paths), or of no rows. summary goes into the snapshot.
func (d *Draft) Replace(ctx context.Context, files []string, summary map[string]string) error {
	var old []string
	if d.base != nil {
		current, err := d.base.Files(ctx)
		if err != nil {
			return err
		}
		for _, f := range current {
			old = append(old, f.Location)
		}
	}
	d.rows.All = true
	return d.change(ctx, old, files, nil, summary)
}

// Swap takes the data files removed (by their Location) out of the table and adds others (absolute paths), all else stays.
func (d *Draft) Swap(ctx context.Context, removed, added []string, summary map[string]string) error {
	return d.change(ctx, removed, added, nil, summary)
}

// change stages one snapshot and writes its metadata file. there are data files that need not be brought.
func (d *Draft) change(ctx context.Context, removed, added []string, there []DataFile, summary map[string]string) error {
	uris, err := d.bring(ctx, added)
	if err != nil {
		return fmt.Errorf("table %s: %w", d.name, err)
	}
	for _, f := range there {
		uris = append(uris, f.Location)
	}
	d.rows.Added, d.rows.Removed, d.rows.Summary = uris, removed, summary
	return d.commit(ctx, len(removed)+len(uris) > 0, summary, swap(ctx, removed, uris))
}

// swap is the operation by which data files leave a table and others come, by their locations.
func swap(ctx context.Context, removed, added []string) func(*table.Transaction, iceberg.Properties) error {
	return func(tx *table.Transaction, props iceberg.Properties) error {
		return tx.ReplaceDataFiles(ctx, removed, added, props)
	}
}

// commit makes the draft's snapshot by an operation of the table library, or, where no file comes or goes, with the rows of
// the one before.
func (d *Draft) commit(ctx context.Context, files bool, summary map[string]string, operation func(*table.Transaction, iceberg.Properties) error) error {
	wrap := func(err error) error { return fmt.Errorf("table %s: %w", d.name, err) }
	props := iceberg.Properties(maps.Clone(summary))
	var next table.Metadata
	var err error
	if files {
		next, err = d.operated(ctx, props, operation)
	} else {
		next, err = d.unchangedRows(ctx, props)
	}
	if err != nil {
		return wrap(err)
	}
	if next, err = d.claim(next); err != nil {
		return wrap(err)
	}
	return d.write(ctx, next)
}

// operated gives the metadata after an operation of the table library.
func (d *Draft) operated(ctx context.Context, props iceberg.Properties, operation func(*table.Transaction, iceberg.Properties) error) (table.Metadata, error) {
	fs := func(ctx context.Context) (icebergio.IO, error) { return tableIO{ctx: ctx, lake: d.lake, draft: d}, nil }
	tx := table.New(table.Identifier{d.lake.database, d.name}, d.meta, "", fs, nil).NewTransaction()
	if err := operation(tx, props); err != nil {
		return nil, err
	}
	commit, err := tx.TableCommit()
	if err != nil {
		return nil, err
	}
	b, err := table.MetadataBuilderFromBase(d.meta, d.previous())
	if err != nil {
		return nil, err
	}
	for _, u := range commit.Updates {
		if err := u.Apply(b); err != nil {
			return nil, err
		}
	}
	next, err := b.Build()
	if err != nil {
		return nil, err
	}
	if err := d.joinManifests(ctx, next); err != nil {
		return nil, err
	}
	if next, err = d.plainLocations(ctx, next); err != nil {
		return nil, err
	}
	return next, d.flush(ctx)
}

// metadataFile is the location of one of the table's metadata files.
func (d *Draft) metadataFile(name string) string { return d.at + "/metadata/" + name }

// previous is the metadata file that the next one's log has to name, unless reshaping has done so.
func (d *Draft) previous() string {
	if d.base == nil || d.changed {
		return ""
	}
	return d.base.location
}

// write puts the metadata file where the next pointer will point to.
func (d *Draft) write(ctx context.Context, next table.Metadata) error {
	version := 0
	if d.base != nil {
		d.from = d.base.location
		head, _, _ := strings.Cut(path.Base(d.base.location), "-")
		if n, err := strconv.Atoi(head); err == nil {
			version = n + 1
		}
	}
	raw, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("table %s: %w", d.name, err)
	}
	to := d.metadataFile(fmt.Sprintf("%05d-%s.metadata.json", version, uuid.NewString()))
	if err := (tableIO{ctx: ctx, lake: d.lake, draft: d}).WriteFile(to, raw); err != nil {
		return fmt.Errorf("table %s: %w", d.name, err)
	}
	d.meta, d.to = next, to
	return nil
}

// Table gives the table as it will be once the draft is published.
func (d *Draft) Table() *Table {
	return &Table{lake: d.lake, name: d.name, location: d.to, meta: d.meta}
}

// Reshaped reports whether columns, partitions or properties differ from what is published.
func (d *Draft) Reshaped() bool { return d.base == nil || d.changed }
