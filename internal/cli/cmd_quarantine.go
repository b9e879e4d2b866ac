package cli

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"tarn/internal/run"
)

func quarantineCommand(a *app) *cobra.Command {
	var table string
	var limit int
	var wait bool
	cmd := &cobra.Command{
		Use:   "quarantine [list|show|retry]",
		Short: "See the rows that could not be loaded or failed a check, and retry them",
		Long: `Rows that could not be loaded wait in quarantine with file, line, byte offset, reason and raw text; so do rows that failed
a check with on_fail: quarantine. list counts them by table and reason, show prints them, retry reads their files again
after the definition was mended. (A file that was mended itself is read again by the next run anyway.)`,
		Example: `  tarn quarantine
  tarn quarantine show --table customer_landing
  tarn quarantine show 4f1d2c3b4a5e6f70
  tarn quarantine retry`,
		RunE: func(cmd *cobra.Command, args []string) error {
			verb := "list"
			if len(args) > 0 {
				verb, args = args[0], args[1:]
			}
			switch verb {
			case "list", "show":
				dir, err := a.lakeDir()
				if err != nil {
					return err
				}
				entries, err := run.Quarantined(cmd.Context(), dir, run.Options{Target: a.target}, table, args, verb == "show", limit)
				if err != nil {
					return err
				}
				if entries.Total == 0 && len(args) > 0 {
					return fmt.Errorf("%w: entry %s of the quarantine", errMissing, strings.Join(args, ", "))
				}
				return a.showQuarantine(verb, table, entries)
			case "retry":
				if len(args) > 0 {
					return &usageError{fmt.Errorf("retry takes no entries, as it reads whole files again; --table chooses a table")}
				}
				return a.run(cmd.Context(), run.RunOptions{Selection: run.Selection{Retry: true, RetryTable: table}, Wait: wait})
			}
			return &usageError{fmt.Errorf("unknown verb %q: list, show or retry", verb)}
		},
		ValidArgs: []string{"list", "show", "retry"},
	}
	cmd.Flags().StringVar(&table, "table", "", "of this `table` only")
	offer(cmd, "table", a.completeTables)
	cmd.Flags().IntVarP(&limit, "limit", "n", 20, "how many rows to show at most; 0 is all")
	cmd.Flags().BoolVar(&wait, "wait", false, "retry: wait for another run to end instead of failing")
	return cmd
}

func (a *app) showQuarantine(verb, table string, entries *run.QuarantineReport) error {
	if a.json {
		return a.print(entries)
	}
	if entries.Total == 0 {
		what := "nothing"
		if table != "" {
			what += " of " + table
		}
		a.say("%s is in quarantine", what)
		return nil
	}
	if verb == "list" {
		rows := [][]string{{"table", "reason", "rows", "first"}}
		for _, c := range entries.Counts {
			rows = append(rows, []string{c.Table, c.Reason, grouped(c.Rows), visible(c.First)})
		}
		fmt.Fprint(a.stdout, columns(rows, 2))
		a.say("`tarn quarantine show` shows them")
		return nil
	}
	for _, e := range entries.Rows {
		a.say("%s  %s: %s", e.ID, visible(e.Place()), visible(e.Message))
		if e.Raw != "" {
			a.say("    %s", strings.ReplaceAll(visible(cut(e.Raw, 200)), "\n", "\n    "))
		}
	}
	if int64(len(entries.Rows)) < entries.Total {
		a.say("… %s in all (-n 0 shows them)", grouped(entries.Total))
	}
	return nil
}

// showExceeded tells why too many rows of a landing table were rejected: as nothing was published, the quarantine cannot.
func (a *app) showExceeded(e *run.QuarantineError) {
	a.tell("error: %s: %s of %s of %s could not be loaded, more than max_quarantine %s allows", e.File, grouped(e.Quarantined), plural(e.Objects, "row"), e.Table, e.Limit)
	rows := [][]string{}
	for _, r := range e.Rejected {
		rows = append(rows, []string{"   ", grouped(r.Rows), r.Reason, visible(r.Place) + ": " + visible(cut(r.Message, 120))})
	}
	fmt.Fprint(a.stderr, columns(rows, 1))
	a.tell("nothing was published: readers see what they saw before")
}

// visible writes what a terminal would take for a command, or not show, as an escape; line breaks stay.
func visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
