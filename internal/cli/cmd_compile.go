package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tarn/internal/classic"
	"tarn/internal/diag"
	"tarn/internal/run"
)

func compileCommand(a *app) *cobra.Command {
	var dialect, as string
	cmd := &cobra.Command{
		Use:   "compile MODEL|DIR",
		Short: "Print the SQL that is executed for a model",
		Long: `Print the SQL that is executed for a model.

With --dialect spark, it is what Spark 3.5 executes for the same table, in a session with ANSI mode and in UTC: docs/conformance.md
lists what has been compared. A landing table is the Iceberg table NAME__rows there.

With --as glue, the whole lake is written into the folder DIR as a project that needs no tarn: DDL for the Data Catalog, a
PySpark Glue job for each model, and the commands of the AWS CLI that upload and run them. A job has the name that the
model's description begins with, as in "Customer Trusted: customers who agreed", or the words of the table's name.`,
		Example: `  tarn compile accelerometer_trusted
  tarn compile accelerometer_trusted --dialect spark
  tarn compile --as glue project/`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(run.Dialects, dialect) {
				return &usageError{misspelt(fmt.Sprintf("unknown dialect %q: %s", dialect, strings.Join(run.Dialects, " or ")), diag.DidYouMean(dialect, run.Dialects))}
			}
			switch {
			case as == "":
			case as != "glue":
				return &usageError{misspelt(fmt.Sprintf("unknown project %q: glue", as), diag.DidYouMean(as, []string{"glue"}))}
			case cmd.Flags().Changed("dialect"):
				return &usageError{errors.New("--as and --dialect do not go together: the jobs of --as glue are Spark's")}
			}
			w, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer w.Close()
			if as != "" {
				return a.compileProject(w, args[0])
			}
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
	cmd.Flags().StringVar(&as, "as", "", "write the lake as a project of this kind into DIR: glue")
	offer(cmd, "as", cobra.FixedCompletions([]string{"glue"}, noFiles))
	return cmd
}

func (a *app) compileProject(w *run.Workspace, dir string) error {
	jobs, err := classic.Write(dir, w.Project.Config, w.Graph)
	if errors.Is(err, classic.ErrNotEmpty) {
		return &usageError{err}
	}
	if err != nil {
		return err
	}
	if a.json {
		return a.print(projectJSON{dir, jobs})
	}
	for _, j := range jobs {
		a.say("%s: %s", j.Name, filepath.Join(dir, "jobs", j.File))
	}
	a.say("%s says how to upload and run them", filepath.Join(dir, "README.md"))
	return nil
}
