package run

import (
	"context"
	"strings"

	"tarn/internal/engine/duckdb"
	"tarn/internal/plan"
)

// needed gives the columns that the models of this run read of tables which it does not touch, by table; a table that is
// not in it is needed whole. It is worked out only if one of these tables has files that can be fetched in parts.
func (x *execution) needed(ctx context.Context) map[string][]string {
	x.needsOnce.Do(func() {
		if x.inParts(ctx) {
			x.needs = x.columns(ctx)
		}
	})
	return x.needs
}

// inParts reports whether some table that this run reads and does not touch has files which can be fetched in parts.
func (x *execution) inParts(ctx context.Context) bool {
	for _, s := range x.plan.Steps {
		if s.Action == plan.None {
			continue
		}
		for _, in := range s.Table.Inputs {
			have := x.view.Table(x.w.Graph.Table(in).Stored())
			if have == nil {
				continue
			}
			// What cannot be listed is told by whoever reads it.
			if files, err := have.Files(ctx); err == nil && x.held.InParts(ctx, files) {
				return true
			}
		}
	}
	return false
}

// columns works out what all steps of the run read.
func (x *execution) columns(ctx context.Context) map[string][]string {
	var tables []duckdb.Stored
	for _, t := range x.w.Graph.Tables {
		tables = append(tables, duckdb.Stored{Name: t.Name, Columns: t.Columns})
	}
	out := map[string]map[string]bool{}
	whole := map[string]bool{}
	for _, s := range x.plan.Steps {
		if s.Action == plan.None {
			continue
		}
		// Checks can look at anything.
		for _, c := range s.Table.Header().Checks {
			for _, other := range x.w.mentioned(c) {
				whole[other] = true
			}
		}
		if s.Table.Model == nil {
			continue
		}
		query, err := Compiled(x.w.Engine, s.Table)
		var used map[string][]string
		if err == nil {
			used, err = duckdb.Needs(ctx, x.w.Project.Config.Database, tables, nil, query)
		}
		text := strings.ToLower(query)
		for _, in := range s.Table.Inputs {
			t := x.w.Graph.Table(in)
			if err != nil {
				whole[t.Name] = true
				continue
			}
			if out[t.Name] == nil {
				out[t.Name] = map[string]bool{}
			}
			for _, name := range used[t.Name] {
				out[t.Name][name] = true
			}
			// The account of rows asks for conditions by themselves, also for such as an engine can do without.
			for _, c := range t.Columns {
				if strings.Contains(text, strings.ToLower(c.Name)) {
					out[t.Name][c.Name] = true
				}
			}
		}
	}
	needs := map[string][]string{}
	for name, used := range out {
		if whole[name] {
			continue
		}
		needs[name] = []string{}
		for _, c := range x.w.Graph.Table(name).Columns {
			if used[c.Name] {
				needs[name] = append(needs[name], c.Name)
			}
		}
	}
	return needs
}
