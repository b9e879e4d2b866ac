package cache

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

// makeRoom removes the copies that were not used for longest until another one fits.
func (c *Cache) makeRoom(size int64) error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	type held struct {
		name string
		size int64
		used time.Time
	}
	var all []held
	var sum int64
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || e.IsDir() {
			continue
		}
		all = append(all, held{e.Name(), info.Size(), info.ModTime()})
		sum += info.Size()
	}
	slices.SortFunc(all, func(a, b held) int {
		return cmp.Or(a.used.Compare(b.used), strings.Compare(a.name, b.name))
	})
	for _, h := range all {
		if sum+size <= c.limit {
			return nil
		}
		c.mu.Lock()
		pinned := c.pins[h.name] > 0
		c.mu.Unlock()
		if pinned {
			continue
		}
		if err := os.Remove(filepath.Join(c.dir, h.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		sum -= h.size
	}
	return nil
}
