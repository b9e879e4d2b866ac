// Package registry opens the catalog that a target names. Adding a kind of catalog is one line in kinds.
package registry

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"tarn/internal/awsconf"
	"tarn/internal/catalog"
	"tarn/internal/catalog/glue"
	"tarn/internal/catalog/sqlite"
	"tarn/internal/store"
)

// Place says where a lake's catalog is.
type Place struct {
	// Kind is what the target calls it: sqlite or glue.
	Kind string
	// Database is the namespace of the tables.
	Database string
	// Warehouse is the location below which the tables are, without a slash at its end; Own is the folder for what the
	// catalog keeps beside them, relative to it.
	Warehouse, Own string
	// State is a folder of this machine for the target.
	State  string
	Stores store.Locator
	AWS    awsconf.Settings
	// CatalogID is the account of a Glue Data Catalog; "" is the caller's own.
	CatalogID string
	// Rebase is for catalogs in which others can commit while a publish is under way.
	Rebase catalog.Rebase
}

var kinds = map[string]func(context.Context, Place) (catalog.Catalog, error){
	"sqlite": openSQLite,
	"glue":   openGlue,
}

// Open opens a catalog.
func Open(ctx context.Context, p Place) (catalog.Catalog, error) {
	open, ok := kinds[p.Kind]
	if !ok {
		return nil, fmt.Errorf("there is no catalog %q", p.Kind)
	}
	return open(ctx, p)
}

// openSQLite opens a file of this machine, or one beside the tables of a remote warehouse.
func openSQLite(ctx context.Context, p Place) (catalog.Catalog, error) {
	s, key, err := p.own(ctx, "catalog.db")
	if err != nil {
		return nil, err
	}
	if _, onDisk := s.(store.OnDisk); onDisk {
		return sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(p.State, "catalog.db"), Lock: filepath.Join(p.State, "lock"), Database: p.Database})
	}
	return sqlite.OpenObject(sqlite.ObjectOptions{Store: s, Key: key, Database: p.Database, TempDir: filepath.Join(p.State, "tmp")}), nil
}

func openGlue(ctx context.Context, p Place) (catalog.Catalog, error) {
	cfg, err := awsconf.Load(ctx, p.AWS)
	if err != nil {
		return nil, err
	}
	s, key, err := p.own(ctx, "head.json")
	if err != nil {
		return nil, err
	}
	return glue.New(cfg, glue.Options{Database: p.Database, Description: "Tables of a lake kept by tarn in " + p.Warehouse, CatalogID: p.CatalogID,
		// Tables of the same name and database that lie elsewhere are another lake's.
		Lake: p.Warehouse + "/" + p.Database, Store: s, Head: key, Rebase: p.Rebase})
}

// own finds one of the catalog's own files.
func (p Place) own(ctx context.Context, name string) (store.Store, string, error) {
	return p.Stores.Locate(ctx, strings.TrimSuffix(p.Warehouse, "/")+"/"+p.Own+"/"+name)
}
