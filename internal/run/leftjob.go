package run

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"tarn/internal/check"
	"tarn/internal/engine"
	"tarn/internal/lake"
	"tarn/internal/ledger"
	"tarn/internal/load"
	"tarn/internal/plan"
	"tarn/internal/store"
)

// ErrTerminalGone is the cause of a context that ended because nobody is there any more to see the end (SIGHUP). A job that is
// under way then goes on, and the next run finishes it.
var ErrTerminalGone = errors.New("the terminal is gone")

// leftJob is a run whose job was started, as it lies beside the tables until the run has ended: all that another process
// needs to go on with it. There is at most one, as only the holder of the lock makes one.
type leftJob struct {
	Job engine.Handle `json:"job"`
	// Lake identifies definitions, settings and selection: only a run of the same goes on with it.
	Lake string `json:"lake"`
	Run  string `json:"run"`
	// Loading says that the job reads landing files, so that all else is still to be done; what there was to load is in the file
	// workFile of the job's folder.
	Loading bool      `json:"loading,omitempty"`
	Started time.Time `json:"started"`
	// Pointers is where the tables stood.
	Pointers map[string]string         `json:"pointers"`
	Steps    []savedStep               `json:"steps"`
	Loaded   []savedState              `json:"loaded"`
	Reread   map[string][]load.Counted `json:"reread"`
	Again    map[string][]string       `json:"again"`
	Orphans  []string                  `json:"orphans,omitempty"`
	// Quarantine says that the run's folder has a file of rows that could not be loaded.
	Quarantine bool `json:"quarantine"`
}

// savedStep is a step of the plan without what there was to load.
type savedStep struct {
	Table   string      `json:"table"`
	Action  plan.Action `json:"action"`
	Reasons []string    `json:"reasons,omitempty"`
}

// savedWork is what there was to load for a step.
type savedWork struct {
	Work  load.Work `json:"work"`
	Prune bool      `json:"prune,omitempty"`
}

// workFile has a savedWork for each landing table, by name.
const workFile = "work.json"

// savedState is a landing table as the run has loaded it.
type savedState struct {
	Draft    lake.Saved     `json:"draft"`
	Table    string         `json:"table"`
	Version  string         `json:"version"`
	Rows     int64          `json:"rows"`
	Record   TableRecord    `json:"record"`
	Load     *LoadRecord    `json:"load,omitempty"`
	Checks   []check.Result `json:"checks,omitempty"`
	PutAside int64          `json:"put_aside,omitempty"`
	Dropped  []ledger.Drop  `json:"dropped,omitempty"`
}

// quarantineFile holds the rows that could not be loaded, in the run's folder.
const quarantineFile = "quarantine.parquet"

// identity tells runs apart that would not make the same tables.
func (w *Workspace) identity(s Selection) (string, error) {
	h := sha256.New()
	for _, t := range w.Graph.Tables {
		fmt.Fprintf(h, "%s\x00%s\x00%s\x00", t.Name, t.Hash, t.Notes)
	}
	s.Tables = append([]string{}, s.Tables...)
	raw, err := json.Marshal([]any{w.Project.Config.Spark, s})
	h.Write(raw)
	return hex.EncodeToString(h.Sum(nil)[:12]), err
}

// save writes the run down before its job is started.
func (x *execution) save(ctx context.Context, h engine.Handle, loading bool) (*leftJob, error) {
	identity, err := x.w.identity(x.selection)
	if err != nil {
		return nil, err
	}
	j := &leftJob{Job: h, Lake: identity, Run: x.id, Loading: loading, Started: x.started, Pointers: pointers(x.view), Reread: x.reread, Again: x.again, Orphans: x.record.Orphans}
	for _, s := range x.plan.Steps {
		j.Steps = append(j.Steps, savedStep{Table: s.Table.Name, Action: s.Action, Reasons: s.Reasons})
		st := x.state(s.Table.Name)
		if s.Table.Landing == nil || st == nil || st.draft == nil {
			continue
		}
		j.Loaded = append(j.Loaded, savedState{Draft: st.draft.Save(), Table: s.Table.Name, Version: st.version, Rows: st.rows, Record: st.record, Load: st.load,
			Checks: st.checks, PutAside: st.putAside, Dropped: st.dropped})
	}
	n, err := x.quarantine.Count(ctx)
	if err != nil {
		return nil, err
	}
	if j.Quarantine = n > 0; j.Quarantine {
		if err := x.saveQuarantine(ctx); err != nil {
			return nil, err
		}
	}
	return j, x.w.noteJob(ctx, j)
}

func (x *execution) saveQuarantine(ctx context.Context) error {
	path := filepath.Join(x.w.tempDir(), quarantineFile)
	if err := os.MkdirAll(x.w.tempDir(), 0o755); err != nil {
		return err
	}
	if err := x.quarantine.Save(ctx, path); err != nil {
		return err
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return errors.Join(x.w.putFile(ctx, x.w.jobs.Folder(x.id)+quarantineFile, raw), os.Remove(path))
}

// noteJob writes which job is under way.
func (w *Workspace) noteJob(ctx context.Context, j *leftJob) error {
	raw, err := json.Marshal(j)
	if err != nil {
		return err
	}
	w.jobs.noted = true
	return w.putFile(ctx, w.jobs.leftAt(), raw)
}

func (w *Workspace) putFile(ctx context.Context, location string, content []byte) error {
	s, key, err := w.Lake.Stores().Locate(ctx, location)
	if err != nil {
		return err
	}
	_, err = s.Put(ctx, key, bytes.NewReader(content), store.Condition{})
	return err
}

// left reads which run has a job that it did not see the end of, or gives nil.
func (w *Workspace) left(ctx context.Context) (*leftJob, error) {
	if w.jobs == nil {
		return nil, nil
	}
	raw, err := store.ReadLocation(ctx, w.Lake.Stores(), w.jobs.leftAt())
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var j leftJob
	if err := json.Unmarshal(raw, &j); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", w.jobs.leftAt(), err)
	}
	return &j, nil
}

func pointers(v *lake.View) map[string]string {
	out := map[string]string{}
	for _, name := range v.Names() {
		out[name] = v.Table(name).MetadataLocation()
	}
	return out
}

// resumable reports whether this run can go on with another one's job: nothing that decides the tables has changed since.
func (w *Workspace) resumable(j *leftJob, v *lake.View, s Selection) bool {
	identity, err := w.identity(s)
	return err == nil && identity == j.Lake && maps.Equal(pointers(v), j.Pointers)
}

// abandon ends a job that nobody goes on with, and removes what its run has left.
func (w *Workspace) abandon(ctx context.Context, v *lake.View, j *leftJob) error {
	if err := w.jobs.Cancel(ctx, j.Job); err != nil {
		return err
	}
	if published(v, j.Run) {
		return w.forgetJob(ctx, j.Run)
	}
	g, err := w.Lake.LeftBy(ctx, v, j.Run)
	if err != nil {
		return err
	}
	if err := w.Lake.Remove(ctx, g); err != nil {
		return err
	}
	for _, s := range j.Loaded {
		if err := w.Lake.Discard(ctx, s.Draft.Metadata); err != nil {
			return err
		}
	}
	return w.forgetJob(ctx, j.Run)
}

// resume makes the execution be what it was in the process that started the job.
func (x *execution) resume(ctx context.Context, j *leftJob) error {
	x.id, x.started = j.Run, j.Started
	x.plan = &plan.Plan{Orphans: j.Orphans}
	for _, s := range j.Steps {
		t := x.w.Graph.Table(s.Table)
		if t == nil {
			return fmt.Errorf("resume run %s: %w: %s", j.Run, ErrUnknownTable, s.Table)
		}
		x.plan.Steps = append(x.plan.Steps, plan.Step{Table: t, Action: s.Action, Reasons: s.Reasons})
	}
	if j.Reread != nil {
		x.reread = j.Reread
	}
	if j.Again != nil {
		x.again = j.Again
	}
	var err error
	if x.quarantine, err = load.NewQuarantine(ctx, x.w.Engine, x.id, utc(x.started)); err != nil {
		return err
	}
	if err := x.unchanged(ctx); err != nil {
		return err
	}
	for _, s := range j.Loaded {
		st := &state{table: x.w.Graph.Table(s.Table), version: s.Version, rows: s.Rows, record: s.Record, load: s.Load, checks: s.Checks, putAside: s.PutAside, dropped: s.Dropped}
		if st.draft, err = x.w.Lake.Resume(ctx, x.view, s.Draft); err != nil {
			return err
		}
		x.states[s.Table] = st
	}
	if !j.Quarantine {
		return nil
	}
	raw, err := store.ReadLocation(ctx, x.w.Lake.Stores(), x.w.jobs.Folder(j.Run)+quarantineFile)
	if err != nil {
		return err
	}
	path := filepath.Join(x.w.tempDir(), quarantineFile)
	if err := os.MkdirAll(x.w.tempDir(), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		return err
	}
	return errors.Join(x.quarantine.Restore(ctx, path), os.Remove(path))
}

// resumeLoad goes on with another process's run whose job reads landing files.
func (x *execution) resumeLoad(ctx context.Context, j *leftJob) error {
	raw, err := store.ReadLocation(ctx, x.w.Lake.Stores(), x.w.jobs.Folder(j.Job.Run)+workFile)
	if err != nil {
		return err
	}
	var work map[string]savedWork
	if err := json.Unmarshal(raw, &work); err != nil {
		return fmt.Errorf("resume run %s: %w", j.Run, err)
	}
	for i, s := range x.plan.Steps {
		x.plan.Steps[i].Work, x.plan.Steps[i].Prune = work[s.Table.Name].Work, work[s.Table.Name].Prune
	}
	return x.work(ctx, j)
}

// rejoin goes on with another process's run where its job was or is.
func (x *execution) rejoin(ctx context.Context, j *leftJob) error {
	steps, made := x.modelSteps(), tables{x, map[string]*state{}}
	for _, s := range steps {
		st, err := x.begin(ctx, s)
		if err != nil {
			return err
		}
		made.made[s.Table.Name] = st
		x.keep(st)
	}
	r, err := x.resumed(ctx, j, made)
	if err != nil {
		return x.placed(x.w.maker, err)
	}
	return x.take(ctx, x.w.maker, made, steps, r)
}
