package run

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"tarn/internal/catalog"
	"tarn/internal/check"
	"tarn/internal/engine/duckdb"
	"tarn/internal/lake"
	"tarn/internal/ledger"
	"tarn/internal/load"
	"tarn/internal/model"
	"tarn/internal/plan"
	"tarn/internal/schema"
)

// execution is one run in progress. Nothing it does is visible before publish.
type execution struct {
	w          *Workspace
	view       *lake.View
	plan       *plan.Plan
	id         string
	started    time.Time
	progress   func(Event)
	quarantine *load.Quarantine

	mu     sync.Mutex
	record *Record
	states map[string]*state // by table name
	// held keeps the files readable that the run reads, writer is the right to publish.
	held   *lake.Reader
	writer catalog.Writer
	// reread names the landing files whose earlier rows are replaced, pruned the ones whose rows go.
	reread map[string][]load.Counted
	pruned map[string][]string
	// rebuilt are models whose earlier quarantine entries are replaced.
	rebuilt map[string]bool
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
	// published says that the run does not touch the table, open that the engine can read it: see [execution.readable].
	published, open bool
	opening         sync.Mutex
	// widely says that the checks have changed, so that they judge the rows that stay as well.
	widely bool
	// putAside counts rows that checks quarantined, and dropped those that they dropped, by check.
	putAside int64
	dropped  []ledger.Drop
}

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

// all brings every step's table up to date, independent ones side by side.
func (x *execution) all(ctx context.Context) error {
	if err := x.unchanged(ctx); err != nil {
		return err
	}
	first, err := x.w.order()
	if err != nil {
		return err
	}
	done := map[string]chan struct{}{}
	for _, s := range x.plan.Steps {
		done[s.Table.Name] = make(chan struct{})
	}
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(len(x.plan.Steps) + 1)
	slots := semaphore.NewWeighted(sideBySide)
	for _, s := range x.plan.Steps {
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
			if s.Action != plan.None {
				weight := x.weight(s)
				if err := slots.Acquire(within, weight); err != nil {
					return err
				}
				err := x.step(within, s)
				slots.Release(weight)
				if err != nil {
					return err
				}
			}
			close(done[s.Table.Name])
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return x.late(ctx)
}

// sideBySide is how many small steps may run at a time.
const sideBySide = 3

// weight is how many of the places a step takes. A big one takes all: DuckDB spreads it over all cores by itself, and two
// of them at a time would only need twice the memory.
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
		return sideBySide
	}
	return 1
}

func (x *execution) step(ctx context.Context, s plan.Step) error {
	start := time.Now()
	st := &state{table: s.Table, version: x.id, record: TableRecord{Name: s.Table.Name, Zone: s.Table.Zone, Action: s.Action, Reasons: s.Reasons}}
	var err error
	if st.draft, err = x.w.Lake.Draft(ctx, x.view, s.Table.Stored(), shape(s.Table)); err != nil {
		return err
	}
	if err := x.readable(ctx, x.reads(s.Table)...); err != nil {
		return err
	}
	if have := x.view.Table(s.Table.Stored()); have != nil {
		now, _ := have.Snapshot()
		st.widely = now.Summary[plan.KeyNotes] != s.Table.Notes
	}
	switch {
	case s.Action == plan.Amend:
		err = x.amend(ctx, st)
	case s.Table.Landing != nil:
		err = x.load(ctx, s, st)
	default:
		err = x.build(ctx, s, st)
	}
	if err != nil {
		return err
	}
	st.record.Seconds = time.Since(start).Seconds()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.states[s.Table.Name] = st
	x.tell(Event{Table: s.Table.Name, Rows: st.rows, Finished: true})
	return nil
}

func shape(t *model.Table) lake.Shape {
	s := lake.Shape{Columns: t.Columns, Description: t.Header().Description, Zone: t.Zone}
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

// build runs a model's SELECT whole.
func (x *execution) build(ctx context.Context, s plan.Step, st *state) error {
	t := s.Table
	x.tell(Event{Table: t.Name, Phase: "build"})
	query, err := Compiled(x.w.Engine, t)
	if err != nil {
		return err
	}
	output := x.output(st, "rows")
	if x.progress != nil {
		output.Progress = func(share float64) {
			x.tell(Event{Table: t.Name, Phase: "build", Done: int64(1000 * share), Total: 1000})
		}
	}
	written, err := x.w.Engine.Copy(ctx, query, output)
	if err != nil {
		return fmt.Errorf("build %s: %w", t.Name, err)
	}
	if err := x.judge(ctx, st, written, nil, x.output(st, "kept")); err != nil {
		return err
	}
	x.w.reached("account " + t.Name)
	if err := x.account(ctx, st, countRows(written)); err != nil {
		return err
	}
	summary, err := x.summary(t)
	if err != nil {
		return err
	}
	before, err := x.before(ctx, t)
	if err != nil {
		return err
	}
	st.record.Added, st.record.Removed = st.rows, before
	x.mu.Lock()
	x.rebuilt[t.Name] = true
	x.mu.Unlock()
	if err := st.draft.Replace(ctx, filePaths(st.files), summary); err != nil {
		return err
	}
	return x.adopt(ctx, st, filePaths(st.files), nil)
}

// reads lists the tables that making a table and judging its rows needs.
func (x *execution) reads(t *model.Table) []string {
	out := slices.Clone(t.Inputs)
	now, _ := x.w.when(t)
	for _, c := range now {
		out = append(out, x.w.mentioned(c)...)
	}
	return out
}

// amend tests the checks of a table whose rows stay as they are, and stages its comments and description. Tables that
// read it are not concerned: it keeps the run that gave it its rows.
func (x *execution) amend(ctx context.Context, st *state) error {
	t, have := st.table, x.view.Table(st.table.Stored())
	paths, err := x.held.Table(ctx, have)
	if err != nil {
		return err
	}
	if st.rows, err = have.Rows(ctx); err != nil {
		return err
	}
	if err := x.w.Engine.SetTable(ctx, t.Name, t.Columns, paths); err != nil {
		return err
	}
	st.version, st.record.Rows = plan.Version(x.view, t), st.rows
	x.tell(Event{Table: t.Name, Phase: "check"})
	for _, which := range []check.Which{check.EachRow, check.WholeTable} {
		results, err := x.test(ctx, st, which, nil)
		if err != nil {
			return err
		}
		for i := range results {
			// Rows that these checks put aside are gone already; that any are left would be a mistake of tarn.
			if s := results[i].Status; s == check.Dropped || s == check.Quarantined {
				results[i].Status = check.Failed
			}
		}
		st.checks = append(st.checks, results...)
	}
	now, _ := have.Snapshot()
	summary := map[string]string{plan.KeyNotes: t.Notes}
	for _, key := range []string{plan.KeyRun, plan.KeyHash, plan.KeyInputs} {
		summary[key] = now.Summary[key]
	}
	return st.draft.Swap(ctx, nil, nil, summary)
}

// output says how a table's rows are written.
func (x *execution) output(st *state, part string) duckdb.Output {
	o := duckdb.Output{Dir: x.dir(st, part), FieldIDs: st.draft.FieldIDs()}
	for _, p := range st.table.Header().PartitionedBy {
		o.Partition = append(o.Partition, partitionExpression(p.Transform, schema.Quote(p.Column), p.N, columnType(st.table, p.Column)))
	}
	return o
}

// before counts the rows that are published now.
func (x *execution) before(ctx context.Context, t *model.Table) (int64, error) {
	have := x.view.Table(t.Stored())
	if have == nil {
		return 0, nil
	}
	return have.Rows(ctx)
}

func filePaths(files []duckdb.File) []string {
	out := make([]string, len(files))
	for i, f := range files {
		out[i] = f.Path
	}
	return out
}

func countRows(files []duckdb.File) (n int64) {
	for _, f := range files {
		n += f.Rows
	}
	return n
}

// partitionExpression writes what rows of one partition share, as DuckDB SQL; each gives one value per Iceberg partition.
func partitionExpression(transform, column string, n int, of schema.Kind) string {
	switch transform {
	case "year", "month", "hour":
		return "date_trunc('" + transform + "', " + column + ")"
	case "day":
		return "CAST(" + column + " AS DATE)"
	case "truncate":
		switch of {
		case schema.String, schema.Varchar, schema.Char:
			return fmt.Sprintf("substr(%s, 1, %d)", column, n)
		case schema.TinyInt, schema.SmallInt, schema.Int, schema.BigInt:
			// Iceberg rounds down, to below zero as well.
			return fmt.Sprintf("%[1]s - ((%[1]s %% %[2]d) + %[2]d) %% %[2]d", column, n)
		}
	}
	return column
}

func columnType(t *model.Table, column string) schema.Kind {
	for _, c := range t.Columns {
		if strings.EqualFold(c.Name, column) {
			return c.Type.Kind
		}
	}
	return ""
}
