package cli

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"tarn/internal/awsconf"
	"tarn/internal/load"
	stores "tarn/internal/store/registry"
)

// workerCommand is what Spark starts on its machines, so it is not shown among the commands for people.
func workerCommand(a *app) *cobra.Command {
	var account awsconf.Settings
	var attached bool
	cmd := &cobra.Command{
		Use:    "worker BATCH",
		Hidden: true,
		Short:  "Read one batch of landing files, for a run whose engine is Spark",
		Long: `Read the landing files that the batch at a location names, write their rows and the rejected ones to where it says, and an
answer. A batch that was done already is left alone. It publishes nothing: the run that made the batch does.`,
		Example: `  tarn worker s3://my-bucket/warehouse/stedi/_tarn/spark/20250102T030405Z-01020304-load/batches/0.json`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			ctx := cmd.Context()
			if attached {
				var stop context.CancelFunc
				ctx, stop = whileOpen(ctx, a.stdin)
				defer stop()
			}
			places := stores.New(account)
			b, err := load.ReadBatch(ctx, places, args[0])
			if err != nil {
				return err
			}
			dir, err := os.MkdirTemp("", "tarn-worker-")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
			return b.Do(ctx, places, dir)
		},
	}
	f := cmd.Flags()
	f.StringVar(&account.Region, "region", "", "AWS `region`")
	f.StringVar(&account.Endpoint, "endpoint", "", "`URL` of a server that speaks the protocols of AWS")
	f.BoolVar(&account.PathStyle, "path-style", false, "put the bucket into the path of a URL")
	f.StringVar(&account.KMSKey, "kms-key", "", "AWS KMS `key` that encrypts what is written")
	f.StringVar(&account.BucketOwner, "bucket-owner", "", "`account` that every bucket has to belong to")
	f.BoolVar(&attached, "attached", false, "end when standard input is closed, as it is when whoever started this has died")
	return cmd
}

// whileOpen gives a context that ends when a stream does.
func whileOpen(ctx context.Context, r io.Reader) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, r) // how it ends does not matter
		cancel(errDetached)
	}()
	return ctx, func() { cancel(nil) }
}

// errDetached says that whoever has started a worker is gone.
var errDetached = errors.New("whoever has started this worker is gone")
