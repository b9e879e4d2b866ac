package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tarn/internal/catalog"
	"tarn/internal/check"
	"tarn/internal/plan"
	"tarn/internal/run"
)

// selectFlags are the flags that choose tables.
type selectFlags struct {
	selected []string
	full     bool
	prune    bool
}

func (s *selectFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVarP(&s.selected, "select", "s", nil, "`tables` to bring up to date, with what they read, such as x,y; x+ also takes what reads x")
	cmd.Flags().BoolVar(&s.full, "full-refresh", false, "read the landing files again and rebuild, whatever is up to date")
	cmd.Flags().BoolVar(&s.prune, "prune", false, "take out the rows of landing files that have vanished")
}

func (s *selectFlags) selection(args []string) run.Selection {
	tables := slices.Clone(args)
	for _, list := range s.selected {
		tables = append(tables, strings.Split(list, ",")...)
	}
	return run.Selection{Tables: tables, FullRefresh: s.full, Prune: s.prune}
}

func runCommand(a *app) *cobra.Command {
	var s selectFlags
	var wait bool
	cmd := &cobra.Command{
		Use:   "run [TABLE…]",
		Short: "Load new files and bring tables up to date, all in one step",
		Long: `Loads the landing files that are new or changed, rebuilds the models that are out of date, tests their checks, and shows
all of it to readers in one step. If anything fails, or the run is interrupted or killed, readers go on seeing the last
good run. Running again with nothing new says so and writes nothing.

Where the target has Spark as its engine, all models are made in one job there. Ctrl-C ends the job; if the terminal goes away, the
job goes on, and the next run finds it, waits for it and publishes what it has made.`,
		Example: `  tarn run
  tarn run machine_learning_curated     with everything that it is made of
  tarn run -s accelerometer_trusted+    and everything that is made of it
  tarn run --full-refresh
  tarn run --target spark               models on Spark, where tarn.yaml has such a target`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.run(cmd.Context(), run.RunOptions{Selection: s.selection(args), Wait: wait})
		},
		ValidArgsFunction: a.completeTables,
	}
	s.add(cmd)
	offer(cmd, "select", a.completeTables)
	cmd.Flags().BoolVar(&wait, "wait", false, "wait for another run to end instead of failing")
	return cmd
}

func (a *app) run(ctx context.Context, o run.RunOptions) error {
	a.publishes = true
	w, err := a.open(ctx)
	if err != nil {
		return err
	}
	p := a.progress()
	o.Progress = p.event
	o.Waiting = func(h catalog.Holder) { a.tell("waiting for run %s of %s", h.Run, h.Where()) }
	o.Resuming = func(id, job string) {
		a.tell("going on with run %s, whose Spark job %s was left without a terminal", id, job)
	}
	rec, err := w.Run(ctx, o)
	p.done()
	diagnostics := w.Diagnostics
	err = errors.Join(err, w.Close())
	if a.json {
		out := runJSON{Record: filled(rec)}
		if err != nil {
			out.ExitCode, out.Hint, out.Error = exitCode(ctx, err), a.hint(err), errorText(ctx, err)
		}
		if e := a.print(out); e != nil {
			return e
		}
		if err != nil {
			return told(err)
		}
		return nil
	}
	if len(diagnostics) > 0 {
		a.showDiagnostics(diagnostics)
	}
	a.showRun(rec)
	var checks *run.CheckError
	switch {
	case errors.As(err, &checks):
		a.showFailed(rec)
		return told(err)
	case err != nil && len(rec.Tables) > 0 && exitCode(ctx, err) != exitInterrupted:
		// The tables above look as if they were there.
		a.tell("%s", nothingPublished)
	}
	return err
}

const nothingPublished = "nothing was published: readers see what they saw before"

// filled gives a record whose lists are there, if only empty: null is no list to a script.
func filled(rec *run.Record) *run.Record {
	out := *rec
	out.Tables = append([]run.TableRecord{}, rec.Tables...)
	out.Load = append([]run.LoadRecord{}, rec.Load...)
	out.Checks = append([]check.Result{}, rec.Checks...)
	return &out
}

// showRun tells a person what a run did.
func (a *app) showRun(rec *run.Record) {
	st := stylesFor(a.stdout)
	if rec.Status == run.NothingToDo {
		switch n := len(rec.Tables); n {
		case 0:
			a.say("nothing to do: no table is defined")
		case 1:
			a.say("nothing to do: %s is up to date", rec.Tables[0].Name)
		default:
			a.say("nothing to do: all %s are up to date", plural(int64(n), "table"))
		}
		a.showLoads(rec, st)
		a.showOrphans(rec.Orphans)
		return
	}
	if len(rec.Tables) > 0 {
		rows := [][]string{{"table", "zone", "rows", "added", "removed", "quarantined", "seconds"}}
		for _, t := range rec.Tables {
			if t.Action == plan.None {
				rows = append(rows, []string{t.Name, t.Zone, grouped(t.Rows), "", "", "", "up to date"})
				continue
			}
			rows = append(rows, []string{t.Name, t.Zone, grouped(t.Rows), signed("+", t.Added), signed("-", t.Removed), some(t.Quarantined), fmt.Sprintf("%.2f", t.Seconds)})
		}
		fmt.Fprint(a.stdout, columns(rows, 2, 3, 4, 5, 6))
	}
	a.showLoads(rec, st)
	a.showLedger(rec, st)
	for _, c := range rec.Checks {
		if c.Status == check.Warned || c.Status == check.Dropped || c.Status == check.Quarantined {
			a.say("%s %s of %s: %s (%s:%d)", st.warn(string(c.Status)), c.Name, c.Table, c.Message, c.File, c.Line)
		}
	}
	a.showOrphans(rec.Orphans)
	for _, w := range rec.Warnings {
		a.say("%s %s", st.warn("warning:"), w)
	}
	if rec.Status == run.Published {
		a.say("%s %s in one step as run %s in %.2f s", st.good("published"), plural(int64(len(rec.Published)), "table"), rec.Run, rec.Seconds)
	}
}

// showOrphans tells of tables that nothing describes any more.
func (a *app) showOrphans(names []string) {
	for _, o := range names {
		name := strings.TrimSuffix(o, "__rows")
		a.say("%s has no definition any more; it stays readable until `tarn drop %s`", name, name)
	}
}

func signed(sign string, n int64) string {
	if n == 0 {
		return "0"
	}
	return sign + grouped(n)
}

func some(n int64) string {
	if n == 0 {
		return ""
	}
	return grouped(n)
}

// showLoads tells what was unusual about the landing zone.
func (a *app) showLoads(rec *run.Record, st styles) {
	for _, l := range rec.Load {
		if l.Empty {
			a.say("%s: no files in %s, so the table is empty", l.Table, here(l.Dir))
		}
		for _, g := range l.Growing {
			a.say("%s: %s was still growing; it is left for the next run", l.Table, g)
		}
		if n := len(l.Vanished); n > 0 {
			a.say("%s: %s gone, such as %s; the rows stay (--prune takes them out)", l.Table, plural(int64(n), "file"), l.Vanished[0])
		}
		if n := len(l.Pruned); n > 0 {
			a.say("%s: %s gone, such as %s; the rows were taken out", l.Table, plural(int64(n), "file"), l.Pruned[0])
		}
		if l.Quarantined > 0 {
			a.say("%s: %s of %s went to quarantine; `tarn quarantine` shows why", l.Table, st.warn(plural(l.Quarantined, "row")), grouped(l.Objects))
		}
		for _, u := range l.Drift.Unknown {
			a.say("%s: field %s is not in the definition (in %d of %d sampled objects, such as %s)", l.Table, u.Name, u.Seen, u.Sampled, u.Example)
		}
		for rest := l.Drift.Missing; len(rest) > 0; {
			// Columns that the same files lack, as far as one can tell, go together.
			m, n := rest[0], 1
			names := m.Column
			for ; n < len(rest) && rest[n].Files == m.Files && rest[n].File == m.File; n++ {
				names += ", " + rest[n].Column
			}
			word := "column " + names + " never stands"
			if n > 1 {
				word = "columns " + names + " never stand"
			}
			a.say("%s: %s in %s", l.Table, word, manyFiles(m.Files, m.File))
			rest = rest[n:]
		}
	}
}

func manyFiles(n int, first string) string {
	if n == 1 {
		return first
	}
	return fmt.Sprintf("%d files, such as %s", n, first)
}

// showLedger tells where rows went.
func (a *app) showLedger(rec *run.Record, st styles) {
	for _, t := range rec.Tables {
		l := t.Ledger
		if l == nil || l.Input == "" {
			continue
		}
		parts := []string{}
		for _, c := range l.Changes() {
			what := c.What
			if c.Dropped {
				what = "dropped by " + what
			}
			parts = append(parts, grouped(max(c.Rows, -c.Rows))+" "+what)
		}
		if len(parts) > 0 {
			a.say("%s", st.dim(fmt.Sprintf("%s: %s of %s, %s → %s", t.Name, plural(l.In, "row"), l.Input, strings.Join(parts, ", "), grouped(l.Out))))
		}
	}
}
