package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"tarn/internal/catalog"
	"tarn/internal/catalog/lease"
	"tarn/internal/store"
)

// Object is the catalog file as an object of a store: fetched, changed and put back on the condition that nobody else
// has changed it. That one Put is the publish, and as the lock is a row of the same file, a writer that has lost it
// cannot publish, however long it slept: see package lease.
type Object struct {
	o     ObjectOptions
	lease *lease.Lease
}

// ObjectOptions says where a catalog object is.
type ObjectOptions struct {
	Store    store.Store
	Key      string
	Database string
	// TempDir is for copies of the file while they are looked at or changed.
	TempDir string
	// Lease is how the lock behaves; its Form is the catalog's.
	Lease lease.Options
}

// OpenObject gives the catalog of an object; it is made by the first one to lock it.
func OpenObject(o ObjectOptions) *Object {
	o.Lease.Form, o.Lease.Others = file{o.TempDir}, true
	return &Object{o: o, lease: lease.New(o.Store, o.Key, o.Lease)}
}

// Close implements [catalog.Catalog]: there is nothing to let go of.
func (c *Object) Close() error { return nil }

// Pointers implements [catalog.Catalog].
func (c *Object) Pointers(ctx context.Context) (out map[string]string, err error) {
	d, err := c.lease.Read(ctx)
	if err == nil {
		_, err = file{c.o.TempDir}.inside(ctx, d.Payload, func(tx *sql.Tx) (err error) {
			if out, err = readPointers(ctx, tx, c.o.Database); err != nil {
				return err
			}
			return errUnchanged
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	return out, nil
}

// Identity implements [catalog.Catalog]: there is one such object in a warehouse.
func (c *Object) Identity(context.Context) (catalog.Identity, error) {
	return catalog.Identity{Kind: kind, Lake: store.Location(c.o.Store, c.o.Key), Database: c.o.Database}, nil
}

// Lock implements [catalog.Catalog].
func (c *Object) Lock(ctx context.Context, o catalog.LockOptions) (catalog.Writer, error) {
	held, err := c.lease.Take(ctx, o)
	if err != nil {
		return nil, err
	}
	return &objectWriter{Held: held, catalog: c}, nil
}

// Idle implements [catalog.Catalog].
func (c *Object) Idle(ctx context.Context, o catalog.LockOptions) (unfinished string, err error) {
	return c.lease.Idle(ctx, o)
}

// objectWriter is the right to publish into an object.
type objectWriter struct {
	*lease.Held
	catalog *Object
}

// Publish implements [catalog.Writer].
func (w *objectWriter) Publish(ctx context.Context, moves []catalog.Move) error {
	// Others may have changed the file since this writer has seen it, and the moves be of what they have left.
	if err := w.Renew(ctx); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	for {
		err := w.publish(ctx, moves)
		if !errors.Is(err, lease.ErrStale) { // then they have done so just now, or an earlier publish of this writer came to pass after all
			return err
		}
	}
}

func (w *objectWriter) publish(ctx context.Context, moves []catalog.Move) error {
	raw, updates, err := w.Payload(ctx)
	if err == nil {
		raw, err = file{w.catalog.o.TempDir}.inside(ctx, raw, func(tx *sql.Tx) error { return moveAll(ctx, tx, w.catalog.o.Database, moves) })
	}
	if err == nil {
		err = w.Update(ctx, updates, raw)
	}
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}
