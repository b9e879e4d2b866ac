// Package run brings a lake's tables up to date and keeps the account of it.
//
// [Open] gives a [Workspace]: definitions, engine and tables of one lake. [Workspace.Plan] says what there is to do,
// [Workspace.Run] does it: load, models, checks, ledger, and then one publish of everything.
//
// # What others see
//
// Everything that a run writes is staged: data files below data/RUN of each table, and metadata that no catalog entry
// points to. One catalog transaction then moves all tables, the account of loaded files, the quarantine and the account
// of runs. So readers see one run, whole, and a run that ends in any other way (a check, a full disk, an interrupt,
// kill -9) has changed nothing. A run that fails removes what it staged; after a kill, the next writing command does.
//
// # Who waits for whom
//
// One process writes to a lake at a time, by a lock that the system lets go of when the process ends, or that an execution of
// several processes keeps ([Options.Owner]). A second one fails with [ErrBusy] or waits, as it likes. Readers take no part in that. gc is the only one that removes files which were
// published once: it holds the lock, and does nothing while anybody holds [Workspace.Reading].
//
// # Checks
//
// Checks that only need a table and what it is made of are tested as soon as its rows are written; those that look at
// other tables when the run's tables are all made, and also when only the other table has changed. drop and quarantine
// leave rows out before any other table reads them, so such a check waits for the tables that it looks at, and cannot
// look at one that is made of its own. When files are loaded, row checks judge the new rows, and all rows when a check has
// changed.
package run

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"tarn/internal/awsconf"
	"tarn/internal/careful"
	"tarn/internal/catalog"
	"tarn/internal/diag"
	"tarn/internal/engine"
	"tarn/internal/engine/duckdb"
	"tarn/internal/lake"
	"tarn/internal/load"
	"tarn/internal/model"
	"tarn/internal/plan"
	"tarn/internal/project"
	"tarn/internal/sparkconf"
)

// Workspace is one opened lake.
type Workspace struct {
	Project *project.Lake
	Engine  *duckdb.Engine
	Lake    *lake.Lake
	Graph   *model.Graph
	// Diagnostics holds the warnings of the definitions.
	Diagnostics diag.List
	now         func() time.Time
	// cpus is how much of processors there is.
	cpus float64
	// owner is whom the lock is for.
	owner catalog.Owner
	// at is told the steps of a run, in tests.
	at func(step string)
	// maker is the engine that makes the models, and own the one of this process, which does the rest; they can be the same.
	maker, own *maker
	// jobs is the maker where its jobs go on without this process; nil elsewhere.
	jobs *jobs
	// pacing is how much time the run under way has, and filesAtOnce how many landing files are read before its time is looked at.
	pacing      *pace
	filesAtOnce int
	// leaving is what is known of the run that another process has begun or goes on with.
	leaving leaving
	// held keeps the lake's own tables readable.
	held *lake.Reader
	// reading keeps gc away for as long as the workspace is open, where it is only looked at.
	reading io.Closer
}

// onStep is told the steps of all workspaces, in tests.
var onStep func(step string)

func (w *Workspace) reached(step string) {
	if onStep != nil {
		onStep(step)
	}
	if w.at != nil {
		w.at(step)
	}
}

// Options says how a lake is opened; the zero value takes everything from tarn.yaml.
type Options struct {
	// Target names a target of tarn.yaml; "" is the top level.
	Target string
	// Memory bounds the engine, such as "512MB"; "" takes the setting of tarn.yaml, or DefaultMemory.
	Memory  string
	Threads int
	// Requests counts what is asked of stores and catalogs elsewhere; nil does not.
	Requests *awsconf.Counter
	// Owner is whom the lake's lock is for while somebody writes: an execution of which this process is a step, or, as the zero
	// value says, this process. With Alive alone it is this process, which can find out whether another holder's execution has ended.
	Owner catalog.Owner
	// Engine is what makes the models of this run in place of the target's engine, duckdb or spark; "" is that of the target.
	Engine string
	// Spark says where Spark is in place of the target's settings; nil leaves these.
	Spark *sparkconf.Settings
	// CPUs is how much of processors this process has, where it is less than what the system shows; 0 is all of them. It is noted
	// with what a run has taken.
	CPUs float64
	// State is a folder for what this machine keeps, where that may not be in the lake's; "" is there.
	State string
	// NoProfile leaves out the target's profile of ~/.aws/config: the process has a role.
	NoProfile bool
	// Disk bounds, in bytes, what a run takes of this machine's disk, where that is less than the target's setting; 0 does not.
	Disk int64
	// Now replaces the clock in tests.
	Now func() time.Time
}

// ErrNoSpark says that Spark was asked for and nothing says where it is.
var ErrNoSpark = errors.New("nothing says where Spark is: the target has no settings for it")

// load reads the definitions of a lake, with what these options say in place of the target.
func (o Options) load(dir string) (*project.Lake, error) {
	p, err := project.LoadWith(dir, project.Options{Target: o.Target, State: o.State, NoProfile: o.NoProfile})
	if err != nil {
		return nil, err
	}
	c := &p.Config
	if o.Disk > 0 {
		c.Disk = min(c.Disk, o.Disk)
	}
	c.AWS.Requests, c.Engine = o.Requests, cmp.Or(o.Engine, c.Engine)
	if o.Spark != nil {
		c.Spark = *o.Spark
	}
	if c.Engine == project.Spark && c.Spark.Where == "" && p.Diagnostics.Err() == nil {
		return nil, ErrNoSpark
	}
	return p, nil
}

// DefaultMemory is what the engine may use where nothing else is set. Builds of ten million rows pass with half of it.
const DefaultMemory = "1GB"

// MemoryOf gives the engine's bound: what was asked for, the lake's setting, or the default.
func MemoryOf(c project.Config, asked string) string { return cmp.Or(asked, c.Memory, DefaultMemory) }

// Open reads the definitions of the lake in dir and opens its tables. If the definitions have errors, the error is a
// [diag.ListError] with all of them.
func Open(ctx context.Context, dir string, o Options) (_ *Workspace, err error) {
	w, err := compile(ctx, dir, o)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	if err := w.openTables(ctx); err != nil {
		return nil, err
	}
	return w, w.openEngine(ctx)
}

// Definitions reads and compiles the definitions of the lake in dir, and asks nothing of stores and catalogs. Errors are as those of
// [Open].
func Definitions(ctx context.Context, dir string, o Options) (*project.Lake, *model.Graph, error) {
	w, err := compile(ctx, dir, o)
	if err != nil {
		return nil, nil, err
	}
	return w.Project, w.Graph, w.Close()
}

// compile gives a workspace without its tables.
func compile(ctx context.Context, dir string, o Options) (_ *Workspace, err error) {
	p, err := o.load(dir)
	if err != nil {
		return nil, err
	}
	w := &Workspace{Project: p, filesAtOnce: batchFiles, Diagnostics: p.Diagnostics, now: o.Now, owner: o.Owner, cpus: cmp.Or(o.CPUs, float64(cmp.Or(o.Threads, runtime.GOMAXPROCS(0))))}
	if w.now == nil {
		w.now = time.Now
	}
	if p.Config.Database == "" {
		return nil, p.Diagnostics.Sort().Err()
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	memory := MemoryOf(p.Config, o.Memory)
	w.Engine, err = duckdb.Open(ctx, duckdb.Options{Memory: memory, Threads: o.Threads, Database: p.Config.Database,
		TempDir: w.tempDir()})
	if err != nil {
		return nil, err
	}
	g, list, err := model.Compile(ctx, w.Engine, p)
	if err != nil {
		return nil, err
	}
	w.Graph, w.Diagnostics = g, append(w.Diagnostics, list...).Sort()
	return w, w.Diagnostics.Err()
}

// openEngine opens what makes the models, and writes them for it.
func (w *Workspace) openEngine(ctx context.Context) error {
	w.own = &maker{Engine: w.Engine, kind: project.DuckDB, tables: map[string]*written{}}
	e, scratch, err := w.openMaker(ctx, w.Project.Config.Engine)
	if err != nil {
		return err
	}
	if w.maker = w.own; e.InProcess() {
		return nil
	}
	w.maker = &maker{Engine: e, kind: w.Project.Config.Engine, tables: map[string]*written{}}
	if l, ok := e.(engine.Lasting); ok {
		w.jobs = &jobs{Lasting: l, scratch: scratch}
	}
	// DuckDB takes everything that was compiled; another engine may not, which is told before anything is done.
	if list := append(w.write(ctx, w.maker), w.unreached()...); list.Err() != nil {
		w.Diagnostics = append(w.Diagnostics, list...).Sort()
		return w.Diagnostics.Err()
	}
	return nil
}

// openMaker opens an engine of a kind, with a folder of this machine for its jobs.
func (w *Workspace) openMaker(ctx context.Context, kind string) (e engine.Engine, scratch string, err error) {
	scratch = filepath.Join(w.Project.StateDir(), kind)
	e, err = openEngine(ctx, w.Project, kind, w.Lake, w.Engine, scratch)
	return e, scratch, err
}

// openTables opens the tables of a lake.
func (w *Workspace) openTables(ctx context.Context) (err error) {
	if w.Lake, err = openLake(ctx, w.Project); err == nil {
		w.held = w.Lake.Reader()
	}
	return err
}

// tempDir is where this process's engine may put what does not fit into memory: in the lake, or, where that may only be
// read, where the system has its temporary files.
func (w *Workspace) tempDir() string {
	all, own := filepath.Join(w.Project.StateDir(), "tmp"), strconv.Itoa(os.Getpid())
	if err := os.MkdirAll(all, 0o755); err != nil || unix.Access(all, unix.W_OK) != nil {
		return filepath.Join(os.TempDir(), "tarn-"+own)
	}
	return filepath.Join(all, own)
}

// Close lets go of everything.
func (w *Workspace) Close() error {
	var errs []error
	if w.Engine != nil {
		errs = append(errs, w.Engine.Close())
		errs = append(errs, os.RemoveAll(w.tempDir()))
	}
	if w.held != nil {
		w.held.Close()
	}
	if w.Lake != nil {
		errs = append(errs, w.Lake.Close())
	}
	if w.reading != nil {
		errs = append(errs, w.reading.Close())
	}
	return errors.Join(errs...)
}

// Planned is what a run would do now.
type Planned struct {
	*plan.Plan
	// Foreign says what other programs have done to tables since they were published.
	Foreign []ForeignRecord
	// Events tells what the events are about that it was made with; nil without any.
	Events *EventsRecord
	// Estimate is about how much that would be.
	Estimate Estimate
	// Advice says which engine is enough for that.
	Advice Advice
	// Warnings say what a run would warn of before it starts.
	Warnings []string

	work work
}

// Plan says what a run would do now.
func (w *Workspace) Plan(ctx context.Context, s Selection) (*Planned, error) {
	reading, err := w.Reading()
	if err != nil {
		return nil, err
	}
	defer reading.Close()
	v, err := w.Lake.View(ctx)
	if err != nil {
		return nil, err
	}
	seen, err := w.look(ctx, v)
	if err != nil {
		return nil, err
	}
	p, err := w.plan(ctx, seen, s)
	if err != nil {
		return nil, err
	}
	out := &Planned{Plan: p, Foreign: w.records(seen), Events: w.events(p, s.Events)}
	sum, done, err := w.estimate(ctx, seen, p)
	if err != nil || p.Empty() {
		return out, err
	}
	out.Estimate, out.Warnings, out.work = sum, w.loadedHere(p), done
	out.Advice, err = w.advise(ctx, seen.own, done)
	return out, err
}

func (w *Workspace) plan(ctx context.Context, seen sight, s Selection) (*plan.Plan, error) {
	v := seen.own
	chosen, err := s.resolve(w.Graph, w.Project.Config.Database)
	if err != nil {
		return nil, err
	}
	if s.Retry && s.RetryTable != "" {
		t, err := named(w.Graph, w.Project.Config.Database, s.RetryTable)
		if err != nil {
			return nil, err
		}
		s.RetryTable = t.Name
	}
	o := plan.Options{Chosen: chosen, Prune: s.Prune}
	seen.options(&o)
	if s.FullRefresh {
		o.FullRefresh = chosen
		if len(chosen) == 0 {
			o.FullRefresh = map[string]bool{}
			for _, name := range w.Graph.Names() {
				o.FullRefresh[name] = true
			}
		}
	}
	tables := landing(w.Graph, chosen)
	again := s.again(tables, o.FullRefresh)
	for _, t := range tables {
		if v.Table(t.Stored()) == nil {
			// If somebody has dropped it, what is noted of its files is of rows that are gone.
			again[t.Name], o.Gone[t.Stored()] = load.AllAgain, true
		}
	}
	work, err := w.lookAround(ctx, v, tables, s, again)
	if err != nil {
		return nil, err
	}
	return plan.Make(w.Graph, plan.Look(v), work, o), nil
}

// loadTable describes a landing table to the loader.
func loadTable(t *model.Table) load.Table {
	d := t.Landing.DDL
	out := load.Table{Name: t.Name, Location: t.Landing.Location, Dir: t.Landing.Dir, Format: load.Format(d.Format), Definition: t.Hash}
	for _, c := range d.Columns {
		out.Columns = append(out.Columns, c.Column)
	}
	for _, c := range d.Partitions {
		out.Partitions = append(out.Partitions, c.Column)
	}
	switch out.Format {
	case load.JSON:
		o := d.JSON()
		out.Keys, out.DotsInKeys = o.Mapping, o.DotsInKeys
	case load.CSV:
		c := d.CSV()
		out.CSV = careful.Dialect{Separator: c.Separator, Quote: c.Quote, Escape: c.Escape, SkipLines: c.SkipLines, Null: c.Null,
			Collection: c.Collection, MapKey: c.MapKey}
	}
	return out
}
