package cli

import (
	"os"
	"strings"

	"charm.land/lipgloss/v2"

	"tarn/internal/demo"
)

// picture draws the way of the rows: three zones side by side, of each table its name and its rows. It is 79 columns wide.
type picture struct {
	st    styles
	zones [3]func(...string) string
	rows  map[string]int64
}

// column is where a zone begins, and end where the last one does.
var column = [4]int{2, 28, 54, 79}

func newPicture(st styles, coloured bool, r *demo.Report) *picture {
	p := &picture{st: st, rows: map[string]int64{}}
	for i, colour := range []string{"3", "4", "2"} {
		p.zones[i] = st.bold
		if coloured {
			p.zones[i] = lipgloss.NewStyle().Foreground(lipgloss.Color(colour)).Render
		}
	}
	for _, t := range r.Tables {
		p.rows[t.Name] = t.Rows
	}
	return p
}

// line is one line of the picture, written from left to right.
type line struct {
	text  strings.Builder
	width int
}

func (l *line) put(at int, style func(...string) string, text string) {
	if at > l.width {
		l.text.WriteString(strings.Repeat(" ", at-l.width))
		l.width = at
	}
	l.text.WriteString(style(text))
	l.width += lipgloss.Width(text)
}

// lines draws it.
func (p *picture) lines() []string {
	var out []string
	var head line
	for i, zone := range []string{"LANDING", "TRUSTED", "CURATED"} {
		head.put(column[i], p.zones[i], zone)
	}
	out = append(out, head.text.String())
	out = append(out, p.stage("customer_landing", "customer_trusted", "customers_curated", "─", "▶")...)
	out = append(out, p.between("of those who agreed", ""))
	out = append(out, p.stage("accelerometer_landing", "accelerometer_trusted", "", "", "╮")...)
	out = append(out, p.between("of their devices", "│"))
	out = append(out, p.stage("step_trainer_landing", "step_trainer_trusted", "machine_learning_curated", "┴", "▶")...)
	return out
}

// stage draws the tables of one line; join and end finish the arrow to the last.
func (p *picture) stage(landing, trusted, curated, join, end string) []string {
	var names, counts line
	for i, t := range []string{landing, trusted, curated} {
		if t == "" {
			break
		}
		names.put(column[i], p.zones[i], "▌")
		names.put(column[i]+1, p.st.bold, t)
		counts.put(column[i], p.zones[i], "▌")
		counts.put(column[i]+1, func(s ...string) string { return s[0] }, grouped(p.rows[t])+" rows ")
		switch {
		case i == 0:
			counts.put(counts.width, p.st.dim, strings.Repeat("─", column[1]-1-counts.width)+"▶")
		case i == 1 && join == "":
			counts.put(counts.width, p.st.dim, strings.Repeat("─", column[2]-2-counts.width)+end)
		case i == 1:
			counts.put(counts.width, p.st.dim, strings.Repeat("─", column[2]-2-counts.width)+join+end)
		}
	}
	return []string{strings.TrimRight(names.text.String(), " "), strings.TrimRight(counts.text.String(), " ")}
}

// between draws the line between two stages: what the tables above are to those below.
func (p *picture) between(note, bar string) string {
	var l line
	l.put(column[1], p.st.dim, "╎ "+note)
	if bar != "" {
		l.put(column[2]-2, p.st.dim, bar)
	}
	return l.text.String()
}

func coloured(w any) bool {
	return terminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
