package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"tarn/internal/lake"
	"tarn/internal/load"
	"tarn/internal/plan"
	"tarn/internal/store"
)

// goOn finishes a run that another process has begun.
func (x *execution) goOn(ctx context.Context, l *leftRun) error {
	x.w.leaving.used, x.w.leaving.noted, x.w.leaving.job, x.w.leaving.work = true, true, l.Job, true
	staged := lake.Garbage{}
	if l.Job == nil || l.Loading {
		// Beside what is done, that process has begun steps which are begun anew. Of a job that makes models everything counts.
		var err error
		if staged, err = x.w.Lake.LeftBy(ctx, x.view, x.leftOvers(l), l.saved()...); err != nil {
			return err
		}
		// What batches have written counts by their answers: see [execution.takeLoad].
		staged.Files = slices.DeleteFunc(staged.Files, func(file string) bool { return lake.InLoadDir(file, l.Run) })
	}
	if err := x.w.tidy(ctx, staged); err != nil {
		return err
	}
	if err := x.resume(ctx, l); err != nil {
		return err
	}
	x.begun = true
	if l.Job != nil && !l.Loading {
		if o := x.offerer(); o != nil && l.Job.Offered {
			offer, err := o.Offered(ctx, *l.Job)
			if err != nil {
				return err
			}
			return x.offered(offer)
		}
		return x.rejoin(ctx, l)
	}
	if !l.Loading {
		l = nil
	}
	return x.work(ctx, l)
}

// leftOvers is the run whose data files are swept where they are of no step that is done; "" is none, as a job that loads can
// still be writing some.
func (x *execution) leftOvers(l *leftRun) string {
	if l.Loading {
		return ""
	}
	return l.Run
}

// resume makes the execution be what it was in the process that has begun the run.
func (x *execution) resume(ctx context.Context, l *leftRun) error {
	x.plan = &plan.Plan{Orphans: l.Orphans}
	var work map[string]savedWork
	raw, err := store.ReadLocation(ctx, x.w.Lake.Stores(), x.w.leftFolder(l.Run)+workFile)
	if err == nil {
		err = json.Unmarshal(raw, &work)
	}
	if err != nil {
		return fmt.Errorf("go on with run %s: %w", l.Run, err)
	}
	for _, s := range l.Steps {
		t := x.w.Graph.Table(s.Table)
		if t == nil {
			return fmt.Errorf("go on with run %s: %w: %s", l.Run, ErrUnknownTable, s.Table)
		}
		w := work[s.Table]
		x.plan.Steps = append(x.plan.Steps, plan.Step{Table: t, Action: s.Action, Reasons: s.Reasons, Work: w.Work, Prune: w.Prune, Full: w.Full})
	}
	if l.Reread != nil {
		x.reread = l.Reread
	}
	if l.Again != nil {
		x.again = l.Again
	}
	for _, name := range l.Rebuilt {
		x.rebuilt[name] = true
	}
	x.batched = x.batched || l.Parts
	if x.pace.cut = l.Cut; x.pace.cut == nil {
		x.pace.cut = map[string]int{}
	}
	if x.quarantine, err = load.NewQuarantine(ctx, x.w.Engine, x.id, utc(x.started)); err != nil {
		return err
	}
	if err := x.unchanged(ctx); err != nil {
		return err
	}
	for _, s := range l.Done {
		st := &state{table: x.w.Graph.Table(s.Table), version: s.Version, rows: s.Rows, record: s.Record, load: s.Load, checks: s.Checks, putAside: s.PutAside, dropped: s.Dropped}
		if st.draft, err = x.w.Lake.Resume(ctx, x.view, s.Draft); err != nil {
			return err
		}
		// Whoever reads it finds its files as those of a table that was published.
		st.stored, st.now = true, st.draft.Table()
		x.states[s.Table], x.finished[s.Table] = st, true
	}
	if !l.Quarantine {
		return nil
	}
	return x.restoreQuarantine(ctx)
}

func (x *execution) restoreQuarantine(ctx context.Context) error {
	raw, err := store.ReadLocation(ctx, x.w.Lake.Stores(), x.w.leftFolder(x.id)+quarantineFile)
	if err != nil {
		return err
	}
	path := filepath.Join(x.w.tempDir(), quarantineFile)
	if err := os.MkdirAll(x.w.tempDir(), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		return err
	}
	return errors.Join(x.quarantine.Restore(ctx, path), os.Remove(path))
}

// rejoin goes on with another process's run where its job was or is.
func (x *execution) rejoin(ctx context.Context, l *leftRun) error {
	steps, made := x.modelSteps(), tables{x, map[string]*state{}}
	for _, s := range steps {
		st, err := x.begin(ctx, s)
		if err != nil {
			return err
		}
		made.made[s.Table.Name] = st
		x.keep(st)
	}
	r, err := x.resumed(ctx, l, made)
	if err != nil {
		return x.placed(x.w.maker, err)
	}
	return x.take(ctx, x.w.maker, made, steps, r)
}

// inherit puts into the record what the process before has noted there.
func (x *execution) inherit(l *leftRun) {
	r := x.record
	r.Run, r.Started, r.Orphans, r.Warnings = l.Run, l.Started, l.Orphans, append(l.Warnings, r.Warnings...)
	x.id, x.started, x.named = l.Run, l.Started, l.Named
	given := x.selection.Events
	if r.Events = l.Events; r.Events == nil && given != nil {
		r.Events = &EventsRecord{}
	}
	if r.Events == nil {
		return
	}
	r.Events.Later = 0
	if given == nil {
		return
	}
	known := slices.Clone(l.Named)
	slices.Sort(known)
	for _, o := range given.Objects {
		if _, ok := slices.BinarySearch(known, o); !ok {
			r.Events.Later++
		}
	}
}
