package spark

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"unicode/utf16"

	"tarn/internal/engine"
	"tarn/internal/schema"
	"tarn/internal/sqltree"
)

// Language implements [engine.Engine].
func (e *Engine) Language() engine.Language {
	return engine.Language{Dialect: sqltree.SparkDialect,
		From: func(database, table string) string {
			return Catalog + "." + schema.SparkQuote(database) + "." + schema.SparkQuote(table)
		},
		Some: func(column string) string { return "slice(collect_set(" + column + "), 1, 5)" }}
}

// InProcess implements [engine.Engine].
func (e *Engine) InProcess() bool { return false }

// Home implements [engine.Lasting].
func (e *Engine) Home() string { return e.Own }

// Loads implements [engine.Loader].
func (e *Engine) Loads() engine.Loads { return e.Loading }

// OnThisMachine implements [engine.Loader].
func (e *Engine) OnThisMachine() bool { return e.Worker.InPlace }

// Build implements [engine.Engine].
func (e *Engine) Build(ctx context.Context, j engine.Job, t engine.Tables) (*engine.Result, error) {
	p, err := e.plan(ctx, j, t)
	if err != nil {
		return nil, err
	}
	return e.work(ctx, p, j, t)
}

// Load implements [engine.Loader].
func (e *Engine) Load(ctx context.Context, j engine.Job, batches []engine.Batch) (*engine.Result, error) {
	l, err := e.reading(ctx, batches)
	if err != nil {
		return nil, err
	}
	p := Plan{Run: j.Run, Database: j.Database, Settings: [][2]string{}, Tables: []Table{}, Steps: []Step{}, Late: []Late{}, Load: l}
	return e.work(ctx, p, j, nil)
}

// Resume implements [engine.Lasting].
func (e *Engine) Resume(ctx context.Context, h Handle, j engine.Job, t engine.Tables) (*engine.Result, error) {
	p, err := e.planOf(ctx, h)
	if err != nil {
		return nil, &unheard{h.ID, err}
	}
	if h.Offered {
		return e.resumeOffered(ctx, h, p, j, t)
	}
	if h, err = e.Find(ctx, h); err != nil {
		return nil, err
	}
	if h.ID == "" {
		return e.started(ctx, h, p, j, t)
	}
	return e.attend(ctx, h, p, j, t)
}

// plan writes the plan of a job.
func (e *Engine) plan(ctx context.Context, j engine.Job, t engine.Tables) (Plan, error) {
	p := Plan{Run: j.Run, Database: j.Database, Settings: sqltree.SparkSettings(), Tables: []Table{}, Steps: []Step{}, Late: []Late{}}
	there := map[string]bool{}
	add := func(name string, metadata json.RawMessage, err error) error {
		there[name] = true
		p.Tables = append(p.Tables, Table{Name: name, Metadata: metadata})
		return err
	}
	var needed []string
	for _, s := range j.Steps {
		needed = append(append(needed, s.Reads...), s.Traces...)
		step := Step{Table: s.Table, Rows: e.Language().Rows(j.Database, s.Table, s.Columns), SQL: s.SQL, Columns: []Column{}, Checks: append([]Check{}, s.Checks...), Ledger: s.Ledger, After: made(s, p.Steps)}
		for i, c := range step.Checks {
			step.Checks[i].Full = stored(c.Full)
		}
		if s.SQL == "" {
			needed = append(needed, s.Table)
			p.Steps = append(p.Steps, step)
			continue
		}
		for _, c := range s.Columns {
			step.Columns = append(step.Columns, Column{Name: schema.StoredName(c.Name)})
		}
		metadata, err := t.Staged(s.Table, e.Folder(j.Run)+"metadata/"+s.Table)
		if err := add(s.Table, metadata, err); err != nil {
			return p, err
		}
		for i := range step.Checks {
			c := &step.Checks[i]
			if c.OnFail != engine.Quarantine {
				continue
			}
			// A name that no table of a lake can have.
			c.Aside = fmt.Sprintf("%s aside %d", s.Table, i)
			metadata, err := t.Aside(s.Table, fmt.Sprintf("%saside/%s/%d", e.Folder(j.Run), s.Table, i))
			if err := add(c.Aside, metadata, err); err != nil {
				return p, err
			}
		}
		p.Steps = append(p.Steps, step)
	}
	for _, l := range j.Late {
		needed = append(append(needed, l.Reads...), l.Traces...)
		p.Late = append(p.Late, Late{Table: l.Table, Checks: l.Checks})
	}
	for _, name := range needed {
		if there[name] {
			continue
		}
		metadata, err := t.Metadata(ctx, name)
		if err := add(name, metadata, err); err != nil {
			return p, err
		}
	}
	return p, nil
}

// made are the tables of earlier steps that a step reads.
func made(s engine.Step, earlier []Step) []string {
	out := []string{}
	for _, e := range earlier {
		if slices.Contains(s.Reads, e.Table) || slices.Contains(s.Traces, e.Table) {
			out = append(out, e.Table)
		}
	}
	return out
}

// stored gives columns the names that they have in the table.
func stored(columns []string) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = schema.StoredName(c)
	}
	return out
}

// planOf reads what a job was started with.
func (e *Engine) planOf(ctx context.Context, h Handle) (p Plan, err error) {
	raw, err := e.File(ctx, h.Run, "plan.json")
	if err == nil {
		err = json.Unmarshal(raw, &p)
	}
	return p, err
}

// work starts the job of a plan and sees it through.
func (e *Engine) work(ctx context.Context, p Plan, j engine.Job, t engine.Tables) (*engine.Result, error) {
	h, err := e.Prepare(ctx, p)
	if err != nil {
		return nil, err
	}
	if err := j.Note(ctx, h); err != nil {
		return nil, err
	}
	return e.started(ctx, h, p, j, t)
}

// started starts a job that is noted.
func (e *Engine) started(ctx context.Context, h Handle, p Plan, j engine.Job, t engine.Tables) (_ *engine.Result, err error) {
	if h, err = e.Start(ctx, h); err != nil {
		return nil, err
	}
	// It is under way, whatever has happened to this process meanwhile.
	if err := j.Note(context.WithoutCancel(ctx), h); err != nil {
		return nil, errors.Join(err, e.Cancel(context.WithoutCancel(ctx), h))
	}
	return e.attend(ctx, h, p, j, t)
}

// attend waits for the end of a job, and brings what has come of it to this machine.
func (e *Engine) attend(ctx context.Context, h Handle, p Plan, j engine.Job, t engine.Tables) (*engine.Result, error) {
	r, err := e.Wait(ctx, h, follow(p, j.Tell))
	if err != nil {
		return nil, err
	}
	return e.brought(ctx, h, r, t)
}

// brought gives a result when all that belongs to it is on this machine.
func (e *Engine) brought(ctx context.Context, h Handle, r *Result, t engine.Tables) (*engine.Result, error) {
	for _, s := range r.Steps {
		if err := e.bring(ctx, h, s.Table, s.Checks, t); err != nil {
			return nil, err
		}
	}
	for _, l := range r.Late {
		if err := e.bring(ctx, h, l.Table, l.Checks, t); err != nil {
			return nil, err
		}
	}
	return &engine.Result{Version: r.Spark, Steps: r.Steps, Late: r.Late}, nil
}

// bring copies the rows of a table that failed checks to this machine.
func (e *Engine) bring(ctx context.Context, h Handle, table string, checks []CheckResult, t engine.Tables) error {
	for i := range checks {
		c := &checks[i]
		if c.Rest == "" {
			continue
		}
		raw, err := e.File(ctx, h.Run, c.Rest)
		if err != nil {
			return err
		}
		c.Rest = t.Rest(table, c.Name)
		if err := os.MkdirAll(filepath.Dir(c.Rest), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(c.Rest, raw, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// follow passes on how far a job is.
func follow(p Plan, tell func(engine.Event)) func(State, Progress) {
	if p.Load != nil {
		return followLoad(p.Load.Batches, tell)
	}
	finished := 0
	return func(_ State, now Progress) {
		for _, f := range now.Finished[min(finished, len(now.Finished)):] {
			tell(engine.Event{Table: f.Table, Rows: f.Rows, Finished: true})
			finished++
		}
		if now.Now == nil || finished >= len(p.Steps) {
			return
		}
		e := engine.Event{Table: now.Now.Table, Phase: engine.Phase(now.Now.Phase)}
		if now.Total > 0 {
			e.Done, e.Total = 1000*now.Done/now.Total, 1000
		}
		tell(e)
	}
}

// followLoad passes on how far the reading of landing files is.
func followLoad(batches []Batch, tell func(engine.Event)) func(State, Progress) {
	total := map[string]int64{}
	for _, b := range batches {
		total[b.Table] += b.Bytes
	}
	return func(_ State, now Progress) {
		for table, all := range total {
			tell(engine.Event{Table: table, Phase: engine.Loading, Done: now.Read[table], Total: all})
		}
	}
}

// placed tells where in a step's SQL it has failed, in bytes.
func (e *Engine) placed(ctx context.Context, h Handle, err *StepError) *StepError {
	err.Engine = "Spark"
	if err.Start < 0 {
		return err
	}
	start, end := err.Start, err.End
	err.Start, err.End = -1, -1
	p, unread := e.planOf(ctx, h)
	if unread != nil {
		return err
	}
	for _, s := range p.Steps {
		if s.Table == err.Table {
			err.Start, err.End = byteOf(s.SQL, start), byteOf(s.SQL, end)
		}
	}
	return err
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
