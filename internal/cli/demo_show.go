package cli

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"

	"tarn/internal/check"
	"tarn/internal/demo"
	"tarn/internal/run"
)

// showDemo tells what there is to see, in at most 45 lines. answer is what `tarn query` says to the demo's question.
func (a *app) showDemo(dir string, r *demo.Report, answer string) {
	st := stylesFor(a.stdout)
	width := widthOf(a.stdout)
	// Lines with texts of unknown length are cut to the terminal; commands never are.
	cutSay := func(format string, args ...any) {
		a.say("%s", ansi.Truncate(fmt.Sprintf(format, args...), width, "…"))
	}
	cutSay("%s %s", st.bold("A lake in "+dir+":"), "invented people, their phones (g) and step trainers (cm)")
	a.say("")
	for _, l := range newPicture(st, coloured(a.stdout), r).lines() {
		a.say("%s", l)
	}
	a.say("")
	for _, l := range accountLines(st, r) {
		cutSay("%s", l)
	}
	a.say("")
	for _, l := range quarantineLines(st, r.Dir, width, r) {
		cutSay("%s", l)
	}
	for _, l := range checkLines(st, width, r.Checks) {
		cutSay("%s", l)
	}
	if r.Run.Status == run.Published {
		a.say("%s %s in one step as run %s in %.2f s", st.good("✓ published"), plural(int64(len(r.Run.Published)), "table"), r.Run.Run, r.Run.Seconds)
	} else {
		a.say("%s all %s are as of run %s", st.good("✓ nothing to do:"), plural(int64(len(r.Tables)), "table"), r.Last)
	}
	a.say("")
	in := program()
	lake := shellWord(dir)
	a.say("%s %s query -C %s \"", st.bold("$"), in, lake)
	a.say("    %s\"", strings.ReplaceAll(r.Query.SQL, "\n", "\n    "))
	for l := range strings.Lines(answer) {
		if !strings.HasPrefix(l, "(") { // the count of rows
			cutSay("  %s", strings.TrimSuffix(l, "\n"))
		}
	}
	a.showComparison(st, dir, r.Comparison)
	a.say("")
	a.say("%s", st.bold("What next"))
	data := shellWord(filepath.Join(dir, "data"))
	rows := [][]string{}
	for _, next := range [][2]string{
		{"see rejected rows", fmt.Sprintf("%s quarantine show -C %s", in, lake)},
		{"one more day", fmt.Sprintf("%s sample %s --late", in, data)},
		{"load it", fmt.Sprintf("%s run -C %s", in, lake)},
		{"a lake of your own", fmt.Sprintf("%s init mylake", in)},
	} {
		rows = append(rows, []string{"  " + st.dim(next[0]), next[1]})
	}
	fmt.Fprint(a.stdout, columns(rows))
}

// accountLines tell where every row went.
func accountLines(st styles, r *demo.Report) []string {
	var objects, loaded, aside int64
	for _, l := range r.Load {
		objects, loaded, aside = objects+l.Objects, loaded+l.Loaded, aside+l.Quarantined
	}
	rows := [][]string{{st.bold("Where every row went"), "in", "", "out", ""}}
	why := ""
	if aside > 0 {
		why = "−" + grouped(aside) + " quarantined"
	}
	rows = append(rows, []string{"  raw files", grouped(objects), "→", grouped(loaded), why})
	for _, t := range r.Tables {
		l := t.Ledger
		if l == nil || l.Input == "" {
			continue
		}
		parts := []string{}
		for _, c := range l.Changes() {
			if c.Rows < 0 {
				parts = append(parts, "−"+grouped(-c.Rows)+" "+c.What)
			} else {
				parts = append(parts, "+"+grouped(c.Rows)+" "+strings.TrimPrefix(c.What, "added "))
			}
		}
		rows = append(rows, []string{"  " + t.Name, grouped(l.In), "→", grouped(l.Out), strings.Join(parts, ", ")})
	}
	return strings.Split(strings.TrimRight(columns(rows, 1, 3), "\n"), "\n")
}

// quarantineLines tell what could not be loaded, where it stands and why.
func quarantineLines(st styles, dir string, width int, r *demo.Report) []string {
	if r.Quarantined == 0 {
		return []string{st.bold("Nothing is in quarantine")}
	}
	head := st.bold("In quarantine: " + plural(r.Quarantined, "record"))
	if n := r.Quarantined - int64(len(r.Quarantine)); n > 0 {
		head += fmt.Sprintf(", such as these %d", len(r.Quarantine))
	}
	head += "; the rows before and after are loaded"
	// Where the whole path leaves no room for the reason, the file's name has to do.
	var lines []string
	for _, name := range []func(string) string{here, func(path string) string {
		if rel, err := filepath.Rel(dir, path); err == nil {
			return rel
		}
		return path
	}, filepath.Base} {
		rows := [][]string{}
		for _, q := range r.Quarantine {
			place := q.Table
			if q.File != nil {
				place = name(*q.File)
				if q.Line != nil {
					place += fmt.Sprintf(":%d", *q.Line)
				}
			}
			// What was expected in the place of a missing quote is for `tarn quarantine show`.
			why, _, _ := strings.Cut(q.Message, ": expected ")
			rows = append(rows, []string{"  " + place, st.warn(why)})
		}
		lines = strings.Split(strings.TrimRight(columns(rows), "\n"), "\n")
		if !slices.ContainsFunc(lines, func(l string) bool { return lipgloss.Width(l) > width }) {
			break
		}
	}
	return append([]string{head}, lines...)
}

// checkLines tell how the checks ended: one line, and one for each of the first two that did not pass.
func checkLines(st styles, width int, checks []demo.Check) []string {
	passed := 0
	var other []string
	for _, c := range checks {
		if c.Status == check.Passed {
			passed++
			continue
		}
		l := fmt.Sprintf("  %s:%d  %s", c.File, c.Line, st.warn(fmt.Sprintf("%s %s: %s", c.Name, c.Status, plural(c.Failing, "row"))))
		if why, _, _ := strings.Cut(c.Description, ". "); why != "" && lipgloss.Width(l)+len(why)+2 <= width {
			l += ". " + strings.TrimSuffix(why, ".")
		}
		other = append(other, l)
	}
	const most = 2
	out := []string{fmt.Sprintf("%s %s of %d passed", st.bold("Checks:"), st.good(fmt.Sprint(passed)), len(checks))}
	if n := len(other) - most; n > 0 {
		other = append(other[:most-1], fmt.Sprintf("  … and %d more: tarn check", n+1))
	}
	return append(out, other...)
}

// showComparison tells those who know the course where their rows are.
func (a *app) showComparison(st styles, dir string, c demo.Comparison) {
	a.say("Joined on timestamp alone: %s rows, %s of which pair different people.", grouped(c.TimeOnly), st.warn(grouped(c.Wrong)))
	a.say("%s", st.dim("The 43,681 of the course hold 2,700 such pairs: see "+filepath.Join(dir, "README.md")))
}

// widthOf gives the columns to write into: those of the terminal, but at least 80, and 100 where it is none.
func widthOf(w any) int {
	if !terminal(w) {
		return 100
	}
	n, _, err := term.GetSize(int(fileOf(w).Fd()))
	if err != nil {
		return 100
	}
	return max(n, 80)
}
