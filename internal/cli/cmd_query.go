package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"tarn/internal/lake"
	"tarn/internal/query"
	"tarn/internal/run"
)

func queryCommand(a *app) *cobra.Command {
	var file, format, output, at string
	cmd := &cobra.Command{
		Use:   "query [SQL]",
		Short: "Ask the tables with SQL",
		Long: `Runs one reading statement over the published tables, with all of DuckDB's SQL. It sees the lake's tables only, each
from the same moment, and cannot write. The database's name is optional, and "AwsDataCatalog" may stand before it.
A landing table stands for its loaded rows, with the landing file of each in the column _file.`,
		Example: `  tarn query "SELECT * FROM machine_learning_curated LIMIT 10"
  tarn query -f report.sql --format csv -o report.csv
  tarn query "FROM customer_trusted" --at 2026-11-24
  echo "SHOW TABLES" | tarn query -f -`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := a.sqlText(args, file)
			if err != nil {
				return err
			}
			if a.json {
				format = "json"
			}
			switch {
			case format == "parquet" && output == "":
				return &usageError{errors.New("--format parquet needs -o FILE")}
			case format != "table" && format != "csv" && format != "json" && format != "parquet":
				return &usageError{fmt.Errorf("unknown format %q: table, csv, json or parquet", format)}
			}
			return a.query(cmd.Context(), text, format, output, at)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&file, "file", "f", "", "read the SQL from a file, or from stdin with -")
	f.StringVar(&format, "format", "table", "table, csv, json or parquet")
	f.StringVarP(&output, "output", "o", "", "write to a file")
	f.StringVar(&at, "at", "", "as readers saw the tables after a run, or at a time (UTC)")
	return cmd
}

func (a *app) sqlText(args []string, file string) (string, error) {
	switch {
	case len(args) == 1 && file == "":
		return args[0], nil
	case len(args) == 1:
		return "", &usageError{errors.New("either SQL or -f, not both")}
	case file == "-":
		raw, err := io.ReadAll(a.stdin)
		return string(raw), err
	case file != "":
		raw, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("%w: %w", errMissing, err)
		}
		return string(raw), err
	}
	return "", &usageError{errors.New("no SQL: write it behind `tarn query`, or name a file with -f")}
}

func (a *app) query(ctx context.Context, text, format, output, at string) (err error) {
	dir, err := a.lakeDir()
	if err != nil {
		return err
	}
	t, err := run.OpenTables(ctx, dir, run.Options{Target: a.target})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	reading, err := t.Reading()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reading.Close()) }()
	v, err := t.View(ctx, at)
	if err != nil {
		return err
	}
	if output != "" {
		if output, err = filepath.Abs(output); err != nil {
			return err
		}
	}
	return a.answer(ctx, t, v, text, format, output)
}

func (a *app) answer(ctx context.Context, t *run.Tables, v *lake.View, text, format, output string) (err error) {
	o := query.Options{Memory: t.Memory(a.memory), Threads: a.threads, TempDir: t.TempDir()}
	if format == "parquet" {
		o.Output = output
	}
	s, err := query.Open(ctx, t.Database(), v, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if format == "parquet" {
		n, err := s.WriteParquet(ctx, text)
		if err != nil {
			return &queryError{err}
		}
		a.tell("%s written to %s", plural(n, "row"), here(output))
		return nil
	}
	rows, err := s.Rows(ctx, text)
	if err != nil {
		return &queryError{err}
	}
	defer rows.Close()
	w := a.stdout
	var f *os.File
	if output != "" {
		if f, err = os.Create(output); err != nil {
			return err
		}
		w = f
	}
	_, err = query.Write(w, rows, format)
	if f != nil {
		err = errors.Join(err, f.Close())
	}
	return err
}
