package run

import (
	"context"

	"tarn/internal/check"
)

// Check tests the checks of the selected tables (all, where none are named) on what is published.
func (w *Workspace) Check(ctx context.Context, s Selection) ([]check.Result, error) {
	reading, err := w.Reading()
	if err != nil {
		return nil, err
	}
	defer reading.Close()
	v, err := w.Lake.View(ctx)
	if err != nil {
		return nil, err
	}
	chosen := map[string]bool{}
	for _, name := range s.Tables {
		// Unlike a run, checking a table does not check what it reads.
		t, err := named(w.Graph, w.Project.Config.Database, name)
		if err != nil {
			return nil, err
		}
		chosen[t.Name] = true
	}
	for _, t := range w.Graph.Tables {
		paths, err := w.held.Table(ctx, v.Table(t.Stored()))
		if err != nil {
			return nil, err
		}
		if err := w.Engine.SetTable(ctx, t.Name, t.Columns, paths); err != nil {
			return nil, err
		}
	}
	out := []check.Result{}
	for _, t := range w.Graph.Tables {
		if len(chosen) > 0 && !chosen[t.Name] {
			continue
		}
		results, err := check.Run(ctx, w.Engine, check.Table{Name: t.Name, Checks: t.Header().Checks}, w.now())
		if err != nil {
			return nil, err
		}
		for i := range results {
			// Rows that are published were not put aside, so these have come in some other way.
			if s := results[i].Status; s == check.Dropped || s == check.Quarantined {
				results[i].Status = check.Failed
			}
		}
		out = append(out, results...)
	}
	return out, nil
}
