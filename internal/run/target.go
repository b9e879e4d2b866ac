package run

import (
	"context"
	"path/filepath"

	"tarn/internal/cache"
	"tarn/internal/catalog"
	"tarn/internal/catalog/sqlite"
	"tarn/internal/lake"
	"tarn/internal/project"
	"tarn/internal/store"
	"tarn/internal/store/registry"
)

// openLake opens the tables of a lake where its target has them.
func openLake(ctx context.Context, p *project.Lake) (*lake.Lake, error) {
	state, o := p.StateDir(), p.Config
	stores := registry.New(o.AWS)
	c, err := openCatalog(ctx, p, stores)
	if err != nil {
		return nil, err
	}
	return lake.Open(ctx, lake.Options{Catalog: c, Stores: stores, Cache: cache.New(filepath.Join(state, "cache"), o.Disk, stores),
		Journal: filepath.Join(state, "staged"), Staging: filepath.Join(state, "staging"), Warehouse: o.Warehouse, Database: o.Stored})
}

// openCatalog opens the catalog of a lake's target: a file of this machine, or one beside the tables of a remote warehouse.
func openCatalog(ctx context.Context, p *project.Lake, stores store.Locator) (catalog.Catalog, error) {
	state, o := p.StateDir(), p.Config
	if !project.Remote(o.Warehouse) {
		return sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(state, "catalog.db"), Lock: filepath.Join(state, "lock"), Database: o.Stored})
	}
	s, key, err := stores.Locate(ctx, o.Warehouse+"/"+lake.OwnFolder(o.Stored)+"/catalog.db")
	if err != nil {
		return nil, err
	}
	return sqlite.OpenObject(sqlite.ObjectOptions{Store: s, Key: key, Database: o.Stored, TempDir: filepath.Join(state, "tmp")}), nil
}
