package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tarn/internal/lake"
)

// ErrUnknownRun says that no published run has the given id, or none was published by the given time.
var ErrUnknownRun = errors.New("no such run")

// Past is a run of the lake's account.
type Past struct {
	Run      string    `json:"run"`
	Kind     string    `json:"kind"` // run, rollback, drop or quarantine
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	// State has the snapshot of every table after the run.
	State map[string]int64 `json:"-"`
	// Record is what `tarn run --json` printed.
	Record json.RawMessage `json:"record,omitempty"`
}

// Runs lists all published runs, newest first.
func (w *Workspace) Runs(ctx context.Context, v *lake.View) ([]Past, error) {
	var out []Past
	err := w.scan(ctx, v, RunsTable, "SELECT run_id, kind, started_at, finished_at, state, record FROM %s ORDER BY finished_at DESC, run_id DESC", func(next func(...any) error) error {
		var p Past
		var state, record string
		if err := next(&p.Run, &p.Kind, &p.Started, &p.Finished, &state, &record); err != nil {
			return err
		}
		p.Record = json.RawMessage(record)
		out = append(out, p)
		return json.Unmarshal([]byte(state), &out[len(out)-1].State)
	})
	return out, err
}

// At finds the run that readers saw at a moment: by its id, or the last one finished by a time (RFC 3339, or
// "2006-01-02 15:04:05" or "2006-01-02" in UTC).
func (w *Workspace) At(ctx context.Context, v *lake.View, runOrTime string) (Past, error) {
	runs, err := w.Runs(ctx, v)
	if err != nil {
		return Past{}, err
	}
	for _, r := range runs {
		if r.Run == runOrTime {
			return r, nil
		}
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02"} {
		t, err := time.Parse(layout, runOrTime)
		if err != nil {
			continue
		}
		for _, r := range runs {
			if !r.Finished.After(t) {
				return r, nil
			}
		}
		return Past{}, fmt.Errorf("%w by %s", ErrUnknownRun, t.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	return Past{}, fmt.Errorf("%w: %s (tarn runs lists them)", ErrUnknownRun, runOrTime)
}

// ViewAt gives the tables as they were after a run. Snapshots that gc has expired are an error.
func (w *Workspace) ViewAt(ctx context.Context, v *lake.View, p Past) (*lake.View, error) {
	return w.Lake.At(ctx, v, p.State)
}
