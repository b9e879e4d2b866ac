package run

import (
	"context"
	"strings"

	"tarn/internal/lake"
	"tarn/internal/load"
	"tarn/internal/plan"
)

// ToLoad names the landing tables whose files Spark would read if each had a file of so many bytes, or says why it does not.
func (w *Workspace) ToLoad(bytes int64) (tables, why []string) {
	p := &plan.Plan{}
	for _, t := range w.Graph.Tables {
		if t.Landing != nil {
			p.Steps = append(p.Steps, plan.Step{Table: t, Action: plan.Load, Work: load.Work{New: []load.File{{Size: bytes}}}})
		}
	}
	for _, s := range w.toLoad(p) {
		tables = append(tables, s.Table.Name)
	}
	return tables, w.loadedHere(p)
}

// PutOwn puts a file where Spark's jobs have theirs.
func (w *Workspace) PutOwn(ctx context.Context, name string) error {
	return w.putFile(ctx, w.jobs.Home()+"/"+name, []byte("old"))
}

// Remember publishes what a query gives as the account of loaded files, as if they had been loaded.
func (w *Workspace) Remember(ctx context.Context, query string) error {
	started := w.now()
	_, err := w.change(ctx, false, func(ctx context.Context, c change) error {
		d, err := w.replaceOwn(ctx, c.view, FilesTable, filesColumns(), query, c.id)
		if err != nil {
			return err
		}
		return w.publishChange(ctx, c, "run", started, []*lake.Draft{d}, nil)
	})
	return err
}

// TimeIsOver ends the time of a run that has a deadline.
func (w *Workspace) TimeIsOver() { w.pacing.over() }

// SetFilesAtOnce sets how many landing files are read before the time is looked at.
func (w *Workspace) SetFilesAtOnce(n int) { w.filesAtOnce = n }

// OnStep lets a test see the steps of a run: built, staged, published.
func (w *Workspace) OnStep(at func(step string)) { w.at = at }

// SetOnStep does the same for every workspace that is opened.
func SetOnStep(at func(step string)) { onStep = at }

// BeforeAccount lets a test in between writing a table and counting its rows.
func (w *Workspace) BeforeAccount(at func(table string)) {
	w.at = func(step string) {
		if table, ok := strings.CutPrefix(step, "account "); ok {
			at(table)
		}
	}
}
