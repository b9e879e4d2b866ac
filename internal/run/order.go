package run

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"tarn/internal/model"
	"tarn/internal/plan"
	"tarn/internal/project"
	"tarn/internal/schema"
	"tarn/internal/sqltree"
)

// A check can look at other tables. One that looks only at tables which its own table is made of is tested as soon as the
// rows are there. A check that drops or quarantines rows has to be tested then too, so its table waits for the others; all
// other checks are tested when every table of the run is made.

// when splits the checks of a table into those that are tested with its rows and those that are tested at the end.
func (w *Workspace) when(t *model.Table) (now, later []project.Check) {
	made := w.ancestors(t)
	for _, c := range t.Header().Checks {
		outside := slices.ContainsFunc(w.mentioned(c), func(other string) bool { return other != t.Name && !made[other] })
		if outside && c.OnFail != project.Drop && c.OnFail != project.Quarantine {
			later = append(later, c)
		} else {
			now = append(now, c)
		}
	}
	return now, later
}

// mentioned lists the lake's tables whose names stand in a check. A column of a table's name is taken for it as well,
// which only lets the check be tested later or once more.
func (w *Workspace) mentioned(c project.Check) []string {
	var out []string
	if c.Kind == "references" {
		if t := w.Graph.Table(c.Table); t != nil {
			out = append(out, t.Name)
		}
	}
	text := c.SQL
	if reading.MatchString(c.Expect) {
		// Only a subquery can look at another table.
		text = c.Expect
	}
	for _, word := range names.FindAllString(text, -1) {
		if t := w.Graph.Table(word); t != nil && !slices.Contains(out, t.Name) {
			out = append(out, t.Name)
		}
	}
	return out
}

var (
	names   = regexp.MustCompile(`[\pL_][\pL\pN_]*`)
	reading = regexp.MustCompile(`(?i)\bfrom\b`)
)

// ancestors are the tables that t is made of, directly or not.
func (w *Workspace) ancestors(t *model.Table) map[string]bool {
	out := map[string]bool{}
	var up func(t *model.Table)
	up = func(t *model.Table) {
		for _, name := range t.Inputs {
			if in := w.Graph.Table(name); !out[in.Name] {
				out[in.Name] = true
				up(in)
			}
		}
	}
	up(t)
	return out
}

// order gives, for each table, those that have to be made before it: what it reads, and what the checks look at that drop
// or quarantine its rows.
func (w *Workspace) order() (map[string][]string, error) {
	first := map[string][]string{}
	for _, t := range w.Graph.Tables {
		for _, in := range t.Inputs {
			first[t.Name] = append(first[t.Name], w.Graph.Table(in).Name)
		}
	}
	for _, t := range w.Graph.Tables {
		now, _ := w.when(t)
		for _, c := range now {
			for _, other := range w.mentioned(c) {
				if other == t.Name || slices.Contains(first[t.Name], other) {
					continue
				}
				if reaches(first, other, t.Name) {
					return nil, fmt.Errorf("%s:%d: check %s of %s leaves out rows by what stands in %s, which needs %s to be made first: let the check fail or warn",
						c.File, c.Line, c.Name, t.Name, other, t.Name)
				}
				first[t.Name] = append(first[t.Name], other)
			}
		}
	}
	return first, nil
}

// modelSteps lists the steps of models, in the plan's order.
func (x *execution) modelSteps() []plan.Step {
	var out []plan.Step
	for _, s := range x.plan.Steps {
		if s.Table.Model != nil && s.Works() {
			out = append(out, s)
		}
	}
	return out
}

// inOrder sorts steps so that each comes after what it reads and what its checks leave out rows by.
func inOrder(steps []plan.Step, first map[string][]string) []plan.Step {
	var out []plan.Step
	done := map[string]bool{}
	var add func(name string)
	add = func(name string) {
		if done[name] {
			return
		}
		done[name] = true
		for _, before := range first[name] {
			add(before)
		}
		if i := slices.IndexFunc(steps, func(s plan.Step) bool { return s.Table.Name == name }); i >= 0 {
			out = append(out, steps[i])
		}
	}
	for _, s := range steps {
		add(s.Table.Name)
	}
	return out
}

// reaches reports whether a table waits for another, directly or not.
func reaches(first map[string][]string, from, to string) bool {
	if from == to {
		return true
	}
	return slices.ContainsFunc(first[from], func(n string) bool { return reaches(first, n, to) })
}

// traced writes a query of a table's rows as they are being made, with the landing file of each in the column _file; it
// is "" where rows cannot be followed to a landing table one by one. from is what stands in FROM for a table.
func (w *Workspace) traced(t *model.Table, d sqltree.Dialect, from func(table string) string) (string, error) {
	if slices.ContainsFunc(t.Columns, func(c schema.Column) bool { return strings.EqualFold(c.Name, "_file") }) {
		return "SELECT * FROM " + from(t.Name), nil
	}
	if t.Query == nil {
		// Rows of files that were taken by reference do not say which they are from.
		return "", nil
	}
	f := t.Query.Flow()
	if f.Opaque != "" || f.Merges != "" {
		return "", nil
	}
	driving := w.Graph.Table(f.Driving.Name)
	rows, err := w.traced(driving, d, from)
	if err != nil || rows == "" {
		return "", err
	}
	text, _, err := f.Traced(d, func(r sqltree.TableRef) string {
		if w.Graph.Table(r.Name) == driving && driving.Landing == nil {
			return "(" + rows + "\n)"
		}
		return from(r.Name)
	}, "_file")
	return text, err
}
