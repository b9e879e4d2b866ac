package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tarn/internal/connect"
	"tarn/internal/diag"
	"tarn/internal/lake"
	"tarn/internal/notebook"
	"tarn/internal/run"
	"tarn/internal/template"
)

// connectFlags are what `tarn connect` is asked for beside program and table.
type connectFlags struct {
	workgroup, results, server, at string
	notebook, person, predict      string
	job                            jobFlags
}

// flagsOf says what flags of `tarn connect` are for: a flag that means nothing for what is asked is refused, as it would be taken
// for obeyed.
var flagsOf = []struct {
	flags []string
	of    string
	fit   func(program string, f connectFlags) bool
}{
	{[]string{"workgroup", "results"}, "athena and sagemaker", func(p string, _ connectFlags) bool { return p == "athena" || p == "sagemaker" }},
	{[]string{"server"}, "trino", func(p string, _ connectFlags) bool { return p == "trino" }},
	{[]string{"notebook", "training", "processing"}, "sagemaker", func(p string, _ connectFlags) bool { return p == "sagemaker" }},
	{[]string{"person"}, "a cell or notebook of sagemaker", func(p string, f connectFlags) bool { return p == "sagemaker" && !f.job.any() }},
	{[]string{"predict"}, "sagemaker --notebook", func(_ string, f connectFlags) bool { return f.notebook != "" }},
	{[]string{"keep", "wait"}, "sagemaker --training and --processing", func(_ string, f connectFlags) bool { return f.job.any() }},
	{[]string{"to"}, "sagemaker --training", func(_ string, f connectFlags) bool { return f.job.training }},
	{[]string{"at"}, "cells and inputs of jobs: a notebook reads what is there", func(_ string, f connectFlags) bool { return f.notebook == "" }},
}

// fit refuses flags that mean nothing for a program.
func (f connectFlags) fit(program string, changed func(flag string) bool) error {
	for _, k := range flagsOf {
		for _, flag := range k.flags {
			if changed(flag) && !k.fit(program, f) {
				return &usageError{fmt.Errorf("--%s is for %s", flag, k.of)}
			}
		}
	}
	if f.results != "" && !strings.HasPrefix(f.results, "s3://") {
		return &usageError{misspelt("--results "+f.results+" is no place in a bucket", "such as s3://my-bucket/results/")}
	}
	return nil
}

func connectCommand(a *app) *cobra.Command {
	var f connectFlags
	cmd := &cobra.Command{
		Use:   "connect PROGRAM [TABLE]",
		Short: "Print what to paste into another program to read a table",
		Long: "Prints a cell or command that reads a table of the lake with another program, ready to paste: with the versions to install, and\n" +
			"where catalog and files are. Without TABLE it is " + connect.DefaultTable + ". With --target it reads the tables there. There are\n\n" +
			peerList() + "\n" +
			"Nothing is installed and no credentials are printed: each program finds them as all AWS tools do. A landing table stands for\n" +
			"its loaded rows. docs/connect.md shows all cells.",
		Example: "  tarn connect python\n  tarn connect duckdb customer_trusted --at 20261124T101500Z-1a2b3c4d\n  tarn connect athena --target aws > cell.py\n" +
			"  tarn connect sagemaker --target aws --notebook my-folder\n  tarn connect sagemaker --target aws --training --keep 30d > channel.json",
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return misspelt(cmd.CommandPath()+" needs PROGRAM", "one of "+strings.Join(peerNames(), ", "))
			case len(args) > 2:
				return misspelt(cmd.CommandPath()+" takes PROGRAM and one TABLE, not "+strings.Join(args[1:], " "), "`tarn query \"SHOW TABLES\"` lists the tables")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			f.job.keeps = cmd.Flags().Changed("keep")
			return a.connect(cmd.Context(), args, f, cmd.Flags().Changed)
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			switch len(args) {
			case 0:
				return peerNames(), noFiles
			case 1:
				return a.completeTables(cmd, args, word)
			}
			return nil, noFiles
		},
	}
	cmd.Flags().StringVar(&f.workgroup, "workgroup", "", "athena, sagemaker: `workgroup` of whoever reads (default: the analyst's or scientist's of the target's stack)")
	cmd.Flags().StringVar(&f.results, "results", "", "athena, sagemaker: `location` for results, such as s3://my-bucket/results/, if the workgroup has none (default workgroup: primary)")
	cmd.Flags().StringVar(&f.notebook, "notebook", "", "sagemaker: write a notebook and its settings into a `folder`")
	cmd.Flags().StringVar(&f.person, "person", "", "sagemaker: `column` that says whose a row is, by which rows are split (default: the first of "+strings.Join(notebook.Persons(), ", ")+" that is there)")
	cmd.Flags().StringVar(&f.predict, "predict", "", "notebook: `column` of numbers that its model shall guess (default: distanceFromObject if it is there)")
	cmd.Flags().StringVar(&f.at, "at", "", "the table as it was after a `run` or at a time (default: as it is when it is read)")
	cmd.Flags().BoolVar(&f.job.training, "training", false, "sagemaker: print the input of a Training job: a manifest of the table's Parquet files after a run, which are held")
	cmd.Flags().BoolVar(&f.job.processing, "processing", false, "sagemaker: print the input of a Processing job: an Athena dataset, pinned to the snapshot after a run")
	cmd.Flags().StringVar(&f.job.keep, "keep", "30d", "training, and processing if it is given: `time` for which gc keeps that, such as 30d or 12h")
	cmd.Flags().StringVar(&f.job.to, "to", "", "training: where the manifest goes, a `place` such as s3://my-bucket/jobs/ or a file (default: beside the results)")
	cmd.Flags().BoolVar(&f.job.wait, "wait", false, "training, processing: wait for another run to end instead of failing")
	offer(cmd, "at", a.completeRuns)
	cmd.Flags().StringVar(&f.server, "server", "http://localhost:8080", "`URL` of the Trino server")
	return cmd
}

func peerNames() (out []string) {
	for _, p := range connect.Peers() {
		out = append(out, p.Name)
	}
	return out
}

func peerList() string {
	var b strings.Builder
	for _, p := range connect.Peers() {
		fmt.Fprintf(&b, "  %-11s %s\n", p.Name, p.About)
	}
	return b.String()
}

func (a *app) connect(ctx context.Context, args []string, f connectFlags, changed func(flag string) bool) (err error) {
	if _, err := connect.Write(args[0], connect.Place{}, connect.Table{}); errors.Is(err, connect.ErrUnknownPeer) {
		hint := "one of " + strings.Join(peerNames(), ", ")
		if n := diag.Nearest(args[0], peerNames()); n != "" {
			hint = "did you mean " + n + "?"
		}
		return &usageError{misspelt(err.Error(), hint)}
	}
	if err := f.fit(args[0], changed); err != nil {
		return err
	}
	if f.job.any() {
		return a.jobInput(ctx, args[1:], f)
	}
	t, err := a.tables(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	p, err := connect.At(ctx, t.Project())
	if err != nil {
		return err
	}
	a.settlePlace(&p, f)
	table, err := a.connected(ctx, t, args[1:], f)
	if err != nil {
		return err
	}
	cell, err := connect.Write(args[0], p, table)
	if err != nil {
		return err
	}
	if f.notebook != "" {
		c := notebook.Config{Database: p.Database, Table: table.Name, WorkGroup: p.ByScientist(), Region: p.Region}
		if err := c.Choose(table.Columns, f.person, f.predict); err != nil {
			return err
		}
		return a.writeNotebook(f.notebook, c)
	}
	if a.json {
		return a.print(connectJSON{cell})
	}
	fmt.Fprint(a.stdout, cell.Text())
	return nil
}

// settlePlace adds what flags say.
func (a *app) settlePlace(p *connect.Place, f connectFlags) {
	p.WorkGroup, p.Results, p.Trino = f.workgroup, f.results, f.server
	if f.results != "" {
		p.Jobs = f.results
	}
}

// writeNotebook writes the notebook for SageMaker into a folder, and leaves one alone that is there.
func (a *app) writeNotebook(folder string, c notebook.Config) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	path := filepath.Join(folder, notebook.File)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %s", template.ErrInTheWay, here(path))
	}
	if err != nil {
		return err
	}
	_, err = f.Write(notebook.JSON(notebook.Plain))
	if err = errors.Join(err, f.Close(), os.WriteFile(filepath.Join(folder, notebook.ConfigFile), c.JSON(), 0o644)); err != nil {
		return err
	}
	if a.json {
		return a.print(notebookJSON{Dir: absolute(folder), Files: []string{notebook.File, notebook.ConfigFile}, Settings: c})
	}
	if !a.quiet {
		a.tell("wrote %s and %s beside it", here(path), notebook.ConfigFile)
		if m := c.Missing(); m != "" {
			a.tell("%s: write it there before you run the notebook", m)
		} else {
			a.tell("it learns %s from %s; %s says whose a row is", c.Predict, strings.Join(c.LearnFrom, ", "), c.Person)
		}
	}
	return nil
}

// connected finds the table that is meant, and its state where an earlier one is.
func (a *app) connected(ctx context.Context, t *run.Tables, names []string, f connectFlags) (out connect.Table, err error) {
	err = t.Look(ctx, f.at, func(v *lake.View) error {
		out, err = a.connectedIn(t, v, names, f)
		return err
	})
	return out, err
}

func (a *app) connectedIn(t *run.Tables, v *lake.View, names []string, f connectFlags) (out connect.Table, err error) {
	name := connect.DefaultTable
	if len(names) > 0 {
		name = names[0]
	}
	found, err := t.Find(v, name)
	if errors.Is(err, run.ErrUnknownTable) && len(names) == 0 && len(v.Names()) > 0 {
		return out, &usageError{misspelt("this lake has no table "+name+", which is meant where none is named", "name one: `tarn query \"SHOW TABLES\"` lists them")}
	}
	if err != nil {
		return out, err
	}
	if out, err = described(found, f.person); err == nil && f.at != "" {
		then, _ := found.Snapshot()
		out.Snapshot = then.ID
		if !a.quiet {
			a.tell("%s as it was then; gc removes that state when it is old, unless a tag holds it: see `%s`", out.Name, a.alike("holds"))
		}
	}
	return out, err
}

func described(t *lake.Table, person string) (connect.Table, error) {
	columns, err := t.Columns()
	if err != nil {
		return connect.Table{}, err
	}
	return connect.TableOf(t.Name(), columns, person)
}
