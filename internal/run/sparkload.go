package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"tarn/internal/cache"
	"tarn/internal/check"
	"tarn/internal/diag"
	"tarn/internal/engine/duckdb"
	"tarn/internal/engine/spark"
	engines "tarn/internal/engine/spark/launchers"
	"tarn/internal/lake"
	"tarn/internal/load"
	"tarn/internal/model"
	"tarn/internal/plan"
	"tarn/internal/project"
	"tarn/internal/store"
)

// Landing files that are too many for one machine are read on Spark's: batches of them, each by a process of tarn, in one job
// before that of the models. What it has written is then taken as if it had been read here. Rows come to this machine only
// where checks of landing tables have to see them.

const (
	// muchToLoad is how many bytes are more than this machine should read by itself. It is the disk that copies of remote files may
	// take if nothing is set; here they would come in many parts, and a job costs a minute or two to start.
	muchToLoad = 20 << 30
	// batchBytes and batchFiles bound a batch, so that its copy fits on a worker's disk and losing one costs little; leastBatch is
	// what starting a process for it is worth, and manyBatches how many there should be for machines to share.
	batchBytes, leastBatch, batchFiles, manyBatches = 256 << 20, 1 << 20, 2000, 64
	// workerMemory bounds the engine of a worker. Spark starts one on each core.
	workerMemory = "512MB"
)

// afar is a landing table whose files Spark reads.
type afar struct {
	step    plan.Step
	folder  string // the location of what was written
	batches []load.Batch
	// result is what was found, without what was written, which is in written and files, in the same order.
	result   *load.Result
	written  []duckdb.File
	files    []lake.DataFile
	rejected []lake.DataFile
}

// loadRun is what the engine knows the job by that loads for a run.
func loadRun(run string) string { return run + "-load" }

// toLoad chooses the landing tables of a plan whose files Spark reads. It says the same each time.
func (w *Workspace) toLoad(p *plan.Plan) []plan.Step {
	if w.elsewhere == nil {
		return nil
	}
	var out []plan.Step
	var bytes int64
	for _, s := range p.Steps {
		if s.Table.Landing == nil || s.Action != plan.Load || s.Work.Empty() || s.Table.Header().Reference || !w.reaches(s.Table) {
			continue
		}
		out = append(out, s)
		for _, f := range s.Work.Read() {
			bytes += f.Size
		}
	}
	switch load := w.Project.Config.Spark.Load; {
	case load == project.LoadSpark, load == project.LoadAuto && bytes > muchToLoad && w.elsewhere.engine.CanLoad() == nil:
		return out
	}
	return nil
}

// reaches reports whether Spark's machines can read a landing table's files.
func (w *Workspace) reaches(t *model.Table) bool {
	return project.Remote(t.Landing.Dir) || engines.OnThisMachine(engines.Settings(w.Project.Config.Spark))
}

// unreached refuses landing tables whose files Spark shall read and cannot.
func (w *Workspace) unreached() (list diag.List) {
	if w.Project.Config.Spark.Load != project.LoadSpark {
		return nil
	}
	for _, t := range w.Graph.Tables {
		if t.Landing != nil && !w.reaches(t) {
			list = append(list, t.Landing.Source.At(0, "not-reached", "the files of "+t.Name+" are on this machine, in "+t.Landing.Dir+", where Spark's machines cannot read them",
				"let locations: of the target say where they are in a bucket, or read them here with load: auto"))
		}
	}
	return list
}

// loadAfar lets Spark read landing files, if there are many. left is a job that another process has started for it.
func (x *execution) loadAfar(ctx context.Context, left *leftJob) error {
	steps := x.w.toLoad(x.plan)
	if len(steps) == 0 {
		return nil
	}
	var tasks []spark.Batch
	for _, s := range steps {
		more, err := x.batches(ctx, s)
		if err != nil {
			return err
		}
		tasks = append(tasks, more...)
	}
	var r *spark.Result
	var err error
	if left == nil {
		r, err = x.startLoad(ctx, steps, tasks)
	} else if err = x.sought(ctx, left); err == nil {
		r, err = x.await(ctx, left.Job, x.followLoad(tasks))
	}
	if err != nil {
		return err
	}
	x.record.Versions["spark"] = r.Spark
	for _, s := range steps {
		if err := x.takeLoad(ctx, x.afar[s.Table.Name]); err != nil {
			return err
		}
	}
	x.w.reached("landing taken")
	return nil
}

// batches shares the files of a step out.
func (x *execution) batches(ctx context.Context, s plan.Step) ([]spark.Batch, error) {
	e, t := x.w.elsewhere.engine, s.Table
	d, err := x.w.Lake.Draft(ctx, x.view, t.Stored(), shape(t))
	if err != nil {
		return nil, err
	}
	a := &afar{step: s, folder: d.LoadDir(x.id), result: &load.Result{}}
	x.afar[t.Name] = a
	files := s.Work.Read()
	var bytes int64
	for _, f := range files {
		bytes += f.Size
	}
	folder := e.Folder(loadRun(x.id))
	var out []spark.Batch
	for _, part := range load.Split(files, min(max(bytes/manyBatches, leastBatch), batchBytes), batchFiles) {
		name := t.Name + "/" + strconv.Itoa(len(a.batches))
		b := load.Batch{Run: x.id, At: utc(x.started), Table: s.Work.Table, FieldIDs: d.FieldIDs(), Files: part, Memory: workerMemory,
			Data: a.folder, Rejected: folder + "rejected", Answer: folder + "answers/" + name + ".json"}
		a.batches = append(a.batches, b)
		out = append(out, spark.Batch{Table: t.Name, Location: folder + "batches/" + name + ".json", Bytes: b.Size()})
	}
	return out, nil
}

// startLoad writes the batches and what there was to do, and runs the job.
func (x *execution) startLoad(ctx context.Context, steps []plan.Step, tasks []spark.Batch) (*spark.Result, error) {
	e := x.w.elsewhere.engine
	x.w.elsewhere.used = true
	l, err := e.Load(ctx, tasks)
	if err != nil {
		return nil, err
	}
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(batchesAtOnce)
	i := 0
	for _, s := range steps {
		for _, b := range x.afar[s.Table.Name].batches {
			location := tasks[i].Location
			i++
			g.Go(func() error { return x.w.putJSON(within, location, b) })
		}
	}
	work := map[string]savedWork{}
	for _, s := range x.plan.Steps {
		if s.Table.Landing != nil {
			work[s.Table.Name] = savedWork{Work: s.Work, Prune: s.Prune}
		}
	}
	if err := errors.Join(g.Wait(), x.w.putJSON(ctx, e.Folder(loadRun(x.id))+workFile, work)); err != nil {
		return nil, err
	}
	p := spark.Plan{Run: loadRun(x.id), Database: x.w.Project.Config.Database, Settings: [][2]string{}, Tables: []spark.Table{}, Steps: []spark.Step{}, Late: []spark.Late{}, Load: l}
	return x.job(ctx, p, true, x.followLoad(tasks))
}

// batchesAtOnce is how many small files are written or read at a time.
const batchesAtOnce = 8

func (w *Workspace) putJSON(ctx context.Context, location string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.putFile(ctx, location, raw)
}

// followLoad passes on how far the reading is.
func (x *execution) followLoad(tasks []spark.Batch) func(spark.State, spark.Progress) {
	total := map[string]int64{}
	for _, b := range tasks {
		total[b.Table] += b.Bytes
	}
	return func(_ spark.State, p spark.Progress) {
		for table, all := range total {
			x.tell(Event{Table: table, Phase: "load", Done: p.Read[table], Total: all})
		}
	}
}

// takeLoad reads the answers for a table.
func (x *execution) takeLoad(ctx context.Context, a *afar) error {
	answers := make([]*load.Answer, len(a.batches))
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(batchesAtOnce)
	for i, b := range a.batches {
		g.Go(func() (err error) {
			answers[i], err = b.Result(within, x.w.Lake.Stores())
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("load %s: %w", a.step.Table.Name, err)
	}
	for _, r := range answers {
		a.result.Merge(a.step.Work.Table, r)
		for _, w := range r.Written {
			a.written = append(a.written, duckdb.File{Rows: w.Rows, Bytes: w.Bytes, Columns: w.Columns})
			a.files = append(a.files, stored(w))
		}
		if r.Rejected.Location != "" {
			a.rejected = append(a.rejected, stored(r.Rejected))
		}
	}
	return x.w.onlyListed(ctx, a.folder, a.files)
}

func stored(s load.Stored) lake.DataFile {
	return lake.DataFile{Location: s.Location, Rows: s.Rows, Bytes: s.Bytes}
}

// restore adds rejected rows to those of the run, a few files at a time.
func (x *execution) restore(ctx context.Context, rejected []lake.DataFile) error {
	for part := range slices.Chunk(rejected, batchesAtOnce) {
		r := x.w.Lake.Reader()
		paths, err := r.Paths(ctx, part)
		for _, path := range paths {
			err = errors.Join(err, x.quarantine.Restore(ctx, path))
		}
		r.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// onlyListed deletes the files of attempts that do not count.
func (w *Workspace) onlyListed(ctx context.Context, folder string, files []lake.DataFile) error {
	counts := map[string]bool{}
	for _, f := range files {
		counts[f.Location] = true
	}
	s, prefix, err := w.Lake.Stores().Locate(ctx, folder+"/")
	if err != nil {
		return err
	}
	_, wanted, err := w.Lake.Stores().Locate(ctx, folder)
	if err != nil {
		return err
	}
	var gone []string
	for o, err := range s.List(ctx, prefix, store.ListOptions{}) {
		if err != nil {
			return err
		}
		if !counts[folder+o.Key[len(wanted):]] {
			gone = append(gone, o.Key)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return s.Delete(ctx, gone...)
}

// loaded stages a landing table with the rows that Spark has read.
func (x *execution) loaded(ctx context.Context, a *afar, st *state) error {
	s := a.step
	if err := x.restore(ctx, a.rejected); err != nil {
		return err
	}
	x.note(st, s, a.result)
	here := x.judgedHere(st, a)
	held := x.w.Lake.Reader()
	defer held.Close()
	gone := replaced(s, a.result)
	stay, known := staying{}, false
	var err error
	if !here {
		if stay, known, err = x.carryThere(ctx, st, s, a.result, gone); err != nil {
			return err
		}
	}
	if !known {
		if stay, err = x.carry(ctx, st, held, gone, s.Work.Vanished); err != nil {
			return tooMuch(st, here, err)
		}
	}
	there, again := a.files, false
	var fresh []string
	if here {
		if fresh, err = x.judgeThere(ctx, st, a, held, stay); err != nil {
			return tooMuch(st, here, err)
		}
		if again = fresh != nil; again {
			there = nil
		}
	} else {
		st.files, st.rows = a.written, countRows(a.written)
		if st.checks, err = x.test(ctx, st, check.EachRow, fullIn(a.written)); err != nil {
			return err
		}
	}
	summary, err := x.arrived(ctx, s, st, stay)
	if err != nil {
		return err
	}
	fresh = append(fresh, stay.carried...)
	if err := st.draft.SwapThere(ctx, x.id, stay.removed, fresh, there, summary); err != nil {
		return err
	}
	if err := x.adopt(st, fresh); err != nil {
		return err
	}
	// Whoever reads it gets the files from where they are.
	st.stored, st.now = true, st.draft.Table()
	if !again {
		return nil
	}
	left := make([]string, len(a.files))
	for i, f := range a.files {
		left[i] = f.Location
	}
	return x.w.Lake.Discard(ctx, left)
}

// TooMuchError says that rows of a landing table have to come to this machine, and that there is no room for them.
type TooMuchError struct {
	Table string
	// Checks says that it is for checks; otherwise some of the table's files have changed, and their earlier rows are looked for.
	Checks bool
	Err    error
}

func (e *TooMuchError) Error() string {
	why := "the earlier rows of changed files are looked for"
	if e.Checks {
		why = "its checks have to see them"
	}
	return fmt.Sprintf("load %s: its rows are needed on this machine, as %s: %v", e.Table, why, e.Err)
}

func (e *TooMuchError) Unwrap() error { return e.Err }

// Hint says what helps.
func (e *TooMuchError) Hint() string {
	if e.Checks {
		return "raise disk: in tarn.yaml, or put the checks beside the model that reads the table"
	}
	return "raise disk: in tarn.yaml, or read all files again with `tarn run " + e.Table + " --full-refresh`"
}

// tooMuch explains why rows had to come here that do not fit.
func tooMuch(st *state, checks bool, err error) error {
	var full *cache.FullError
	if errors.As(err, &full) {
		return &TooMuchError{Table: st.table.Name, Checks: checks, Err: err}
	}
	return err
}

func fullIn(written []duckdb.File) func(column string) bool {
	return func(column string) bool { return duckdb.Full(written, column) }
}

// judgeThere brings new rows to this machine for the table's checks. It gives the files that were written again without those
// that were put aside; nil says that there were none.
func (x *execution) judgeThere(ctx context.Context, st *state, a *afar, held *lake.Reader, stay staying) (fresh []string, err error) {
	paths, err := held.Paths(ctx, a.files)
	if err != nil {
		return nil, err
	}
	written := slices.Clone(a.written)
	for i := range written {
		written[i].Path = paths[i]
	}
	if err := x.judge(ctx, st, written, stay.paths(), x.output(st, "kept")); err != nil {
		return nil, err
	}
	if st.putAside == 0 && len(st.dropped) == 0 {
		return nil, nil
	}
	return append([]string{}, filePaths(st.files)...), nil
}

// judgedHere reports whether a check of a landing table has to see its rows, as the new files' statistics do not prove it.
func (x *execution) judgedHere(st *state, a *afar) bool {
	now, _ := x.w.when(st.table)
	return slices.ContainsFunc(now, func(c project.Check) bool {
		return c.Kind != "not_null" || st.widely || slices.ContainsFunc(c.Columns, func(column string) bool { return !duckdb.Full(a.written, column) })
	})
}

// carryThere says what becomes of a table's published data files where that can be told without reading them: they all stay,
// or the rows of all are replaced.
func (x *execution) carryThere(ctx context.Context, st *state, s plan.Step, result *load.Result, gone []string) (out staying, known bool, err error) {
	have := x.view.Table(st.table.Stored())
	if have == nil {
		return out, true, nil
	}
	columns, err := have.Columns()
	if err != nil {
		return out, false, err
	}
	w := s.Work
	all := have.Refers() || len(gone) > 0 && w.Unchanged == 0 && len(result.Growing) == 0 && (s.Prune || len(w.Vanished) == 0)
	if !all && (len(gone) > 0 || !sameColumns(columns, st.table.Columns)) {
		return out, false, nil
	}
	files, err := have.Files(ctx)
	if err != nil {
		return out, false, err
	}
	for _, f := range files {
		out.before += f.Rows
		if all {
			out.removed = append(out.removed, f.Location)
		}
	}
	if !all {
		out.rows = out.before
	}
	return out, true, nil
}
