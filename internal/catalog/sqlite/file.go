package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"tarn/internal/catalog/lease"
)

// file is a catalog file as the form of a lease: its payload is the file, and all else is a row in there. Files are changed
// as copies in a folder.
type file struct{ dir string }

// Marshal implements [lease.Form].
func (f file) Marshal(ctx context.Context, d lease.Document) ([]byte, error) {
	raw := d.Payload
	d.Payload = nil
	text, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	return f.inside(ctx, raw, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO tarn_lease (name, document) VALUES (?, ?)`, Name, string(text))
		return err
	})
}

// Unmarshal implements [lease.Form]. A catalog file that nobody has locked yet is a document as well.
func (f file) Unmarshal(ctx context.Context, raw []byte) (d lease.Document, err error) {
	d.Format = lease.Format
	_, err = f.inside(ctx, raw, func(tx *sql.Tx) error {
		var text string
		switch err := tx.QueryRowContext(ctx, `SELECT document FROM tarn_lease WHERE name = ?`, Name).Scan(&text); {
		case errors.Is(err, sql.ErrNoRows):
			return errUnchanged
		case err != nil:
			return err
		}
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			return err
		}
		return errUnchanged
	})
	d.Payload = raw
	return d, err
}

// errUnchanged is what a transaction gives that has only looked.
var errUnchanged = errors.New("nothing to write")

// inside opens a copy of a file as a database for one transaction, and gives the file after it.
func (f file) inside(ctx context.Context, raw []byte, do func(*sql.Tx) error) (_ []byte, err error) {
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(f.dir, "catalog-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "catalog.db")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		return nil, err
	}
	// One file has to hold everything, and need not survive this process.
	db, err := sql.Open("sqlite", source(path, "_pragma=journal_mode(MEMORY)&_pragma=synchronous(OFF)"))
	if err != nil {
		return nil, err
	}
	err = transact(ctx, db, do)
	if err := errors.Join(err, db.Close()); errors.Is(err, errUnchanged) {
		return raw, nil
	} else if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

func transact(ctx context.Context, db *sql.DB, do func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, ddl := range append(tables, `CREATE TABLE IF NOT EXISTS tarn_lease (name VARCHAR(255) PRIMARY KEY, document TEXT NOT NULL)`) {
		if _, err := tx.ExecContext(ctx, ddl); err != nil {
			return errors.Join(err, rollback(tx))
		}
	}
	if err := do(tx); err != nil {
		return errors.Join(err, rollback(tx))
	}
	return tx.Commit()
}
