package run

import (
	"context"
	"path/filepath"

	"tarn/internal/cache"
	"tarn/internal/catalog"
	catalogs "tarn/internal/catalog/registry"
	"tarn/internal/engine"
	"tarn/internal/engine/duckdb"
	engines "tarn/internal/engine/registry"
	"tarn/internal/lake"
	"tarn/internal/project"
	stores "tarn/internal/store/registry"
)

// openLake opens the tables of a lake where its target has them.
func openLake(ctx context.Context, p *project.Lake) (*lake.Lake, error) {
	state, o := p.StateDir(), p.Config
	places := stores.New(o.AWS)
	var l *lake.Lake
	c, err := catalogs.Open(ctx, catalogs.Place{Kind: o.Catalog, Database: o.Stored, Warehouse: o.Warehouse, Own: lake.OwnFolder(o.Stored), State: state,
		Stores: places, AWS: o.AWS, CatalogID: o.CatalogID,
		Rebase: func(ctx context.Context, m catalog.Move, theirs string) (string, error) {
			return l.Rebase(ctx, m, theirs)
		}})
	if err != nil {
		return nil, err
	}
	l, err = lake.Open(ctx, lake.Options{Catalog: c, Stores: places, Cache: cache.New(filepath.Join(state, "cache"), o.Disk, places),
		Journal: filepath.Join(state, "staged"), Staging: filepath.Join(state, "staging"), Warehouse: o.Warehouse, Database: o.Stored})
	return l, err
}

// openEngine opens what makes a target's models. Its own files lie beside the tables, or, of a lake of this machine, in its state.
// process is the engine of this process, and scratch a folder of this machine for what belongs to one job.
func openEngine(ctx context.Context, p *project.Lake, kind string, l *lake.Lake, process *duckdb.Engine, scratch string) (engine.Engine, error) {
	own := "file://" + scratch
	if project.Remote(p.Config.Warehouse) {
		own = p.Config.Warehouse + "/" + lake.OwnFolder(p.Config.Stored) + "/" + kind
	}
	return engines.Open(ctx, engines.Place{Kind: kind, Process: process, Spark: p.Config.Spark, AWS: p.Config.AWS, Stores: l.Stores(), Own: own, Scratch: scratch})
}
