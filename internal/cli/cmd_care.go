package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tarn/internal/deployconf"
	"tarn/internal/run"
	"tarn/internal/words"
)

func rollbackCommand(a *app) *cobra.Command {
	var wait bool
	cmd := &cobra.Command{
		Use:   "rollback RUN",
		Short: "Bring all tables back to what they were after a run",
		Long: `Brings all tables back to what readers saw after an earlier run, in one step. Nothing is lost: the tables' later states
stay reachable with --at and rollback, until gc. Landing files that were loaded since then count as new again.`,
		Example: "  tarn runs\n  tarn rollback 20261124T101500Z-1a2b3c4d",
		Args:    oneOf("RUN", "`tarn runs` lists them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer w.Close()
			id, changed, err := w.Rollback(cmd.Context(), args[0], wait)
			if err != nil {
				return err
			}
			if a.json {
				return a.print(rollbackJSON{id, args[0], append([]string{}, changed...)})
			}
			if len(changed) == 0 {
				a.say("nothing to do: the tables are as they were after %s", args[0])
				return nil
			}
			a.say("brought %s back to %s, as run %s", plural(int64(len(changed)), "table"), args[0], id)
			return nil
		},
		ValidArgsFunction: a.completeRuns,
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "wait for another run to end instead of failing")
	return cmd
}

func dropCommand(a *app) *cobra.Command {
	var wait bool
	cmd := &cobra.Command{
		Use:     "drop TABLE",
		Short:   "Take a table out of the lake whose definition file is gone",
		Long:    "Takes a table out of the catalog. Its definition file has to be gone. Its data files stay until gc; raw files are never touched.",
		Example: "  rm trusted/old_table.sql && tarn drop old_table",
		Args:    oneOf("TABLE", "`tarn plan` names those that have no definition any more"),
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer w.Close()
			id, warnings, err := w.Drop(cmd.Context(), args[0], wait)
			if err != nil {
				return err
			}
			if a.json {
				return a.print(dropJSON{id, args[0], warnings})
			}
			a.showWarnings(warnings)
			a.say("dropped %s, as run %s; `tarn gc` removes its files", args[0], id)
			return nil
		},
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "wait for another run to end instead of failing")
	return cmd
}

func gcCommand(a *app) *cobra.Command {
	var dry, wait, half bool
	var older string
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Expire old snapshots and remove files that nothing needs",
		Long: `Expires the snapshots that are older than --older-than, except each table's current one, and removes the files in the
warehouse that no snapshot needs any more. Files that a running query reads, and younger ones, stay. Raw files are never
touched. Runs whose snapshots are expired cannot be rolled back to. With Spark as the engine, what its jobs have left beside the
tables goes by the same age: runners and programs of other versions of tarn, and folders of runs that are no more.

Where that is more than half of the warehouse, nothing is removed unless --over-half says that it is meant: so a catalog that
lost its tables does no harm.`,
		Example: "  tarn gc --dry-run\n  tarn gc --older-than 30d",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			age, err := days(older)
			if err != nil {
				return &usageError{err}
			}
			w, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer w.Close()
			found, err := w.GC(cmd.Context(), run.GCOptions{OlderThan: age, DryRun: dry, OverHalf: half, Wait: wait})
			if err != nil {
				return err
			}
			if a.json {
				found.Files = append([]string{}, found.Files...)
				return a.print(gcJSON{dry, found})
			}
			did := "expired %s and removed %s (%s)"
			if dry {
				did = "would expire %s and remove %s (%s)"
			}
			a.say(did, plural(int64(found.Expired), "snapshot"), plural(int64(len(found.Files)), "file"), bytes(found.Bytes))
			return nil
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "look, and remove nothing")
	cmd.Flags().BoolVar(&half, "over-half", false, "remove even more than half of the warehouse")
	cmd.Flags().StringVar(&older, "older-than", words.Age(deployconf.KeptFor), "age that snapshots and unneeded files must have, such as 30d, 12h or 0")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait for a run and for queries to end instead of failing")
	return cmd
}

// days reads a duration that can be in days.
func days(s string) (time.Duration, error) {
	if s == "0" {
		return 0, nil
	}
	if n, ok := strings.CutSuffix(s, "d"); ok {
		if d, err := strconv.ParseFloat(n, 64); err == nil && d >= 0 {
			return time.Duration(d * float64(24*time.Hour)), nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no age: write 30d, 12h, 90m or 0", s)
	}
	return d, nil
}
