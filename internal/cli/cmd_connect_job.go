package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"tarn/internal/connect"
	"tarn/internal/run"
	"tarn/internal/store"
)

// jobFlags say how a table becomes the input of a SageMaker job.
type jobFlags struct {
	training, processing bool
	keep, to             string
	keeps, wait          bool // keeps: --keep was written
}

func (f jobFlags) any() bool { return f.training || f.processing }

// jobInput pins a table's state and prints it as the input of a job.
func (a *app) jobInput(ctx context.Context, names []string, c connectFlags) (err error) {
	f := c.job
	if f.training && f.processing {
		return &usageError{errors.New("either --training or --processing: they are inputs of different jobs")}
	}
	w, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	p, err := connect.At(ctx, w.Project)
	if err != nil {
		return err
	}
	a.settlePlace(&p, c)
	if !strings.HasPrefix(p.Warehouse, "s3://") {
		return &connect.UnfitError{Peer: "sagemaker", Why: "reads files in S3 only, and the tables are on this machine", Do: "choose a target whose warehouse is in a bucket, such as --target aws"}
	}
	if f.processing && !p.Glue {
		_, err := connect.Processing(p, connect.Table{}, 0, "", "")
		return err
	}
	keep, err := days(f.keep)
	if err != nil {
		return &usageError{fmt.Errorf("--keep: %w", err)}
	}
	if f.processing && !f.keeps {
		keep = 0
	}
	if f.training && keep == 0 {
		return &usageError{errors.New("--keep 0: gc could remove the files before the job has read them")}
	}
	name := connect.DefaultTable
	if len(names) > 0 {
		name = names[0]
	}
	pinned, held, err := w.Pin(ctx, name, c.at, keep, f.wait)
	if err != nil {
		return err
	}
	out := jobJSON{Table: pinned.Table, Run: pinned.Run, Snapshot: pinned.Snapshot, Rows: pinned.Rows, Bytes: pinned.Bytes, Files: len(pinned.Files), Held: held}
	if f.processing {
		err = a.processing(ctx, w, p, pinned, &out)
	} else {
		err = a.training(ctx, w, p, pinned, f.to, &out)
	}
	if err != nil {
		return err
	}
	if a.json {
		return a.print(out)
	}
	fmt.Fprint(a.stdout, string(out.Input))
	if !a.quiet {
		a.tellJob(out, f)
	}
	return nil
}

func (a *app) processing(ctx context.Context, w *run.Workspace, p connect.Place, pinned run.Pinned, out *jobJSON) error {
	v, err := w.Lake.View(ctx)
	if err != nil {
		return err
	}
	t, ok := v.Table(pinned.Table).At(pinned.Snapshot)
	if !ok {
		return fmt.Errorf("%w: %s", run.ErrUnknownTable, pinned.Table)
	}
	described, err := described(t, "")
	if err != nil {
		return err
	}
	in, err := connect.Processing(p, described, pinned.Snapshot, p.Jobs, w.Project.Config.AWS.KMSKey)
	out.Input = in.JSON
	return err
}

func (a *app) training(ctx context.Context, w *run.Workspace, p connect.Place, pinned run.Pinned, to string, out *jobJSON) error {
	if len(pinned.Files) == 0 {
		return &run.NotPinnedError{Table: pinned.Table, Why: "it has no rows", Do: "`tarn plan` says what its inputs are"}
	}
	locations := make([]string, len(pinned.Files))
	for i, f := range pinned.Files {
		locations[i] = f.Location
	}
	manifest, err := connect.Manifest(pinned.Location, locations)
	if err != nil {
		return err
	}
	out.Manifest = strings.TrimRight(p.Jobs, "/") + "/" + pinned.Table + "-" + pinned.Run + ".manifest"
	switch {
	case strings.HasPrefix(to, "s3://"):
		out.Manifest = to
		if strings.HasSuffix(to, "/") {
			out.Manifest += pinned.Table + "-" + pinned.Run + ".manifest"
		}
		fallthrough
	case to == "":
		s, key, err := w.Lake.Stores().Locate(ctx, out.Manifest)
		if err != nil {
			return err
		}
		if _, err := s.Put(ctx, key, strings.NewReader(string(manifest)), store.Condition{}); err != nil {
			return err
		}
	default:
		if err := os.WriteFile(to, manifest, 0o644); err != nil {
			return err
		}
		out.File = absolute(to)
	}
	out.Input = connect.Training(pinned.Table, out.Manifest).JSON
	return nil
}

// tellJob says what was pinned, and what is to be done about it.
func (a *app) tellJob(out jobJSON, f jobFlags) {
	a.tell("%s as after run %s: %s, %s in %s", out.Table, out.Run, plural(out.Rows, "row"), bytes(out.Bytes), plural(int64(out.Files), "file"))
	if out.File != "" {
		a.tell("the job reads %s: aws s3 cp %s %s", out.Manifest, here(out.File), out.Manifest)
	}
	if out.Held != nil && out.Held.Until != nil {
		a.tell("gc keeps that until %s UTC: `%s` lists what is held", out.Held.Until.Format("2006-01-02 15:04"), a.alike("holds"))
		return
	}
	a.tell("gc does not keep that: with --keep 30d it does")
}
