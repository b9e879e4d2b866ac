package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"tarn/internal/diag"
)

func validateCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "validate",
		Short: "Find every mistake in the definitions, without running anything",
		Long: `Reads tarn.yaml, the DDL of landing tables and the SQL of models, and prints every mistake with file, line, column and a hint.
Nothing is run and no bucket is asked; tarn doctor does that.`,
		Example: `  tarn validate
  tarn validate --target aws
  tarn validate --json | jq -r '.diagnostics[].message'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, err := a.open(cmd.Context())
			var list *diag.ListError
			if err != nil && !errors.As(err, &list) {
				return err
			}
			found := diag.List{}
			tables := 0
			if list != nil {
				found = list.Diagnostics
			} else {
				found = append(found, w.Diagnostics...)
				tables = len(w.Graph.Tables)
				if err := w.Close(); err != nil {
					return err
				}
			}
			if a.json {
				errs, warnings := found.Count()
				out := validateJSON{OK: list == nil, Tables: tables, Errors: errs, Warnings: warnings, Diagnostics: found}
				if list != nil {
					out.ExitCode = exitDefinitions
				}
				if e := a.print(out); e != nil {
					return e
				}
				if err != nil {
					return told(err)
				}
				return nil
			}
			for _, d := range found {
				a.say("%s\n", d.Text())
			}
			if list != nil {
				a.say("%s", counted(found))
				return told(err)
			}
			a.say("%s: %s in order", counted(found), plural(int64(tables), "table"))
			return nil
		},
	}
}
