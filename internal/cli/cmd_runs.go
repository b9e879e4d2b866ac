package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"tarn/internal/run"
)

func runsCommand(a *app) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List the published runs, newest first",
		Long: `Lists the runs that published something, with ids that rollback and query --at take. --json has the record of each: what was
loaded, built and checked, and the account of rows.`,
		Example: "  tarn runs\n  tarn runs --json | jq '.runs[0].record'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			past, err := a.history(cmd.Context())
			if err != nil {
				return err
			}
			if limit > 0 && len(past) > limit {
				past = past[:limit]
			}
			if a.json {
				return a.print(runsJSON{append([]run.Past{}, past...)})
			}
			rows := [][]string{{"run", "kind", "finished (UTC)", "seconds"}}
			for _, p := range past {
				rows = append(rows, []string{p.Run, p.Kind, p.Finished.Format("2006-01-02 15:04:05"), fmt.Sprintf("%.2f", p.Finished.Sub(p.Started).Seconds())})
			}
			fmt.Fprint(a.stdout, columns(rows, 3))
			return nil
		},
	}
	cmd.Flags().IntVarP(&limit, "limit", "n", 20, "how many at most; 0 is all")
	return cmd
}
