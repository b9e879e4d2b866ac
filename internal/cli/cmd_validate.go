package cli

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"tarn/internal/diag"
	"tarn/internal/run"
)

func validateCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "validate",
		Short:   "Find every mistake in the definitions, without running anything",
		Example: "  tarn validate\n  tarn validate --json | jq -r '.diagnostics[].message'",
		Args:    cobra.NoArgs,
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

func versionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the versions of tarn and of what it is made of",
		Example: "  tarn version",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			out := versions()
			if a.json {
				return a.print(out)
			}
			a.say("tarn %s (%s, %s)", out.Version, out.Go, out.Platform)
			a.say("duckdb-go %s, iceberg-go %s", strings.TrimPrefix(out.DuckDB, "v"), strings.TrimPrefix(out.Iceberg, "v"))
			return nil
		},
	}
}

// versions reads what the Go tool has put into the program.
func versions() versionJSON {
	out := versionJSON{"(devel)", runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, "", ""}
	if info, ok := debug.ReadBuildInfo(); ok {
		if v := info.Main.Version; v != "" {
			out.Version = v
		}
		v := run.Versions(info)
		out.DuckDB, out.Iceberg = v["duckdb-go"], v["iceberg-go"]
	}
	return out
}

func checkCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "check [TABLE…]",
		Short:   "Test the checks on what is published",
		Example: "  tarn check\n  tarn check accelerometer_trusted --json",
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

func runsCommand(a *app) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:     "runs",
		Short:   "List the published runs, newest first",
		Example: "  tarn runs\n  tarn runs --json | jq '.runs[0].record'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := a.lakeDir()
			if err != nil {
				return err
			}
			past, err := run.History(cmd.Context(), dir, run.Options{Target: a.target})
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
