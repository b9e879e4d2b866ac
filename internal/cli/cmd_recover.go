package cli

import (
	"context"

	"github.com/spf13/cobra"

	"tarn/internal/catalog"
)

func recoverCommand(a *app) *cobra.Command {
	var ended string
	cmd := &cobra.Command{
		Use:   "recover",
		Short: "Tidy up after a run that was killed, and let go of its lock",
		Long: `Finishes a publish that was left half done, throws away what a run had done that was not published, ends its job if it has one,
and lets go of the lock. Every tarn run does the same before it begins; this only does not begin one.

The lock of a run of AWS Step Functions belongs to its execution and outlives the run's processes. Whoever may ask Step Functions can take it
over when the execution has ended; on a machine that may not, --ended says so. Say that of an execution only if it has ended, as
aws stepfunctions describe-execution tells: one that goes on loses its work, though no table is ever harmed.`,
		Example: "  tarn recover --target aws\n  tarn recover --target aws --ended arn:aws:states:eu-central-1:123456789012:execution:stedi-aws:stedi-aws-20261126T082201Z",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var o catalog.Owner
			if ended != "" {
				o = catalog.Owner{Alive: func(_ context.Context, execution string) (bool, error) { return execution != ended, nil }}
			}
			w, err := a.openFor(cmd.Context(), o)
			if err != nil {
				return err
			}
			defer w.Close()
			r, err := w.Recover(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				out := recoverJSON{Run: r.Run, Published: r.Published}
				if r.Err != nil {
					out.Failed = r.Err.Error()
				}
				return a.print(out)
			}
			switch {
			case r.Run == "":
				a.say("nothing to recover: the last run has ended by itself")
			case r.Published:
				a.say("run %s was published, and is whole", r.Run)
			default:
				a.say("run %s was not published: what it had done is gone, and the next run begins anew", r.Run)
			}
			if r.Err != nil {
				a.say("its job has failed: %v", r.Err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&ended, "ended", "", "the `ARN` of an execution of AWS Step Functions that has ended")
	return cmd
}
