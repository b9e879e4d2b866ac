package run

import (
	"context"
	"path"

	"tarn/internal/cache"
	"tarn/internal/ddl"
	"tarn/internal/lake"
	"tarn/internal/load"
	"tarn/internal/plan"
	"tarn/internal/project"
)

// Estimate is about how much a run would read and write, guessed from sizes of files and from how the tables have grown so
// far. Queries can read less of a file than all of it, and checks more than once.
type Estimate struct {
	// ReadBytes are those of raw files and of the tables that models read; each reading counts.
	ReadBytes int64 `json:"read_bytes"`
	// CopiedBytes are those that come from a bucket to this machine first, as no copy of them is here.
	CopiedBytes int64 `json:"copied_bytes"`
	// WrittenBytes are those of new data files.
	WrittenBytes int64 `json:"written_bytes"`
	// LoadedRows are those that come from raw files.
	LoadedRows int64 `json:"loaded_rows"`
	// StoreRequests are asked of the object store, listing and publish included; 0 where all is on this machine.
	StoreRequests int64 `json:"store_requests"`
	// CatalogRequests are asked of the catalog, such as Glue; 0 where it is a file.
	CatalogRequests int64 `json:"catalog_requests"`
}

// How many requests a run makes besides those for the content of files, as measured with a counting client: see the test of
// requests. For each table that it changes there are a data file, a manifest or two, their list and the metadata.
const (
	requestsPerRun     = 12
	requestsPerTable   = 5
	catalogCallsPerRun = 3
	bytesPerRequest    = 16 << 20 // of a large object
	ownTables          = 2        // the account of files and of runs
)

// shares are what the rows of raw files take as Parquet, where the lake has none of them yet.
var shares = map[ddl.Format]float64{ddl.JSON: 0.15, ddl.CSV: 0.25, ddl.Parquet: 1}

// rowBytes are what a row takes in a raw file, where none has been read yet.
var rowBytes = map[ddl.Format]float64{ddl.JSON: 150, ddl.CSV: 60, ddl.Parquet: 20}

// compressed is how many bytes of text there may be in one of a compressed file.
const compressed = 12

// estimator adds up what the steps of a plan need.
type estimator struct {
	w    *Workspace
	v    *lake.View
	sum  Estimate
	size map[string]int64   // of tables after the run, by name
	was  map[string]int64   // before
	raw  map[string]int64   // of the raw files that are loaded, by table
	each map[string]float64 // bytes of a row in a raw file, by table
	here map[string]bool    // files that are copied already, or counted
	afar map[string]bool    // tables whose raw files Spark reads
	work work
}

// estimate tells how much a plan reads and writes, and what its steps work through.
func (w *Workspace) estimate(ctx context.Context, seen sight, p *plan.Plan) (Estimate, work, error) {
	e := &estimator{w: w, v: seen.own, size: map[string]int64{}, was: map[string]int64{}, raw: map[string]int64{}, each: map[string]float64{}, here: map[string]bool{},
		afar: map[string]bool{}, work: work{rows: map[string]int64{}}}
	for _, s := range w.toLoad(p) {
		e.afar[s.Table.Name] = true
	}
	if p.Empty() {
		return e.sum, e.work, nil
	}
	err := e.all(ctx, p)
	return e.sum, e.work, err
}

func (e *estimator) all(ctx context.Context, p *plan.Plan) error {
	w := e.w
	for _, t := range w.Graph.Tables {
		if have := e.v.Table(t.Stored()); have != nil {
			n, err := have.Bytes(ctx)
			if err != nil {
				return err
			}
			e.was[t.Name], e.size[t.Name] = n, n
			if e.work.rows[t.Name], err = have.Rows(ctx); err != nil {
				return err
			}
		}
	}
	err := w.scan(ctx, e.v, FilesTable, "SELECT table_name, sum(size)::BIGINT, sum(objects)::BIGINT FROM %s GROUP BY 1", func(next func(...any) error) error {
		var table string
		var size, objects int64
		if err := next(&table, &size, &objects); err != nil {
			return err
		}
		if e.raw[table] = size; objects > 0 {
			e.each[table] = float64(size) / float64(objects)
		}
		return nil
	})
	if err != nil {
		return err
	}
	var changed int64 = ownTables
	for _, s := range p.Steps {
		if !s.Works() {
			continue
		}
		changed++
		if err := e.step(ctx, s); err != nil {
			return err
		}
	}
	c := w.Project.Config
	if project.Remote(c.Warehouse) {
		e.sum.StoreRequests += requestsPerRun + requestsPerTable*changed + e.sum.WrittenBytes/bytesPerRequest
	}
	if c.Catalog == "glue" {
		e.sum.CatalogRequests = catalogCallsPerRun + changed
	}
	return nil
}

func (e *estimator) step(ctx context.Context, s plan.Step) error {
	name := s.Table.Name
	switch s.Action {
	case plan.Load:
		return e.load(ctx, s)
	case plan.Amend:
		if len(s.Table.Header().Checks) == 0 {
			return nil
		}
		return e.read(ctx, name, s.Table.Stored())
	}
	var before, after, rows int64
	for _, in := range s.Table.Inputs {
		t := e.w.Graph.Table(in)
		before, after, rows = before+e.was[t.Name], after+e.size[t.Name], rows+e.work.rows[t.Name]
		if err := e.read(ctx, t.Name, t.Stored()); err != nil {
			return err
		}
	}
	written := after
	if e.was[name] > 0 && before > 0 {
		written = int64(float64(e.was[name]) * float64(after) / float64(before))
	}
	e.size[name] = written
	e.sum.WrittenBytes += written
	e.work.add(name, rows, rows, after)
	if have := e.work.rows[name]; have > 0 && e.was[name] > 0 {
		e.work.rows[name] = int64(float64(have) * float64(written) / float64(e.was[name]))
	} else {
		e.work.rows[name] = rows
	}
	return nil
}

// add counts what a step reads: rows, those of them that a process has to read without a stop, and bytes of tables.
func (k *work) add(name string, rows, atOnce, size int64) {
	k.sum += rows
	if atOnce > k.most {
		k.most, k.mostOf = atOnce, name
	}
	if size > k.largest {
		k.largest, k.step = size, name
	}
}

// load counts the raw files, and what their rows take: as much of their size as those had that are loaded.
func (e *estimator) load(ctx context.Context, s plan.Step) error {
	var raw, again, kept int64
	var text float64 // raw bytes, and what compressed ones may become
	for _, f := range s.Work.Read() {
		raw += f.Size
		if ext := path.Ext(f.Name); ext == ".gz" || ext == ".zst" {
			text += compressed * float64(f.Size)
		} else {
			text += float64(f.Size)
		}
		if !e.afar[s.Table.Name] {
			if f.Path == "" {
				e.work.file = max(e.work.file, f.Size)
			}
			e.bring(ctx, f.Location, f.ETag, f.Size)
		}
	}
	for _, f := range s.Work.Reload {
		again += f.Size
	}
	for _, f := range s.Work.Changed {
		again += f.Size
	}
	e.sum.ReadBytes += raw
	name := s.Table.Name
	kept = max(0, e.raw[name]-again)
	each := e.each[name]
	rows := int64(float64(raw) / max(each, 1))
	if each == 0 {
		each = rowBytes[s.Table.Landing.DDL.Format]
		rows = int64(text / each)
	}
	e.sum.LoadedRows += rows
	atOnce := rows
	if !s.Table.Header().Reference {
		// See [execution.loadInBatches].
		atOnce /= int64(max(1, len(load.Split(s.Work.Read(), batchBytes, batchFiles))))
	}
	e.work.add(name, rows, atOnce, 0)
	e.work.rows[name] += rows - int64(float64(again)/each)
	if s.Table.Header().Reference {
		e.size[name] = raw + kept
		return nil
	}
	share := shares[s.Table.Landing.DDL.Format]
	if e.was[name] > 0 && again+kept > 0 {
		share = float64(e.was[name]) / float64(again+kept)
	}
	written := int64(share * float64(raw))
	e.size[name] = int64(share*float64(kept)) + written
	e.sum.WrittenBytes += written
	return nil
}

// read counts one reading of a table. What the run has made of it is here already; the rest may have to come.
func (e *estimator) read(ctx context.Context, name, stored string) error {
	e.sum.ReadBytes += e.size[name]
	have := e.v.Table(stored)
	if have == nil || e.size[name] != e.was[name] {
		return nil
	}
	files, err := have.Files(ctx)
	if err != nil {
		return err
	}
	for _, f := range files {
		e.bring(ctx, f.Location, "", f.Bytes)
	}
	return nil
}

// bring counts a file that has to come to this machine.
func (e *estimator) bring(ctx context.Context, location, etag string, size int64) {
	if e.here[location] {
		return
	}
	e.here[location] = true
	if e.w.Lake.Cache().Has(ctx, cache.File{Location: location, ETag: etag, Size: size}) {
		return
	}
	e.sum.CopiedBytes += size
	e.sum.StoreRequests += 1 + size/bytesPerRequest
}
