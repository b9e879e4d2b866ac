package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

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
	// putAside counts rows that checks quarantined, and dropped those that they dropped, by check.
	putAside int64
	dropped  []ledger.Drop
}

// Event is progress for people.
type Event struct {
	Table string
	// Phase is "load", "build", "check" or "publish".
	Phase string
	// Done and Total are bytes of raw files for load; both zero where the work has no measure.
	Done, Total int64
	// Rows is set when a table is finished.
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
	done := map[string]chan struct{}{}
	for _, s := range x.plan.Steps {
		done[s.Table.Name] = make(chan struct{})
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(len(x.plan.Steps) + 1)
	slots := semaphore.NewWeighted(sideBySide)
	for _, s := range x.plan.Steps {
		g.Go(func() error {
			for _, in := range s.Table.Inputs {
				wait, ok := done[x.w.Graph.Table(in).Name]
				if !ok {
					continue
				}
				select {
				case <-wait:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			if s.Action != plan.None {
				weight := x.weight(s)
				if err := slots.Acquire(ctx, weight); err != nil {
					return err
				}
				err := x.step(ctx, s)
				slots.Release(weight)
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

// unchanged makes the tables that this run does not touch readable as they are published.
func (x *execution) unchanged(ctx context.Context) error {
	busy := map[string]bool{}
	for _, s := range x.plan.Steps {
		busy[s.Table.Name] = s.Action != plan.None
	}
	for _, t := range x.w.Graph.Tables {
		if busy[t.Name] {
			continue
		}
		st := &state{table: t, version: plan.Version(x.view, t)}
		var paths []string
		if have := x.view.Table(t.Stored()); have != nil {
			files, err := have.Files()
			if err != nil {
				return err
			}
			for _, f := range files {
				paths = append(paths, f.Path)
				st.rows += f.Rows
			}
		}
		st.record = TableRecord{Name: t.Name, Zone: t.Zone, Action: plan.None, Rows: st.rows}
		if err := x.w.Engine.SetTable(ctx, t.Name, t.Columns, paths); err != nil {
			return err
		}
		x.states[t.Name] = st
	}
	return nil
}

func (x *execution) step(ctx context.Context, s plan.Step) error {
	start := time.Now()
	st := &state{table: s.Table, version: x.id, record: TableRecord{Name: s.Table.Name, Zone: s.Table.Zone, Action: s.Action, Reasons: s.Reasons}}
	var err error
	if st.draft, err = x.w.Lake.Draft(x.view, s.Table.Stored(), shape(s.Table)); err != nil {
		return err
	}
	if s.Table.Landing != nil {
		err = x.load(ctx, s, st)
	} else {
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
	return map[string]string{plan.KeyRun: x.id, plan.KeyHash: t.Hash, plan.KeyInputs: string(raw)}, err
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
	written, err := x.w.Engine.Copy(ctx, query, x.output(st, "rows"))
	if err != nil {
		return fmt.Errorf("build %s: %w", t.Name, err)
	}
	if err := x.judge(ctx, st, written, nil, x.output(st, "kept")); err != nil {
		return err
	}
	if err := x.account(ctx, st, countRows(written)); err != nil {
		return err
	}
	summary, err := x.summary(t)
	if err != nil {
		return err
	}
	before, err := x.before(t)
	if err != nil {
		return err
	}
	st.record.Added, st.record.Removed = st.rows, before
	x.mu.Lock()
	x.rebuilt[t.Name] = true
	x.mu.Unlock()
	return st.draft.Replace(ctx, filePaths(st.files), summary)
}

// output says how a table's rows are written.
func (x *execution) output(st *state, part string) duckdb.Output {
	o := duckdb.Output{Dir: x.dir(st, part), FieldIDs: st.draft.FieldIDs()}
	for _, p := range st.table.Header().PartitionedBy {
		o.Partition = append(o.Partition, partitionExpression(p.Transform, schema.Quote(p.Column), p.N))
	}
	return o
}

// before counts the rows that are published now.
func (x *execution) before(t *model.Table) (int64, error) {
	have := x.view.Table(t.Stored())
	if have == nil {
		return 0, nil
	}
	return have.Rows()
}

// judge tests the checks of a table whose new rows were written. The row checks judge the new rows alone, and those that
// a check drops or quarantines are left out by writing the files again; then the whole table, with the data files that
// stay, is made readable for later tables and judged by the other checks.
func (x *execution) judge(ctx context.Context, st *state, written []duckdb.File, stay []string, again duckdb.Output) error {
	t := st.table
	st.files, st.rows = written, countRows(written)
	if err := x.w.Engine.SetTable(ctx, t.Name, t.Columns, filePaths(written)); err != nil {
		return err
	}
	subject := check.Table{Name: t.Name, Checks: t.Header().Checks, Full: func(column string) bool { return duckdb.Full(written, column) }}
	if len(subject.Checks) > 0 {
		x.tell(Event{Table: t.Name, Phase: "check"})
	}
	var err error
	if st.checks, err = check.Run(ctx, x.w.Engine, subject, check.EachRow, x.w.now()); err != nil {
		return err
	}
	if err := x.putAside(ctx, st, again); err != nil {
		return err
	}
	if err := x.w.Engine.SetTable(ctx, t.Name, t.Columns, append(filePaths(st.files), stay...)); err != nil {
		return err
	}
	whole, err := check.Run(ctx, x.w.Engine, subject, check.WholeTable, x.w.now())
	st.checks = append(st.checks, whole...)
	st.record.Rows = st.rows
	return err
}

// putAside takes out the rows that failed a check with on_fail drop or quarantine. A row counts for the first that it fails.
func (x *execution) putAside(ctx context.Context, st *state, again duckdb.Output) error {
	t := st.table
	keep := "true"
	name := x.w.Engine.Name(t.Name) + " AS " + schema.Quote(t.Name)
	for _, r := range st.checks {
		if r.Status != check.Dropped && r.Status != check.Quarantined {
			continue
		}
		good := "coalesce((" + r.Condition(x.w.Engine) + "\n), false)"
		where := "NOT " + good + " AND " + keep
		var n int64
		if err := x.w.Engine.DB().QueryRowContext(ctx, "SELECT count(*) FROM "+name+" WHERE "+where).Scan(&n); err != nil {
			return err
		}
		if r.Status == check.Quarantined {
			file := "NULL::VARCHAR"
			if t.Landing != nil {
				file = "_file"
			}
			q := "SELECT to_json(" + schema.Quote(t.Name) + ")::VARCHAR, " + file + " FROM " + name + " WHERE " + where
			if err := x.quarantine.AddRows(ctx, t.Name, r.Name, q); err != nil {
				return err
			}
			st.putAside += n
		} else {
			st.dropped = append(st.dropped, ledger.Drop{Reason: "check " + r.Name, Rows: n})
		}
		keep += " AND " + good
	}
	if keep == "true" {
		return nil
	}
	written, err := x.w.Engine.Copy(ctx, "SELECT * FROM "+name+" WHERE "+keep, again)
	if err != nil {
		return fmt.Errorf("build %s: %w", t.Name, err)
	}
	st.files, st.rows = written, countRows(written)
	st.record.Quarantined += st.putAside
	return nil
}

// failed joins all checks that must stop the publish.
func (x *execution) failed() error {
	var errs []error
	for _, t := range x.w.Graph.Tables {
		if st := x.state(t.Name); st != nil {
			for _, r := range st.checks {
				if r.Status == check.Failed {
					errs = append(errs, &CheckError{Result: r})
				}
			}
		}
	}
	return errors.Join(errs...)
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
func partitionExpression(transform, column string, n int) string {
	switch transform {
	case "year", "month", "hour":
		return "date_trunc('" + transform + "', " + column + ")"
	case "day":
		return "CAST(" + column + " AS DATE)"
	case "truncate":
		return fmt.Sprintf("substr(CAST(%s AS VARCHAR), 1, %d)", column, n)
	}
	return column
}
