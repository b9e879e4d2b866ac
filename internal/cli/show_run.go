package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"tarn/internal/check"
	"tarn/internal/plan"
	"tarn/internal/run"
)

// errHeld says that tables were left as they are, because another program has changed their rows.
var errHeld = errors.New("another program has changed rows")

const repairHint = "what is made of them stays as it is too; `tarn run TABLE --full-refresh` takes the change back, and `tarn query` shows it until then"

const nothingPublished = "nothing was published: readers see what they saw before"

// showRun tells a person what a run did.
func (a *app) showRun(rec *run.Record) {
	st := stylesFor(a.stdout)
	if rec.Status == run.NothingToDo {
		held := 0
		for _, t := range rec.Tables {
			if t.Action == plan.Hold {
				held++
			}
		}
		switch n := len(rec.Tables); {
		case held > 0:
			a.say("nothing else to do: %s, %d up to date", plural(int64(held), "table")+" held", n-held)
		case n == 0:
			a.say("nothing to do: no table is defined")
		case n == 1:
			a.say("nothing to do: %s is up to date", rec.Tables[0].Name)
		default:
			a.say("nothing to do: all %s are up to date", plural(int64(n), "table"))
		}
		a.showEvents(rec.Events)
		a.showLoads(rec, st)
		a.showOrphans(rec.Orphans)
		a.showForeign(rec.Foreign)
		a.showWarnings(rec.Warnings)
		return
	}
	if len(rec.Tables) > 0 {
		rows := [][]string{{"table", "zone", "rows", "added", "removed", "quarantined", "seconds"}}
		for _, t := range rec.Tables {
			if t.Action == plan.None {
				rows = append(rows, []string{t.Name, t.Zone, grouped(t.Rows), "", "", "", "up to date"})
				continue
			}
			if t.Action == plan.Hold {
				rows = append(rows, []string{t.Name, t.Zone, grouped(t.Rows), "", "", "", "held"})
				continue
			}
			rows = append(rows, []string{t.Name, t.Zone, grouped(t.Rows), signed("+", t.Added), signed("-", t.Removed), some(t.Quarantined), fmt.Sprintf("%.2f", t.Seconds)})
		}
		fmt.Fprint(a.stdout, columns(rows, 2, 3, 4, 5, 6))
	}
	a.showEvents(rec.Events)
	a.showLoads(rec, st)
	a.showLedger(rec, st)
	for _, c := range rec.Checks {
		if c.Status == check.Warned || c.Status == check.Dropped || c.Status == check.Quarantined {
			a.say("%s %s of %s: %s (%s:%d)", st.warn(string(c.Status)), c.Name, c.Table, c.Message, c.File, c.Line)
		}
	}
	a.showOrphans(rec.Orphans)
	a.showForeign(rec.Foreign)
	a.showWarnings(rec.Warnings)
	switch {
	case rec.Status == run.Published && len(rec.Published) == 0:
		a.say("nothing to do but to carry on what other programs have rewritten, as run %s", rec.Run)
	case rec.Status == run.Published:
		a.say("%s %s in one step as run %s in %.2f s", st.good("published"), plural(int64(len(rec.Published)), "table"), rec.Run, rec.Seconds)
	}
}

// showForeign tells what other programs have done.
func (a *app) showForeign(list []run.ForeignRecord) {
	st := stylesFor(a.stdout)
	for _, f := range list {
		switch {
		case f.Kept:
			a.say("note: %s: %s", f.Table, visible(f.Text))
		case f.Repaired:
			a.say("%s %s: %s; that was taken back", st.warn("repaired:"), f.Table, visible(f.Text))
		default:
			a.say("%s %s: %s", st.warn("changed elsewhere:"), f.Table, visible(f.Text))
		}
	}
}

// showWarnings tells what is left to be done.
func (a *app) showWarnings(warnings []string) {
	for _, w := range warnings {
		a.say("%s %s", stylesFor(a.stdout).warn("warning:"), w)
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

// showEvents tells what was made of events.
func (a *app) showEvents(e *run.EventsRecord) {
	if e == nil {
		return
	}
	text := "events: " + plural(int64(e.Objects), "file") + " to look at"
	for _, more := range []struct {
		n    int
		text string
	}{{e.Elsewhere, "of them not in a landing table of this run"}, {e.Tests, "test by S3"}, {e.Other, "not about S3"}} {
		if more.n > 0 {
			text += fmt.Sprintf(", %s %s", grouped(int64(more.n)), more.text)
		}
	}
	a.say("%s", text)
}

// showLooked tells how far back a landing table was looked at, where that is not everything each time.
func (a *app) showLooked(table string, files int, since, swept *time.Time) {
	switch {
	case swept == nil:
	case since == nil:
		a.say("%s: all %s listed; for now the next runs list recent dates only", table, plural(int64(files), "file"))
	default:
		a.say("%s: listed from %s on; everything was listed %s (--relist does it now)", table, since.Format("2006-01-02"), swept.Format("2006-01-02 15:04 UTC"))
	}
}

// showLoads tells what was unusual about the landing zone.
func (a *app) showLoads(rec *run.Record, st styles) {
	for _, l := range rec.Load {
		a.showLooked(l.Table, l.Files, l.Since, l.Swept)
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
