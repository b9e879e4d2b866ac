package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tarn/internal/crawl"
	"tarn/internal/project"
)

// crawlJSON is what `tarn crawl` prints.
type crawlJSON struct {
	*crawl.Report
	// What became of the tables in the lake, in the order of tables; empty without a lake.
	Placed []crawl.Placed `json:"placed"`
	// How long it took.
	Seconds float64 `json:"seconds"`
}

// showDDL prints statements that Athena takes one by one.
func (a *app) showDDL(r *crawl.Report) {
	for i, t := range r.Tables {
		end := ""
		if len(r.Tables) > 1 {
			end = ";"
		}
		if i > 0 {
			a.say("")
		}
		a.say("%s%s", strings.TrimSuffix(t.DDL, "\n"), end)
	}
}

func (a *app) showCrawl(out crawlJSON, l *project.Lake, o crawlOptions) {
	s := stylesFor(a.stdout)
	for i, t := range out.Tables {
		a.say("%s  %s", s.bold(t.Name), visible(shownLocation(t.Location)))
		a.say("  %s", howWritten(t))
		a.say("  %s", howMuch(t))
		a.say("")
		a.showColumns(t, s)
		a.showFindings(out.Report, t, s)
		a.say("\n%s", t.DDL)
		if len(out.Placed) > i {
			a.showPlaced(out.Placed[i], s)
		} else if t.Move != "" {
			a.say("%s: %s\n", s.warn("first"), visible(t.Move))
		}
	}
	a.showLeftOut(out.Report)
	for _, n := range out.Notes {
		a.say("note: %s", visible(n))
	}
	a.showNext(out, l, o)
}

// shownLocation shows a folder of this machine as a path.
func shownLocation(location string) string {
	path, local := strings.CutPrefix(location, "file://")
	if !local {
		return location
	}
	return here(strings.TrimSuffix(path, "/")) + "/"
}

func howWritten(t *crawl.Table) string {
	text := map[string]string{"json": "JSON", "csv": "CSV", "parquet": "Parquet"}[t.Format]
	if t.Format != "parquet" {
		text += ": " + t.Written
	}
	if len(t.Compression) > 0 {
		text += "; " + strings.Join(t.Compression, ", ")
	}
	if t.Folders != "" {
		text += "; folders " + t.Folders
	}
	return visible(text)
}

func howMuch(t *crawl.Table) string {
	files := plural(t.Files, "file")
	if !t.FilesExact {
		files = "about " + files
	}
	files += ", " + bytes(t.Bytes)
	rows := plural(t.Loads, "row")
	switch {
	case t.Format == "parquet" && t.FilesRead == t.Files:
		return files + "; " + rows + " by their footers"
	case t.Format == "parquet":
		return fmt.Sprintf("%s; %s by the footers of %s", files, rows, grouped(t.FilesRead))
	}
	read := "all read: " + rows
	if !t.Complete {
		read = fmt.Sprintf("%s of %s read: %s", bytes(t.BytesRead), plural(t.FilesRead, "file"), rows)
	}
	switch {
	case t.Loads+t.Refused == 0:
		return files + "; no rows"
	case t.Refused == 0:
		return files + "; " + read + ", which all load"
	}
	return files + "; " + read + ", and " + plural(t.Refused, "more row") + " for quarantine"
}

// showColumns prints a table of the columns.
func (a *app) showColumns(t *crawl.Table, s styles) {
	rows := [][]string{{"  " + s.dim("column"), s.dim("type"), s.dim("seen"), s.dim("values")}}
	total := t.Loads
	shown := t.Columns[:min(len(t.Columns), mostColumns)]
	for _, c := range shown {
		seen := ""
		if total > 0 {
			seen = share(c.Seen-c.Nulls, total)
		}
		rows = append(rows, []string{"  " + c.Name, cut(c.Type, 40), seen, valuesOf(c)})
	}
	if n := len(t.Columns) - len(shown); n > 0 {
		rows = append(rows, []string{"  and " + plural(int64(n), "more column") + ": see --json"})
	}
	for _, c := range t.Partitions {
		rows = append(rows, []string{"  " + c.Name, c.Type, "folder", valuesOf(c)})
	}
	fmt.Fprint(a.stdout, columns(rows, 2))
}

func share(n, total int64) string {
	switch p := 100 * float64(n) / float64(max(total, 1)); {
	case n >= total:
		return "100 %"
	case n == 0:
		return "0 %"
	case p > 99.9:
		return ">99.9 %"
	case p < 0.1:
		return "<0.1 %"
	default:
		return fmt.Sprintf("%.1f %%", p)
	}
}

func valuesOf(c crawl.Column) string {
	var parts []string
	switch {
	case c.Time != "":
		from, to := timeOf(*c.From), timeOf(*c.To)
		if from == to {
			parts = append(parts, "always "+from)
		} else {
			parts = append(parts, from+" … "+to)
		}
	case c.Min != "" || c.Max != "":
		if c.Min == c.Max {
			parts = append(parts, "always "+cut(c.Min, 28))
		} else {
			parts = append(parts, cut(c.Min, 28)+" … "+cut(c.Max, 28))
		}
	}
	switch {
	case c.Unique:
		parts = append(parts, "no two alike")
	case c.Distinct > 1:
		about := ""
		if c.Distinct > 4096 {
			about = "about "
		}
		parts = append(parts, about+grouped(c.Distinct)+" different")
	}
	if c.Field != "" {
		parts = append(parts, "field "+cut(c.Field, 40))
	}
	return visible(strings.Join(parts, "; "))
}

func timeOf(t time.Time) string { return t.Format(time.DateTime) }

// How many findings and columns are shown; the rest is in --json.
const (
	most        = 20
	mostColumns = 100
)

func (a *app) showFindings(report *crawl.Report, t *crawl.Table, s styles) {
	path := func(file string) string { return shownFile(report, file) }
	if t.Refused > 0 {
		a.say("\n  %s", s.bad("for quarantine"))
		for _, r := range t.Refusals {
			column := ""
			if r.Column != "" {
				column = r.Column + ": "
			}
			a.say("    %s:%d  %s%s", path(r.File), r.Line, column, visible(r.Message))
		}
		if n := t.Refused - int64(len(t.Refusals)); n > 0 {
			a.say("    and %s", plural(n, "more row"))
		}
	}
	conflicts := make([]string, len(t.Conflicts))
	for i, c := range t.Conflicts {
		conflicts[i] = c.Text(path)
	}
	a.list(s.warn("conflicts"), conflicts)
	if len(t.Keys) > 0 {
		a.list("likely keys", []string{strings.Join(t.Keys, ", ")})
	}
	a.list("notes", t.Notes)
}

// shownFile shows a file of a report as a path from here, or as a location.
func shownFile(r *crawl.Report, file string) string {
	return visible(strings.TrimSuffix(shownLocation(r.Location+file), "/"))
}

func (a *app) list(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	a.say("\n  %s", title)
	for _, l := range lines[:min(len(lines), most)] {
		a.say("    %s", visible(l))
	}
	if n := len(lines) - most; n > 0 {
		a.say("    and %s: see --json", plural(int64(n), "more line"))
	}
}

func (a *app) showPlaced(p crawl.Placed, s styles) {
	switch {
	case len(p.Files) > 0:
		a.say("%s %s", s.good("wrote"), strings.Join(p.Files, ", "))
	case p.Kept != "":
		a.say("%s has this table, and is left as it is", p.Kept)
		for _, d := range p.Differs {
			a.say("  %s", visible(d))
		}
	case p.Skipped != "":
		a.say("%s: %s", s.warn("not written"), visible(p.Skipped))
	}
	a.say("")
}

func (a *app) showLeftOut(r *crawl.Report) {
	if r.LeftOutTotal == 0 {
		return
	}
	a.say("left out, %s:", plural(r.LeftOutTotal, "file"))
	for _, f := range r.LeftOut[:min(len(r.LeftOut), most)] {
		a.say("  %s: %s", shownFile(r, f.File), visible(f.Why))
	}
	if n := r.LeftOutTotal - int64(min(len(r.LeftOut), most)); n > 0 {
		a.say("  and %s", plural(n, "more file"))
	}
}

func (a *app) showNext(out crawlJSON, l *project.Lake, o crawlOptions) {
	wrote := false
	hints := []string{}
	for _, p := range out.Placed {
		wrote = wrote || len(p.Files) > 0
		if p.Hint != "" && !slices.Contains(hints, p.Hint) {
			hints = append(hints, p.Hint)
			a.say("hint: %s", visible(p.Hint))
		}
	}
	switch {
	case wrote:
		a.say("next: `%s`", inLake("run", l.Dir))
	case l != nil && !o.write && len(out.Tables) > 0:
		a.say("next: `tarn crawl … --write` adds what is new to %s", here(l.Dir))
	}
}

// crawled shows how far a crawl is.
func (c *counter) crawled(listed, files, read, proved int64) {
	c.line(func(time.Duration) string {
		again := ""
		if proved > 0 {
			again = ", " + bytes(proved) + " proved to load"
		}
		return fmt.Sprintf("%s listed, %s read, %s%s", plural(listed, "file"), grouped(files), bytes(read), again)
	})
}
