package enginetest

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"tarn/internal/awsconf"
	"tarn/internal/cache"
	"tarn/internal/catalog/sqlite"
	"tarn/internal/engine"
	"tarn/internal/engine/duckdb"
	"tarn/internal/engine/registry"
	"tarn/internal/lake"
	"tarn/internal/schema"
	"tarn/internal/sqltree"
	stores "tarn/internal/store/registry"
)

const (
	database = "db"
	theRun   = "20260301T120000Z-0001"
)

// now is when freshness is judged.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a lake with an engine, and [engine.Tables] for its jobs.
type world struct {
	t      *testing.T
	dir    string
	place  registry.Place
	lake   *lake.Lake
	view   *lake.View
	db     *duckdb.Engine
	engine engine.Engine
	tables map[string]*table

	mu     sync.Mutex
	events []engine.Event
	noted  []engine.Handle
}

// table is a table of the world: one that is there, or one that a job makes.
type table struct {
	columns []schema.Column
	draft   *lake.Draft
	files   []engine.File // of one that is there
	there   bool
	day     bool // partitioned by the day of seen
}

func newWorld(t *testing.T, place registry.Place) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), tables: map[string]*table{}}
	c, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(w.dir, "catalog.db"), Lock: filepath.Join(w.dir, "lock"), Database: database})
	w.ok(err)
	all := stores.New(awsconf.Settings{})
	w.lake, err = lake.Open(t.Context(), lake.Options{Catalog: c, Stores: all, Cache: cache.New(filepath.Join(w.dir, "cache"), 1<<30, all),
		Staging: filepath.Join(w.dir, "staging"), Warehouse: filepath.Join(w.dir, "ware house"), Database: database})
	w.ok(err)
	w.db, err = duckdb.Open(t.Context(), duckdb.Options{Database: database, TempDir: filepath.Join(w.dir, "tmp")})
	w.ok(err)
	for _, m := range sqltree.Macros() {
		_, err := w.db.DB().Exec(m)
		w.ok(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(w.lake.Close(), w.db.Close()); err != nil {
			t.Error(err)
		}
	})
	w.view, err = w.lake.View(t.Context())
	w.ok(err)
	w.place = place
	w.place.Process, w.place.Stores = w.db, all
	w.place.Own, w.place.Scratch = "file://"+filepath.Join(w.dir, "own"), filepath.Join(w.dir, "scratch")
	w.engine = w.open()
	return w
}

// open opens the engine, each time as another process does.
func (w *world) open() engine.Engine {
	w.t.Helper()
	e, err := registry.Open(w.t.Context(), w.place)
	w.ok(err)
	return e
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// columns reads names and types, such as "id bigint".
func columns(pairs ...string) []schema.Column {
	kinds := map[string]schema.Kind{"bigint": schema.BigInt, "string": schema.String, "double": schema.Double, "timestamp": schema.Timestamp, "date": schema.Date}
	out := make([]schema.Column, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, schema.Column{Name: pairs[i], Type: schema.Type{Kind: kinds[pairs[i+1]]}})
	}
	return out
}

// declare makes a table known, as one that has no rows yet.
func (w *world) declare(name string, day bool, c []schema.Column) *table {
	w.t.Helper()
	s := lake.Shape{Columns: c}
	if day {
		s.PartitionBy = []lake.PartitionField{{Transform: "day", Column: "seen"}}
	}
	d, err := w.lake.Draft(w.t.Context(), w.view, name, s)
	w.ok(err)
	w.tables[name] = &table{columns: c, draft: d, day: day}
	w.ok(w.db.SetTable(w.t.Context(), name, c, nil))
	return w.tables[name]
}

// has gives a table the rows of a query.
func (w *world) has(name, query string, c []schema.Column) {
	w.t.Helper()
	tb := w.declare(name, false, c)
	files, err := w.db.Copy(w.t.Context(), query, duckdb.Output{Dir: tb.draft.DataDir(theRun), FieldIDs: tb.draft.FieldIDs()})
	w.ok(err)
	w.ok(tb.draft.Replace(w.t.Context(), paths(files), map[string]string{}))
	tb.files, tb.there = files, true
	w.ok(w.db.SetTable(w.t.Context(), name, c, paths(files)))
}

func paths(files []engine.File) []string {
	out := make([]string, len(files))
	for i, f := range files {
		out[i] = f.Path
	}
	return out
}

// job makes a job of steps.
func (w *world) job(steps ...engine.Step) engine.Job {
	return engine.Job{Run: theRun, Database: database, Steps: steps, Note: w.note,
		Tell: func(e engine.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e)
		}}
}

func (w *world) note(_ context.Context, h engine.Handle) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noted = append(w.noted, h)
	return nil
}

// build lets the engine work a job off, which has to go well.
func (w *world) build(j engine.Job) *engine.Result {
	w.t.Helper()
	r, err := w.engine.Build(w.t.Context(), j, w)
	w.ok(err)
	if len(r.Steps) != len(j.Steps) || len(r.Late) != len(j.Late) {
		w.t.Fatalf("%d steps and %d late checks have %d and %d results", len(j.Steps), len(j.Late), len(r.Steps), len(r.Late))
	}
	return r
}

// rows reads what a step has made, each row as JSON, in order.
func (w *world) rows(r engine.StepResult) []string {
	w.t.Helper()
	return w.read(w.tables[r.Table].columns, w.made(r))
}

// made gives the files that a step has made.
func (w *world) made(r engine.StepResult) []string {
	w.t.Helper()
	if w.engine.InProcess() {
		return paths(r.Files)
	}
	d := w.tables[r.Table].draft
	n, err := d.Take(w.t.Context(), theRun, r.Snapshot, map[string]string{})
	w.ok(err)
	if n != r.Rows {
		w.t.Errorf("table %s: its files hold %d rows, and %d are told", r.Table, n, r.Rows)
	}
	files, err := d.Table().Files(w.t.Context())
	w.ok(err)
	return w.local(files)
}

// aside gives the rows that a check has taken out.
func (w *world) aside(table string, a engine.Aside) []string {
	w.t.Helper()
	if len(a.Files) > 0 || w.engine.InProcess() {
		return w.read(w.tables[table].columns, paths(a.Files))
	}
	files, err := w.lake.HandedFiles(w.t.Context(), a.Snapshot)
	w.ok(err)
	return w.read(w.tables[table].columns, w.local(files))
}

func (w *world) local(files []lake.DataFile) []string {
	w.t.Helper()
	held := w.lake.Reader()
	w.t.Cleanup(held.Close)
	out, err := held.Paths(w.t.Context(), files)
	w.ok(err)
	return out
}

func (w *world) read(c []schema.Column, files []string) []string {
	w.t.Helper()
	rows, err := w.db.DB().QueryContext(w.t.Context(), "SELECT to_json(t)::VARCHAR FROM (SELECT * FROM "+duckdb.Scan(c, files)+") t ORDER BY 1")
	w.ok(err)
	defer rows.Close()
	out := []string{}
	for rows.Next() {
		var s string
		w.ok(rows.Scan(&s))
		out = append(out, s)
	}
	w.ok(rows.Err())
	return out
}

// Open implements [engine.Tables]. Tables that the process has made are readable already.
func (w *world) Open(ctx context.Context, _ bool, names ...string) (func(), error) {
	for _, name := range names {
		if tb := w.tables[name]; tb.there {
			if err := w.db.SetTable(ctx, name, tb.columns, paths(tb.files)); err != nil {
				return nil, err
			}
		}
	}
	return func() {}, nil
}

// Output implements [engine.Tables].
func (w *world) Output(name, part string) engine.Output {
	tb := w.tables[name]
	out := engine.Output{Dir: filepath.Join(tb.draft.DataDir(theRun), part), FieldIDs: tb.draft.FieldIDs()}
	if tb.day {
		out.Partition = []string{`CAST(seen AS DATE)`}
	}
	return out
}

// Metadata implements [engine.Tables].
func (w *world) Metadata(_ context.Context, name string) (json.RawMessage, error) {
	return w.tables[name].draft.Table().Handed()
}

// Staged implements [engine.Tables].
func (w *world) Staged(name, folder string) (json.RawMessage, error) {
	return w.tables[name].draft.Handed(theRun, folder)
}

// Aside implements [engine.Tables].
func (w *world) Aside(name, folder string) (json.RawMessage, error) {
	return w.tables[name].draft.HandedAside(folder)
}

// Rest implements [engine.Tables].
func (w *world) Rest(name, check string) string {
	return filepath.Join(w.dir, "failed", name+"."+check+".json")
}
