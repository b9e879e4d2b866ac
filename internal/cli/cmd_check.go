package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"tarn/internal/check"
	"tarn/internal/run"
)

func checkCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "check [TABLE…]",
		Short: "Test the checks on what is published",
		Long: `Tests the checks of all tables, or of those that are named, on what readers see now. Nothing is changed, also where on_fail
says drop or quarantine. The exit code is 3 if one with on_fail: fail fails.`,
		Example: `  tarn check
  tarn check accelerometer_trusted --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer w.Close()
			results, err := w.Check(cmd.Context(), run.Selection{Tables: args})
			if err != nil {
				return err
			}
			return a.showChecks(results)
		},
		ValidArgsFunction: a.completeTables,
	}
}

func (a *app) showChecks(results []check.Result) error {
	var failed error
	for _, r := range results {
		if r.Status == check.Failed {
			failed = &run.CheckError{Result: r}
		}
	}
	if a.json {
		out := checkJSON{Checks: results}
		if failed != nil {
			out.ExitCode = exitChecks
		}
		if err := a.print(out); err != nil {
			return err
		}
	} else {
		st := stylesFor(a.stdout)
		rows := [][]string{}
		for _, r := range results {
			word := string(r.Status)
			switch r.Status {
			case check.Passed:
				word = st.good(word)
			case check.Failed:
				word = st.bad(word)
			default:
				// On published rows, those that a check drops or quarantines should be gone already.
				word = st.warn(word)
			}
			rows = append(rows, []string{word, r.Table, r.Name, r.Message, fmt.Sprintf("%s:%d", r.File, r.Line)})
		}
		fmt.Fprint(a.stdout, columns(rows))
	}
	if failed != nil {
		return told(failed)
	}
	return nil
}
