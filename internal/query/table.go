package query

import (
	"bufio"
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// tableWriter lays rows out in columns. It looks at a batch of rows at a time, so that results of any length stream.
type tableWriter struct {
	w       *bufio.Writer
	form    Form
	columns []Column
	names   []string
	rows    [][]cell
	widths  []int
	headed  bool
	// shown is how many columns fit the terminal.
	shown int
}

type cell struct {
	text string
	null bool
}

// tableBatch is how many rows are laid out together.
const tableBatch = 1000

// narrow is the width below which a column is not cut to make others fit.
const narrow = 12

func (t *tableWriter) header(columns []Column) error {
	t.columns = columns
	t.widths = make([]int, len(columns))
	t.shown = len(columns)
	for i, c := range columns {
		t.names = append(t.names, visible([]byte(c.Name)))
		t.widths[i] = width(t.names[i])
	}
	return nil
}

func (t *tableWriter) row(values [][]byte) error {
	cells := make([]cell, len(values))
	for i, v := range values {
		cells[i] = cell{"NULL", true}
		if v != nil {
			cells[i] = cell{visible(v), false}
		}
		t.widths[i] = max(t.widths[i], width(cells[i].text))
	}
	t.rows = append(t.rows, cells)
	if len(t.rows) >= tableBatch {
		return t.pause()
	}
	return nil
}

// visible shows control characters, which would move what stands behind them or do worse to a terminal, as escapes.
func visible(v []byte) string {
	if bytes.IndexFunc(v, control) < 0 {
		return string(v)
	}
	var b strings.Builder
	for _, r := range string(v) {
		if control(r) {
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// control also takes in the characters that change the direction of writing.
func control(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

func (t *tableWriter) pause() error {
	if !t.headed {
		t.headed = true
		t.fit()
		head, line := make([]cell, len(t.names)), make([]cell, len(t.names))
		for i, n := range t.names {
			head[i], line[i] = cell{text: n}, cell{text: strings.Repeat("─", t.widths[i])}
		}
		t.line(head)
		t.line(line)
	} else if t.form.Width > 0 {
		// Later rows keep to the columns that the first ones were given.
		t.fit()
	}
	for _, r := range t.rows {
		t.line(r)
	}
	t.rows = t.rows[:0]
	// bufio.Writer keeps the first error of the lines above.
	_, err := t.w.Write(nil)
	return err
}

// width is how many places a text takes on a terminal.
func width(s string) int {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return lipgloss.Width(s)
		}
	}
	return len(s)
}

const gap = "  "

// fit makes the columns narrow enough for the terminal: the widest first, and the last ones are left out if that is not
// enough.
func (t *tableWriter) fit() {
	if t.form.Width <= 0 {
		return
	}
	for {
		total := len(gap) * (t.shown - 1)
		widest := -1
		for i := range t.shown {
			total += t.widths[i]
			if t.widths[i] > narrow && (widest < 0 || t.widths[i] > t.widths[widest]) {
				widest = i
			}
		}
		if t.shown < len(t.widths) {
			total += len(gap) + 1
		}
		switch {
		case total <= t.form.Width:
			return
		case widest >= 0:
			t.widths[widest] -= min(total-t.form.Width, max(1, t.widths[widest]-t.second(widest)), t.widths[widest]-narrow)
		case t.shown > 1:
			t.shown--
		default:
			return
		}
	}
}

// second gives the width of the widest column but one, or that below which columns are not cut.
func (t *tableWriter) second(widest int) int {
	out := narrow
	for i := range t.shown {
		if i != widest {
			out = max(out, t.widths[i])
		}
	}
	return out
}

func (t *tableWriter) line(cells []cell) {
	var b strings.Builder
	for i, c := range cells[:t.shown] {
		text := c.text
		if w := width(text); t.form.Width > 0 && w > t.widths[i] {
			text = ansi.Truncate(text, t.widths[i], "…")
		}
		pad := strings.Repeat(" ", max(0, t.widths[i]-width(text)))
		if c.null && t.form.Dim != nil {
			text = t.form.Dim(text)
		}
		if i > 0 {
			b.WriteString(gap)
		}
		if k := t.columns[i].Kind; k == Whole || k == Float {
			b.WriteString(pad + text)
		} else {
			b.WriteString(text + pad)
		}
	}
	if t.shown < len(cells) {
		b.WriteString(gap + "…")
	}
	_, _ = t.w.WriteString(strings.TrimRight(b.String(), " ") + "\n")
}

func (t *tableWriter) end(e ending) error {
	if err := t.pause(); err != nil {
		return err
	}
	noun := "rows"
	if e.rows == 1 {
		noun = "row"
	}
	text := fmt.Sprintf("%d %s", e.rows, noun)
	if t.shown < len(t.columns) {
		text += fmt.Sprintf(", %d of %d columns fit; -o FILE or --format csv has all", t.shown, len(t.columns))
	}
	if e.failed {
		text += ", not all"
	}
	_, err := t.w.WriteString("(" + text + ")\n")
	return err
}
