package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"tarn/internal/check"
	"tarn/internal/engine"
	"tarn/internal/model"
	"tarn/internal/plan"
	"tarn/internal/project"
	"tarn/internal/sqltree"
)

// make lets an engine make the tables of some steps, in this order, and takes what it has made. With late, the checks that wait
// for all tables are tested then too.
func (x *execution) make(ctx context.Context, m *maker, steps []plan.Step, late bool) error {
	made := tables{x, map[string]*state{}}
	job := engine.Job{Run: x.id, Database: x.w.Project.Config.Database, Tell: x.follow}
	for _, s := range steps {
		st, err := x.begin(ctx, s)
		if err != nil {
			return err
		}
		made.made[s.Table.Name] = st
		if !m.InProcess() {
			x.keep(st)
		}
		step, err := x.written(ctx, m, s)
		if err != nil {
			return err
		}
		job.Steps = append(job.Steps, step)
	}
	if late {
		var err error
		if job.Late, err = x.writtenLate(ctx, m); err != nil {
			return err
		}
	}
	if len(job.Steps)+len(job.Late) == 0 {
		return nil
	}
	if o := x.offerer(); o != nil && !m.InProcess() {
		return x.handedOver(ctx, o, job, made)
	}
	r, err := x.attend(ctx, job, false, func(j engine.Job) (*engine.Result, error) { return m.Build(ctx, j, made) })
	if err != nil {
		return x.placed(m, err)
	}
	return x.take(ctx, m, made, steps, r)
}

// written writes a step for an engine.
func (x *execution) written(ctx context.Context, m *maker, s plan.Step) (engine.Step, error) {
	t := s.Table
	wr, list := x.w.written(ctx, m, t)
	now, _ := x.w.when(t)
	out := engine.Step{Table: t.Name, Columns: t.Columns, Checks: wr.asks(now)}
	reads := map[string]bool{}
	if s.Action != plan.Amend {
		out.SQL, out.Ledger = wr.sql, wr.ledger
		for _, in := range t.Inputs {
			reads[x.w.Graph.Table(in).Name] = true
		}
	}
	out.Reads, out.Traces = x.readBy(t, now, reads)
	out.Reads = slices.DeleteFunc(out.Reads, func(name string) bool { return name == t.Name })
	return out, list.Err()
}

// writtenLate writes the checks that wait for all tables, see [execution.lateChecks].
func (x *execution) writtenLate(ctx context.Context, m *maker) ([]engine.Late, error) {
	var out []engine.Late
	for t, checks := range x.lateChecks() {
		wr, list := x.w.written(ctx, m, t)
		if err := list.Err(); err != nil {
			return nil, err
		}
		l := engine.Late{Table: t.Name, Checks: wr.asks(checks)}
		l.Reads, l.Traces = x.readBy(t, checks, map[string]bool{t.Name: true})
		out = append(out, l)
	}
	return out, nil
}

// readBy lists what checks of a table read, with what is read anyway, and what following its rows reads.
func (x *execution) readBy(t *model.Table, checks []project.Check, anyway map[string]bool) (reads, traces []string) {
	for _, c := range checks {
		for _, other := range x.w.mentioned(c) {
			anyway[other] = true
		}
	}
	if len(checks) > 0 {
		traces = slices.Sorted(maps.Keys(x.w.ancestors(t)))
	}
	return slices.Sorted(maps.Keys(anyway)), traces
}

// begin opens what a step stages.
func (x *execution) begin(ctx context.Context, s plan.Step) (st *state, err error) {
	st = &state{table: s.Table, version: x.id, record: TableRecord{Name: s.Table.Name, Zone: s.Table.Zone, Action: s.Action, Reasons: s.Reasons}}
	if s.Action == plan.Amend {
		st.stored, st.now = true, x.view.Table(s.Table.Stored())
	}
	st.draft, err = x.w.Lake.Draft(ctx, x.view, s.Table.Stored(), shape(s.Table))
	return st, err
}

// keep lets others see how a table will look.
func (x *execution) keep(st *state) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.states[st.table.Name] = st
}

// follow passes on how far a job is.
func (x *execution) follow(e engine.Event) {
	if e.Phase == engine.Accounting {
		x.w.reached("account " + e.Table)
		return
	}
	x.tell(Event{Table: e.Table, Phase: string(e.Phase), Done: e.Done, Total: e.Total, Rows: e.Rows, Finished: e.Finished})
}

// placed gives an error of an engine its place in the definitions.
func (x *execution) placed(m *maker, err error) error {
	var untested *engine.UntestedError
	if errors.As(err, &untested) {
		if t := x.w.Graph.Table(untested.Table); t != nil {
			return check.Untested(t.Header().Checks, err)
		}
	}
	var step *engine.StepError
	if !errors.As(err, &step) || step.Table == "" {
		return err
	}
	t := x.w.Graph.Table(step.Table)
	if t == nil {
		return err
	}
	for _, c := range t.Header().Checks {
		if c.Name == step.What {
			return fmt.Errorf("%s:%d: check %s: %w", c.File, c.Line, c.Name, err)
		}
	}
	if t.Model == nil {
		return err
	}
	if step.What != "model" {
		return fmt.Errorf("%s: %w", t.Model.Source.File, err)
	}
	return &ModelError{Table: t.Name, Diagnostic: t.Model.Source.At(x.w.offset(m, t, step), codeFails, step.Error(), failsHint), Err: err}
}

// offset finds what a place in a model's SQL for an engine is in its file: the first expression of it whose place is known, or
// the last one before it.
func (w *Workspace) offset(m *maker, t *model.Table, e *engine.StepError) int {
	if e.Start < 0 {
		return t.Model.SQLStart
	}
	l, from := m.Language(), w.from(m.Language())
	find := t.Query.Places
	if l.Native {
		find = t.Query.LiftedPlaces
	}
	places := find(l.Dialect, func(r sqltree.TableRef) string { return from(r.Name) })
	if at, ok := sqltree.Around(places, e.Start, e.End); ok {
		return at
	}
	return t.Model.SQLStart
}
