package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"tarn/internal/catalog"
	"tarn/internal/check"
	"tarn/internal/diag"
	"tarn/internal/run"
)

func runCommand(a *app) *cobra.Command {
	var s selectFlags
	var wait bool
	cmd := &cobra.Command{
		Use:   "run [TABLE…]",
		Short: "Load new files and bring tables up to date, all in one step",
		Long: `Loads the landing files that are new or changed, rebuilds the models that are out of date, tests their checks, and shows
all of it to readers in one step. If anything fails, or the run is interrupted or killed, readers go on seeing the last
good run. Running again with nothing new says so and writes nothing.

Landing files in a bucket that are in folders of dates, such as 2024/01/31/ or dt=2024-01-31/, are listed from three days
ago on, and all of them once a day or with --relist. --events names files to look at besides: what SQS or EventBridge
deliver of S3, one JSON value or several. An event is only a hint, so one that comes twice or late does no harm.

A table whose rows another program has changed is held as it is, with what is made of it, and the exit code is 8;
--full-refresh of it takes the change back.

Where the target has Spark as its engine, all models are made in one job there. Ctrl-C ends the job; if the terminal goes away, the
job goes on, and the next run finds it, waits for it and publishes what it has made.`,
		Example: `  tarn run
  tarn run machine_learning_curated     with everything that it is made of
  tarn run -s accelerometer_trusted+    and everything that is made of it
  tarn run --full-refresh
  tarn run --target aws                 in a bucket: try it first with tarn doctor --target aws
  tarn run --target spark               models on Spark, where tarn.yaml has such a target
  aws sqs receive-message --queue-url "$QUEUE" --max-number-of-messages 10 | tarn run --target aws --events -`,
		RunE: func(cmd *cobra.Command, args []string) error {
			selection, err := s.selection(a, args)
			if err != nil {
				return err
			}
			return a.run(cmd.Context(), run.RunOptions{Selection: selection, Wait: wait})
		},
		ValidArgsFunction: a.completeTables,
	}
	s.add(cmd)
	offer(cmd, "select", a.completeTables)
	cmd.Flags().BoolVar(&wait, "wait", false, "wait for another run to end instead of failing")
	return cmd
}

func (a *app) run(ctx context.Context, o run.RunOptions) error {
	a.publishes = true
	rec, diagnostics, err := a.work(ctx, o)
	if rec == nil {
		return err
	}
	if a.json {
		out := runJSON{Record: filled(rec)}
		switch {
		case err != nil:
			out.ExitCode, out.Hint, out.Error = exitCode(ctx, err), a.hint(err), errorText(ctx, err)
		case run.Held(rec.Foreign):
			err = errHeld
			out.ExitCode, out.Hint = exitHeld, repairHint
		}
		if e := a.print(out); e != nil {
			return e
		}
		if err != nil {
			return told(err)
		}
		return nil
	}
	if len(diagnostics) > 0 {
		a.showDiagnostics(diagnostics)
	}
	a.showRun(rec)
	var checks *run.CheckError
	switch {
	case errors.As(err, &checks):
		a.showFailed(rec)
		return told(err)
	case err != nil && len(rec.Tables) > 0 && exitCode(ctx, err) != exitInterrupted:
		// The tables above look as if they were there.
		a.tell("%s", nothingPublished)
	case err == nil && run.Held(rec.Foreign):
		a.tell("hint: %s", repairHint)
		return told(errHeld)
	}
	return err
}

// work runs what there is to do, and tells of its progress. There is no record where the lake could not be opened.
func (a *app) work(ctx context.Context, o run.RunOptions) (*run.Record, diag.List, error) {
	w, err := a.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	p := a.progress()
	o.Progress = p.event
	o.Waiting = func(h catalog.Holder) { a.tell("waiting for run %s of %s", h.Run, h.Where()) }
	o.Resuming = func(id, job string) {
		a.tell("going on with run %s, whose Spark job %s was left without a terminal", id, job)
	}
	o.Noted = func(text string) { a.tell("note: %s", text) }
	rec, err := w.Run(ctx, o)
	p.done()
	return rec, w.Diagnostics, errors.Join(err, w.Close())
}

// filled gives a record whose lists are there, if only empty: null is no list to a script.
func filled(rec *run.Record) *run.Record {
	out := *rec
	out.Tables = append([]run.TableRecord{}, rec.Tables...)
	out.Load = append([]run.LoadRecord{}, rec.Load...)
	out.Checks = append([]check.Result{}, rec.Checks...)
	return &out
}
