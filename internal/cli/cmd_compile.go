package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tarn/internal/diag"
	"tarn/internal/run"
)

func compileCommand(a *app) *cobra.Command {
	var dialect string
	cmd := &cobra.Command{
		Use:   "compile MODEL",
		Short: "Print the SQL that is executed for a model",
		Long: `Print the SQL that is executed for a model.

With --dialect spark, it is what Spark 3.5 executes for the same table, in a session with ANSI mode and in UTC: docs/conformance.md
lists what has been compared. A landing table is the Iceberg table NAME__rows there.`,
		Example: `  tarn compile accelerometer_trusted
  tarn compile accelerometer_trusted --dialect spark`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(run.Dialects, dialect) {
				return &usageError{&misspelt{fmt.Sprintf("unknown dialect %q: %s", dialect, strings.Join(run.Dialects, " or ")), diag.DidYouMean(dialect, run.Dialects)}}
			}
			w, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer w.Close()
			text, err := w.Compile(args[0], dialect)
			if err != nil {
				return err
			}
			if a.json {
				return a.print(compileJSON{args[0], dialect, text})
			}
			a.say("%s", text)
			return nil
		},
		ValidArgsFunction: a.completeModel,
	}
	cmd.Flags().StringVar(&dialect, "dialect", run.DuckDB, strings.Join(run.Dialects, " or "))
	offer(cmd, "dialect", cobra.FixedCompletions(run.Dialects, noFiles))
	return cmd
}
