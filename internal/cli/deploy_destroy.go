package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"tarn/internal/catalog/glue"
	"tarn/internal/deploy"
	"tarn/internal/deploy/stack"
	"tarn/internal/run"
	"tarn/internal/store/s3"
)

func deployDestroyCommand(a *app) *cobra.Command {
	var data, wait bool
	var yes string
	cmd := &cobra.Command{
		Use:   "destroy",
		Short: "Take the stack away; bucket, database and tables stay",
		Long: `Deletes the stack, the function's code in the bucket, log groups that are left, and undoes what a deployment has switched on in an
existing bucket. Raw files, tables, bucket and database stay, and the next deployment takes them in again.

With --data they go too, for ever. That has to be said twice: the name of the bucket is asked for, or given as --yes=NAME. Of a
bucket or database that was there before, only what this lake has written goes, and raw files stay. While a run is under way, no
data is removed.`,
		Example: `  tarn deploy destroy --target aws
  tarn deploy destroy --target aws --yes
  tarn deploy destroy --target aws --data --yes=my-bucket`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var spec deploy.Spec
			spec, st, err := a.deployed(cmd, func(p stack.Proposal) (bool, error) {
				if !a.json {
					a.showProposal(p)
				}
				return a.agreesToDestroy(cmd.Context(), spec.Warehouse.Bucket, data, yes)
			}, func(ctx context.Context) error { return a.untilIdle(ctx, wait) })
			if err != nil {
				return err
			}
			d, err := st.Destroy(cmd.Context(), data)
			if err != nil {
				return a.stackEnded(err)
			}
			if a.json {
				return a.print(d)
			}
			a.showDestroyed(spec, d, data)
			return nil
		},
	}
	cmd.Flags().BoolVar(&data, "data", false, "also remove raw files, tables, bucket and database")
	cmd.Flags().BoolVar(&wait, "wait", false, "with --data, wait for a run to end instead of failing")
	cmd.Flags().StringVar(&yes, "yes", "", "do not ask; with --data, the `name` of the bucket has to be given")
	cmd.Flags().Lookup("yes").NoOptDefVal = "yes"
	return cmd
}

// agreesToDestroy asks, unless --yes has said it; about data it has to be the bucket's name.
func (a *app) agreesToDestroy(ctx context.Context, bucket string, data bool, yes string) (bool, error) {
	if !data {
		if yes != "" {
			return true, nil
		}
		return a.agrees(ctx, "take that away?")
	}
	if yes == bucket {
		return true, nil
	}
	if yes != "" {
		return false, &usageError{misspelt("--data removes everything in bucket "+bucket+" for ever, and --yes="+yes+" is not its name", "write --yes="+bucket)}
	}
	name, err := a.ask(ctx, "this cannot be undone: type the name of the bucket, "+bucket+", to remove it all: ")
	if errors.Is(err, errNobody) {
		err = &usageError{misspelt("nobody can be asked here whether to remove everything in bucket "+bucket+" for ever", "--yes="+bucket+" agrees beforehand")}
	}
	if err == nil && name != bucket {
		a.tell("that is not its name")
	}
	return name == bucket, err
}

// untilIdle fails while somebody writes to the lake, or waits for that to end.
func (a *app) untilIdle(ctx context.Context, wait bool) error {
	for told := false; ; told = true {
		err := a.idle(ctx)
		if !wait || !errors.Is(err, run.ErrBusy) {
			return err
		}
		if !told {
			a.tell("%v: waiting for its end", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// idle fails while somebody writes to the lake. What is not there any more is idle.
func (a *app) idle(ctx context.Context) (err error) {
	t, err := a.tables(ctx)
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	if err = t.Idle(ctx); gone(err) {
		return nil
	}
	return err
}

// gone reports whether an error says that a bucket or a database is not there.
func gone(err error) bool {
	var bucket *s3.Error
	var database *glue.Error
	return errors.As(err, &bucket) && bucket.Missing() || errors.As(err, &database) && database.Missing()
}

func (a *app) showDestroyed(spec deploy.Spec, d *stack.Destroyed, data bool) {
	a.say("stack %s in %s, account %s: %s removed, and %s of code and templates", d.Stack, d.Region, d.Account, plural(int64(len(d.Removed)), "resource"), plural(int64(d.Artefacts), "object"))
	for _, b := range d.SwitchedOff {
		a.say("switched off the EventBridge notification of bucket %s, which a deployment had switched on", b)
	}
	for _, c := range d.Kept {
		switch c.Type {
		case "AWS::S3::Bucket", "AWS::Glue::Database":
			a.say("%s %s stays", c.Kind, c.Name)
		case "AWS::KMS::Key":
			a.say("key %s stays, and costs: `aws kms schedule-key-deletion --key-id %s` takes it away, and with it all that it has encrypted", c.Name, c.Name)
		}
	}
	if data {
		a.say("%s of data removed", plural(int64(d.Data), "object"))
		return
	}
	a.say("the tables can be asked as before: %s", a.alike("query …"))
}
