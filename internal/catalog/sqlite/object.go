package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tarn/internal/catalog"
	"tarn/internal/store"
)

// Object is the catalog file as an object of a store: fetched, changed and put back on the condition that nobody else
// has changed it. That one Put is the publish, and as the lock is a row of the same file, a writer that has lost it
// cannot publish, however long it slept.
type Object struct {
	o ObjectOptions

	mu   sync.Mutex // over the copy
	etag string     // of the copy; "" where there is none yet
	raw  []byte
}

// ObjectOptions says where a catalog object is.
type ObjectOptions struct {
	Store    store.Store
	Key      string
	Database string
	// TempDir is for copies of the file while they are changed.
	TempDir string
	// Beat is how often the holder of the lock gives a sign of life, and TTL how long others wait for one before they take
	// it over. Defaults: 20 seconds and one minute.
	Beat, TTL time.Duration
}

// OpenObject gives the catalog of an object; it is made by the first publish.
func OpenObject(o ObjectOptions) *Object {
	if o.Beat == 0 {
		o.Beat = 20 * time.Second
	}
	if o.TTL == 0 {
		o.TTL = 3 * o.Beat
	}
	return &Object{o: o}
}

// Close implements [catalog.Catalog]: there is nothing to let go of.
func (c *Object) Close() error { return nil }

// Pointers implements [catalog.Catalog].
func (c *Object) Pointers(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	err := c.change(ctx, func(tx *sql.Tx) (err error) {
		if out, err = readPointers(ctx, tx, c.o.Database); err != nil {
			return err
		}
		return errUnchanged
	})
	return out, err
}

// Identity implements [catalog.Catalog]: there is one such object in a warehouse.
func (c *Object) Identity(context.Context) (catalog.Identity, error) {
	return catalog.Identity{Kind: kind, Lake: store.Location(c.o.Store, c.o.Key), Database: c.o.Database}, nil
}

// refresh fetches the object if it is another one than the copy.
func (c *Object) refresh(ctx context.Context) error {
	if c.etag != "" {
		o, err := c.o.Store.Stat(ctx, c.o.Key)
		if err == nil && o.ETag == c.etag {
			return nil
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("read catalog: %w", err)
		}
	}
	for {
		raw, o, err := c.o.Store.Get(ctx, c.o.Key)
		switch {
		case errors.Is(err, store.ErrCondition):
			continue // it has just changed
		case errors.Is(err, store.ErrNotFound):
			c.etag, c.raw = "", nil
			return nil
		case err != nil:
			return fmt.Errorf("read catalog: %w", err)
		case o.ETag == "":
			return fmt.Errorf("read catalog: %s has no ETag: this store cannot tell one content from another", store.Location(c.o.Store, c.o.Key))
		}
		c.etag, c.raw = o.ETag, raw
		return nil
	}
}

// errUnchanged is what a change gives that has only looked.
var errUnchanged = errors.New("nothing to write")

// inside opens the copy as a database for one transaction. Where do gives an error, the copy stays as it was.
func (c *Object) inside(ctx context.Context, do func(*sql.Tx) error) (err error) {
	if err := os.MkdirAll(c.o.TempDir, 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(c.o.TempDir, "catalog-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "catalog.db")
	if err := os.WriteFile(path, c.raw, 0o600); err != nil {
		return err
	}
	// One file has to hold everything, and need not survive this process.
	db, err := sql.Open("sqlite", source(path, "_pragma=journal_mode(MEMORY)&_pragma=synchronous(OFF)"))
	if err != nil {
		return err
	}
	err = c.transact(ctx, db, do)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	raw, err := os.ReadFile(path)
	if err == nil {
		c.raw = raw
	}
	return err
}

func (c *Object) transact(ctx context.Context, db *sql.DB, do func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("catalog %s: %w", store.Location(c.o.Store, c.o.Key), err)
	}
	for _, ddl := range append(tables, `CREATE TABLE IF NOT EXISTS tarn_lock (database VARCHAR(255) PRIMARY KEY, token INTEGER NOT NULL, beat INTEGER NOT NULL, holder TEXT)`) {
		if _, err := tx.ExecContext(ctx, ddl); err != nil {
			return errors.Join(fmt.Errorf("catalog %s: %w", store.Location(c.o.Store, c.o.Key), err), rollback(tx))
		}
	}
	if err := do(tx); err != nil {
		return errors.Join(err, rollback(tx))
	}
	return tx.Commit()
}

// change applies a change to the newest object and puts it back; it is applied again where somebody else came first.
func (c *Object) change(ctx context.Context, do func(*sql.Tx) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if err := c.refresh(ctx); err != nil {
			return err
		}
		before := c.raw
		if err := c.inside(ctx, do); err != nil {
			if errors.Is(err, errUnchanged) {
				err = nil
			}
			return err
		}
		cond := store.Condition{ETag: c.etag, Absent: c.etag == ""}
		o, err := c.o.Store.Put(ctx, c.o.Key, bytes.NewReader(c.raw), cond)
		if err == nil {
			c.etag = o.ETag
			return nil
		}
		// What the object is now has to be looked at again.
		c.etag, c.raw = "", before
		if !errors.Is(err, store.ErrCondition) {
			return fmt.Errorf("write catalog: %w", err)
		}
		if err := sleep(ctx, rand.N(50*time.Millisecond)); err != nil {
			return err
		}
	}
}

// lockRow is the row of the lock.
type lockRow struct {
	token, beat int64
	holder      *catalog.Holder // nil while nobody has it
}

func (c *Object) readLock(ctx context.Context, tx *sql.Tx) (l lockRow, err error) {
	var holder sql.NullString
	err = tx.QueryRowContext(ctx, `SELECT token, beat, holder FROM tarn_lock WHERE database = ?`, c.o.Database).Scan(&l.token, &l.beat, &holder)
	if errors.Is(err, sql.ErrNoRows) {
		return lockRow{}, nil
	}
	if err == nil && holder.Valid {
		l.holder = &catalog.Holder{}
		err = json.Unmarshal([]byte(holder.String), l.holder)
	}
	return l, err
}

func (c *Object) writeLock(ctx context.Context, tx *sql.Tx, l lockRow) error {
	var holder any
	if l.holder != nil {
		raw, err := json.Marshal(l.holder)
		if err != nil {
			return err
		}
		holder = string(raw)
	}
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO tarn_lock (database, token, beat, holder) VALUES (?, ?, ?, ?)`, c.o.Database, l.token, l.beat, holder)
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
