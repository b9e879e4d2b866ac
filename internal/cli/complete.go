package cli

import (
	"github.com/spf13/cobra"

	"tarn/internal/project"
)

// What the shell is offered. Nothing is opened that takes long, and mistakes in the definitions only make the offer smaller.

const noFiles = cobra.ShellCompDirectiveNoFileComp

// defined reads the lake's definitions, as far as that is possible.
func (a *app) defined() *project.Lake {
	dir, err := a.lakeDir()
	if err != nil {
		return &project.Lake{}
	}
	l, err := project.Load(dir, "")
	if err != nil {
		return &project.Lake{}
	}
	return l
}

// completeTables offers the names of all tables.
func (a *app) completeTables(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	l := a.defined()
	out := []string{}
	for _, t := range l.Landing {
		out = append(out, t.Name)
	}
	for _, m := range l.Models {
		out = append(out, m.Name)
	}
	return out, noFiles
}

// completeModel offers the name of one model.
func (a *app) completeModel(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	out := []string{}
	if len(args) == 0 {
		for _, m := range a.defined().Models {
			out = append(out, m.Name)
		}
	}
	return out, noFiles
}

// completeTargets offers the targets of tarn.yaml.
func (a *app) completeTargets(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return a.defined().Config.Targets, noFiles
}

// completeRuns offers the published runs, newest first.
func (a *app) completeRuns(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 && cmd.Name() == "rollback" {
		return nil, noFiles
	}
	past, err := a.history(cmd.Context())
	if err != nil {
		return nil, noFiles
	}
	out := []string{}
	for _, p := range past {
		out = append(out, cobra.CompletionWithDesc(p.Run, p.Kind+", finished "+p.Finished.Format("2006-01-02 15:04:05")+" UTC"))
	}
	return out, noFiles | cobra.ShellCompDirectiveKeepOrder
}

// offer lets the shell complete a flag.
func offer(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err) // the flag is not defined, or has two offers
	}
}
