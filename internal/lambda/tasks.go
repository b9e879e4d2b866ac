package lambda

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"tarn/internal/deployconf"
	"tarn/internal/events"
	"tarn/internal/fit"
	"tarn/internal/lake"
	"tarn/internal/lambda/hints"
	"tarn/internal/lambda/task"
	"tarn/internal/project"
	"tarn/internal/run"
)

// task does a part of an execution.
func (f *Function) task(ctx context.Context, l *log, t task.Task) (task.Answer, error) {
	l = l.add("action", string(t.Action), "execution", t.Execution)
	ctx, stop := within(ctx)
	defer stop()
	switch t.Action {
	case task.Plan:
		return f.plan(ctx, l, t)
	case task.Run:
		return f.work(ctx, l, work{Task: t})
	case task.Prepare:
		return f.work(ctx, l, work{Task: t, onGlue: true, handOver: true})
	case task.Publish:
		return f.work(ctx, l, work{Task: t, onGlue: true, only: t.Run})
	case task.Recover:
		return f.recover(ctx, l, t)
	case task.Tidy:
		return f.tidy(ctx, l, t)
	}
	return task.Answer{}, &UnknownEventError{Why: "there is no action " + string(t.Action)}
}

const (
	// mostMargin is how long before its end an invocation is done: it has to answer before.
	mostMargin = 5 * time.Second
	// marginShare is the part of the time that there is, where that is little.
	marginShare = 20
)

// within ends a context a while before Lambda ends the process.
func within(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-margin(time.Until(end))/2))
}

func margin(left time.Duration) time.Duration { return min(mostMargin, left/marginShare) }

// selection is what a task chooses, with the hints that are there. Those of a run that goes on are the ones that it began with.
func (f *Function) selection(ctx context.Context, t task.Task) (run.Selection, hints.Taken, error) {
	s := run.Selection{Tables: t.Tables, FullRefresh: t.FullRefresh, Relist: t.Relist}
	if t.Run != "" {
		taken, err := f.hints.Noted(ctx, t.Run)
		return s, taken, err
	}
	taken, err := f.hints.List(ctx)
	if len(taken.Objects) > 0 {
		s.Events = &events.Batch{Objects: taken.Objects}
	}
	if len(t.Tables) > 0 {
		// Such a run looks at some tables' files only, so the hints are left for one that looks at all.
		taken = hints.Taken{}
	}
	return s, taken, err
}

// choice is a selection with the hints in it.
type choice struct {
	run.Selection
	hints.Taken
}

// selecting begins to look for what a task chooses, and gives what waits for that: meanwhile the lake is opened.
func (f *Function) selecting(ctx context.Context, t task.Task) (wait func() (choice, error)) {
	var c choice
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		c.Selection, c.Taken, err = f.selection(ctx, t)
		return err
	})
	return func() (choice, error) {
		err := g.Wait()
		return c, err
	}
}

func (f *Function) plan(ctx context.Context, l *log, t task.Task) (task.Answer, error) {
	wait := f.selecting(ctx, t)
	out := task.Answer{}
	err := f.within(ctx, t.Execution, false, func(w *run.Workspace) error {
		chosen, err := wait()
		if err != nil {
			return err
		}
		s, taken := chosen.Selection, chosen.Taken
		p, err := w.Plan(ctx, s)
		if err != nil {
			return err
		}
		v := f.fits(p)
		out.Next = f.place(p, v)
		l.info("planned", "next", string(out.Next), "hints", len(taken.Keys), "steps", working(p), "rows", p.Advice.Rows, "seconds", v.Seconds, "why", v.Why)
		if out.Next != task.Nothing {
			return nil
		}
		// The files that they name are loaded as they are.
		return f.hints.Remove(ctx, taken)
	})
	return out, err
}

// fits judges whether a planned run fits the function as it was deployed.
func (f *Function) fits(p *run.Planned) fit.Verdict {
	c := f.settings.Function
	return p.Fits(fit.Lambda(cmp.Or(f.o.Memory, c.Memory), c.Disk, c.Timeout))
}

// working counts the steps of a plan that do something.
func working(p *run.Planned) (n int) {
	for _, s := range p.Steps {
		if s.Works() {
			n++
		}
	}
	return n
}

// place says where a run's work is done.
func (f *Function) place(p *run.Planned, v fit.Verdict) task.Next {
	taken := false
	for _, r := range p.Foreign {
		// What others have rewritten is carried on by a run, which has nothing else to do then.
		taken = taken || r.Kept
	}
	switch {
	case p.Empty() && !taken:
		return task.Nothing
	case p.Empty() || f.settings.Engine == deployconf.Lambda || f.settings.Job.Off:
		return task.InLambda
	case f.settings.Engine == deployconf.Glue || p.Advice.Engine == project.Spark || !v.Fits:
		return task.OnGlue
	}
	return task.InLambda
}

// work is what a task asks of a run.
type work struct {
	task.Task
	// onGlue says that the models are made by a job, and handOver that it is the state machine which starts it.
	onGlue, handOver bool
	// only is the run whose job has ended: no other is begun.
	only string
}

// work does a whole run, or as much of it as there is time for, or all of it up to a job.
func (f *Function) work(ctx context.Context, l *log, t work) (out task.Answer, err error) {
	wait := f.selecting(ctx, t.Task)
	err = f.within(ctx, t.Execution, t.onGlue, func(w *run.Workspace) error {
		chosen, err := wait()
		if err != nil {
			return err
		}
		s, taken := chosen.Selection, chosen.Taken
		o := f.options(ctx, l, s)
		o.HandOver, o.Only = t.handOver, t.only
		resumed := ""
		o.Resuming = func(id, _ string) { resumed = id }
		rec, err := w.Run(ctx, o)
		if t.Run != "" && rec.Run != t.Run {
			// What was to go on was thrown away, and this run has looked at no hints: they are for another round.
			taken = hints.Taken{}
		}
		if errors.As(err, new(*run.GoneError)) {
			out = task.Answer{Next: task.Again, Run: t.only, Report: cut(err.Error())}
			l.warn("begins anew: "+err.Error(), "run", t.only)
			return nil
		}
		more, err := unfinished(err)
		switch {
		case err != nil:
			return f.notPublished(l, rec, err)
		case more == nil:
			if resumed != "" && t.Run == "" {
				// An earlier process was killed before it could say so. What counts is what that has listed.
				if taken, err = f.hints.Noted(ctx, resumed); err != nil {
					return err
				}
			}
			out, err = f.published(ctx, l, rec, taken)
			return err
		}
		out = *more
		l.info("goes on", "run", out.Run, "next", string(out.Next), "report", out.Report, "seconds", rec.Seconds)
		if resumed != "" {
			return nil
		}
		if err := f.hints.Note(ctx, out.Run, taken); err != nil {
			// Then they are looked at once more.
			l.warn("the hints of the run could not be noted: " + plainly(err))
		}
		return nil
	})
	return out, err
}

// unfinished gives the answer to a run of which there is more, or its error.
func unfinished(err error) (*task.Answer, error) {
	var more *run.ContinueError
	var job *run.HandedOverError
	switch {
	case errors.As(err, &more):
		return &task.Answer{Next: task.Continue, Run: more.Run, Report: cut(more.Error())}, nil
	case errors.As(err, &job):
		out := &task.Answer{Next: task.StartJob, Run: job.Run, Plan: job.Plan, Arguments: job.Arguments, Models: map[string]bool{}, Late: job.Late, Report: cut(job.Error())}
		for _, m := range job.Models {
			out.Models[m] = true
		}
		return out, nil
	}
	return nil, err
}

// options are those of a run.
func (f *Function) options(ctx context.Context, l *log, s run.Selection) run.RunOptions {
	began := f.o.Now()
	o := run.RunOptions{Selection: s, Progress: func(e run.Event) {
		if e.Phase == "publish" {
			l.info("publishing", "after_seconds", f.o.Now().Sub(began).Seconds())
		}
	}}
	if end, ok := ctx.Deadline(); ok {
		// The context ends half of the margin before the process, and what is done is written down in the time until then.
		o.Deadline = end.Add(-margin(time.Until(end)) / 2)
	}
	return o
}

// published answers a run that has ended well. The hints that it has listed are done with; where others have come meanwhile, and
// nobody else is going to look at them, there is to be another run.
func (f *Function) published(ctx context.Context, l *log, rec *run.Record, taken hints.Taken) (task.Answer, error) {
	out := answer(task.Done, rec)
	what := "published"
	if rec.Status == run.NothingToDo {
		what = "nothing to do"
	}
	l.info(what, "run", rec.Run, "status", string(rec.Status), "tables", out.Published, "loaded", out.Loaded, "quarantined", out.Quarantined, "seconds", rec.Seconds)
	// A metric of one's own costs as much a month as hundreds of runs, so there is none without news; the line above has the rest.
	if rec.Status == run.Published && out.Quarantined > 0 {
		l.measure(task.RowsQuarantined, out.Quarantined)
	}
	if err := f.hints.Remove(ctx, taken); err != nil {
		return out, err
	}
	if len(taken.Keys) > 0 {
		if err := f.hints.Forget(ctx, rec.Run); err != nil {
			return out, err
		}
	}
	left, err := f.hints.Any(ctx)
	if err != nil || !left {
		return out, err
	}
	coming, err := f.hints.Coming(ctx, f.pace())
	if err == nil && !coming {
		out.Next = task.Again
	}
	return out, err
}

// notPublished gives the error that the function ends with after a run which has failed.
func (f *Function) notPublished(l *log, rec *run.Record, err error) error {
	failed := judged(err, report(rec, err))
	l.add("run", rec.Run).warn("not published", "seconds", rec.Seconds)
	return failed
}

// recover lets go of what an execution that has failed holds, finishes a publish that it left half done, and says what has
// happened.
func (f *Function) recover(ctx context.Context, l *log, t task.Task) (task.Answer, error) {
	why := caused(t.Cause)
	err := f.within(ctx, t.Execution, jobStarted(t), func(w *run.Workspace) error {
		did, err := w.Recover(ctx)
		if err != nil {
			return err
		}
		if did.Err != nil {
			why += "\n" + plainly(did.Err)
		}
		if did.Thrown && did.Run != "" {
			why += "\nwhat run " + did.Run + " had done was thrown away"
		}
		if did.Last != "" {
			why += "\nreaders see what run " + did.Last + " has published"
		}
		l.info("recovered", "run", did.Run, "published", did.Published, "thrown", did.Thrown)
		return nil
	})
	if err != nil && !errors.Is(err, run.ErrBusy) {
		return task.Answer{}, err
	}
	// Somebody else who is at work has taken the lock over, and with it what this execution had left.
	l.measure(task.RunsFailed, 1)
	if t.Run != "" {
		if err := f.hints.Forget(ctx, t.Run); err != nil {
			return task.Answer{}, err
		}
	}
	return task.Answer{Next: task.Done, Run: t.Run, Report: cut(why)}, nil
}

// jobStarted reports whether a job was under way where an execution has failed: what that has failed by, its engine knows.
func jobStarted(t task.Task) bool {
	var state struct {
		Answer struct{ Arguments map[string]string }
	}
	return json.Unmarshal(t.State, &state) == nil && len(state.Answer.Arguments) > 0
}

// tidy removes what no kept snapshot needs, and notes of runs that nobody has ended.
func (f *Function) tidy(ctx context.Context, l *log, t task.Task) (task.Answer, error) {
	var found lake.Garbage
	err := f.within(ctx, t.Execution, false, func(w *run.Workspace) (err error) {
		found, err = w.GC(ctx, run.GCOptions{OlderThan: deployconf.KeptFor})
		if errors.Is(err, lake.ErrEmptyCatalog) {
			// Nothing was published yet.
			return nil
		}
		return err
	})
	if err == nil {
		err = f.hints.Sweep(ctx, f.o.Now().Add(-deployconf.KeptFor))
	}
	if err != nil {
		return task.Answer{}, err
	}
	l.info("tidied", "snapshots", found.Expired, "files", len(found.Files), "bytes", found.Bytes)
	return task.Answer{Next: task.Done}, nil
}
