package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"tarn/internal/catalog"
	"tarn/internal/engine"
	"tarn/internal/project"
)

// jobs is an engine whose jobs go on without this process, with what is kept of them.
type jobs struct {
	engine.Lasting
	// scratch is the folder of this machine for what belongs to one job.
	scratch string
}

// loader is the engine where its machines can read landing files; nil elsewhere.
func (j *jobs) loader() engine.Loader {
	if j == nil {
		return nil
	}
	l, _ := j.Lasting.(engine.Loader)
	return l
}

// remove deletes what the jobs of a run have beside the tables and on this machine.
func (j *jobs) remove(ctx context.Context, run string) error {
	if j == nil || run == "" {
		return nil
	}
	for _, job := range []string{loadRun(run), run} {
		if err := errors.Join(j.Remove(ctx, job), os.RemoveAll(filepath.Join(j.scratch, job))); err != nil {
			return err
		}
	}
	return nil
}

// leaves reports whether a context has ended because this process cannot go on with the run, but another one can.
func leaves(cause error) bool {
	return errors.Is(cause, catalog.ErrLockLost) || errors.Is(cause, ErrTerminalGone) || errors.Is(cause, errOutOfTime)
}

// goesOn reports whether a run has ended in this process but has more to it, which belongs to whoever comes next.
func (w *Workspace) goesOn(cause, failed error) bool {
	if failed == nil || !w.leaving.noted {
		return false
	}
	if errors.As(failed, new(*ContinueError)) || errors.As(failed, new(*HandedOverError)) {
		return true
	}
	// Without a job there is nothing that goes on by itself, but what was done before may serve the next process.
	return leaves(cause) || w.leaving.job != nil && errors.Is(failed, engine.ErrUnheard)
}

// lastLog is the log of the last job on this machine, in its scratch folder.
const lastLog = "last.log"

// forget removes what the jobs of a run have had. The last log stays until the next.
func (j *jobs) forget(ctx context.Context, run string) error {
	for _, job := range []string{loadRun(run), run} {
		if err := os.Rename(filepath.Join(j.scratch, job, "log"), filepath.Join(j.scratch, lastLog)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return j.remove(ctx, run)
}

// cancel ends a job that another process has noted, which need not have had the engine of this one.
func (w *Workspace) cancel(ctx context.Context, h engine.Handle) error {
	if w.jobs != nil {
		return w.jobs.Cancel(ctx, h)
	}
	if w.Project.Config.Spark.Where != h.Kind {
		// Nothing here says where such jobs run. What it writes, nobody will read.
		return nil
	}
	e, scratch, err := w.openMaker(ctx, project.Spark)
	if err != nil {
		return err
	}
	l, ok := e.(engine.Lasting)
	if !ok {
		return fmt.Errorf("end the job of run %s: %w", h.Run, engine.ErrUnheard)
	}
	if err := l.Cancel(ctx, h); err != nil {
		return err
	}
	return (&jobs{Lasting: l, scratch: scratch}).remove(ctx, h.Run)
}

// attend sees a job through. Where jobs last, it is written down before which one it is, and all that publishing it needs; loading
// says that it reads landing files. Ctrl-C ends the job. A terminal that is gone, a lock that was lost and time that is over
// leave it to whoever comes next.
func (x *execution) attend(ctx context.Context, j engine.Job, loading bool, work func(engine.Job) (*engine.Result, error)) (*engine.Result, error) {
	if x.w.jobs == nil {
		return work(j)
	}
	x.w.leaving.used = true
	var left *leftRun
	j.Note = func(ctx context.Context, h engine.Handle) (err error) {
		if left == nil {
			if left, err = x.save(ctx, &h, loading); err == nil {
				x.w.reached("job prepared")
			}
			return err
		}
		x.w.reached("job started")
		left.Job = &h
		if err := x.w.note(ctx, left); err != nil {
			return err
		}
		x.w.reached("job noted")
		return nil
	}
	r, err := work(j)
	return r, x.interrupted(ctx, left, err)
}

// resumed sees a job through that another process has noted.
func (x *execution) resumed(ctx context.Context, left *leftRun, made tables) (*engine.Result, error) {
	j := engine.Job{Run: left.Job.Run, Started: x.only, Database: x.w.Project.Config.Database, Tell: x.follow, Note: func(ctx context.Context, h engine.Handle) error {
		left.Job = &h
		return x.w.note(ctx, left)
	}}
	r, err := x.w.jobs.Resume(ctx, *left.Job, j, made)
	return r, x.interrupted(ctx, left, err)
}

// interrupted ends a job whose run was stopped by its user.
func (x *execution) interrupted(ctx context.Context, left *leftRun, err error) error {
	if err == nil || ctx.Err() == nil || leaves(context.Cause(ctx)) || left == nil || left.Job == nil || left.Job.ID == "" {
		return err
	}
	return errors.Join(err, x.w.jobs.Cancel(context.WithoutCancel(ctx), *left.Job))
}
