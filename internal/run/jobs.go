package run

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"tarn/internal/catalog"
	"tarn/internal/engine"
)

// jobs is an engine whose jobs go on without this process, with what is kept of them.
type jobs struct {
	engine.Lasting
	// scratch is the folder of this machine for what belongs to one job.
	scratch string
	// used says that there is something to tidy up, noted that another process can go on with it.
	used, noted bool
}

// leftAt is where it is written which job is under way.
func (j *jobs) leftAt() string { return j.Home() + "/job.json" }

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

// goesOn reports whether a run has ended but its job has not, and belongs to whoever comes next.
func (j *jobs) goesOn(cause, failed error) bool {
	return failed != nil && j != nil && j.noted && (leaves(cause) || errors.Is(failed, engine.ErrUnheard))
}

// leaves reports whether a context has ended because this process cannot go on with the run, but another one can.
func leaves(cause error) bool {
	return errors.Is(cause, catalog.ErrLockLost) || errors.Is(cause, ErrTerminalGone)
}

// lastLog is the log of the last job on this machine, in its scratch folder.
const lastLog = "last.log"

// forgetJob removes what a job has had beside the tables. Its log stays until the next.
func (w *Workspace) forgetJob(ctx context.Context, run string) error {
	for _, job := range []string{loadRun(run), run} {
		if err := os.Rename(filepath.Join(w.jobs.scratch, job, "log"), filepath.Join(w.jobs.scratch, lastLog)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := w.jobs.remove(ctx, run); err != nil {
		return err
	}
	return w.Lake.Discard(ctx, []string{w.jobs.leftAt()})
}

// attend sees a job through. Where jobs last, it is written down before which one it is, and all that publishing it needs; loading
// says that it reads landing files. Ctrl-C ends the job. A terminal that is gone and a lock that was lost leave it to whoever
// comes next.
func (x *execution) attend(ctx context.Context, j engine.Job, loading bool, work func(engine.Job) (*engine.Result, error)) (*engine.Result, error) {
	if x.w.jobs == nil {
		return work(j)
	}
	x.w.jobs.used = true
	var left *leftJob
	j.Note = func(ctx context.Context, h engine.Handle) (err error) {
		if left == nil {
			if left, err = x.save(ctx, h, loading); err == nil {
				x.w.reached("job prepared")
			}
			return err
		}
		x.w.reached("job started")
		left.Job = h
		if err := x.w.noteJob(ctx, left); err != nil {
			return err
		}
		x.w.reached("job noted")
		return nil
	}
	r, err := work(j)
	return r, x.interrupted(ctx, left, err)
}

// resumed sees a job through that another process has noted.
func (x *execution) resumed(ctx context.Context, left *leftJob, made tables) (*engine.Result, error) {
	j := engine.Job{Run: left.Job.Run, Database: x.w.Project.Config.Database, Tell: x.follow, Note: func(ctx context.Context, h engine.Handle) error {
		left.Job = h
		return x.w.noteJob(ctx, left)
	}}
	r, err := x.w.jobs.Resume(ctx, left.Job, j, made)
	return r, x.interrupted(ctx, left, err)
}

// interrupted ends a job whose run was stopped by its user.
func (x *execution) interrupted(ctx context.Context, left *leftJob, err error) error {
	if err == nil || ctx.Err() == nil || leaves(context.Cause(ctx)) || left == nil || left.Job.ID == "" {
		return err
	}
	return errors.Join(err, x.w.jobs.Cancel(context.WithoutCancel(ctx), left.Job))
}
