package lambda

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tarn/internal/lambda/hints"
	"tarn/internal/lambda/task"
	"tarn/internal/run"
)

// Manual is a run that a person asks for, as `aws lambda invoke` with {"run": {…}}; the zero value brings all tables up to date.
type Manual struct {
	// Tables are chosen as the arguments of tarn run are; empty is all.
	Tables []string `json:"tables,omitempty"`
	// FullRefresh, Prune and Relist are what the flags of tarn run are.
	FullRefresh bool `json:"full_refresh,omitempty"`
	Prune       bool `json:"prune,omitempty"`
	Relist      bool `json:"relist,omitempty"`
}

// manual does a run at once and answers its report. It is one process's run, which has to be over before the invocation ends.
func (f *Function) manual(ctx context.Context, l *log, m Manual) (task.Answer, error) {
	ctx, stop := within(ctx)
	defer stop()
	wait := f.selecting(ctx, task.Task{Tables: m.Tables, FullRefresh: m.FullRefresh, Relist: m.Relist})
	var out task.Answer
	err := f.within(ctx, "", false, func(w *run.Workspace) error {
		chosen, err := wait()
		if err != nil {
			return err
		}
		s, taken := chosen.Selection, chosen.Taken
		s.Prune = m.Prune
		o := f.options(ctx, l, s)
		// Nobody goes on with it.
		o.Deadline = time.Time{}
		rec, err := w.Run(ctx, o)
		if err != nil {
			if ctx.Err() != nil {
				err = fmt.Errorf("it was not done within one invocation; an execution of the state machine has no such bound: %w", ctx.Err())
			}
			failed := f.notPublished(l, rec, err)
			if errorType(failed) != task.Busy && !errors.Is(err, run.ErrUnknownTable) {
				l.measure(task.RunsFailed, 1)
			}
			return failed
		}
		out, err = f.published(ctx, l, rec, taken)
		return err
	})
	if out.Next == task.Again {
		// Nobody asks a person again; an execution looks at what has come meanwhile.
		out.Next = task.Done
		if at, err := f.hints.Next(ctx, hints.Pace{}); err == nil && f.o.Executions != nil {
			err = f.start(ctx, at)
			if err != nil {
				l.failed(err)
			}
		}
	}
	return out, err
}
