// Package load brings raw files of the landing zone into tables.
//
// [Compare] finds what is new, changed or gone. [Loader.Load] reads files and writes their rows as Parquet through the
// engine, with the table's columns followed by _file. Two readers share the work: DuckDB's read_json over all files that
// are provably clean (see fingerprint), and the careful reader, row by row, for all others; what even that one cannot
// accept goes to quarantine with its place and reason. Raw files are only ever read.
package load

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"tarn/internal/cache"
	"tarn/internal/engine/duckdb"
	"tarn/internal/schema"
)

// Loader reads landing files with one engine.
type Loader struct {
	Engine *duckdb.Engine
	// Cache brings files to this machine that are elsewhere.
	Cache *cache.Cache
	// Written, if not nil, is told the Parquet files that are complete while others are still being made: they do not change
	// any more, unless the load fails.
	Written func(files []duckdb.File) error
	// Progress is told how far a table is; nil for none.
	Progress func(table string, p Progress)

	slow bool // everything goes to the careful reader: tests compare the two
}

// Counted is what became of one file.
type Counted struct {
	File
	Objects, Loaded, Quarantined int64
}

// Result is what a load has written; nothing of it is visible yet.
type Result struct {
	// Written are the Parquet files.
	Written []duckdb.File
	Files   []Counted
	// Growing are files that changed while they were read; they are left for the next run.
	Growing []File
	Drift   Drift
	// Careful counts the files that the careful reader had to read.
	Careful int
}

// Rows adds up what was loaded and what went to quarantine.
func (r *Result) Rows() (loaded, quarantined int64) {
	for _, f := range r.Files {
		loaded += f.Loaded
		quarantined += f.Quarantined
	}
	return loaded, quarantined
}

// Load reads files of a table and writes their rows below dir, with Iceberg field ids as DuckDB takes them. Rejected
// rows go to q. When it fails, dir is left to be removed by the caller.
func (l *Loader) Load(ctx context.Context, t Table, files []File, dir, fieldIDs string, q *Quarantine) (*Result, error) {
	if len(files) > 0 && files[0].Path == "" {
		res, err := l.remote(ctx, t, files, dir, fieldIDs, q)
		if err != nil {
			return nil, fmt.Errorf("load %s: %w", t.Name, err)
		}
		return res, nil
	}
	var growing []File
	for attempt := 0; len(files) > 0; attempt++ {
		res := &Result{}
		err := l.load(ctx, t, files, filepath.Join(dir, fmt.Sprintf("%d", attempt)), fieldIDs, q, l.meter(t.Name, files), res)
		if err != nil {
			return nil, fmt.Errorf("load %s: %w", t.Name, err)
		}
		var still []File
		for _, f := range files {
			if f.settled() {
				still = append(still, f)
			} else {
				growing = append(growing, f)
			}
		}
		if len(still) == len(files) {
			res.Growing = growing
			return res, nil
		}
		if err := q.Forget(ctx, t.Name); err != nil {
			return nil, err
		}
		if files = still; attempt == maxAttempts-1 {
			// Where files come and go all the time, the next run may have more luck.
			growing, files = append(growing, still...), nil
		}
	}
	return &Result{Growing: growing}, nil
}

// maxAttempts bounds how often a load starts over because a file has changed while it was read.
const maxAttempts = 3

// load reads files of this machine and adds to res.
func (l *Loader) load(ctx context.Context, t Table, files []File, dir, fieldIDs string, q *Quarantine, m *meter, res *Result) error {
	files, err := l.placed(ctx, t, files, q, res)
	if err != nil {
		return err
	}
	if t.Format == Parquet {
		return l.parquet(ctx, t, files, dir, fieldIDs, q, m, res)
	}
	looks, err := l.look(ctx, t, files, m, res)
	if err != nil {
		return err
	}
	var clean, odd []look
	for _, k := range looks {
		if k.odd == "" {
			clean = append(clean, k)
		} else {
			odd = append(odd, k)
		}
	}
	for i := 0; i < len(clean); i += together {
		chunk := clean[i:min(i+together, len(clean))]
		more, err := l.fast(ctx, t, chunk, filepath.Join(dir, fmt.Sprintf("fast-%d", i)), fieldIDs, m, res)
		if err != nil {
			return err
		}
		odd = append(odd, more...)
	}
	res.Careful += len(odd)
	if len(odd) > 0 {
		if err := l.careful(ctx, t, odd, filepath.Join(dir, "careful"), fieldIDs, q, m, res); err != nil {
			return err
		}
	}
	return l.missing(ctx, t, looks, res)
}

// look is what is known of a file before its rows are read.
type look struct {
	File
	print fingerprint
	// odd says why the fast reader is not to be trusted with the file; empty where it is.
	odd string
	// numbers are text columns that held numbers in quotes.
	numbers []string
	// nulls are columns that had explicit nulls, missing those that did not stand at all.
	nulls, missing []string
}

// look samples every file, tells drift, and decides which reader it goes to.
func (l *Loader) look(ctx context.Context, t Table, files []File, m *meter, res *Result) ([]look, error) {
	out := make([]look, len(files))
	drifts := make([]Drift, len(files))
	fastable := t.Format == JSON && fastTypes(t.Columns) && len(t.Keys) == 0 && !t.DotsInKeys && !l.slow
	err := each(ctx, len(files), func(i int) error {
		out[i].File = files[i]
		if err := sampleFile(t, files[i], &out[i], &drifts[i]); err != nil {
			return err
		}
		if out[i].odd == "" {
			out[i].odd = beyond(files[i], fastable)
		}
		m.add(files[i].Size, sampleShare, 0)
		return nil
	})
	if err != nil {
		return nil, err
	}
	nulls := map[string]bool{}
	for i, f := range files {
		res.Drift.add(t.Columns, f, drifts[i])
		for _, c := range out[i].nulls {
			nulls[c] = true
		}
	}
	// Files are proved together, so the keys of a column are counted in all of them or in none.
	count := slices.Sorted(maps.Keys(nulls))
	plan := fastPlan{columns: t.Columns}
	return out, each(ctx, len(files), func(i int) error {
		if out[i].odd == "" {
			out[i].inspect(plan, count)
		}
		m.add(files[i].Size, inspectShare, 0)
		return nil
	})
}

// each does something for n items, some of them at a time.
func each(ctx context.Context, n int, do func(i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for i := range n {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return do(i)
		})
	}
	return g.Wait()
}

// inspect reads the bytes of a file for what the fast reader is not to be trusted with.
func (k *look) inspect(plan fastPlan, keys []string) {
	buf := blocks.Get().(*[]byte)
	defer blocks.Put(buf)
	var err error
	switch k.print, err = scanFile(k.Path, *buf, keys); {
	case err != nil:
		k.odd = err.Error()
	case k.print.BOM:
		k.odd = "byte order mark"
	case k.print.Long:
		k.odd = "a very long line"
	case !k.print.oneByLine():
		k.odd = "not one object on each line"
	case k.print.Literals && !plan.hasBoolean():
		k.odd = "true or false"
	}
}

// blocks are buffers for scanFile: with many small files, making them would take longer than reading. They fit into the
// cache of a core, as each is gone through several times.
var blocks = sync.Pool{New: func() any {
	b := make([]byte, 128<<10)
	return &b
}}

// workers bounds how many files are looked at side by side.
const workers = 4

// fast writes the rows of clean files in one COPY. Files that turn out not to be clean come back for the careful reader.
func (l *Loader) fast(ctx context.Context, t Table, clean []look, dir, fieldIDs string, m *meter, res *Result) (odd []look, err error) {
	plan := fastPlan{columns: t.Columns, quoted: map[string]bool{}}
	for _, k := range clean {
		for _, c := range k.numbers {
			plan.quoted[c] = true
		}
	}
	for attempt := 0; len(clean) > 0; attempt++ {
		query, err := plan.query(paths(clean), t.Partitions, partitionValue)
		if err != nil {
			return nil, err
		}
		var rows int64
		for _, k := range clean {
			rows += k.print.Braces
		}
		tell, undo := m.part(size(paths(clean)), fastShare, rows)
		written, err := l.Engine.Copy(ctx, query, duckdb.Output{Dir: filepath.Join(dir, fmt.Sprint(attempt)), FieldIDs: fieldIDs, Progress: tell})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		agrees := false
		if err == nil {
			if agrees, err = l.agrees(ctx, plan, clean, written); err != nil {
				return nil, err
			}
		}
		if agrees {
			tell(1)
			res.Written = append(res.Written, written...)
			for _, k := range clean {
				res.Files = append(res.Files, Counted{File: k.File, Objects: k.print.Braces, Loaded: k.print.Braces})
			}
			return odd, nil
		}
		if err != nil && !unreadable(err) {
			return nil, err
		}
		undo()
		good, bad, err := l.sort(ctx, t, plan, clean)
		if err != nil {
			return nil, err
		}
		if len(bad) == 0 {
			// Together they disagree and alone they do not: trust none of them to the fast reader.
			good, bad = nil, clean
		}
		clean, odd = good, append(odd, bad...)
	}
	return odd, nil
}

// agrees holds what DuckDB has written against what the bytes of the files say.
func (l *Loader) agrees(ctx context.Context, p fastPlan, files []look, written []duckdb.File) (bool, error) {
	var want fingerprint
	for _, k := range files {
		want.add(k.print)
	}
	values := map[string]int64{}
	var rows int64
	out := make([]string, len(written))
	for i, w := range written {
		rows += w.Rows
		out[i] = w.Path
		for _, c := range p.columns {
			s, ok := w.Columns[c.Name]
			if !ok {
				return false, nil
			}
			values[c.Name] += w.Rows - s.Nulls
		}
	}
	if rows != want.Braces || p.quotes(values, want.Keys) != want.Quotes || !p.extremes(written) {
		return false, nil
	}
	doubt := p.doubtfulTexts()
	if doubt == "" || len(written) == 0 {
		return true, nil
	}
	var doubtful int64
	err := l.Engine.DB().QueryRowContext(ctx, "SELECT count(*) FROM "+duckdb.Scan(nil, out)+" WHERE "+doubt).Scan(&doubtful)
	return doubtful == 0, err
}

// sort tells the clean files from the others, writing nothing: it halves what does not agree until it knows.
func (l *Loader) sort(ctx context.Context, t Table, plan fastPlan, files []look) (good, bad []look, err error) {
	clean, err := l.clean(ctx, t, plan, files)
	switch {
	case err != nil:
		return nil, nil, err
	case clean:
		return files, nil, nil
	case len(files) == 1:
		return nil, files, nil
	}
	for _, half := range [][]look{files[:len(files)/2], files[len(files)/2:]} {
		g, b, err := l.sort(ctx, t, plan, half)
		if err != nil {
			return nil, nil, err
		}
		good, bad = append(good, g...), append(bad, b...)
	}
	return good, bad, nil
}

// clean reports whether DuckDB's reading of some files agrees with their bytes.
func (l *Loader) clean(ctx context.Context, t Table, plan fastPlan, files []look) (bool, error) {
	doubts := []string{"false"}
	for _, d := range []string{plan.doubtfulNumbers(), plan.doubtfulTexts()} {
		if d != "" {
			doubts = append(doubts, d)
		}
	}
	ask := []string{"count(*)", "count(*) FILTER (WHERE " + strings.Join(doubts, " OR ") + ")"}
	for _, c := range plan.columns {
		ask = append(ask, "count("+schema.Quote(c.Name)+")")
	}
	query, err := plan.query(paths(files), t.Partitions, partitionValue)
	if err != nil {
		return false, err
	}
	row := make([]int64, len(ask))
	into := make([]any, len(ask))
	for i := range row {
		into[i] = &row[i]
	}
	err = l.Engine.DB().QueryRowContext(ctx, "SELECT "+strings.Join(ask, ", ")+" FROM ("+query+")").Scan(into...)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err != nil && unreadable(err):
		return false, nil
	case err != nil:
		return false, err
	}
	values := map[string]int64{}
	for i, c := range plan.columns {
		values[c.Name] = row[i+2]
	}
	var want fingerprint
	for _, k := range files {
		want.add(k.print)
	}
	return row[0] == want.Braces && row[1] == 0 && plan.quotes(values, want.Keys) == want.Quotes, nil
}

// unreadable tells errors of a file's content from all others. It matches on the text of DuckDB's errors.
func unreadable(err error) bool {
	text := err.Error()
	for _, sign := range []string{strictMark, "Malformed JSON", "JSON transform error", "Invalid Input Error", "Conversion Error", "maximum_object_size", "Invalid unicode", "Could not convert"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

func paths(looks []look) []File {
	out := make([]File, len(looks))
	for i, k := range looks {
		out[i] = k.File
	}
	return out
}
