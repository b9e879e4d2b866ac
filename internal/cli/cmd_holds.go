package cli

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"tarn/internal/run"
)

func holdsCommand(a *app) *cobra.Command {
	var release string
	var wait bool
	cmd := &cobra.Command{
		Use:   "holds [TABLE]",
		Short: "List what gc keeps for others, or let go of it",
		Long: `Lists the tags of tables: each keeps what a table was after a run from gc, until a moment. ` + "`tarn connect sagemaker --training`" + `
makes one, so that a job finds the files that it was promised. Other programs respect tags too when they expire snapshots.

With --release it takes a tag away, from TABLE or from all tables that have it. What it held goes with the next gc, like
everything of its age.`,
		Example: "  tarn holds\n  tarn holds --release run-20261124T101500Z-1a2b3c4d",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			table := ""
			if len(args) > 0 {
				table = args[0]
			}
			if release != "" {
				return a.release(cmd, release, table, wait)
			}
			return a.holds(cmd, table)
		},
	}
	cmd.Flags().StringVar(&release, "release", "", "take this `tag` away")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait for another run to end instead of failing")
	cmd.ValidArgsFunction = a.completeTables
	return cmd
}

func (a *app) release(cmd *cobra.Command, tag, table string, wait bool) error {
	w, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	defer w.Close()
	released, err := w.ReleaseHolds(cmd.Context(), tag, table, wait)
	if err != nil {
		return err
	}
	if a.json {
		return a.print(holdsJSON{released})
	}
	for _, h := range released {
		a.say("%s of %s holds nothing any more", h.Tag, h.Table)
	}
	return nil
}

func (a *app) holds(cmd *cobra.Command, table string) (err error) {
	t, err := a.tables(cmd.Context())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	v, err := t.View(cmd.Context(), "")
	if err != nil {
		return err
	}
	all := t.Holds(v)
	if table != "" {
		found, err := t.Find(v, table)
		if err != nil {
			return err
		}
		of := []run.Hold{}
		for _, h := range all {
			if h.Table == found.Name() {
				of = append(of, h)
			}
		}
		all = of
	}
	if a.json {
		return a.print(holdsJSON{all})
	}
	if len(all) == 0 {
		a.say("nothing is held")
		return nil
	}
	rows := [][]string{{"table", "tag", "snapshot", "until (UTC)"}}
	for _, h := range all {
		until := "for ever"
		if h.Until != nil {
			until = h.Until.Format("2006-01-02 15:04:05")
		}
		rows = append(rows, []string{h.Table, h.Tag, strconv.FormatInt(h.Snapshot, 10), until})
	}
	fmt.Fprint(a.stdout, columns(rows, 2))
	return nil
}
