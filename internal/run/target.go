package run

import (
	"context"
	"path/filepath"

	"tarn/internal/cache"
	"tarn/internal/catalog"
	catalogs "tarn/internal/catalog/registry"
	"tarn/internal/engine/spark"
	engines "tarn/internal/engine/spark/launchers"
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

// openSpark finds where a target's models are made. Plans and answers lie beside the tables, or, of a lake of this machine, in
// its state.
func openSpark(ctx context.Context, p *project.Lake, l *lake.Lake, scratch string) (*spark.Engine, error) {
	own := "file://" + scratch
	if project.Remote(p.Config.Warehouse) {
		own = p.Config.Warehouse + "/" + lake.OwnFolder(p.Config.Stored) + "/spark"
	}
	return engines.Open(ctx, engines.Place{Settings: p.Config.Spark, AWS: p.Config.AWS, Stores: l.Stores(), Own: own, Scratch: scratch})
}
