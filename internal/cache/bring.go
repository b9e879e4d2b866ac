package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"tarn/internal/store"
)

// partial begins the names of copies that are not complete.
const partial = "part-"

// bring makes sure that there is a copy with a link of this process.
func (c *Cache) bring(ctx context.Context, s store.Store, o store.Object, name string) error {
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
	if err := c.makeRoom(o.Size); err != nil {
		return err
	}
	temp := filepath.Join(c.own, partial+name)
	f, err := os.Create(temp)
	if err != nil {
		return err
	}
	err = s.Download(ctx, o, f)
	if info, statErr := f.Stat(); err == nil && statErr == nil && info.Size() != o.Size {
		err = fmt.Errorf("%s: %d bytes arrived of %d", store.Location(s, o.Key), info.Size(), o.Size)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	if err := os.Link(temp, filepath.Join(c.own, name)); err != nil && !errors.Is(err, fs.ErrExist) {
		return errors.Join(err, os.Remove(temp))
	}
	return os.Rename(temp, copied)
}
