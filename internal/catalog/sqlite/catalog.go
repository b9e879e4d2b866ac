// Package sqlite is the catalog of a lake on one machine: an Iceberg SQL catalog in an SQLite file.
//
// The two tables are those of Iceberg's JdbcCatalog (schema version V1), so that PyIceberg's SqlCatalog, Spark's
// JdbcCatalog and Trino read the same file. What it adds is that the pointers of many tables move in one transaction, so
// a reader sees all tables of a run or none, and a lock file for the one writer.
package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"tarn/internal/catalog"
	"tarn/internal/store/local"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Name is the catalog's name in the file. Every program that opens it has to use the same.
const Name = "tarn"

// Catalog is an open catalog file. It is safe for concurrent use.
type Catalog struct {
	db       *sql.DB
	path     string
	lock     string
	database string
	// readOnly says that nothing can be written; db is nil then, as how the file has to be read can change with each look.
	readOnly bool
}

// Options says where a catalog is.
type Options struct {
	// Path is the catalog file, Lock the file by whose lock one process at a time writes. Both are made where they are not
	// there, and so are their folders.
	Path, Lock string
	// Database is the Iceberg namespace of the tables.
	Database string
}

// Open opens or makes the catalog file. Writers wait up to ten seconds for each other; readers never wait. Where this
// process may not write the file or its folder, the catalog can be read all the same, and is empty if there is none.
func Open(ctx context.Context, o Options) (*Catalog, error) {
	c := &Catalog{path: o.Path, lock: o.Lock, database: o.Database}
	if err := os.MkdirAll(filepath.Dir(o.Path), 0o755); err != nil && !local.DeniesWriting(err) {
		return nil, fmt.Errorf("open catalog: %w", err)
	}
	if !writable(o.Path) {
		c.readOnly = true
		return c, nil
	}
	dsn := source(o.Path, "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open catalog %s: %w", o.Path, err)
	}
	for _, ddl := range tables {
		if _, err := db.ExecContext(ctx, ddl); err != nil {
			return nil, errors.Join(fmt.Errorf("open catalog %s: %w", o.Path, err), db.Close())
		}
	}
	c.db = db
	return c, nil
}

// tables are those of Iceberg's JdbcCatalog.
var tables = []string{
	`CREATE TABLE IF NOT EXISTS iceberg_tables (
		catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL,
		metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000), iceberg_type VARCHAR(5),
		PRIMARY KEY (catalog_name, table_namespace, table_name))`,
	`CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
		catalog_name VARCHAR(255) NOT NULL, namespace VARCHAR(255) NOT NULL, property_key VARCHAR(255) NOT NULL,
		property_value VARCHAR(1000), PRIMARY KEY (catalog_name, namespace, property_key))`,
}

func source(path, options string) string {
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: options}).String()
}

// Close lets go of the file.
func (c *Catalog) Close() error {
	if c.readOnly {
		return nil
	}
	return c.db.Close()
}

// Pointers implements [catalog.Catalog].
func (c *Catalog) Pointers(ctx context.Context) (map[string]string, error) {
	if c.readOnly {
		return c.readUnlocked(ctx, c.database)
	}
	return readPointers(ctx, c.db, c.database)
}

// Identity implements [catalog.Catalog]. The file gets an id of its own when that is first asked for, as there are many of
// such files.
func (c *Catalog) Identity(ctx context.Context) (id catalog.Identity, err error) {
	id = catalog.Identity{Kind: kind, Database: c.database}
	if c.readOnly {
		return id, catalog.ErrReadOnly
	}
	if _, err := c.db.ExecContext(ctx, `INSERT OR IGNORE INTO iceberg_namespace_properties VALUES (?, ?, 'tarn.lake', ?)`, Name, c.database, rand.Text()); err != nil {
		return id, fmt.Errorf("read catalog: %w", err)
	}
	err = c.db.QueryRowContext(ctx, `SELECT property_value FROM iceberg_namespace_properties WHERE catalog_name = ? AND namespace = ? AND property_key = 'tarn.lake'`,
		Name, c.database).Scan(&id.Lake)
	if err != nil {
		return id, fmt.Errorf("read catalog: %w", err)
	}
	return id, nil
}

// kind is what targets call catalogs of this package.
const kind = "sqlite"

// queryer is a database or one transaction of it.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func readPointers(ctx context.Context, db queryer, database string) (map[string]string, error) {
	// PyIceberg leaves iceberg_type NULL, so it is not part of the condition.
	rows, err := db.QueryContext(ctx, `SELECT table_name, metadata_location FROM iceberg_tables
		WHERE catalog_name = ? AND table_namespace = ? AND coalesce(iceberg_type, 'TABLE') <> 'VIEW'`, Name, database)
	if err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var name, location string
		if err := rows.Scan(&name, &location); err != nil {
			return nil, fmt.Errorf("read catalog: %w", err)
		}
		out[name] = location
	}
	return out, rows.Err()
}

// publish moves all pointers in one transaction, or none. When it returns nil the change survives a power cut.
func (c *Catalog) publish(ctx context.Context, moves []catalog.Move) (err error) {
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, rollback(tx))
		}
	}()
	if err := moveAll(ctx, tx, c.database, moves); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// moveAll moves pointers in a transaction; the error is [catalog.ErrConflict] where one is not where its move says.
func moveAll(ctx context.Context, tx *sql.Tx, database string, moves []catalog.Move) error {
	if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO iceberg_namespace_properties VALUES (?, ?, 'exists', 'true')`, Name, database); err != nil {
		return err
	}
	for _, m := range moves {
		res, err := move(ctx, tx, database, m)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Table, err)
		}
		if n, err := res.RowsAffected(); err != nil {
			return fmt.Errorf("%s: %w", m.Table, err)
		} else if n != 1 {
			return fmt.Errorf("%s: %w", m.Table, catalog.ErrConflict)
		}
	}
	return nil
}

func move(ctx context.Context, tx *sql.Tx, database string, m catalog.Move) (sql.Result, error) {
	switch {
	case m.From == "":
		return tx.ExecContext(ctx, `INSERT OR IGNORE INTO iceberg_tables
			(catalog_name, table_namespace, table_name, metadata_location, iceberg_type) VALUES (?, ?, ?, ?, 'TABLE')`,
			Name, database, m.Table, m.To)
	case m.To == "":
		return tx.ExecContext(ctx, `DELETE FROM iceberg_tables
			WHERE catalog_name = ? AND table_namespace = ? AND table_name = ? AND metadata_location = ?`, Name, database, m.Table, m.From)
	default:
		return tx.ExecContext(ctx, `UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = metadata_location
			WHERE catalog_name = ? AND table_namespace = ? AND table_name = ? AND metadata_location = ?`,
			m.To, Name, database, m.Table, m.From)
	}
}

func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}
