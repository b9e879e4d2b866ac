// Package demo shows a lake at work: [Make] writes the stedi template into a folder, puts invented data with three broken
// records into it, runs it, and gathers what there is to see. How that looks is left to the command line.
package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tarn/internal/project"
	"tarn/internal/run"
	"tarn/internal/sample"
	"tarn/internal/template"
)

// broken is how many records of the data cannot be loaded.
const broken = 3

// Options says how a demo is made; the zero value works.
type Options struct {
	// Run is how the lake is opened.
	Run run.Options
	// Progress is told what the run does, from several goroutines at a time; Sampling how much data was written.
	Progress func(run.Event)
	Sampling func(rows, bytes int64)
}

// Report is what there is to see. Its JSON form is what `tarn demo --json` prints.
type Report struct {
	// Dir is the lake's absolute folder.
	Dir string `json:"dir"`
	// Created is false where the folder was a demo's already, which then is only brought up to date.
	Created bool            `json:"created"`
	Sample  *sample.Summary `json:"sample"`
	Run     *run.Record     `json:"run"`
	// Last is the run that published last: this one, or where it had nothing to do an earlier one.
	Last string `json:"last_published"`
	// Tables, Load and Checks tell of each table by the run that last brought it up to date.
	Tables []run.TableRecord `json:"tables"`
	Load   []run.LoadRecord  `json:"load"`
	Checks []Check           `json:"checks"`
	// Quarantined counts the rows in quarantine, Quarantine has the first of them.
	Quarantined int64                `json:"quarantined"`
	Quarantine  []run.QuarantinedRow `json:"quarantine"`
	Query       Answer               `json:"query"`
	Comparison  Comparison           `json:"comparison"`
}

// Make brings the demo in dir up to date and reports on it. A folder that does not exist, is empty, or was made by an
// earlier call (also one that was interrupted) will do; any other is an error of root [template.ErrInTheWay].
//
// Where there is an error, the report tells how far it came, if it came to a run.
func Make(ctx context.Context, dir string, o Options) (_ *Report, err error) {
	r := &Report{Tables: []run.TableRecord{}, Load: []run.LoadRecord{}, Checks: []Check{}, Quarantine: []run.QuarantinedRow{}}
	if r.Dir, err = filepath.Abs(dir); err != nil {
		return r, fmt.Errorf("demo: %w", err)
	}
	if err := r.prepare(ctx, o); err != nil {
		return r, fmt.Errorf("demo in %s: %w", dir, err)
	}
	known, err := r.run(ctx, o)
	if err != nil {
		return r, err
	}
	if err := r.recall(ctx, o, known); err != nil {
		return r, fmt.Errorf("demo in %s: %w", dir, err)
	}
	if err := r.look(ctx, o, known); err != nil {
		return r, fmt.Errorf("demo in %s: %w", dir, err)
	}
	return r, nil
}

// prepare writes the definitions and the data, as far as they are not there.
func (r *Report) prepare(ctx context.Context, o Options) error {
	m, err := open(r.Dir)
	if err != nil {
		return err
	}
	_, err = os.Stat(filepath.Join(r.Dir, project.ConfigFile))
	if errors.Is(err, os.ErrNotExist) {
		_, err = template.Write(r.Dir, "stedi", template.Options{Name: project.Clean(filepath.Base(r.Dir)), Schema: project.JSONSchema(), HeaderSchema: project.HeaderJSONSchema()})
	}
	if err != nil {
		return err
	}
	if m.Sample == nil {
		data := sample.Options{Seed: sample.DefaultSeed, Broken: broken, Replace: true, Progress: o.Sampling}
		if m.Sample, err = sample.Generate(ctx, filepath.Join(r.Dir, "data"), data); err != nil {
			return err
		}
		if err := m.save(r.Dir); err != nil {
			return err
		}
		r.Created = true
	}
	r.Sample = m.Sample
	return nil
}

// definitions is what the report needs to know of them.
type definitions struct {
	places       map[string]string // where a LOCATION is on this machine
	descriptions map[string]string // of checks, by table.name
}

// run brings the tables up to date.
func (r *Report) run(ctx context.Context, o Options) (_ definitions, err error) {
	known := definitions{map[string]string{}, map[string]string{}}
	w, err := run.Open(ctx, r.Dir, o.Run)
	if err != nil {
		return known, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	for _, t := range w.Graph.Tables {
		if t.Landing != nil {
			known.places[strings.TrimSuffix(t.Landing.Location, "/")+"/"] = t.Landing.Dir
		}
		for _, c := range t.Header().Checks {
			known.descriptions[t.Name+"."+c.Name] = c.Description
		}
	}
	r.Run, err = w.Run(ctx, run.RunOptions{Progress: o.Progress})
	return known, err
}
