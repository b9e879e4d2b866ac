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
	"strings"
	"time"

	"tarn/internal/catalog"
	"tarn/internal/check"
	"tarn/internal/engine"
	"tarn/internal/lake"
	"tarn/internal/ledger"
	"tarn/internal/load"
	"tarn/internal/plan"
	"tarn/internal/project"
	"tarn/internal/store"
)

// A run can be begun by one process and ended by another. What the next one needs lies beside the tables: which tables are done
// (their drafts, rows and answers), which job is under way, what there is left to load, and the rows that were put aside. It is
// written before a job is waited for and when time is short, and there is at most one, as only the holder of the lock writes it.

// ErrTerminalGone is the cause of a context that ended because nobody is there any more to see the end (SIGHUP). A job that is
// under way then goes on, and the next run finishes it.
var ErrTerminalGone = errors.New("the terminal is gone")

// leftRun is a run that was begun, as it lies beside the tables until it has ended.
type leftRun struct {
	// Job is under way or was; nil where the run has stopped between two steps.
	Job *engine.Handle `json:"job,omitempty"`
	// Lake identifies definitions, settings and selection: only a run of the same goes on with it.
	Lake string `json:"lake"`
	Run  string `json:"run"`
	// Loading says that the job reads landing files, so that all else is still to be done.
	Loading bool      `json:"loading,omitempty"`
	Started time.Time `json:"started"`
	// Pointers is where the tables stood.
	Pointers map[string]string         `json:"pointers"`
	Steps    []savedStep               `json:"steps"`
	Done     []savedState              `json:"done"`
	Reread   map[string][]load.Counted `json:"reread"`
	Again    map[string][]string       `json:"again"`
	Rebuilt  []string                  `json:"rebuilt,omitempty"`
	Orphans  []string                  `json:"orphans,omitempty"`
	Warnings []string                  `json:"warnings,omitempty"`
	// Events tells what the run was given to look at, and Named are the files that it names.
	Events *EventsRecord `json:"events,omitempty"`
	Named  []string      `json:"named,omitempty"`
	// Quarantine says that the run's folder has a file of rows that could not be loaded.
	Quarantine bool `json:"quarantine"`
	// Parts says that landing tables of many files are read in batches, of which answers may be there.
	Parts bool `json:"parts,omitempty"`
	// Cut counts how often a process had no time left in the middle of a step, by table.
	Cut map[string]int `json:"cut,omitempty"`
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
	Full  bool      `json:"full,omitempty"`
}

// savedState is a table as the run has made it.
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

const (
	// quarantineFile holds the rows that could not be loaded, and workFile a savedWork for each landing table, by name; both are
	// in the folder of the run.
	quarantineFile = "quarantine.parquet"
	workFile       = "work.json"
)

// leaving is what a workspace knows of the run that it leaves or finds.
type leaving struct {
	// used says that there is something to tidy up, noted that another process can go on with it.
	used, noted bool
	// job is the handle of what was noted last, if that has one.
	job *engine.Handle
	// etag is that of the note, "" where there is none: whoever has lost the lock does not write over the note of the next.
	etag string
	// work says that what there was to load is noted.
	work bool
}

// ownPlace is the location of the folder for what a run keeps beside the tables, without a slash at its end.
func (w *Workspace) ownPlace() string {
	if c := w.Project.Config; project.Remote(c.Warehouse) {
		return c.Warehouse + "/" + lake.OwnFolder(c.Stored)
	}
	return "file://" + w.Project.StateDir()
}

// leftAt is where it is written which run is under way, leftFolder that of what belongs to it.
func (w *Workspace) leftAt() string               { return w.ownPlace() + "/left.json" }
func (w *Workspace) leftFolder(run string) string { return w.ownPlace() + "/left/" + run + "/" }

// identity tells runs apart that would not make the same tables.
func (w *Workspace) identity(s Selection) (string, error) {
	h := sha256.New()
	for _, t := range w.Graph.Tables {
		fmt.Fprintf(h, "%s\x00%s\x00%s\x00", t.Name, t.Hash, t.Notes)
	}
	s.Tables = append([]string{}, s.Tables...)
	// These only say where to look.
	s.Events, s.Relist = nil, false
	raw, err := json.Marshal([]any{w.maker.kind, w.Project.Config.Spark, s})
	h.Write(raw)
	return hex.EncodeToString(h.Sum(nil)[:12]), err
}

// save writes the run down: what is done of it, and the job that is about to start, nil for none.
func (x *execution) save(ctx context.Context, h *engine.Handle, loading bool) (*leftRun, error) {
	identity, err := x.w.identity(x.selection)
	if err != nil {
		return nil, err
	}
	l := &leftRun{Job: h, Lake: identity, Run: x.id, Loading: loading, Started: x.started, Pointers: pointers(x.view), Reread: x.reread, Again: x.again,
		Orphans: x.record.Orphans, Warnings: x.record.Warnings, Events: x.record.Events, Named: x.named, Cut: x.pace.cut, Parts: x.batched}
	work := map[string]savedWork{}
	for _, s := range x.plan.Steps {
		l.Steps = append(l.Steps, savedStep{Table: s.Table.Name, Action: s.Action, Reasons: s.Reasons})
		if s.Table.Landing != nil {
			work[s.Table.Name] = savedWork{Work: s.Work, Prune: s.Prune, Full: s.Full}
		}
		st := x.state(s.Table.Name)
		if st == nil || st.draft == nil || !x.done(s) {
			continue
		}
		l.Done = append(l.Done, savedState{Draft: st.draft.Save(), Table: s.Table.Name, Version: st.version, Rows: st.rows, Record: st.record, Load: st.load,
			Checks: st.checks, PutAside: st.putAside, Dropped: st.dropped})
		if x.rebuilt[s.Table.Name] {
			l.Rebuilt = append(l.Rebuilt, s.Table.Name)
		}
	}
	x.w.leaving.used = true
	if !x.w.leaving.work {
		if err := x.w.putJSON(ctx, x.w.leftFolder(x.id)+workFile, work); err != nil {
			return nil, err
		}
		x.w.leaving.work = true
	}
	n, err := x.quarantine.Count(ctx)
	if err != nil {
		return nil, err
	}
	if l.Quarantine = n > 0; l.Quarantine {
		if err := x.saveQuarantine(ctx); err != nil {
			return nil, err
		}
	}
	x.w.reached("saving")
	return l, x.w.note(ctx, l)
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
	return errors.Join(x.w.putFile(ctx, x.w.leftFolder(x.id)+quarantineFile, raw), os.Remove(path))
}

// note writes which run is under way, over the note that this process has read or written last.
func (w *Workspace) note(ctx context.Context, l *leftRun) error {
	raw, err := json.Marshal(l)
	if err != nil {
		return err
	}
	s, key, err := w.Lake.Stores().Locate(ctx, w.leftAt())
	if err != nil {
		return err
	}
	o, err := s.Put(ctx, key, bytes.NewReader(raw), store.Condition{Absent: w.leaving.etag == "", ETag: w.leaving.etag})
	if errors.Is(err, store.ErrCondition) {
		// The answer to an earlier try can have been lost.
		have, now, readErr := s.Get(ctx, key)
		if readErr != nil || !bytes.Equal(have, raw) {
			return fmt.Errorf("%s was written by somebody else: %w", w.leftAt(), catalog.ErrLockLost)
		}
		o, err = now, nil
	}
	if err != nil {
		return err
	}
	w.leaving.noted, w.leaving.used, w.leaving.job, w.leaving.etag = true, true, l.Job, o.ETag
	return nil
}

func (w *Workspace) putFile(ctx context.Context, location string, content []byte) error {
	s, key, err := w.Lake.Stores().Locate(ctx, location)
	if err != nil {
		return err
	}
	_, err = s.Put(ctx, key, bytes.NewReader(content), store.Condition{})
	return err
}

// left reads which run another process has begun, or gives nil.
func (w *Workspace) left(ctx context.Context) (*leftRun, error) {
	w.leaving = leaving{}
	s, key, err := w.Lake.Stores().Locate(ctx, w.leftAt())
	if err != nil {
		return nil, err
	}
	raw, o, err := s.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	w.leaving.etag = o.ETag
	var l leftRun
	if err := json.Unmarshal(raw, &l); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", w.leftAt(), err)
	}
	return &l, nil
}

func pointers(v *lake.View) map[string]string {
	out := map[string]string{}
	for _, name := range v.Names() {
		out[name] = v.Table(name).MetadataLocation()
	}
	return out
}

// stale says why this run cannot go on with another one's work: something that decides the tables has changed since. "" is that it
// can.
func (w *Workspace) stale(l *leftRun, v *lake.View, s Selection) (string, error) {
	identity, err := w.identity(s)
	switch {
	case err != nil:
		return "", err
	case identity != l.Lake:
		return "definitions, settings or the choice of tables are others now", nil
	case !maps.Equal(pointers(v), l.Pointers):
		return "somebody else has published since", nil
	}
	return "", nil
}

// saved lists the drafts of a left run.
func (l *leftRun) saved() []lake.Saved {
	out := make([]lake.Saved, len(l.Done))
	for i, s := range l.Done {
		out[i] = s.Draft
	}
	return out
}

// abandon ends a run that nobody goes on with, its job with it, and removes what it has left.
func (w *Workspace) abandon(ctx context.Context, v *lake.View, l *leftRun) error {
	if l.Job != nil {
		if err := w.cancel(ctx, *l.Job); err != nil {
			return err
		}
	}
	if published(v, l.Run) {
		return w.forget(ctx, l.Run)
	}
	g, err := w.Lake.StagedBy(ctx, v, l.Run, l.saved())
	if err != nil {
		return err
	}
	if err := w.Lake.Remove(ctx, g); err != nil {
		return err
	}
	return w.forget(ctx, l.Run)
}

// forget removes the note of a run that has ended, and what belongs to it.
func (w *Workspace) forget(ctx context.Context, run string) error {
	if w.jobs != nil {
		if err := w.jobs.forget(ctx, run); err != nil {
			return err
		}
	}
	if err := w.removeLeft(ctx, run); err != nil {
		return err
	}
	w.leaving = leaving{}
	return w.Lake.Discard(ctx, []string{w.leftAt()})
}

// removeLeft deletes the folder of what a run keeps beside the tables.
func (w *Workspace) removeLeft(ctx context.Context, run string) error {
	if run == "" || strings.ContainsAny(run, `/\`) {
		return nil
	}
	if !project.Remote(w.Project.Config.Warehouse) {
		return os.RemoveAll(filepath.Join(w.Project.StateDir(), "left", run))
	}
	s, prefix, err := w.Lake.Stores().Locate(ctx, w.leftFolder(run))
	if err != nil {
		return err
	}
	return store.DeleteBelow(ctx, s, prefix)
}

// jobID is the engine's name of the job that is under way, or "".
func (l *leftRun) jobID() string {
	if l.Job == nil {
		return ""
	}
	return l.Job.ID
}
