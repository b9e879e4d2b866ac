package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"tarn/internal/diag"
	"tarn/internal/engine"
	"tarn/internal/engine/duckdb"
	"tarn/internal/lake"
	"tarn/internal/load"
	"tarn/internal/model"
	"tarn/internal/plan"
	"tarn/internal/project"
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

// afar is a landing table whose files are read in batches: by Spark's machines, or by one process after the other.
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
	loader := w.jobs.loader()
	if loader == nil {
		return nil
	}
	reached, _ := w.landingWork(p)
	switch loads := loader.Loads(); {
	case loads == engine.LoadsAll, loads == engine.LoadsMuch && reached.bytes > muchToLoad && loader.CanLoad() == nil:
		return reached.steps
	}
	return nil
}

// loadedHere says why landing files are read on this machine although Spark should do that, or gives nothing.
func (w *Workspace) loadedHere(p *plan.Plan) []string {
	loader := w.jobs.loader()
	if loader == nil || loader.Loads() != engine.LoadsMuch {
		return nil
	}
	var out []string
	tell := func(l landingWork, why error) {
		if why == nil || l.bytes <= muchToLoad {
			return
		}
		text := fmt.Sprintf("%s: %.0f GB of landing files are read on this machine and not by Spark, as %v", strings.Join(l.names(), ", "), float64(l.bytes)/1e9, why)
		if hint := diag.Hint(why); hint != "" {
			text += " (" + hint + ")"
		}
		out = append(out, text)
	}
	reached, beyond := w.landingWork(p)
	tell(reached, loader.CanLoad())
	tell(beyond, errBeyond)
	return out
}

// errBeyond says why Spark's machines cannot read files.
var errBeyond = errors.New("they are on it, where Spark's machines cannot read them")

// landingWork is what a plan's landing tables have to read.
type landingWork struct {
	steps []plan.Step
	bytes int64
}

func (l *landingWork) add(s plan.Step) {
	l.steps = append(l.steps, s)
	for _, f := range s.Work.Read() {
		l.bytes += f.Size
	}
}

func (l *landingWork) names() []string {
	out := make([]string, len(l.steps))
	for i, s := range l.steps {
		out[i] = s.Table.Name
	}
	return out
}

// landingWork adds up what there is to load, by whether Spark's machines can read the files.
func (w *Workspace) landingWork(p *plan.Plan) (reached, beyond landingWork) {
	for _, s := range p.Steps {
		if s.Table.Landing == nil || s.Action != plan.Load || s.Work.Empty() || s.Table.Header().Reference {
			continue
		}
		if w.reaches(s.Table) {
			reached.add(s)
		} else {
			beyond.add(s)
		}
	}
	return reached, beyond
}

// reaches reports whether Spark's machines can read a landing table's files.
func (w *Workspace) reaches(t *model.Table) bool {
	return project.Remote(t.Landing.Dir) || w.jobs.loader().OnThisMachine()
}

// unreached refuses landing tables whose files Spark shall read and cannot.
func (w *Workspace) unreached() (list diag.List) {
	if loader := w.jobs.loader(); loader == nil || loader.Loads() != engine.LoadsAll {
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
func (x *execution) loadAfar(ctx context.Context, left *leftRun) error {
	steps := slices.DeleteFunc(x.w.toLoad(x.plan), x.done)
	if len(steps) == 0 {
		return nil
	}
	var tasks []engine.Batch
	folder := x.w.jobs.Folder(loadRun(x.id))
	for _, s := range steps {
		l := landingWork{}
		l.add(s)
		a, err := x.batches(ctx, s, folder, load.Split(s.Work.Read(), min(max(l.bytes/manyBatches, leastBatch), batchBytes), batchFiles))
		if err != nil {
			return err
		}
		for i, b := range a.batches {
			tasks = append(tasks, engine.Batch{Table: s.Table.Name, Location: folder + "batches/" + s.Table.Name + "/" + strconv.Itoa(i) + ".json", Bytes: b.Size()})
		}
	}
	var r *engine.Result
	var err error
	if left == nil {
		r, err = x.startLoad(ctx, steps, tasks)
	} else {
		r, err = x.resumed(ctx, left, tables{x, nil})
	}
	if err != nil {
		return err
	}
	x.record.Versions[x.w.maker.kind] = r.Version
	for _, s := range steps {
		if err := x.takeLoad(ctx, x.afar[s.Table.Name]); err != nil {
			return err
		}
	}
	x.w.reached("landing taken")
	return nil
}

// batches makes a batch of each part of a step's files. folder is the location for answers and rejected rows, with a slash at its
// end.
func (x *execution) batches(ctx context.Context, s plan.Step, folder string, parts [][]load.File) (*afar, error) {
	t := s.Table
	d, err := x.w.Lake.Draft(ctx, x.view, t.Stored(), shape(t))
	if err != nil {
		return nil, err
	}
	a := &afar{step: s, folder: d.LoadDir(x.id), result: &load.Result{}}
	for i, part := range parts {
		a.batches = append(a.batches, load.Batch{Run: x.id, At: utc(x.started), Table: s.Work.Table, FieldIDs: d.FieldIDs(), Files: part, Memory: workerMemory,
			Data: a.folder, Rejected: folder + "rejected", Answer: folder + "answers/" + t.Name + "/" + strconv.Itoa(i) + ".json"})
	}
	x.afar[t.Name] = a
	return a, nil
}

// startLoad writes the batches and what there was to do, and runs the job.
func (x *execution) startLoad(ctx context.Context, steps []plan.Step, tasks []engine.Batch) (*engine.Result, error) {
	x.w.leaving.used = true
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
	if err := g.Wait(); err != nil {
		return nil, err
	}
	j := engine.Job{Run: loadRun(x.id), Database: x.w.Project.Config.Database, Tell: x.follow}
	return x.attend(ctx, j, true, func(j engine.Job) (*engine.Result, error) { return x.w.jobs.loader().Load(ctx, j, tasks) })
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
