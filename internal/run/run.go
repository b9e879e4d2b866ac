package run

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"tarn/internal/catalog"
	"tarn/internal/lake"
	"tarn/internal/load"
)

// RunOptions says how a run behaves; the zero value waits for nobody and tells nobody.
type RunOptions struct {
	Selection
	// Wait lets the run wait for another one to end; otherwise it fails with [ErrBusy].
	Wait bool
	// Progress is told what happens, from several goroutines at a time.
	Progress func(Event)
	// Waiting is told once, when Wait has to wait, who is writing.
	Waiting func(catalog.Holder)
	// Resuming is told once, when the run goes on with one that another process had left waiting for its job.
	Resuming func(run, job string)
	// Noted is told, before the work starts, what the record's warnings say of how it is done.
	Noted func(text string)
	// Deadline is when this process will be ended from outside; zero is never. Near it the run writes down what is done and ends
	// with a [ContinueError]; a step that is cut short is lost, or of a landing table of many files one batch of them, and nothing else. The next Run of the same lake, definitions and
	// selection goes on under the same id, and all is published at once.
	Deadline time.Time
	// HandOver leaves it to somebody else to start the job that makes the models, where the engine is Spark: landing files are
	// loaded, and the run ends with a [HandedOverError]. The next Run without it takes what the job has made, and publishes. Where
	// there is no job to be started, HandOver changes nothing.
	HandOver bool
}

// Run brings the selected tables up to date and publishes all of them in one step. The record is never nil; when the
// error is not nil, nothing was published and readers still see what they saw before. The error is a [CheckError], a
// [QuarantineError], a [LedgerError] or [ErrBusy] where it is one of those. A [ContinueError] and a [HandedOverError] are no failures:
// there is more of the run, and the lock is kept for it where that has an owner.
func (w *Workspace) Run(ctx context.Context, o RunOptions) (_ *Record, err error) {
	started := w.now()
	rec := &Record{Run: newRunID(started), Started: utc(started), Published: []string{}, Versions: versions(), CPUs: w.cpus}
	defer func() {
		rec.Finished = utc(w.now())
		rec.Seconds = rec.Finished.Sub(rec.Started).Seconds()
		switch {
		case err == nil:
		case errors.As(err, new(*ContinueError)):
			rec.Status = Continues
		case errors.As(err, new(*HandedOverError)):
			rec.Status = HandedOver
		default:
			rec.Error = err.Error()
			if rec.Status != ChecksFail {
				rec.Status = Broken
			}
		}
	}()
	lock := w.lock(rec.Run, o.Wait)
	lock.Waiting = o.Waiting
	writer, err := w.Lake.Catalog().Lock(ctx, lock)
	if err != nil {
		return rec, err
	}
	ctx, stop := whileHeld(ctx, writer)
	defer stop()
	// The run can turn out to be one that another process has begun.
	defer func() { err = w.letGo(ctx, writer, rec.Run, err) }()
	if err := w.Lake.Identify(ctx); err != nil {
		return rec, err
	}
	v, err := w.Lake.View(ctx)
	if err != nil {
		return rec, err
	}
	seen, err := w.look(ctx, v)
	if err != nil {
		return rec, err
	}
	rec.Foreign = append(w.takenBack(), w.records(seen)...)
	x := &execution{w: w, writer: writer, held: w.Lake.Reader(), view: seen.own, seen: seen, id: rec.Run, started: started,
		filesAre: filesSnapshot(seen.own), selection: o.Selection, progress: o.Progress, record: rec, states: map[string]*state{},
		reread: map[string][]load.Counted{}, again: map[string][]string{}, rebuilt: map[string]bool{},
		afar: map[string]*afar{}, finished: map[string]bool{}, pace: newPace(o.Deadline), named: o.named(), handOver: o.HandOver,
		batched: !o.Deadline.IsZero()}
	defer x.held.Close()
	w.pacing = x.pace
	if !o.Deadline.IsZero() {
		if x.pace.past, err = w.tookBefore(ctx, seen.own); err != nil {
			return rec, err
		}
	}
	note := func(text string) {
		rec.Warnings = append(rec.Warnings, text)
		if o.Noted != nil {
			o.Noted(text)
		}
	}
	left, err := w.left(ctx)
	if err != nil {
		return rec, err
	}
	if left != nil {
		why, err := w.stale(left, seen.own, o.Selection)
		if err != nil {
			return rec, err
		}
		if why == "" {
			x.left = left
			x.inherit(left)
			if o.Resuming != nil {
				o.Resuming(left.Run, left.jobID())
			}
			return rec, x.end(ctx, v, func(ctx context.Context) error { return x.goOn(ctx, left) })
		}
		if !published(v, left.Run) {
			note("what run " + left.Run + " had done was thrown away, as " + why)
		}
		if err := w.abandon(ctx, v, left); err != nil {
			return rec, err
		}
	}
	if _, err := w.sweep(ctx, v, writer.Unfinished()); err != nil {
		return rec, err
	}
	// A plan can be there whose job was never noted.
	if err := errors.Join(w.jobs.remove(ctx, writer.Unfinished()), w.removeLeft(ctx, writer.Unfinished())); err != nil {
		return rec, err
	}
	p, err := w.plan(ctx, seen, o.Selection)
	if err != nil {
		return rec, err
	}
	rec.Orphans, rec.Events, x.plan = p.Orphans, w.events(p, o.Events), p
	if err := x.referred(); err != nil {
		return rec, err
	}
	if p.Empty() && len(seen.toAdopt()) == 0 {
		rec.Status = NothingToDo
		if err := x.idle(ctx); err != nil {
			return rec, err
		}
		rec.Warnings = append(rec.Warnings, w.external(ctx, v, v)...)
		x.remember(ctx)
		return rec, nil
	}
	for _, text := range w.loadedHere(p) {
		note(text)
	}
	return rec, x.end(ctx, v, x.makeAll)
}

// end does the work of a run and publishes it, within the time that there is, and fills the record. v is what was published
// before.
func (x *execution) end(ctx context.Context, v *lake.View, work func(context.Context) error) error {
	err := x.timed(ctx, work)
	if err == nil {
		err = x.conclude(ctx)
	}
	if errors.Is(err, errOutOfTime) {
		err = x.pause(ctx)
	}
	x.fill()
	if err != nil {
		x.record.Published = []string{}
		return err
	}
	x.record.Warnings = append(x.record.Warnings, x.w.externalAfter(ctx, v)...)
	x.remember(ctx)
	return nil
}

// makeAll makes the tables of a run that begins.
func (x *execution) makeAll(ctx context.Context) (err error) {
	if x.quarantine, err = load.NewQuarantine(ctx, x.w.Engine, x.id, utc(x.started)); err != nil {
		return err
	}
	if err := x.unchanged(ctx); err != nil {
		return err
	}
	x.begun = true
	return x.work(ctx, nil)
}

// work makes all tables, in the disk that there is. left is a job that another process has started to load landing files; nil
// for none.
func (x *execution) work(ctx context.Context, left *leftRun) error {
	if err := x.fits(ctx); err != nil {
		return err
	}
	within, stop := x.bounded(ctx)
	err := full(within, x.all(within, left))
	stop()
	return err
}

// conclude publishes unless a check stands against it.
func (x *execution) conclude(ctx context.Context) error {
	if err := x.failed(); err != nil {
		x.record.Status = ChecksFail
		return err
	}
	x.w.reached("built")
	if !x.pace.publishes(len(x.plan.Steps)) {
		return errOutOfTime
	}
	return x.publish(ctx)
}

// idle fills the record of a run that has nothing to do.
func (x *execution) idle(ctx context.Context) error {
	for _, s := range x.plan.Steps {
		r := TableRecord{Name: s.Table.Name, Zone: s.Table.Zone, Action: s.Action, Reasons: s.Reasons}
		if have := x.view.Table(s.Table.Stored()); have != nil {
			var err error
			if r.Rows, err = have.Rows(ctx); err != nil {
				return err
			}
		}
		x.record.Tables = append(x.record.Tables, r)
		if s.Table.Landing != nil {
			l := LoadRecord{Table: s.Table.Name, Files: s.Work.Files, Skipped: s.Work.Files, Empty: s.Work.Files == 0, Dir: s.Table.Landing.Dir}
			l.looked(s.Work)
			for _, k := range s.Work.Vanished {
				l.Vanished = append(l.Vanished, k.Name)
			}
			x.record.Load = append(x.record.Load, l)
		}
	}
	return nil
}

// fill puts what the steps noted into the record, in order of work.
func (x *execution) fill() {
	if x.plan == nil {
		// The time was over before there was one.
		return
	}
	for _, s := range x.plan.Steps {
		st := x.state(s.Table.Name)
		if st == nil {
			continue
		}
		x.record.Tables = append(x.record.Tables, st.record)
		if st.load != nil {
			x.record.Load = append(x.record.Load, *st.load)
		}
	}
	for _, t := range x.w.Graph.Tables {
		// Tables outside the plan can have checks that look at a table in it.
		if st := x.state(t.Name); st != nil {
			x.record.Checks = append(append(x.record.Checks, st.checks...), st.late...)
		}
	}
}

func versions() map[string]string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return map[string]string{}
	}
	return Versions(info)
}

// Versions names the programs that a run's results depend on.
func Versions(info *debug.BuildInfo) map[string]string {
	out := map[string]string{}
	out["tarn"], out["go"] = info.Main.Version, info.GoVersion
	for _, m := range info.Deps {
		switch m.Path {
		case "github.com/duckdb/duckdb-go/v2":
			out["duckdb-go"] = m.Version
		case "github.com/apache/iceberg-go":
			out["iceberg-go"] = m.Version
		}
	}
	return out
}
