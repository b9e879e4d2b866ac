package load

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"tarn/internal/cache"
	"tarn/internal/engine/duckdb"
	"tarn/internal/store"
)

// Batch is some landing files of one table, to be read by a process that may be on another machine: see [Batch.Do]. Its JSON
// form is kept in a store.
//
// A batch may be done several times, one after the other or at once, as whoever shares work out does not always know that it
// was done. Each attempt writes files of its own, and the first that ends writes the answer: only what that names counts.
type Batch struct {
	// Run and At are of the run, for entries of the quarantine.
	Run   string
	At    time.Time
	Table Table
	// FieldIDs are Iceberg's, as DuckDB takes them.
	FieldIDs string
	Files    []File
	// Data and Rejected are the locations of the folders for data files and rejected rows, without a slash at their ends, and
	// Answer is where the answer is written.
	Data, Rejected, Answer string
	// Memory bounds the engine, such as "512MB".
	Memory string
}

// Stored is a data file where it lies.
type Stored struct {
	Location string
	Rows     int64
	Bytes    int64
	// Columns has what the writer counted, by column name.
	Columns map[string]duckdb.ColumnStats
}

// Answer is what became of a batch.
type Answer struct {
	Table   string
	Written []Stored
	Files   []Counted
	Growing []File
	Drift   Drift
	Careful int
	// Rejected is a Parquet file as [Quarantine.Save] writes it; its Location is "" where no row was rejected.
	Rejected Stored
}

// ErrAnswer says that an answer is not one to the batch.
var ErrAnswer = errors.New("the answer does not fit the batch")

// ReadBatch reads a batch from where it lies.
func ReadBatch(ctx context.Context, stores store.Locator, location string) (Batch, error) {
	var b Batch
	raw, err := store.ReadLocation(ctx, stores, location)
	if err == nil {
		err = json.Unmarshal(raw, &b)
	}
	if err != nil {
		return b, fmt.Errorf("batch %s: %w", location, err)
	}
	return b, nil
}

// Size is how many bytes its files have, as they are stored.
func (b Batch) Size() int64 { return size(b.Files) }

// Result reads the answer to the batch. The error is [ErrAnswer] unless it accounts for each of its files, once.
func (b Batch) Result(ctx context.Context, stores store.Locator) (*Answer, error) {
	raw, err := store.ReadLocation(ctx, stores, b.Answer)
	if err != nil {
		return nil, fmt.Errorf("answer %s: %w", b.Answer, err)
	}
	var a Answer
	if err := json.Unmarshal(raw, &a); err != nil {
		return nil, fmt.Errorf("%w: %s: %v", ErrAnswer, b.Answer, err)
	}
	missing := map[string]bool{}
	for _, f := range b.Files {
		missing[f.Name] = true
	}
	told := a.Growing
	var loaded, rows int64
	for _, f := range a.Files {
		told, loaded = append(told, f.File), loaded+f.Loaded
	}
	for _, f := range told {
		if !missing[f.Name] {
			return nil, fmt.Errorf("%w: %s tells of %s, which it was not asked to read or has told of", ErrAnswer, b.Answer, f.Name)
		}
		delete(missing, f.Name)
	}
	for name := range missing {
		return nil, fmt.Errorf("%w: %s says nothing of %s", ErrAnswer, b.Answer, name)
	}
	for _, w := range a.Written {
		rows += w.Rows
	}
	if a.Table != b.Table.Name || rows != loaded {
		return nil, fmt.Errorf("%w: %s has written %d rows of %s and loaded %d of %s", ErrAnswer, b.Answer, rows, a.Table, loaded, b.Table.Name)
	}
	return &a, nil
}

// Do reads the batch's files with an engine of its own, writes their rows and then the answer. dir is a folder of this
// machine that the process has for itself; it takes copies of the files and their rows.
func (b Batch) Do(ctx context.Context, stores store.Locator, dir string) (err error) {
	answers, key, err := stores.Locate(ctx, b.Answer)
	if err != nil {
		return err
	}
	if _, err := answers.Stat(ctx, key); !errors.Is(err, store.ErrNotFound) {
		// Another attempt was quicker, or the store cannot be asked.
		return err
	}
	e, err := duckdb.Open(ctx, duckdb.Options{Memory: b.Memory, Threads: 1, TempDir: filepath.Join(dir, "engine")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	// The files of one batch come here together.
	copies := cache.New(filepath.Join(dir, "cache"), batchShare*max(b.Size(), 1), stores)
	defer func() { err = errors.Join(err, copies.Close()) }()
	return b.DoWith(ctx, stores, dir, Loader{Engine: e, Cache: copies})
}

// DoWith does what [Batch.Do] does with the engine and the copies of a loader, one batch at a time, and without looking whether
// it was done already.
func (b Batch) DoWith(ctx context.Context, stores store.Locator, dir string, l Loader) error {
	answers, key, err := stores.Locate(ctx, b.Answer)
	if err != nil {
		return err
	}
	q, err := newQuarantine(ctx, l.Engine, b.Run, b.At, "tarn_batch_quarantine_staging")
	if err != nil {
		return err
	}
	res, err := l.Load(ctx, b.Table, b.Files, filepath.Join(dir, "rows"), b.FieldIDs, q)
	if err != nil {
		return err
	}
	a := &Answer{Table: b.Table.Name, Files: res.Files, Growing: res.Growing, Drift: res.Drift, Careful: res.Careful}
	attempt := rand.Text()
	if a.Written, err = b.store(ctx, stores, res.Written, attempt); err != nil {
		return err
	}
	if a.Rejected, err = b.storeRejected(ctx, stores, q, dir, attempt); err != nil {
		return err
	}
	raw, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if _, err = answers.Put(ctx, key, bytes.NewReader(raw), store.Condition{Absent: true}); !errors.Is(err, store.ErrCondition) {
		return err
	}
	return b.discard(ctx, stores, a)
}

// store puts data files to where the table has them.
func (b Batch) store(ctx context.Context, stores store.Locator, written []duckdb.File, attempt string) ([]Stored, error) {
	out := make([]Stored, len(written))
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for i, w := range written {
		out[i] = Stored{Location: b.Data + "/" + attempt + "-" + strconv.Itoa(i) + ".parquet", Rows: w.Rows, Bytes: w.Bytes, Columns: w.Columns}
		g.Go(func() error {
			var err error
			out[i].Bytes, err = put(within, stores, w.Path, out[i].Location)
			return err
		})
	}
	return out, g.Wait()
}

func (b Batch) storeRejected(ctx context.Context, stores store.Locator, q *Quarantine, dir, attempt string) (out Stored, err error) {
	if out.Rows, err = q.Count(ctx); err != nil || out.Rows == 0 {
		return out, err
	}
	path := filepath.Join(dir, "rejected.parquet")
	if err := q.Save(ctx, path); err != nil {
		return out, err
	}
	out.Location = b.Rejected + "/" + attempt + ".parquet"
	out.Bytes, err = put(ctx, stores, path, out.Location)
	return out, err
}

// discard deletes the files of an attempt that was not the first.
func (b Batch) discard(ctx context.Context, stores store.Locator, a *Answer) error {
	gone := a.Written
	if a.Rejected.Location != "" {
		gone = append(gone, a.Rejected)
	}
	for _, f := range gone {
		s, key, err := stores.Locate(ctx, f.Location)
		if err != nil {
			return err
		}
		if err := s.Delete(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// put copies a file of this machine to a location, and gives its size.
func put(ctx context.Context, stores store.Locator, path, location string) (int64, error) {
	s, key, err := stores.Locate(ctx, location)
	if err != nil {
		return 0, err
	}
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	_, err = s.Put(ctx, key, io.NewSectionReader(f, 0, info.Size()), store.Condition{})
	return info.Size(), err
}

// Split makes batches of files, in their order: of at most so many bytes and files each, or of one file.
func Split(files []File, bytes int64, most int) (out [][]File) {
	for _, part := range batches(files, bytes) {
		for len(part) > most {
			out, part = append(out, part[:most]), part[most:]
		}
		out = append(out, part)
	}
	return out
}

// Merge adds the answer of a batch to a result; Written is left to the caller, as the files are elsewhere.
func (r *Result) Merge(t Table, a *Answer) {
	r.Files, r.Growing, r.Careful = append(r.Files, a.Files...), append(r.Growing, a.Growing...), r.Careful+a.Careful
	r.Drift.merge(t.Columns, a.Drift)
}
