package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"charm.land/lipgloss/v2"
	"golang.org/x/term"

	"tarn/internal/diag"
	"tarn/internal/words"
)

// terminal reports whether a stream is one that a person looks at.
func terminal(w any) bool {
	f := fileOf(w)
	return f != nil && term.IsTerminal(int(f.Fd()))
}

// styles are the few colours that tarn uses: none outside a terminal or with NO_COLOR.
type styles struct{ good, bad, warn, dim, bold func(...string) string }

func stylesFor(w io.Writer) styles {
	plain := func(s ...string) string { return strings.Join(s, " ") }
	if !terminal(w) || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return styles{plain, plain, plain, plain, plain}
	}
	colour := func(c string) func(...string) string { return lipgloss.NewStyle().Foreground(lipgloss.Color(c)).Render }
	return styles{good: colour("2"), bad: colour("1"), warn: colour("3"), dim: lipgloss.NewStyle().Faint(true).Render, bold: lipgloss.NewStyle().Bold(true).Render}
}

// grouped writes a whole number with commas, as in 40,981.
func grouped(n int64) string { return words.Grouped(n) }

// plural writes a number with its noun.
func plural(n int64, one string) string { return words.Count(n, one) }

// bytes writes a size as people say it.
func bytes(n int64) string {
	for _, u := range []struct {
		size int64
		name string
	}{{1 << 30, "GB"}, {1 << 20, "MB"}, {1 << 10, "kB"}} {
		if n >= u.size {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.size), u.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}

// counted says how many mistakes there are.
func counted(list diag.List) string {
	errors, warnings := list.Count()
	parts := []string{}
	if errors > 0 {
		parts = append(parts, plural(int64(errors), "mistake"))
	}
	if warnings > 0 {
		parts = append(parts, plural(int64(warnings), "warning"))
	}
	if len(parts) == 0 {
		return "no mistakes"
	}
	return strings.Join(parts, ", ")
}

func (a *app) showDiagnostics(list diag.List) {
	for _, d := range list {
		a.tell("%s\n", d.Text())
	}
	a.tell("%s", counted(list))
}

// columns writes rows of cells with aligned columns; cells of columns listed in right are set to the right.
func columns(rows [][]string, right ...int) string {
	widths := map[int]int{}
	for _, r := range rows {
		for i, c := range r {
			widths[i] = max(widths[i], lipgloss.Width(c))
		}
	}
	var b strings.Builder
	for _, r := range rows {
		line := ""
		for i, c := range r {
			pad := strings.Repeat(" ", widths[i]-lipgloss.Width(c))
			isRight := false
			for _, n := range right {
				isRight = isRight || n == i
			}
			if isRight {
				c = pad + c
			} else {
				c += pad
			}
			if i > 0 {
				line += "  "
			}
			line += c
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}
