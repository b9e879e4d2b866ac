package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"tarn/internal/cost"
	"tarn/internal/plan"
	"tarn/internal/project"
	"tarn/internal/run"
	"tarn/internal/words"
)

func planCommand(a *app) *cobra.Command {
	var s selectFlags
	cmd := &cobra.Command{
		Use:   "plan [TABLE…]",
		Short: "Show what a run would do, and why",
		Long: `Says first about how much a run would read, copy from a bucket and write, and how many requests that takes; these are
estimates, from sizes of files and from how the tables have grown so far. Then which engine is enough for it, by the rows a second of
earlier runs; where the tables are in a bucket, what that would cost in AWS, and in what the run fits there: a Lambda function, a
bigger one, or Spark on Glue or EMR Serverless; and for each table, what would be done and why.`,
		Example: "  tarn plan\n  tarn plan --target aws\n  tarn plan --json",
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
			once := costOf(w, p)
			if err = errors.Join(err, w.Close()); err != nil {
				return err
			}
			return a.showPlan(p, once)
		},
		ValidArgsFunction: a.completeTables,
	}
	s.add(cmd)
	offer(cmd, "select", a.completeTables)
	return cmd
}

func (a *app) showPlan(p *run.Planned, once *cost.Once) error {
	out := planJSON{Tables: []planTable{}, Orphans: append([]string{}, p.Orphans...), Events: p.Events, Foreign: p.Foreign, Estimate: p.Estimate, Advice: p.Advice, Cost: once, Warnings: p.Warnings}
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
		a.say("%s", advised(p.Advice))
		if once != nil {
			a.say("cost: %s", once)
		}
		a.showWarnings(p.Warnings)
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
func advised(a run.Advice) string {
	by := "a guess, as no run of this lake was long enough to measure"
	if a.Run != "" {
		by = "as in run " + a.Run
	}
	work := fmt.Sprintf("about %s rows to work through, %s here at %s rows a second (%s)", words.Grouped(a.Rows), about(a.Seconds), words.Grouped(int64(a.RowsPerSecond)), by)
	if a.Engine == project.Spark {
		return "engine: Spark would pay off, as " + a.Why + "; " + work
	}
	return "engine: DuckDB on this machine is enough; " + work
}

// about writes seconds in the unit that people would say them in.
func about(seconds float64) string {
	switch {
	case seconds < 90:
		return fmt.Sprintf("%.1f s", seconds)
	case seconds < 5400:
		return fmt.Sprintf("%.0f min", seconds/60)
	}
	return fmt.Sprintf("%.1f h", seconds/3600)
}

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
