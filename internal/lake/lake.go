// Package lake keeps a lake's tables: Apache Iceberg tables (format version 2) in a warehouse folder, whose current
// metadata a catalog points to.
//
// A [View] is one consistent look at all tables. A [Draft] prepares the next snapshot of one table without anybody
// seeing it; [Lake.Publish] makes any number of drafts visible in one step. Engines write the data files; this package
// only ever adds and removes them from tables. Rolling back and collecting garbage live here as well.
package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	icebergio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"tarn/internal/catalog/sqlite"
)

// ErrNoTable says that a table is not in the catalog.
var ErrNoTable = errors.New("no such table")

// Lake is an open warehouse with its catalog. It is safe for concurrent use.
type Lake struct {
	catalog   *sqlite.Catalog
	warehouse string
	database  string
	journal   journal
}

// Options says where a lake's tables are.
type Options struct {
	// Catalog is the path of the SQLite file.
	Catalog string
	// Warehouse is the absolute path of the folder that holds the tables.
	Warehouse string
	// Database is the Iceberg namespace of all tables.
	Database string
	// Journal is the path of the file that names what a writer stages, so that the next one can tidy up after it: see
	// [Lake.Abandoned]. One process at a time may write with the same journal. "" keeps none.
	Journal string
}

// Open opens the catalog and makes the folders it needs. Where this process may not write, the tables can be read.
func Open(ctx context.Context, o Options) (*Lake, error) {
	if strings.ContainsAny(o.Warehouse, "%?#") {
		// Readers of file URIs disagree on whether these are decoded.
		return nil, fmt.Errorf("open lake: the path of the warehouse must not contain %%, ? or #: %s", o.Warehouse)
	}
	for _, dir := range []string{filepath.Dir(o.Catalog), o.Warehouse} {
		if err := os.MkdirAll(dir, 0o755); err != nil && !deniesWriting(err) {
			return nil, fmt.Errorf("open lake: %w", err)
		}
	}
	c, err := sqlite.Open(ctx, o.Catalog)
	if err != nil {
		return nil, err
	}
	return &Lake{catalog: c, warehouse: filepath.ToSlash(o.Warehouse), database: o.Database, journal: journal{path: o.Journal}}, nil
}

// deniesWriting reports whether a folder could not be made because nothing may be written where it would be.
func deniesWriting(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// Close lets go of the catalog.
func (l *Lake) Close() error { return l.catalog.Close() }

// Database is the namespace of the lake's tables.
func (l *Lake) Database() string { return l.database }

// View reads where all tables stand at one moment, so that what it shows belongs together.
func (l *Lake) View(ctx context.Context) (*View, error) {
	pointers, err := l.catalog.Pointers(ctx, l.database)
	if err != nil {
		return nil, err
	}
	v := &View{tables: make(map[string]*Table, len(pointers))}
	for name, location := range pointers {
		t, err := readTable(name, location)
		if err != nil {
			return nil, err
		}
		v.tables[name] = t
	}
	return v, nil
}

// View is one consistent look at the lake.
type View struct{ tables map[string]*Table }

// Table gives a table by its exact name, or nil.
func (v *View) Table(name string) *Table { return v.tables[name] }

// Names gives all table names in order.
func (v *View) Names() []string {
	out := make([]string, 0, len(v.tables))
	for name := range v.tables {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func readTable(name, location string) (*Table, error) {
	raw, err := localFS.ReadFile(LocalPath(location))
	if err != nil {
		return nil, fmt.Errorf("table %s: read metadata: %w", name, err)
	}
	meta, err := table.ParseMetadataBytes(raw)
	if err != nil {
		return nil, fmt.Errorf("table %s: read metadata %s: %w", name, location, err)
	}
	return &Table{name: name, location: location, meta: meta}, nil
}

// localFS is stateless: the library's file access for the local disk.
var localFS icebergio.LocalFS

// LocalPath gives the path of a location on this machine. Locations are written as file:///path; Spark's own form is
// file:/path and a bare path is one too. The table library escapes spaces in some of the URIs that it writes; as a
// warehouse's path has no percent sign, undoing that is safe for all.
func LocalPath(location string) string {
	rest, ok := strings.CutPrefix(location, "file:")
	if !ok {
		return location
	}
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		rest = strings.TrimPrefix(after, "localhost")
	}
	if plain, err := url.PathUnescape(rest); err == nil {
		return plain
	}
	return rest
}

func fileURI(path string) string { return "file://" + filepath.ToSlash(path) }

// At gives the tables as they were at the given snapshots; tables that are not in the map are left out. A table that was
// dropped since is found again while its files are there; otherwise the error is [ErrNotKept].
func (l *Lake) At(v *View, snapshots map[string]int64) (*View, error) {
	out := &View{tables: map[string]*Table{}}
	for name, id := range snapshots {
		if t := v.tables[name]; t != nil {
			if old, ok := t.At(id); ok {
				out.tables[name] = old
				continue
			}
		}
		t, err := l.Find(name, id)
		if err != nil {
			return nil, err
		}
		out.tables[name], _ = t.At(id)
	}
	return out, nil
}

// Without gives a view that lacks some tables.
func (v *View) Without(names []string) *View {
	out := &View{tables: make(map[string]*Table, len(v.tables))}
	for name, t := range v.tables {
		if !slices.Contains(names, name) {
			out.tables[name] = t
		}
	}
	return out
}
