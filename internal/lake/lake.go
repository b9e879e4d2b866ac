// Package lake keeps a lake's tables: Apache Iceberg tables (format version 2) in a warehouse, which is a folder or a
// place in an object store, whose current metadata a catalog points to.
//
// A [View] is one consistent look at all tables. A [Draft] prepares the next snapshot of one table without anybody
// seeing it; [Lake.Publish] makes any number of drafts visible in one step. Engines write the data files; this package
// only ever adds and removes them from tables. Rolling back and collecting garbage live here as well.
package lake

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/apache/iceberg-go/table"
	"golang.org/x/sync/errgroup"

	"tarn/internal/cache"
	"tarn/internal/catalog"
	"tarn/internal/store"
	"tarn/internal/store/local"
)

// ErrNoTable says that a table is not in the catalog.
var ErrNoTable = errors.New("no such table")

// Lake is an open warehouse with its catalog. It is safe for concurrent use.
type Lake struct {
	catalog   catalog.Catalog
	stores    store.Locator
	cache     *cache.Cache
	warehouse string // location without a slash at its end
	database  string
	staging   string
	journal   journal

	mu        sync.Mutex
	takenBack []Foreign
}

// Options says where a lake's tables are.
type Options struct {
	// Catalog keeps the tables' pointers; the lake closes it.
	Catalog catalog.Catalog
	// Stores finds the files of the tables.
	Stores store.Locator
	// Cache makes those readable on this machine that are elsewhere.
	Cache *cache.Cache
	// Warehouse is the location below which tables are made: a folder's absolute path, or such as s3://bucket/warehouse.
	Warehouse string
	// Staging is a folder of this machine for data files on their way to a warehouse elsewhere.
	Staging string
	// Database is the Iceberg namespace of all tables.
	Database string
	// Journal is the path of the file that names what a writer stages, so that the next one can tidy up after it: see
	// [Lake.Abandoned]. One process at a time may write with the same journal. "" keeps none.
	Journal string
}

// Open checks the settings and makes the warehouse's folder where it is one. Where this process may not write, the tables
// can be read.
func Open(ctx context.Context, o Options) (*Lake, error) {
	if strings.ContainsAny(o.Warehouse, "%?#") {
		// Readers of URIs disagree on whether these are decoded.
		return nil, wrongWarehouse(o.Warehouse)
	}
	l := &Lake{catalog: o.Catalog, stores: o.Stores, cache: o.Cache, warehouse: asLocation(o.Warehouse), database: o.Database, staging: o.Staging,
		journal: journal{path: o.Journal}}
	dir, err := l.onDisk(ctx, l.warehouse)
	if err != nil {
		return nil, fmt.Errorf("open lake: %w", err)
	}
	if dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil && !local.DeniesWriting(err) {
			return nil, fmt.Errorf("open lake: %w", err)
		}
	}
	return l, nil
}

// asLocation writes a folder's path as its location.
func asLocation(warehouse string) string {
	warehouse = strings.TrimRight(filepath.ToSlash(warehouse), "/")
	if !strings.Contains(warehouse, "://") {
		warehouse = "file://" + warehouse
	}
	return warehouse
}

// Close lets go of the catalog and of the copies of files.
func (l *Lake) Close() error { return errors.Join(l.catalog.Close(), l.cache.Close()) }

// Catalog is where the pointers are, for locks.
func (l *Lake) Catalog() catalog.Catalog { return l.catalog }

// Stores finds files by their location, for landing files too.
func (l *Lake) Stores() store.Locator { return l.stores }

// Cache brings files to this machine.
func (l *Lake) Cache() *cache.Cache { return l.cache }

// Staging is the folder of this machine for data files on their way to the warehouse; "" where that is on this disk.
func (l *Lake) Staging() string {
	if strings.HasPrefix(l.warehouse, "file://") {
		return ""
	}
	return l.staging
}

// Warehouse is the location below which tables are made.
func (l *Lake) Warehouse() string { return l.warehouse }

// Database is the namespace of the lake's tables.
func (l *Lake) Database() string { return l.database }

// View reads where all tables stand at one moment, so that what it shows belongs together.
func (l *Lake) View(ctx context.Context) (*View, error) {
	return l.view(ctx, func(string, error) bool { return false })
}

// Readable is a [Lake.View] for whoever has rights on some of the tables only: the others are left out, and [View.Denied] says
// why. Nothing must be written from it.
func (l *Lake) Readable(ctx context.Context) (*View, error) {
	denied := map[string]error{}
	var mu sync.Mutex
	v, err := l.view(ctx, func(name string, err error) bool {
		if !errors.Is(err, store.ErrDenied) {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		denied[name] = err
		return true
	})
	if err != nil {
		return nil, err
	}
	v.denied = denied
	return v, nil
}

// view reads all tables but those of which without says, by the error that came, that they can be left out.
func (l *Lake) view(ctx context.Context, without func(name string, err error) bool) (*View, error) {
	pointers, err := l.catalog.Pointers(ctx)
	if err != nil {
		return nil, err
	}
	v := &View{lake: l, tables: make(map[string]*Table, len(pointers))}
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(sideBySide)
	var mu sync.Mutex
	for name, location := range pointers {
		g.Go(func() error {
			t, err := l.readTable(within, name, location)
			if err != nil && without(name, err) {
				return nil
			}
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			v.tables[name] = t
			return nil
		})
	}
	return v, g.Wait()
}

// View is one consistent look at the lake.
type View struct {
	lake   *Lake
	tables map[string]*Table
	denied map[string]error
}

// Denied has the tables that a [Lake.Readable] has left out, with what was refused.
func (v *View) Denied() map[string]error { return v.denied }

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

func (l *Lake) readTable(ctx context.Context, name, location string) (*Table, error) {
	raw, err := l.io(ctx).ReadFile(location)
	if err != nil {
		return nil, fmt.Errorf("table %s: read metadata: %w", name, err)
	}
	meta, err := table.ParseMetadataBytes(raw)
	if err != nil {
		return nil, fmt.Errorf("table %s: read metadata %s: %w", name, location, err)
	}
	return &Table{lake: l, name: name, location: location, meta: meta}, nil
}

// At gives the tables as they were at the given snapshots; tables that are not in the map are left out. A table that was
// dropped since is found again while its files are there; otherwise the error is [ErrNotKept].
func (l *Lake) At(ctx context.Context, v *View, snapshots map[string]int64) (*View, error) {
	out := &View{lake: l, tables: map[string]*Table{}, denied: v.denied}
	for name, id := range snapshots {
		if v.denied[name] != nil {
			continue
		}
		if t := v.tables[name]; t != nil {
			if old, ok := t.At(id); ok {
				out.tables[name] = old
				continue
			}
		}
		t, err := l.Find(ctx, name, v.tables[name], id)
		if err != nil {
			return nil, err
		}
		out.tables[name], _ = t.At(id)
	}
	return out, nil
}

// Without gives a view that lacks some tables.
func (v *View) Without(names []string) *View {
	out := &View{lake: v.lake, tables: make(map[string]*Table, len(v.tables)), denied: v.denied}
	for name, t := range v.tables {
		if !slices.Contains(names, name) {
			out.tables[name] = t
		}
	}
	return out
}

// With gives a view in which a table is looked at as t.
func (v *View) With(t *Table) *View {
	out := v.Without(nil)
	out.tables[t.name] = t
	return out
}
