// Package sqlite is the catalog of a lake on one machine: an Iceberg SQL catalog in an SQLite file.
//
// The two tables are those of Iceberg's JdbcCatalog (schema version V1), so that PyIceberg's SqlCatalog, Spark's
// JdbcCatalog and Trino read the same file. What it adds is [Catalog.Publish]: the pointers of many tables move in
// one transaction, so a reader sees all tables of a run or none.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Name is the catalog's name in the file. Every program that opens it has to use the same.
const Name = "tarn"

// ErrConflict says that a table's pointer was not where the publisher expected it: somebody else published first.
var ErrConflict = errors.New("the catalog has changed since it was read")

// ErrReadOnly says that the catalog file, or its folder, may only be read.
var ErrReadOnly = errors.New("the catalog can only be read")

// Catalog is an open catalog file. It is safe for concurrent use.
type Catalog struct {
	db   *sql.DB
	path string
	// readOnly says that nothing can be written; db is nil then, as how the file has to be read can change with each look.
	readOnly bool
}

// Move says where a table's pointer was and where it goes. From is empty for a new table, To for one that is dropped.
type Move struct {
	Table    string
	From, To string // locations of metadata files
}

// Open opens or makes the catalog file at path. Writers wait up to ten seconds for each other; readers never wait. Where
// this process may not write the file or its folder, the catalog can be read all the same, and is empty if there is none.
func Open(ctx context.Context, path string) (*Catalog, error) {
	if !writable(path) {
		return &Catalog{path: path, readOnly: true}, nil
	}
	dsn := source(path, "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open catalog %s: %w", path, err)
	}
	for _, ddl := range []string{
		`CREATE TABLE IF NOT EXISTS iceberg_tables (
			catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL,
			metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000), iceberg_type VARCHAR(5),
			PRIMARY KEY (catalog_name, table_namespace, table_name))`,
		`CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
			catalog_name VARCHAR(255) NOT NULL, namespace VARCHAR(255) NOT NULL, property_key VARCHAR(255) NOT NULL,
			property_value VARCHAR(1000), PRIMARY KEY (catalog_name, namespace, property_key))`,
	} {
		if _, err := db.ExecContext(ctx, ddl); err != nil {
			return nil, errors.Join(fmt.Errorf("open catalog %s: %w", path, err), db.Close())
		}
	}
	return &Catalog{db: db, path: path}, nil
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

// Pointers gives the metadata location of every table of a database, read at one moment.
func (c *Catalog) Pointers(ctx context.Context, database string) (map[string]string, error) {
	if c.readOnly {
		return c.readUnlocked(ctx, database)
	}
	return readPointers(ctx, c.db, database)
}

func readPointers(ctx context.Context, db *sql.DB, database string) (map[string]string, error) {
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

// Publish moves all pointers in one transaction, or none: if one is not where its Move says it was, the error is
// [ErrConflict] and nothing has changed. When Publish returns nil the change survives a power cut.
func (c *Catalog) Publish(ctx context.Context, database string, moves []Move) (err error) {
	if c.readOnly {
		return fmt.Errorf("publish: %w: %s", ErrReadOnly, c.path)
	}
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, rollback(tx))
		}
	}()
	if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO iceberg_namespace_properties VALUES (?, ?, 'exists', 'true')`, Name, database); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	for _, m := range moves {
		res, err := move(ctx, tx, database, m)
		if err != nil {
			return fmt.Errorf("publish %s: %w", m.Table, err)
		}
		if n, err := res.RowsAffected(); err != nil {
			return fmt.Errorf("publish %s: %w", m.Table, err)
		} else if n != 1 {
			return fmt.Errorf("publish %s: %w", m.Table, ErrConflict)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

func move(ctx context.Context, tx *sql.Tx, database string, m Move) (sql.Result, error) {
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
