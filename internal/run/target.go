package run

import (
	"context"
	"path/filepath"

	"tarn/internal/cache"
	"tarn/internal/catalog/sqlite"
	"tarn/internal/lake"
	"tarn/internal/project"
	"tarn/internal/store/registry"
)

// openLake opens the tables of a lake where its target has them.
func openLake(ctx context.Context, p *project.Lake) (*lake.Lake, error) {
	state := p.StateDir()
	stores := registry.New(p.Config.AWS)
	c, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(state, "catalog.db"), Lock: filepath.Join(state, "lock"), Database: p.Config.Database})
	if err != nil {
		return nil, err
	}
	return lake.Open(ctx, lake.Options{Catalog: c, Stores: stores, Cache: cache.New(filepath.Join(state, "cache"), p.Config.Disk, stores),
		Journal: filepath.Join(state, "staged"), Staging: filepath.Join(state, "staging"), Warehouse: p.Config.Warehouse, Database: p.Config.Database})
}
