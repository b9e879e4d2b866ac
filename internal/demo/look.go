package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"tarn/internal/check"
	"tarn/internal/engine/duckdb"
	"tarn/internal/lake"
	"tarn/internal/run"
)

// Check is one check's outcome, without the rows.
type Check struct {
	Table       string       `json:"table"`
	Name        string       `json:"name"`
	Status      check.Status `json:"status"`
	Failing     int64        `json:"failing"`
	Message     string       `json:"message,omitempty"`
	Description string       `json:"description,omitempty"`
	File        string       `json:"file"`
	Line        int          `json:"line"`
}

// Answer is a question to the tables and what they say.
type Answer struct {
	SQL string `json:"sql"`
	// Rows is an array of objects.
	Rows json.RawMessage `json:"rows"`
}

// Comparison tells what a join of step trainer and accelerometer readings on their time alone would give: what many people
// who know the course expect.
type Comparison struct {
	// Rows are those of machine_learning_curated.
	Rows int64 `json:"rows"`
	// TimeOnly are those of a join on time alone; Wrong of them pair two different people.
	TimeOnly int64 `json:"rows_on_time_alone"`
	Wrong    int64 `json:"of_two_people"`
}

// Question is asked of every demo: how closely the phone of each person follows the distance.
const Question = `SELECT serialNumber, round(corr(distanceFromObject, y), 3) AS cm_and_g
FROM machine_learning_curated GROUP BY ALL ORDER BY 1 LIMIT 3`

const timeOnly = `SELECT count(*), count(*) FILTER (WHERE a.user <> c.email), (SELECT count(*) FROM machine_learning_curated)
FROM step_trainer_trusted s
JOIN customer_trusted c ON c.serialNumber = s.serialNumber
JOIN accelerometer_trusted a ON a.timestamp = s.sensorReadingTime`

// maxShown is how many rows of quarantine a report has.
const maxShown = 3

// recall tells of each table by the run that last brought it up to date.
func (r *Report) recall(ctx context.Context, o Options, known definitions) error {
	records := []*run.Record{}
	if r.Run.Status == run.Published {
		records = append(records, r.Run)
	}
	complete := r.Run.Status == run.Published && !slices.ContainsFunc(r.Run.Tables, func(t run.TableRecord) bool { return t.Ledger == nil })
	if !complete {
		past, err := run.History(ctx, r.Dir, o.Run)
		if err != nil {
			return err
		}
		for _, p := range past {
			if p.Kind != "run" || p.Run == r.Run.Run {
				continue
			}
			rec := new(run.Record)
			if err := json.Unmarshal(p.Record, rec); err != nil {
				return fmt.Errorf("record of run %s: %w", p.Run, err)
			}
			records = append(records, rec)
		}
	}
	if len(records) > 0 {
		r.Last = records[0].Run
	}
	for _, t := range r.Run.Tables {
		now := t
		for _, rec := range records {
			i := slices.IndexFunc(rec.Tables, func(x run.TableRecord) bool { return x.Name == t.Name && x.Ledger != nil })
			if i < 0 {
				continue
			}
			t = rec.Tables[i]
			t.Rows = now.Rows
			for _, l := range rec.Load {
				if l.Table == t.Name {
					r.Load = append(r.Load, l)
				}
			}
			for _, c := range rec.Checks {
				if c.Table == t.Name {
					r.Checks = append(r.Checks, Check{Table: c.Table, Name: c.Name, Status: c.Status, Failing: c.Failing, Message: c.Message,
						Description: known.descriptions[c.Table+"."+c.Name], File: c.File, Line: c.Line})
				}
			}
			break
		}
		r.Tables = append(r.Tables, t)
	}
	return nil
}

// look reads what is published.
func (r *Report) look(ctx context.Context, o Options, known definitions) error {
	q, err := run.Quarantined(ctx, r.Dir, o.Run, "", nil, true, maxShown)
	if err != nil {
		return err
	}
	r.Quarantined, r.Quarantine = q.Total, append(r.Quarantine, q.Rows...)
	for i, row := range r.Quarantine {
		if row.File != nil {
			name := local(*row.File, known.places)
			r.Quarantine[i].File = &name
		}
	}
	return run.LookAt(ctx, r.Dir, o.Run, "", func(t *run.Tables, v *lake.View) error { return r.ask(ctx, t, v, o) })
}

// ask answers the demo's questions from one view of the tables.
func (r *Report) ask(ctx context.Context, t *run.Tables, v *lake.View, o Options) (err error) {
	e, err := duckdb.Open(ctx, duckdb.Options{Database: t.Database(), Memory: t.Memory(o.Run.Memory), Threads: o.Run.Threads, TempDir: t.TempDir()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	held := v.Reader()
	defer held.Close()
	for _, name := range v.Names() {
		paths, err := held.Table(ctx, v.Table(name))
		if err != nil {
			return err
		}
		columns, err := v.Table(name).Columns()
		if err != nil {
			return err
		}
		if err := e.SetTable(ctx, name, columns, paths); err != nil {
			return err
		}
	}
	var rows string
	if err := e.DB().QueryRowContext(ctx, "SELECT coalesce(to_json(list(q)), '[]')::VARCHAR FROM ("+Question+") q").Scan(&rows); err != nil {
		return err
	}
	r.Query = Answer{SQL: Question, Rows: json.RawMessage(rows)}
	c := &r.Comparison
	return e.DB().QueryRowContext(ctx, timeOnly).Scan(&c.TimeOnly, &c.Wrong, &c.Rows)
}

// local gives the path on this machine of a file that is named by its place in the lake.
func local(name string, places map[string]string) string {
	for location, dir := range places {
		if below, ok := strings.CutPrefix(name, location); ok {
			return filepath.Join(dir, filepath.FromSlash(below))
		}
	}
	return name
}
