package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"tarn/internal/cache"
	"tarn/internal/catalog"
	"tarn/internal/check"
	"tarn/internal/engine/duckdb"
	"tarn/internal/lake"
	"tarn/internal/ledger"
	"tarn/internal/load"
	"tarn/internal/model"
	"tarn/internal/plan"
)

// execution is one run in progress. Nothing it does is visible before publish.
type execution struct {
	w *Workspace
	// view has the tables as they were published; seen also knows what others have done to them since.
	view       *lake.View
	seen       sight
	plan       *plan.Plan
	id         string
	started    time.Time
	progress   func(Event)
	quarantine *load.Quarantine
	selection  Selection

	mu     sync.Mutex
	record *Record
	states map[string]*state // by table name
	// held keeps the files readable that the run reads, writer is the right to publish.
	held   *lake.Reader
	writer catalog.Writer
	// reread has the landing files that were read, by table, again the names of those whose earlier rows go.
	reread map[string][]load.Counted
	again  map[string][]string
	// needs has the columns that the run reads of tables, once they were asked for: see [execution.needed].
	needs     map[string][]string
	needsOnce sync.Once
	// filesAre is the snapshot of tarn__files that readers see.
	filesAre int64
	// rebuilt are models whose earlier quarantine entries are replaced.
	rebuilt map[string]bool
	// afar has the landing tables whose files are read in batches, by name, and batched lets processes do that.
	afar    map[string]*afar
	batched bool
	// read counts the landing files whose batches are read, of toRead.
	read, toRead int
	// finished has the tables of steps that are done, in this process or one before it, and pace how much time this one has.
	finished map[string]bool
	pace     *pace
	// named are the files that events have named, in whichever process the plan was made.
	named []string
	// left is the run of another process that this one goes on with; nil where it begins one. begun says that all of that is here,
	// and that a step may have begun.
	left  *leftRun
	begun bool
	// handOver leaves starting the job to somebody else.
	handOver bool
}

// state is how one table will look after the run.
type state struct {
	table   *model.Table
	version string
	files   []duckdb.File
	rows    int64
	draft   *lake.Draft
	record  TableRecord
	load    *LoadRecord
	checks  []check.Result
	// late are the results of checks that waited for all tables.
	late []check.Result
	// stored says that the table's files are where now says, and open how much of it the engine can read at the moment, for
	// so many users: see [execution.use].
	stored  bool
	now     *lake.Table
	opening sync.Mutex
	open    openness
	users   int
	reader  *lake.Reader
	// widely says that the checks have changed, so that they judge the rows that stay as well.
	widely bool
	// putAside counts rows that checks quarantined, and dropped those that they dropped, by check.
	putAside int64
	dropped  []ledger.Drop
}

// openness is how much of a table's columns the engine can read.
type openness int

const (
	shut openness = iota
	openedInPart
	opened
)

// Event is progress for people.
type Event struct {
	Table string
	// Phase is "load", "build", "check" or "publish".
	Phase string
	// Done and Total are bytes of raw files for load, and thousandths of the work for build; both zero where the work has no
	// measure.
	Done, Total int64
	// Rows are those read so far, for load, and the table's when it is finished.
	Rows     int64
	Finished bool
}

func (x *execution) tell(e Event) {
	if x.progress != nil {
		x.progress(e)
	}
}

// all brings every step's table up to date, independent ones side by side. left is a job that another process has started to
// load landing files; nil for none.
func (x *execution) all(ctx context.Context, left *leftRun) error {
	first, err := x.w.order()
	if err != nil {
		return err
	}
	if x.w.maker.InProcess() {
		if err := x.loadInBatches(ctx); err != nil || x.pace.any() {
			return err
		}
		if err := x.steps(ctx, x.plan.Steps, first); err != nil || x.pace.any() {
			return err
		}
		return x.make(ctx, x.w.maker, nil, true)
	}
	models := inOrder(x.modelSteps(), first)
	if len(models) > 0 {
		// What cannot start is told before anything is loaded.
		if _, err := x.w.maker.Ready(ctx); err != nil {
			return err
		}
	}
	if err := x.loadAfar(ctx, left); err != nil {
		return err
	}
	if err := x.loadInBatches(ctx); err != nil || x.pace.any() {
		return err
	}
	landing := slices.DeleteFunc(slices.Clone(x.plan.Steps), func(s plan.Step) bool { return s.Table.Landing == nil })
	if err := x.steps(ctx, landing, first); err != nil || x.pace.any() {
		return err
	}
	return x.make(ctx, x.w.maker, models, true)
}

// steps works steps off on this machine; first says what each has to wait for.
func (x *execution) steps(ctx context.Context, steps []plan.Step, first map[string][]string) error {
	done := map[string]chan struct{}{}
	for _, s := range steps {
		done[s.Table.Name] = make(chan struct{})
	}
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(len(steps) + 1)
	slots := semaphore.NewWeighted(sideBySide)
	for _, s := range steps {
		g.Go(func() error {
			for _, in := range first[s.Table.Name] {
				wait, ok := done[in]
				if !ok {
					continue
				}
				select {
				case <-wait:
				case <-within.Done():
					return within.Err()
				}
			}
			switch {
			case !s.Works(), x.done(s):
			case x.pace.putOff(first[s.Table.Name]...):
				x.pace.wait(s.Table.Name)
			default:
				weight := x.weight(s)
				err := x.inSlots(within, slots, weight, s)
				if full := (*cache.FullError)(nil); errors.As(err, &full) && weight < sideBySide {
					// Alone it may find the room that it needs.
					if err = x.quarantine.Forget(within, s.Table.Name); err == nil {
						err = x.inSlots(within, slots, sideBySide, s)
					}
				}
				if err != nil {
					return err
				}
			}
			close(done[s.Table.Name])
			return nil
		})
	}
	return g.Wait()
}

// inSlots does a step when its places are free.
func (x *execution) inSlots(ctx context.Context, slots *semaphore.Weighted, weight int64, s plan.Step) error {
	if err := slots.Acquire(ctx, weight); err != nil {
		return err
	}
	defer slots.Release(weight)
	if size := x.size(s); x.pace.begin(s.Table.Name, size) {
		return x.step(ctx, s, size)
	}
	return nil
}

// sideBySide is how many small steps may run at a time, and bigStep how many places a big one takes: two big ones go together,
// so that one works while the other looks at its files or closes them. DuckDB spreads each over all cores by itself, and
// both share its memory limit; more of them would only need more memory.
const (
	sideBySide = 4
	bigStep    = sideBySide / 2
)

// weight is how many of the places a step takes.
func (x *execution) weight(s plan.Step) int64 {
	const bigRows, bigBytes = 500_000, 32 << 20
	var rows, size int64
	for _, in := range s.Table.Inputs {
		if st := x.state(x.w.Graph.Table(in).Name); st != nil {
			rows += st.rows
		}
	}
	for _, f := range s.Work.Read() {
		size += f.Size
	}
	if rows >= bigRows || size >= bigBytes {
		return bigStep
	}
	return 1
}

func (x *execution) step(ctx context.Context, s plan.Step, size amount) error {
	start := time.Now()
	var err error
	switch {
	case s.Table.Landing == nil:
		err = x.make(ctx, x.w.maker, []plan.Step{s}, false)
	case s.Action == plan.Amend:
		err = x.make(ctx, x.w.own, []plan.Step{s}, false)
	default:
		err = x.land(ctx, s)
	}
	if err != nil {
		return err
	}
	st := x.state(s.Table.Name)
	x.mu.Lock()
	st.record.Seconds = time.Since(start).Seconds()
	x.finished[s.Table.Name] = true
	x.tell(Event{Table: s.Table.Name, Rows: st.rows, Finished: true})
	x.mu.Unlock()
	x.pace.end(s.Table.Name, size, st.record.Seconds)
	x.w.reached("made " + s.Table.Name)
	return nil
}

// land loads a landing table.
func (x *execution) land(ctx context.Context, s plan.Step) error {
	st, err := x.begin(ctx, s)
	if err != nil {
		return err
	}
	now, _ := x.w.when(s.Table)
	reads, _ := x.readBy(s.Table, now, map[string]bool{})
	release, err := x.use(ctx, false, x.state, reads...)
	if err != nil {
		return err
	}
	defer release()
	if have := x.view.Table(s.Table.Stored()); have != nil {
		st.widely = have.Record()[plan.KeyNotes] != s.Table.Notes
	}
	if s.Table.Header().Reference {
		err = x.refer(ctx, s, st)
	} else {
		err = x.load(ctx, s, st)
	}
	if err == nil {
		x.keep(st)
	}
	return err
}

func shape(t *model.Table) lake.Shape {
	s := lake.Shape{Columns: t.Columns, Description: t.Description(), Zone: t.Zone, Reference: t.Header().Reference}
	for _, p := range t.Header().PartitionedBy {
		s.PartitionBy = append(s.PartitionBy, lake.PartitionField{Transform: p.Transform, Column: p.Column, N: p.N})
	}
	return s
}

// summary is what the snapshot of a table says about where its rows come from.
func (x *execution) summary(t *model.Table) (map[string]string, error) {
	inputs := map[string]string{}
	for _, in := range t.Inputs {
		name := x.w.Graph.Table(in).Name
		st := x.state(name)
		if st == nil {
			return nil, fmt.Errorf("table %s: input %s is not there", t.Name, name)
		}
		inputs[name] = st.version
	}
	raw, err := json.Marshal(inputs)
	return map[string]string{plan.KeyRun: x.id, plan.KeyHash: t.Hash, plan.KeyNotes: t.Notes, plan.KeyInputs: string(raw)}, err
}

func (x *execution) state(name string) *state {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.states[name]
}

// dir is the folder for one table's files of this run.
func (x *execution) dir(st *state, part string) string {
	return filepath.Join(st.draft.DataDir(x.id), part)
}
