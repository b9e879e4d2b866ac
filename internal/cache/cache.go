// Package cache makes the files of stores readable as files of this machine, and bounds the disk that this takes.
//
// What is on this disk already is read where it is. Everything else is copied once, under a name made of its location
// and etag, and stays for the next run until the room is needed. Several processes can use one cache folder at a time:
// each reads through links of its own, so none can take a file away from another.
package cache

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"
	"golang.org/x/sys/unix"

	"tarn/internal/filelock"
	"tarn/internal/store"
)

// Cache is a folder of copies. It is safe for concurrent use.
type Cache struct {
	stores store.Locator
	dir    string // the copies, by name
	own    string // links of this process, by name
	limit  int64

	flight singleflight.Group
	mu     sync.Mutex
	lock   io.Closer // held while own is in use; nil until then
	pins   map[string]int
	sizes  map[string]int64 // of what is pinned
	used   int64            // sum of sizes
	// claimed is what this process takes besides copies: see [Cache.Claim].
	claimed int64
	room    room
}

// File is what is asked for.
type File struct {
	Location string
	Size     int64
	// ETag tells contents of one location apart; empty where a location only ever has one content.
	ETag string
	// Parts are the bytes that are wanted, in order, none of them twice. The copy is as long as the file, with holes that read
	// as zeros elsewhere, and takes no more disk than its parts. nil is the whole file.
	Parts []Part
}

// Part is some bytes of a file.
type Part struct{ Offset, Length int64 }

// bytes is what a copy takes.
func (f File) bytes() (n int64) {
	if f.Parts == nil {
		return f.Size
	}
	for _, p := range f.Parts {
		n += p.Length
	}
	return n
}

// FullError says that the files that are needed at one time do not fit.
type FullError struct {
	Limit, Needed int64 // bytes
}

func (e *FullError) Error() string {
	return fmt.Sprintf("files of this machine need %s at one time, and disk: allows %s", megabytes(e.Needed), megabytes(e.Limit))
}

// Hint says what to do about it.
func (e *FullError) Hint() string {
	return "set disk: of the target in tarn.yaml to more than " + megabytes(e.Needed)
}

// megabytes writes a size as disk: takes it, rounded up.
func megabytes(n int64) string { return fmt.Sprintf("%.1fMB", math.Ceil(float64(n)/1e5)/10) }

// New gives the cache in a folder, which is made when it is needed. limit is in bytes.
func New(dir string, limit int64, stores store.Locator) *Cache {
	return &Cache{stores: stores, dir: dir, limit: limit, own: filepath.Join(dir, "used", fmt.Sprintf("%d-%s", os.Getpid(), rand.Text())),
		pins: map[string]int{}, sizes: map[string]int64{}}
}

// Limit is the bound of the disk, in bytes.
func (c *Cache) Limit() int64 { return c.limit }

// Holds gives a [FullError] where so many bytes of copies have no room at one time.
func (c *Cache) Holds(bytes int64) error {
	if free := c.limit / spare; bytes > c.limit-free {
		return &FullError{Limit: c.limit, Needed: bytes + free}
	}
	return nil
}

// Fetch makes a file readable on this machine, until release is called. The error is [store.ErrCondition] or
// [store.ErrNotFound] if its location does not hold that content any more, and a [FullError] if there is no room.
func (c *Cache) Fetch(ctx context.Context, f File) (path string, release func(), err error) {
	s, key, err := c.stores.Locate(ctx, f.Location)
	if err != nil {
		return "", nil, err
	}
	if disk, ok := s.(store.OnDisk); ok {
		return disk.Path(key), func() {}, nil
	}
	name := copyName(f)
	if err := c.pin(name, f.bytes()); err != nil {
		return "", nil, err
	}
	release = sync.OnceFunc(func() { c.unpin(name) })
	for {
		_, err, _ = c.flight.Do(name, func() (any, error) {
			return nil, c.bring(ctx, s, store.Object{Key: key, Size: f.Size, ETag: f.ETag}, f, name)
		})
		if !errors.Is(err, context.Canceled) || ctx.Err() != nil {
			break
		}
		// It was somebody else's download that was cancelled.
	}
	if err != nil {
		release()
		return "", nil, err
	}
	return filepath.Join(c.own, name), release, nil
}

// Has reports whether there is a copy of a whole file, or the file is on this disk anyway.
func (c *Cache) Has(ctx context.Context, f File) bool {
	s, _, err := c.stores.Locate(ctx, f.Location)
	if err != nil {
		return false
	}
	if _, onDisk := s.(store.OnDisk); onDisk {
		return true
	}
	info, err := os.Stat(filepath.Join(c.dir, copyName(File{Location: f.Location, ETag: f.ETag})))
	return err == nil && info.Size() == f.Size
}

// sideBySide is how many files come at a time.
const sideBySide = 8

// FetchAll makes many files readable, in the order given. done, if not nil, is told the bytes of each as it arrives.
func (c *Cache) FetchAll(ctx context.Context, files []File, done func(bytes int64)) (paths []string, release func(), err error) {
	if err := c.fits(ctx, files); err != nil {
		return nil, nil, err
	}
	paths = make([]string, len(files))
	releases := make([]func(), len(files))
	release = func() {
		for _, r := range releases {
			if r != nil {
				r()
			}
		}
	}
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(sideBySide)
	for i, f := range files {
		g.Go(func() (err error) {
			if paths[i], releases[i], err = c.Fetch(within, f); err == nil && done != nil {
				done(f.bytes())
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		release()
		return nil, nil, err
	}
	return paths, release, nil
}

// fits says before anything is fetched if some files have no room beside what is in use.
func (c *Cache) fits(ctx context.Context, files []File) error {
	more, err := c.Room(ctx, files)
	if err != nil {
		return err
	}
	c.mu.Lock()
	all := c.used + c.claimed + more
	c.mu.Unlock()
	return c.Holds(all)
}

// Room gives how many bytes of the disk some files take that are not in use yet; those on this disk anyway take none.
func (c *Cache) Room(ctx context.Context, files []File) (bytes int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	counted := map[string]bool{}
	for _, f := range files {
		s, _, err := c.stores.Locate(ctx, f.Location)
		if err != nil {
			return 0, err
		}
		if _, onDisk := s.(store.OnDisk); onDisk {
			continue
		}
		if name := copyName(f); c.pins[name] == 0 && !counted[name] {
			counted[name] = true
			bytes += f.bytes()
		}
	}
	return bytes, nil
}

// Claim says how much of the bound this process takes for other files at the moment, such as results that are not where
// they belong yet. Copies that nobody reads make room for them; the error is a [FullError] where that is not enough.
func (c *Cache) Claim(bytes int64) error {
	c.mu.Lock()
	c.claimed = bytes
	all := c.used + bytes
	c.mu.Unlock()
	if all > c.limit {
		return &FullError{Limit: c.limit, Needed: all}
	}
	if _, err := os.Stat(c.dir); err != nil {
		return nil // no copy was ever made
	}
	return c.makeRoom(0)
}

// Adopt takes a file of this machine as the copy of a location, to which it was just written. It is readable there until
// release is called, and gone from where it was.
func (c *Cache) Adopt(f File, from string) (path string, release func(), err error) {
	name := copyName(f)
	c.mu.Lock()
	c.claimed = max(0, c.claimed-f.Size)
	c.mu.Unlock()
	if err := c.pin(name, f.Size); err != nil {
		return "", nil, err
	}
	path = filepath.Join(c.own, name)
	if err := c.makeRoom(f.Size); err != nil {
		c.unpin(name)
		return "", nil, err
	}
	err = errors.Join(os.Rename(from, filepath.Join(c.dir, name)), c.link(name))
	c.arrived(f.Size, err == nil)
	if err != nil {
		c.unpin(name)
		return "", nil, err
	}
	return path, sync.OnceFunc(func() { c.unpin(name) }), nil
}

// Close lets go of all files.
func (c *Cache) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lock == nil {
		return nil
	}
	err := errors.Join(os.RemoveAll(c.own), os.Remove(c.own+".lock"), c.lock.Close())
	c.lock = nil
	return err
}

// copyName is a name for a copy; readers look at its end for the format and compression.
func copyName(f File) string {
	content := f.Location + "\x00" + f.ETag
	if f.Parts != nil {
		content += fmt.Sprint("\x00", f.Parts)
	}
	sum := sha256.Sum256([]byte(content))
	base := path.Base(f.Location)
	ending := ""
	if i := strings.IndexByte(base, '.'); i >= 0 {
		ending = strings.Map(func(r rune) rune {
			if r == '.' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
				return r
			}
			return '_'
		}, base[max(i, len(base)-20):])
	}
	return hex.EncodeToString(sum[:16]) + ending
}

// pin keeps a copy from being removed by this process, and counts it. The first one makes the folders.
func (c *Cache) pin(name string, size int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lock == nil {
		if err := c.begin(); err != nil {
			return fmt.Errorf("cache %s: %w", c.dir, err)
		}
	}
	if c.pins[name] == 0 {
		if err := c.Holds(c.used + c.claimed + size); err != nil {
			return err
		}
		c.used += size
		c.sizes[name] = size
	}
	c.pins[name]++
	return nil
}

func (c *Cache) unpin(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pins[name]--; c.pins[name] > 0 {
		return
	}
	c.used -= c.sizes[name]
	delete(c.pins, name)
	delete(c.sizes, name)
	_ = os.Remove(filepath.Join(c.own, name))
}

// begin makes the folders and clears away what processes have left that are dead.
func (c *Cache) begin() error {
	if err := os.MkdirAll(filepath.Dir(c.own), 0o755); err != nil {
		return err
	}
	f, err := filelock.Take(c.own+".lock", os.O_RDWR|os.O_CREATE, unix.LOCK_EX|unix.LOCK_NB)
	if err != nil {
		return err
	}
	if err := os.Mkdir(c.own, 0o755); err != nil {
		return errors.Join(err, f.Close())
	}
	c.lock = f
	all, err := os.ReadDir(filepath.Dir(c.own))
	if err != nil {
		return err
	}
	for _, e := range all {
		if l := filepath.Join(filepath.Dir(c.own), e.Name()); strings.HasSuffix(l, ".lock") && l != c.own+".lock" {
			clearDead(l)
		}
	}
	return nil
}

// clearDead removes the links of a process if its lock is free.
func clearDead(lock string) {
	f, err := filelock.Take(lock, os.O_RDWR, unix.LOCK_EX|unix.LOCK_NB)
	if err != nil {
		return
	}
	defer f.Close()
	if os.RemoveAll(strings.TrimSuffix(lock, ".lock")) == nil {
		_ = os.Remove(lock)
	}
}

// link makes a copy readable under a name of this process.
func (c *Cache) link(name string) error {
	own := filepath.Join(c.own, name)
	err := os.Link(filepath.Join(c.dir, name), own)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	return err
}
