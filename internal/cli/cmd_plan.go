package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"tarn/internal/plan"
	"tarn/internal/run"
)

func planCommand(a *app) *cobra.Command {
	var s selectFlags
	cmd := &cobra.Command{
		Use:   "plan [TABLE…]",
		Short: "Show what a run would do, and why",
		Long: `Says first about how much a run would read, copy from a bucket and write, and how many requests that takes; these are
estimates, from sizes of files and from how the tables have grown so far. Then, for each table, what would be done and why.`,
		Example: "  tarn plan\n  tarn plan --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			selection, err := s.selection(a, args)
			if err != nil {
				return err
			}
			w, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			p, err := w.Plan(cmd.Context(), selection)
			if err = errors.Join(err, w.Close()); err != nil {
				return err
			}
			return a.showPlan(p)
		},
		ValidArgsFunction: a.completeTables,
	}
	s.add(cmd)
	offer(cmd, "select", a.completeTables)
	return cmd
}

func (a *app) showPlan(p *run.Planned) error {
	out := planJSON{Tables: []planTable{}, Orphans: append([]string{}, p.Orphans...), Events: p.Events, Foreign: p.Foreign, Estimate: p.Estimate}
	for _, s := range p.Steps {
		j := planTable{Name: s.Table.Name, Zone: s.Table.Zone, Action: s.Action, Reasons: append([]string{}, s.Reasons...)}
		for _, f := range s.Work.Read() {
			j.Files++
			j.Bytes += f.Size
		}
		j.Since, j.Swept = s.Work.Listing.Shown()
		out.Tables = append(out.Tables, j)
	}
	if a.json {
		return a.print(out)
	}
	if !p.Empty() {
		a.say("%s", estimated(p.Estimate))
	}
	rows := [][]string{}
	for _, j := range out.Tables {
		why := strings.Join(j.Reasons, ", ")
		if j.Bytes > 0 {
			why += " (" + bytes(j.Bytes) + ")"
		}
		action := string(j.Action)
		if j.Action == plan.None {
			action, why = "-", "up to date"
		}
		rows = append(rows, []string{action, j.Name, j.Zone, why})
	}
	fmt.Fprint(a.stdout, columns(rows))
	a.showEvents(p.Events)
	for i, s := range p.Steps {
		a.showLooked(s.Table.Name, s.Work.Files, out.Tables[i].Since, out.Tables[i].Swept)
	}
	a.showOrphans(p.Orphans)
	a.showForeign(p.Foreign)
	if p.Empty() {
		a.say("nothing to do")
	}
	return nil
}

// estimated says how much a run would be.
func estimated(e run.Estimate) string {
	text := "estimate: about " + bytes(e.ReadBytes) + " to read"
	if e.CopiedBytes > 0 {
		text += ", " + bytes(e.CopiedBytes) + " of it to copy from the bucket"
	}
	text += ", " + bytes(e.WrittenBytes) + " to write"
	if e.StoreRequests > 0 {
		text += ", " + plural(e.StoreRequests, "request") + " of the bucket"
	}
	if e.CatalogRequests > 0 {
		text += ", " + plural(e.CatalogRequests, "request") + " of the catalog"
	}
	return text
}
