package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// rate is what rows take of a processor and of disks, measured on invented data: the file that costs are reckoned with.
type rate struct {
	Measured string `json:"measured"`
	// RawBytes and RawRows are those of the raw files, as JSON that is not compressed.
	RawBytes int64 `json:"raw_bytes"`
	RawRows  int64 `json:"raw_rows"`
	// Worked are the rows that a run works through: those read from raw files, and those of the tables that models read.
	Worked int64 `json:"worked"`
	// LoadedBytes are those of the tables of loaded rows, ModelBytes those of all models, and CuratedBytes of the largest curated one.
	LoadedBytes  int64 `json:"loaded_bytes"`
	ModelBytes   int64 `json:"model_bytes"`
	CuratedBytes int64 `json:"curated_bytes"`
	// LongestRows are those of the step that works through most of them, StepBytes those of the tables that the largest step reads.
	LongestRows int64 `json:"longest_rows"`
	StepBytes   int64 `json:"step_bytes"`
	// CPU is what a run takes of processors in seconds, beyond what it takes with nothing to do. PeakBytes is its memory.
	CPU       float64 `json:"cpu"`
	PeakBytes int64   `json:"peak_bytes"`
}

// measureRate runs the lake of the template on invented data, on the disk of this machine.
func measureRate(ctx context.Context, o options, work string) error {
	lake := filepath.Join(work, "rate")
	if err := quietly(ctx, o.tarn, "init", lake, "--template", "stedi"); err != nil {
		return err
	}
	// A million and a half readings of phones: long enough for a rate, short enough to be done three times.
	if err := quietly(ctx, o.tarn, "sample", filepath.Join(lake, "data"), "--people", "600", "--days", "8", "--replace"); err != nil {
		return err
	}
	r := rate{Measured: time.Now().UTC().Format(time.DateOnly)}
	var runs, nothing series
	for range 3 {
		if err := forget(lake); err != nil {
			return err
		}
		f, out, err := measured(ctx, command{args: []string{o.tarn, "run", "-q", "--json", "-C", lake}})
		if err != nil {
			return err
		}
		again, err := measure(ctx, command{args: []string{o.tarn, "run", "-q", "-C", lake}})
		if err != nil {
			return err
		}
		runs, nothing = append(runs, f), append(nothing, again)
		var record struct {
			Load []struct{ Loaded int64 } `json:"load"`
		}
		if err := json.Unmarshal(out, &record); err != nil {
			return err
		}
		r.RawRows = 0
		for _, l := range record.Load {
			r.RawRows += l.Loaded
		}
	}
	r.CPU, r.PeakBytes = hundredths(runs.median().cpu-nothing.median().cpu), int64(runs.median().peak)<<20
	var err error
	if r.RawBytes, err = size(filepath.Join(lake, "data")); err != nil {
		return err
	}
	warehouse := filepath.Join(lake, ".tarn", "warehouse", "stedi")
	for table, add := range map[string]*int64{"customer_landing__rows": &r.LoadedBytes, "accelerometer_landing__rows": &r.LoadedBytes, "step_trainer_landing__rows": &r.LoadedBytes,
		"customer_trusted": &r.ModelBytes, "accelerometer_trusted": &r.ModelBytes, "step_trainer_trusted": &r.ModelBytes, "customers_curated": &r.ModelBytes,
		"machine_learning_curated": &r.CuratedBytes} {
		n, err := size(filepath.Join(warehouse, table))
		if err != nil {
			return err
		}
		*add += n
	}
	r.ModelBytes += r.CuratedBytes
	_, out, err := measured(ctx, command{args: []string{o.tarn, "plan", "--json", "--full-refresh", "-C", lake}})
	if err != nil {
		return err
	}
	var plan struct {
		Advice struct {
			Rows        int64 `json:"rows"`
			LongestRows int64 `json:"longest_rows"`
			StepBytes   int64 `json:"step_bytes"`
		} `json:"advice"`
	}
	if err := json.Unmarshal(out, &plan); err != nil {
		return err
	}
	r.Worked, r.LongestRows, r.StepBytes = plan.Advice.Rows, plan.Advice.LongestRows, plan.Advice.StepBytes
	if r.Worked == 0 || r.StepBytes == 0 || r.RawRows == 0 || r.CPU <= 0 {
		return errors.New("the run has worked through nothing")
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%.0f rows a second and core\n", raw, float64(r.Worked)/r.CPU)
	if o.out == "" {
		return nil
	}
	return os.WriteFile(o.out, append(raw, '\n'), 0o644)
}

// size adds up the files in a folder.
func size(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	return n, err
}
