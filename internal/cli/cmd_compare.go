package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"tarn/internal/compare"
	"tarn/internal/diag"
	"tarn/internal/lake"
	"tarn/internal/query"
	"tarn/internal/run"
)

// compareFlags are what `tarn compare` is asked for beside the tables.
type compareFlags struct {
	columns []string
	rows    int
	sql     bool
	at      string
	// asked says that --rows was given.
	asked bool
}

func compareCommand(a *app) *cobra.Command {
	var c compareFlags
	cmd := &cobra.Command{
		Use:   "compare TABLE OTHER",
		Short: "Hold the rows of two tables against each other",
		Long: `Says how many rows two tables of the lake have in common, how many only one of them has, and how many one has more often, and
shows some of these. Rows are compared by all columns of the same name, or by --columns. Times as milliseconds are compared
with timestamps, and text with what it says; text that says nothing of the kind is in a column of its own, NAME__text.

It is for moving over: the tables that other jobs have written become landing tables of a new name, and are held against
the models. --sql prints the statement instead, which means the same in Athena.`,
		Example: `  tarn compare old_customer_trusted customer_trusted
  tarn compare old_readings readings --columns device,time --rows 50
  tarn compare old_customer_trusted customer_trusted --target aws --sql`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return misspelt(fmt.Sprintf("two tables are compared, and here are %d", len(args)), "the form is `"+strings.TrimSuffix(cmd.UseLine(), " [flags]")+"`")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c.asked = cmd.Flags().Changed("rows")
			if c.rows < 0 {
				return &usageError{fmt.Errorf("--rows %d: write how many rows to show, or 0", c.rows)}
			}
			return a.look(cmd.Context(), c.at, func(t *run.Tables, v *lake.View) error {
				return a.compare(cmd.Context(), t, v, args[0], args[1], c)
			})
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&c.columns, "columns", nil, "compare by these `columns` only, with commas between them")
	f.IntVar(&c.rows, "rows", 5, "show at most so many rows that differ")
	f.BoolVar(&c.sql, "sql", false, "print the SQL that counts, or with --rows that which shows rows, for Athena or `tarn query`")
	f.StringVar(&c.at, "at", "", "as readers saw the tables after a `run`, or at a time (UTC)")
	offer(cmd, "at", a.completeRuns)
	cmd.ValidArgsFunction = a.completeTables
	return cmd
}

// compared reads what there is to know of a table.
func compared(t *run.Tables, v *lake.View, name string) (compare.Table, error) {
	found, err := t.Find(v, name)
	if err != nil {
		return compare.Table{}, err
	}
	columns, err := found.Columns()
	if err != nil {
		return compare.Table{}, err
	}
	out := compare.Table{Name: strings.TrimSuffix(found.Name(), "__rows")}
	for _, c := range columns {
		// The landing file of a row is no part of what it says.
		if c.Name != "_file" {
			out.Columns = append(out.Columns, c)
		}
	}
	return out, nil
}

// compare compares two tables of a view.
func (a *app) compare(ctx context.Context, t *run.Tables, v *lake.View, first, second string, c compareFlags) (err error) {
	one, err := compared(t, v, first)
	if err != nil {
		return err
	}
	other, err := compared(t, v, second)
	if err != nil {
		return err
	}
	by, err := compare.New(one, other, c.columns)
	var unlike *compare.Error
	if errors.As(err, &unlike) {
		return &usageError{misspelt(unlike.Message, unlike.Hint)}
	}
	if err != nil {
		return err
	}
	counts, rows := by.Counts(), by.Rows(c.rows)
	if c.sql {
		text := counts
		if c.asked {
			text = rows
		}
		if a.json {
			return a.print(compareSQLJSON{text})
		}
		a.say("%s", text)
		return nil
	}
	s, err := a.session(ctx, t, v, counts, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	n, err := countsOf(ctx, s, counts)
	if err != nil {
		return err
	}
	if a.json {
		out := compareJSON{First: one.Name, Second: other.Name, Same: n.Same(), Counts: n, Comparison: by, Rows: []json.RawMessage{}}
		if !n.Same() && c.rows > 0 {
			if out.Rows, err = differing(ctx, s, rows); err != nil {
				return err
			}
		}
		return a.print(out)
	}
	a.showCompared(one.Name, other.Name, by, n)
	if n.Same() || c.rows == 0 {
		return nil
	}
	a.say("\nrows that differ, at most %s, and how often each is in the first and in the second:", grouped(int64(c.rows)))
	shown, err := s.Ask(ctx, diag.Source{File: "query", Text: rows})
	if err != nil {
		return err
	}
	defer shown.Close()
	_, err = a.form(query.Table).Write(a.stdout, shown)
	return err
}

// countsOf reads the one row of numbers.
func countsOf(ctx context.Context, s *query.Session, sql string) (n compare.Counts, err error) {
	rows, err := s.Ask(ctx, diag.Source{File: "query", Text: sql})
	if err != nil {
		return n, err
	}
	defer rows.Close()
	to := []*int64{&n.First, &n.Second, &n.Both, &n.OnlyFirst, &n.OnlySecond, &n.MoreInFirst, &n.MoreInSecond}
	for rows.Next() {
		for i, v := range rows.Row() {
			if *to[i], err = strconv.ParseInt(string(v), 10, 64); err != nil {
				return n, err
			}
		}
	}
	return n, rows.Err()
}

// differing gives rows as objects.
func differing(ctx context.Context, s *query.Session, sql string) ([]json.RawMessage, error) {
	rows, err := s.Ask(ctx, diag.Source{File: "query", Text: sql})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var b strings.Builder
	if _, err := query.Write(&b, rows, query.List); err != nil {
		return nil, err
	}
	out := []json.RawMessage{}
	return out, json.Unmarshal([]byte(b.String()), &out)
}

func (a *app) showCompared(first, second string, by *compare.Comparison, n compare.Counts) {
	row := func(what string, one, other int64) []string { return []string{what, grouped(one), grouped(other)} }
	fmt.Fprint(a.stdout, columns([][]string{{"", first, second}, row("rows", n.First, n.Second), row("in both", n.Both, n.Both),
		row("only here", n.OnlyFirst, n.OnlySecond), row("doubles, more often than in the other", n.MoreInFirst, n.MoreInSecond)}, 1, 2))
	var names []string
	for _, c := range by.Columns {
		if c.Unread {
			continue // which the column before it says
		}
		names = append(names, c.Name+map[bool]string{true: " (as " + c.As + ")"}[c.As != ""])
	}
	a.say("compared by %s", strings.Join(names, ", "))
	for _, only := range []struct {
		what  string
		names []string
	}{{"only in " + first, by.OnlyFirst}, {"only in " + second, by.OnlySecond}, {"of types that cannot be compared", by.Apart}} {
		if len(only.names) > 0 {
			a.say("not compared, %s: %s", only.what, strings.Join(only.names, ", "))
		}
	}
	if n.Same() {
		a.say("the same rows in both, each as often")
	}
}
