package run

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
	"unicode/utf16"

	"tarn/internal/check"
	"tarn/internal/engine/duckdb"
	"tarn/internal/engine/spark"
	"tarn/internal/ledger"
	"tarn/internal/model"
	"tarn/internal/plan"
	"tarn/internal/project"
	"tarn/internal/schema"
	"tarn/internal/sqltree"
)

// models makes all models of the run on Spark, in one job.
func (x *execution) models(ctx context.Context, first map[string][]string) error {
	steps, names := x.modelSteps()
	names = inOrder(names, first)
	p, err := x.sparkPlan(ctx, names, steps)
	if err != nil || len(p.Steps)+len(p.Late) == 0 {
		return err
	}
	r, err := x.job(ctx, p, false, x.follow(len(p.Steps)))
	if err != nil {
		return x.placed(err)
	}
	return x.take(ctx, steps, r)
}

// sparkPlan writes the job of some models.
func (x *execution) sparkPlan(ctx context.Context, names []string, steps map[string]plan.Step) (spark.Plan, error) {
	e := x.w.elsewhere
	p := spark.Plan{Run: x.id, Database: x.w.Project.Config.Database, Settings: sqltree.SparkSettings(), Steps: []spark.Step{}, Late: []spark.Late{}}
	needed := map[string]bool{}
	need := func(names ...string) {
		for _, n := range names {
			needed[x.w.Graph.Table(n).Name] = true
		}
	}
	for _, name := range names {
		s := steps[name]
		if err := x.begin(ctx, s); err != nil {
			return p, err
		}
		st := x.state(name)
		now, _ := x.w.when(s.Table)
		step := spark.Step{Table: name, Rows: x.w.sparkFrom(name), Columns: []spark.Column{}}
		if s.Action == plan.Amend {
			need(name)
			step.Checks = e.tables[name].asks(now, nil)
		} else {
			metadata, err := st.draft.Handed(x.id, e.engine.Folder(x.id)+"metadata/"+name)
			if err != nil {
				return p, err
			}
			p.Tables = append(p.Tables, spark.Table{Name: name, Metadata: metadata})
			var aside []spark.Table
			step.Checks = e.tables[name].asks(now, func(c project.Check, i int) string {
				// A name that no table of a lake can have.
				return fmt.Sprintf("%s aside %d", name, i)
			})
			for _, c := range step.Checks {
				if c.Aside == "" {
					continue
				}
				metadata, err := st.draft.HandedAside(fmt.Sprintf("%saside/%s/%d", e.engine.Folder(x.id), name, len(aside)))
				if err != nil {
					return p, err
				}
				aside = append(aside, spark.Table{Name: c.Aside, Metadata: metadata})
			}
			p.Tables = append(p.Tables, aside...)
			step.SQL = e.tables[name].sql
			for _, c := range s.Table.Columns {
				step.Columns = append(step.Columns, spark.Column{Name: schema.StoredName(c.Name)})
			}
			if asks := e.tables[name].ledger; asks != nil {
				step.Ledger = &spark.Ledger{Uniques: append([]string{}, asks.Uniques...), Counts: asks.Counts}
			}
			need(s.Table.Inputs...)
		}
		for _, c := range now {
			need(x.w.mentioned(c)...)
		}
		if len(now) > 0 {
			for a := range x.w.ancestors(s.Table) {
				need(a)
			}
		}
		p.Steps = append(p.Steps, step)
	}
	for t, checks := range x.lateChecks() {
		p.Late = append(p.Late, spark.Late{Table: t.Name, Checks: e.tables[t.Name].asks(checks, nil)})
		need(t.Name)
		for _, c := range checks {
			need(x.w.mentioned(c)...)
		}
		for a := range x.w.ancestors(t) {
			need(a)
		}
	}
	for _, t := range x.w.Graph.Tables {
		if !needed[t.Name] || slices.ContainsFunc(p.Tables, func(have spark.Table) bool { return have.Name == t.Name }) {
			continue
		}
		metadata, err := x.handed(ctx, t)
		if err != nil {
			return p, err
		}
		p.Tables = append(p.Tables, spark.Table{Name: t.Name, Metadata: metadata})
	}
	return p, nil
}

// handed describes a table that the job reads: as this run has loaded it, as it is published, or as one without rows.
func (x *execution) handed(ctx context.Context, t *model.Table) (json.RawMessage, error) {
	if st := x.state(t.Name); st != nil && st.draft != nil && t.Landing != nil {
		return st.draft.Table().Handed()
	}
	if have := x.view.Table(t.Stored()); have != nil {
		return have.Handed()
	}
	d, err := x.w.Lake.Draft(ctx, x.view, t.Stored(), shape(t))
	if err != nil {
		return nil, err
	}
	return d.Table().Handed()
}

// begin notes that the job makes a table.
func (x *execution) begin(ctx context.Context, s plan.Step) (err error) {
	st := &state{table: s.Table, version: x.id, record: TableRecord{Name: s.Table.Name, Zone: s.Table.Zone, Action: s.Action, Reasons: s.Reasons}}
	if st.draft, err = x.w.Lake.Draft(ctx, x.view, s.Table.Stored(), shape(s.Table)); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.states[s.Table.Name] = st
	return nil
}

// job runs a plan, which can be one to load landing files, and waits for it. Which job it is, and all that publishing it needs,
// is written down before.
func (x *execution) job(ctx context.Context, p spark.Plan, loading bool, tell func(spark.State, spark.Progress)) (*spark.Result, error) {
	e := x.w.elsewhere.engine
	x.w.elsewhere.used = true
	h, err := e.Prepare(ctx, p)
	if err != nil {
		return nil, err
	}
	left, err := x.save(ctx, h, loading)
	if err != nil {
		return nil, err
	}
	x.w.reached("job prepared")
	if left.Job, err = e.Start(ctx, h); err != nil {
		return nil, err
	}
	x.w.reached("job started")
	// It is under way, whatever has happened to this process meanwhile.
	if err := x.w.noteJob(context.WithoutCancel(ctx), left); err != nil {
		return nil, errors.Join(err, e.Cancel(context.WithoutCancel(ctx), left.Job))
	}
	x.w.reached("job noted")
	return x.await(ctx, left.Job, tell)
}

// await waits for the end of a job. Ctrl-C ends it. A terminal that is gone and a lock that was lost leave it to whoever
// comes next.
func (x *execution) await(ctx context.Context, h spark.Handle, tell func(spark.State, spark.Progress)) (*spark.Result, error) {
	e := x.w.elsewhere.engine
	r, err := e.Wait(ctx, h, tell)
	if err != nil && ctx.Err() != nil && !leaves(context.Cause(ctx)) {
		return nil, errors.Join(err, e.Cancel(context.WithoutCancel(ctx), h))
	}
	return r, err
}

// follow passes on how far a job is.
func (x *execution) follow(steps int) func(spark.State, spark.Progress) {
	finished := 0
	return func(s spark.State, p spark.Progress) {
		for _, f := range p.Finished[min(finished, len(p.Finished)):] {
			x.tell(Event{Table: f.Table, Rows: f.Rows, Finished: true})
			finished++
		}
		if p.Now != nil && finished < steps {
			e := Event{Table: p.Now.Table, Phase: p.Now.Phase}
			if p.Total > 0 {
				e.Done, e.Total = 1000*p.Done/p.Total, 1000
			}
			x.tell(e)
		}
	}
}

// placed gives an error of Spark its place in the model's own file.
func (x *execution) placed(err error) error {
	var step *spark.StepError
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
	line, col := t.Model.Source.Place(x.w.offset(t, step))
	return fmt.Errorf("%s:%d:%d: %w", t.Model.Source.File, line, col, err)
}

// offset finds what a place in a model's Spark SQL is in its file: the first expression of it whose place is known, or the last
// one before it.
func (w *Workspace) offset(t *model.Table, e *spark.StepError) int {
	at := t.Model.SQLStart
	if e.Start < 0 || e.What != "model" {
		return at
	}
	start, end := byteOf(w.elsewhere.tables[t.Name].sql, e.Start), byteOf(w.elsewhere.tables[t.Name].sql, e.End)
	for _, p := range t.Query.Places(sqltree.SparkDialect, func(r sqltree.TableRef) string { return w.sparkFrom(r.Name) }) {
		if p.Start >= end {
			break
		}
		at = p.Offset
		if p.Start >= start {
			break
		}
	}
	return at
}

// byteOf gives the byte of a text at a place that Java counts, in units of UTF-16.
func byteOf(text string, units int) int {
	for i, r := range text {
		if units <= 0 {
			return i
		}
		units -= utf16.RuneLen(r)
	}
	return len(text)
}

// take makes the run's drafts of what the job has written and answered.
func (x *execution) take(ctx context.Context, steps map[string]plan.Step, r *spark.Result) error {
	x.record.Versions["spark"] = r.Spark
	for _, s := range r.Steps {
		st := x.state(s.Table)
		if st == nil || st.draft == nil {
			return fmt.Errorf("the Spark job answers for %s, which it was not asked to make", s.Table)
		}
		if err := x.takeStep(ctx, steps[s.Table], st, s); err != nil {
			return err
		}
	}
	if len(r.Steps) != len(steps) {
		return fmt.Errorf("the Spark job answers for %d tables, and was asked to make %d", len(r.Steps), len(steps))
	}
	for _, l := range r.Late {
		st := x.state(l.Table)
		results, err := x.judged(ctx, st, l.Checks, st.rows)
		if err != nil {
			return err
		}
		st.checks = append(st.checks, results...)
	}
	return nil
}

func (x *execution) takeStep(ctx context.Context, s plan.Step, st *state, r spark.StepResult) error {
	t := st.table
	st.record.Seconds = r.Seconds
	var err error
	if s.Action == plan.Amend {
		if st.checks, err = x.judged(ctx, st, r.Checks, r.Rows); err != nil {
			return err
		}
		return x.amended(ctx, st)
	}
	if st.checks, err = x.judged(ctx, st, r.Checks, r.Rows); err != nil {
		return err
	}
	for _, a := range r.Aside {
		if err := x.aside(ctx, st, a); err != nil {
			return err
		}
	}
	summary, err := x.summary(t)
	if err != nil {
		return err
	}
	if st.rows, err = st.draft.Take(ctx, x.id, r.Snapshot, summary); err != nil {
		return err
	}
	if st.rows != r.Rows {
		return fmt.Errorf("table %s: its data files hold %d rows, and Spark has counted %d", t.Name, st.rows, r.Rows)
	}
	if len(r.Aside) > 0 {
		left, err := x.w.Lake.Superseded(ctx, r.Before, r.Snapshot)
		if err != nil {
			return err
		}
		if err := x.w.Lake.Discard(ctx, left); err != nil {
			return err
		}
	}
	if err := x.account(ctx, st, counted(r.Ledger), r.Made); err != nil {
		return err
	}
	before, err := x.before(ctx, t)
	if err != nil {
		return err
	}
	st.record.Rows, st.record.Added, st.record.Removed = st.rows, st.rows, before
	st.record.Quarantined += st.putAside
	x.mu.Lock()
	x.rebuilt[t.Name] = true
	x.mu.Unlock()
	return nil
}

// judged makes results of the answers about a table's checks.
func (x *execution) judged(ctx context.Context, st *state, answers []spark.CheckResult, rows int64) ([]check.Result, error) {
	t := st.table
	out := []check.Result{}
	for _, r := range answers {
		asked, ok := x.w.elsewhere.tables[t.Name].checks[r.Name]
		if !ok {
			return nil, fmt.Errorf("the Spark job answers for check %s of %s, which there is not", r.Name, t.Name)
		}
		a := check.Answer{Number: r.Failing, Sample: r.Sample, Seconds: r.Seconds}
		if asked.Check.Kind == "row_count" {
			a.Number = rows
		}
		if r.Newest != nil {
			newest, err := isoTime(*r.Newest)
			if err != nil {
				return nil, fmt.Errorf("check %s of %s: %w", r.Name, t.Name, err)
			}
			a.Newest = &newest
		}
		if r.Rest != "" {
			raw, err := x.w.elsewhere.engine.File(ctx, x.id, r.Rest)
			if err != nil {
				return nil, err
			}
			a.Rest = filepath.Join(x.w.failedDir(), t.Name+"."+r.Name+".json")
			if err := os.MkdirAll(x.w.failedDir(), 0o755); err != nil {
				return nil, err
			}
			if err := os.WriteFile(a.Rest, raw, 0o644); err != nil {
				return nil, err
			}
		}
		out = append(out, asked.Judge(a, x.w.now()))
	}
	return out, nil
}

// isoTime reads a date or timestamp without a zone, which is UTC.
func isoTime(text string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02", "2006-01-02T15:04:05Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time", text)
}

// aside notes the rows that a check took out. Quarantined ones are written as the engine in the process writes them, so that
// an entry is the same whoever has found it.
func (x *execution) aside(ctx context.Context, st *state, a spark.Aside) error {
	if len(a.Snapshot) == 0 || string(a.Snapshot) == "null" {
		st.dropped = append(st.dropped, ledger.Drop{Reason: "check " + a.Check, Rows: a.Rows})
		return nil
	}
	t := st.table
	files, err := x.w.Lake.HandedFiles(ctx, a.Snapshot)
	if err != nil {
		return err
	}
	paths, err := x.held.Paths(ctx, files)
	if err != nil {
		return err
	}
	var n int64
	for _, f := range files {
		n += f.Rows
	}
	if n != a.Rows {
		return fmt.Errorf("table %s: %d rows were put aside by check %s, and Spark has counted %d", t.Name, n, a.Check, a.Rows)
	}
	query := "SELECT to_json(" + schema.Quote(t.Name) + ")::VARCHAR, NULL::VARCHAR FROM " + duckdb.Scan(t.Columns, paths) + " AS " + schema.Quote(t.Name)
	if err := x.quarantine.AddRows(ctx, t.Name, a.Check, query); err != nil {
		return err
	}
	st.putAside += n
	return nil
}

// counted answers the questions of an account with what the job has found.
func counted(r *spark.LedgerResult) ledger.Counter {
	return func(_ context.Context, f *sqltree.Flow) ([]sql.NullInt64, error) {
		if r == nil || len(r.Counts) != len(f.Steps)+1 {
			return nil, errors.New("the Spark job has not counted the rows")
		}
		out := make([]sql.NullInt64, len(r.Counts))
		for i, n := range r.Counts {
			if n != nil {
				out[i] = sql.NullInt64{Int64: *n, Valid: true}
			}
		}
		return out, nil
	}
}
