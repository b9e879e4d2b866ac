// Package crawl looks at raw files and says how they could be landing tables: format, compression, folders, fields with their
// types, and what is odd about them.
//
// [Crawl] lists a location of any store, reads some files of each table (or all), and gives a [Report] whose tables have the
// DDL for Athena. Types are chosen from evidence that joins in any order (see evidence), so that every value that was read
// loads; the careful reader, which loads the files of a run, reads the sample a second time to prove it. [Place] writes
// tables into a lake.
package crawl

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"tarn/internal/ddl"
	"tarn/internal/engine/duckdb"
	"tarn/internal/store"
)

// Options change what is read. The zero value works.
type Options struct {
	// All reads every file to its end instead of a sample.
	All bool
	// Progress is told how many files were listed, how many files and bytes (uncompressed) were read, and how many of these
	// were proved to load; nil for none.
	Progress func(listed, files, bytes, proved int64)

	sampleBytes int64 // of a table; default sampleBytes
}

// ErrNothing says that there is no file at a location.
var ErrNothing = errors.New("there are no files")

// Report is what a crawl found. Its JSON form is that of `tarn crawl --json`.
type Report struct {
	// Location is what was crawled, as the stores name it.
	Location string `json:"location"`
	// Tables are in order of their place.
	Tables []*Table `json:"tables"`
	// LeftOut are files that are in no table, at most 100 of them.
	LeftOut []LeftOut `json:"left_out"`
	// LeftOutTotal counts all files that were looked at and are in no table.
	LeftOutTotal int64 `json:"left_out_total"`
	// Notes say what else a person should know.
	Notes []string `json:"notes"`
}

// LeftOut is a file that is in no table.
type LeftOut struct {
	// File is its path below the crawled location.
	File string `json:"file"`
	// Why says in words why it was left out.
	Why string `json:"why"`
}

const (
	// sampleBytes is how much of a table is read, uncompressed.
	sampleBytes = 64 << 20
	// leastBytes is how much of each sampled file is read at least.
	leastBytes  = 1 << 20
	maxLeftOut  = 100
	maxRefusals = 5
)

// crawler is one crawl.
type crawler struct {
	store  store.Store
	root   string
	tree   *tree
	o      Options
	report *Report

	mu        sync.Mutex
	heads     map[string]*head
	left      map[string]bool
	listed    int64
	files     int64
	readBytes int64
	proved    int64

	engineOnce sync.Once
	engine     *duckdb.Engine
	engineErr  error
}

// Crawl looks at what is at a location: a folder, a prefix of a bucket, or one file. The error is [ErrNothing] if there is no
// file.
func Crawl(ctx context.Context, stores store.Locator, location string, o Options) (_ *Report, err error) {
	s, key, err := stores.Locate(ctx, location)
	if err != nil {
		return nil, err
	}
	if o.sampleBytes == 0 {
		o.sampleBytes = sampleBytes
	}
	c := &crawler{store: s, o: o, heads: map[string]*head{}, left: map[string]bool{}}
	defer func() {
		if c.engine != nil {
			err = errors.Join(err, c.engine.Close())
		}
	}()
	c.report = &Report{Tables: []*Table{}, LeftOut: []LeftOut{}, Notes: []string{}}
	list, err := c.find(ctx, key)
	if err != nil {
		return nil, err
	}
	c.report.Location = store.Location(s, c.root)
	for _, found := range list {
		t, err := c.table(ctx, found)
		if err != nil {
			return nil, fmt.Errorf("crawl %s: %w", c.show(found.key), err)
		}
		if t != nil {
			c.report.Tables = append(c.report.Tables, t)
		}
	}
	slices.SortStableFunc(c.report.Tables, func(a, b *Table) int { return strings.Compare(a.Location, b.Location) })
	c.name()
	slices.SortFunc(c.report.LeftOut, func(a, b LeftOut) int { return strings.Compare(a.File, b.File) })
	return c.report, nil
}

// find lists the location and finds the tables in it.
func (c *crawler) find(ctx context.Context, key string) ([]*candidate, error) {
	if key != "" && !strings.HasSuffix(key, "/") {
		switch o, err := c.store.Stat(ctx, key); {
		case err == nil:
			return c.single(ctx, o)
		case !errors.Is(err, store.ErrNotFound):
			return nil, err
		}
		key += "/"
	}
	c.root = key
	t, err := openTree(ctx, c.store, key, func(n int64) { c.tell(n, 0, 0) })
	if err != nil {
		return nil, err
	}
	c.tree = t
	c.tell(t.seen, 0, 0)
	l, err := t.folder(ctx, key)
	if err != nil {
		return nil, err
	}
	if len(l.files)+len(l.folders) == 0 {
		return nil, fmt.Errorf("%s: %w", store.Location(c.store, key), ErrNothing)
	}
	return c.discover(ctx, key)
}

// single makes a table of one file.
func (c *crawler) single(ctx context.Context, o store.Object) ([]*candidate, error) {
	c.root = strings.TrimSuffix(path.Dir("/" + o.Key)[1:]+"/", "/")
	if c.root != "" {
		c.root += "/"
	}
	heads, err := c.lookAll(ctx, []store.Object{o})
	if err != nil {
		return nil, err
	}
	list := c.groups(heads)
	for _, g := range list {
		g.key, g.only, g.sample = c.root, o.Key, []store.Object{o}
		g.total = count{files: 1, bytes: float64(o.Size), exact: true}
	}
	return list, nil
}

// show gives a key as people see it: below the crawled location.
func (c *crawler) show(key string) string {
	if rest := strings.TrimPrefix(key, c.root); rest != "" {
		return rest
	}
	return store.Location(c.store, key)
}

func (c *crawler) leave(key, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left[key] {
		return
	}
	if len(c.left) < 100*maxLeftOut {
		c.left[key] = true
	}
	c.report.LeftOutTotal++
	if len(c.report.LeftOut) < maxLeftOut {
		c.report.LeftOut = append(c.report.LeftOut, LeftOut{c.show(key), why})
	}
}

func (c *crawler) tell(listed, files, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listed = max(c.listed, listed)
	c.files += files
	c.readBytes += bytes
	c.progress()
}

// tellProved is told of bytes that were read again.
func (c *crawler) tellProved(bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.proved += bytes
	c.progress()
}

func (c *crawler) progress() {
	if c.o.Progress != nil {
		c.o.Progress(c.listed, c.files, c.readBytes, c.proved)
	}
}

// formats names formats for people.
var formats = map[ddl.Format]string{ddl.JSON: "JSON", ddl.CSV: "CSV", ddl.Parquet: "Parquet"}
