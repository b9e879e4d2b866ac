package cache

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// room keeps count of the disk that is taken, so that not every copy means to go through all others. It may say too much,
// and is counted anew before anything is removed; what other processes bring into the folder shows with the next count.
type room struct {
	mu      sync.Mutex
	taken   int64 // bytes of the copies
	coming  int64 // bytes of those that are not complete
	counted time.Time
}

// recount is after which time the copies of other processes are counted as well.
const recount = 10 * time.Second

// spare is the part of the bound that copies leave free, for what is written between two counts.
const spare = 16

// makeRoom counts some bytes that a copy is about to take, and before removes the copies that were not used for longest
// until it fits. Each needs an arrived.
func (c *Cache) makeRoom(size int64) error {
	c.room.mu.Lock()
	defer c.room.mu.Unlock()
	r := &c.room
	c.mu.Lock()
	others := c.claimed + r.coming
	c.mu.Unlock()
	if time.Since(r.counted) < recount && r.taken+others+size <= c.limit-c.limit/spare {
		r.coming += size
		return nil
	}
	all, err := c.copies()
	if err != nil {
		return err
	}
	r.taken, r.counted = 0, time.Now()
	for _, h := range all {
		r.taken += h.size
	}
	// More than is needed at once goes, so that the next copies find room without a count.
	if most := c.limit - c.limit/spare - size - others; r.taken > most {
		if err := c.remove(all, most-c.limit/spare); err != nil {
			return err
		}
	}
	r.coming += size
	return nil
}

// arrived says that a copy for which room was made is complete, or that there will be none.
func (c *Cache) arrived(size int64, complete bool) {
	c.room.mu.Lock()
	defer c.room.mu.Unlock()
	if c.room.coming -= size; complete {
		c.room.taken += size
	}
}

// held is one of the copies.
type held struct {
	name string
	size int64
	used time.Time
}

// copies lists the copies, those first that were not used for longest.
func (c *Cache) copies() ([]held, error) {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, err
	}
	var all []held
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || e.IsDir() {
			continue
		}
		all = append(all, held{e.Name(), taken(info), info.ModTime()})
	}
	slices.SortFunc(all, func(a, b held) int {
		return cmp.Or(a.used.Compare(b.used), strings.Compare(a.name, b.name))
	})
	return all, nil
}

// taken is the disk that a copy takes: less than its length where it has holes.
func taken(info fs.FileInfo) int64 {
	const block = 512 // stat(2)
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return min(info.Size(), s.Blocks*block)
	}
	return info.Size()
}

// remove takes copies away that nobody in this process reads, until no more than some bytes are left.
func (c *Cache) remove(all []held, most int64) error {
	for _, h := range all {
		if c.room.taken <= most {
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
		c.room.taken -= h.size
	}
	return nil
}
