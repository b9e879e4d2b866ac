package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"tarn/internal/diag"
	"tarn/internal/lake"
	"tarn/internal/query"
	"tarn/internal/run"
)

// queryFlags are what `tarn query` is asked for beside the SQL.
type queryFlags struct{ file, format, output, at string }

// parquet is the format that the engine writes itself.
const parquet = "parquet"

var queryFormats = []string{query.Table, query.CSV, query.List, parquet}

func queryCommand(a *app) *cobra.Command {
	var q queryFlags
	cmd := &cobra.Command{
		Use:   "query [SQL]",
		Short: "Ask the tables with SQL",
		Long: `Runs one reading statement over the published tables, with all of DuckDB's SQL. It sees the lake's tables only, each
from the same moment, and can neither write nor read anything else. The database's name is optional, and "AwsDataCatalog"
may stand before it. A landing table stands for its loaded rows (as NAME and as NAME__rows), with the landing file of each
in the column _file; tarn__runs, tarn__files and tarn__quarantine are the lake's own account.

Times are UTC. In csv null is an empty field and an empty text is "". Without --format, -o takes it from the file's
ending (.csv, .json, .parquet). A file named with -o is there whole or not at all.`,
		Example: `  tarn query "SELECT * FROM machine_learning_curated LIMIT 10"
  tarn query -f report.sql -o report.csv
  tarn query "FROM customer_trusted" --at 2026-11-24
  echo "SHOW TABLES" | tarn query -f -`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return misspelt("the SQL has to be one argument", "put the SQL into quotes: tarn query \"SELECT …\"")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			src, err := a.sqlText(args, q.file)
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("format") {
				q.format = ""
			}
			if err := q.settle(a.json); err != nil {
				return err
			}
			return a.look(cmd.Context(), q.at, func(t *run.Tables, v *lake.View) error { return a.query(cmd.Context(), t, v, src, q) })
		},
	}
	f := cmd.Flags()
	f.StringVarP(&q.file, "file", "f", "", "read the SQL from a `file`, or from stdin with -")
	f.StringVar(&q.format, "format", query.Table, "table, csv, json or parquet")
	f.StringVarP(&q.output, "output", "o", "", "write the rows to a `file`")
	f.StringVar(&q.at, "at", "", "as readers saw the tables after a `run`, or at a time (UTC), such as \"2026-11-24 10:15:00\"")
	offer(cmd, "format", cobra.FixedCompletions(queryFormats, noFiles))
	offer(cmd, "at", a.completeRuns)
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	return cmd
}

// settle finds the format and refuses what does not fit together.
func (q *queryFlags) settle(object bool) error {
	switch ending := strings.TrimPrefix(strings.ToLower(filepath.Ext(q.output)), "."); {
	case q.format != "":
	case slices.Contains(queryFormats, ending):
		q.format = ending
	case object && q.output == "":
		q.format = query.Object
	default:
		q.format = query.Table
	}
	switch {
	case q.format == query.Object:
	case !slices.Contains(queryFormats, q.format):
		err := fmt.Errorf("unknown format %q: table, csv, json or parquet", q.format)
		if hint := diag.DidYouMean(q.format, queryFormats); hint != "" {
			err = fmt.Errorf("%w (%s)", err, hint)
		}
		return &usageError{err}
	case q.format == parquet && q.output == "":
		return &usageError{errors.New("--format parquet needs -o FILE")}
	case object && q.output == "":
		if q.format != query.List {
			return &usageError{fmt.Errorf("--json and --format %s do not go together without -o FILE", q.format)}
		}
		q.format = query.Object
	}
	return nil
}

// sqlText gives the SQL and what messages call it.
func (a *app) sqlText(args []string, file string) (diag.Source, error) {
	switch {
	case len(args) == 1 && file == "":
		return diag.Source{File: "query", Text: args[0]}, nil
	case len(args) == 1:
		return diag.Source{}, &usageError{errors.New("either SQL or -f, not both")}
	case file == "-":
		raw, err := io.ReadAll(a.stdin)
		return diag.Source{File: "stdin", Text: string(raw)}, err
	case file != "":
		raw, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			return diag.Source{}, fmt.Errorf("%w: %w", errMissing, err)
		}
		return diag.Source{File: file, Text: strings.TrimPrefix(string(raw), "\ufeff")}, err
	}
	return diag.Source{}, &usageError{errors.New("no SQL: write it behind `tarn query`, or name a file with -f")}
}

// query asks the tables of a view.
func (a *app) query(ctx context.Context, t *run.Tables, v *lake.View, src diag.Source, q queryFlags) (err error) {
	if q.output != "" {
		return a.answerFile(ctx, t, v, src, q)
	}
	s, err := a.session(ctx, t, v, src.Text, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	rows, err := s.Ask(ctx, src)
	if err != nil {
		return err
	}
	defer rows.Close()
	broken := false
	form := a.form(q.format)
	form.Failed = func(err error) (string, int) {
		broken = true
		return errorText(ctx, err), exitCode(ctx, err)
	}
	_, err = form.Write(a.stdout, rows)
	if broken && q.format == query.Object {
		return told(err)
	}
	return err
}

func (a *app) session(ctx context.Context, t *run.Tables, v *lake.View, sql, output string) (*query.Session, error) {
	return query.Open(ctx, t.Database(), v, query.Options{About: sql, Memory: t.Memory(a.memory), Threads: a.threads, TempDir: t.TempDir(), Output: output})
}

// form is that of rows on stdout: as wide as the terminal, or whole where there is none.
func (a *app) form(format string) query.Form {
	out := query.Form{Format: format, Dim: stylesFor(a.stdout).dim}
	if terminal(a.stdout) {
		width, _, err := term.GetSize(int(fileOf(a.stdout).Fd()))
		if err == nil {
			out.Width = width
		}
	}
	return out
}

// answerFile writes the rows to a file.
func (a *app) answerFile(ctx context.Context, t *run.Tables, v *lake.View, src diag.Source, q queryFlags) (err error) {
	o, err := newOutput(q.output)
	if err != nil {
		return err
	}
	if q.format == parquet && o.direct() {
		return &usageError{errors.New("-o: parquet needs a regular file")}
	}
	for _, own := range []string{t.Warehouse(), t.StateDir()} {
		if inside(own, o.path) {
			return &usageError{fmt.Errorf("-o: %s belongs to the lake itself", here(o.path))}
		}
	}
	s, err := a.session(ctx, t, v, src.Text, o.temporary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	n, err := a.writeTo(ctx, s, src, q.format, o)
	if err := o.commit(err); err != nil {
		return err
	}
	if a.json {
		return a.print(queryFileJSON{Output: o.path, Format: q.format, Count: n})
	}
	if !a.quiet {
		a.tell("%s written to %s", plural(n, "row"), here(o.path))
	}
	return nil
}

func (a *app) writeTo(ctx context.Context, s *query.Session, src diag.Source, format string, o *outputFile) (_ int64, err error) {
	if format == parquet {
		return s.WriteParquet(ctx, src)
	}
	rows, err := s.Ask(ctx, src)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	f, err := o.create()
	if err != nil {
		return 0, err
	}
	n, err := query.Write(f, rows, format)
	return n, errors.Join(err, f.Close())
}

// inside reports whether path is dir or lies below it.
func inside(dir, path string) bool {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	if real, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(real, filepath.Base(path))
	}
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
