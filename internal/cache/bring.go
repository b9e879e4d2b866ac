package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"tarn/internal/store"
)

// partial begins the names of copies that are not complete.
const partial = "part-"

// bring makes sure that there is a copy with a link of this process.
func (c *Cache) bring(ctx context.Context, s store.Store, o store.Object, f File, name string) (err error) {
	copied := filepath.Join(c.dir, name)
	if info, err := os.Stat(copied); err == nil && info.Size() == o.Size {
		now := time.Now()
		// The time of last use decides what goes first; where it cannot be set, another order is no harm.
		_ = os.Chtimes(copied, now, now)
		if err := c.link(name); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		// Another process has just made room.
	}
	if err := c.makeRoom(f.bytes()); err != nil {
		return err
	}
	defer func() { c.arrived(f.bytes(), err == nil) }()
	temp := filepath.Join(c.own, partial+name)
	to, err := os.Create(temp)
	if err != nil {
		return err
	}
	if f.Parts == nil {
		err = s.Download(ctx, o, to)
	} else {
		err = errors.Join(parts(ctx, s, o, f.Parts, to), to.Truncate(o.Size))
	}
	if info, statErr := to.Stat(); err == nil && statErr == nil && info.Size() != o.Size {
		err = fmt.Errorf("%s: %d bytes arrived of %d", store.Location(s, o.Key), info.Size(), o.Size)
	}
	if err := errors.Join(err, to.Close()); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	if err := os.Link(temp, filepath.Join(c.own, name)); err != nil && !errors.Is(err, fs.ErrExist) {
		return errors.Join(err, os.Remove(temp))
	}
	return os.Rename(temp, copied)
}

// partsAtOnce is how many parts of one file come at a time.
const partsAtOnce = 4

// parts brings some bytes of an object to where they are in it.
func parts(ctx context.Context, s store.Store, o store.Object, parts []Part, to io.WriterAt) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(partsAtOnce)
	for _, p := range parts {
		g.Go(func() error {
			r, err := s.Open(ctx, o.Key, o.ETag, p.Offset, p.Length)
			if err != nil {
				return err
			}
			n, err := io.Copy(io.NewOffsetWriter(to, p.Offset), r)
			if err == nil && n != p.Length {
				err = fmt.Errorf("%s: %d bytes arrived of %d", store.Location(s, o.Key), n, p.Length)
			}
			return errors.Join(err, r.Close())
		})
	}
	return g.Wait()
}
