package run

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	engines "tarn/internal/engine/registry"
	"tarn/internal/fit"
	"tarn/internal/lake"
	"tarn/internal/machine"
	"tarn/internal/plan"
	"tarn/internal/project"
)

// Advice says whether the engine in the process is enough for a run, by what it has done in this lake before.
type Advice struct {
	// Engine is duckdb or spark: the one that the run's size asks for, whichever is set.
	Engine string `json:"engine"`
	// Rows are about how many are worked through: those read from raw files, and those of the tables that models read.
	Rows int64 `json:"rows"`
	// LongestRows are those of the step that works through most of them.
	LongestRows int64 `json:"longest_rows"`
	// StepBytes are those of the tables that the largest step reads, as files.
	StepBytes int64 `json:"step_bytes"`
	// Seconds is about how long that takes on this machine.
	Seconds float64 `json:"seconds"`
	// RowsPerSecond is what that is reckoned with. Run is the earlier run that it was measured in, "" where it is a guess.
	RowsPerSecond float64 `json:"rows_per_second"`
	Run           string  `json:"run,omitempty"`
	// CPUs is how much of processors that run had.
	CPUs float64 `json:"cpus"`
	// Why says what speaks for Spark; empty for duckdb.
	Why string `json:"why,omitempty"`
}

const (
	// guessedRate, in rows a second, stands in for a measured one. It is far below what two cores do with the model case.
	guessedRate = 1e6
	// starting is what a run takes without any rows, in seconds. Rates are measured beyond it.
	starting = 0.25
	// worthMeasuring is how many rows a run has to have worked through before its rate says anything.
	worthMeasuring = 20_000
	// patience is how long a run may take on one machine. A cluster takes minutes to start, and costs.
	patience = time.Hour
)

// work adds up what a plan's steps work through.
type work struct {
	rows map[string]int64 // of tables after the run, by name
	sum  int64
	// largest are the bytes of the tables that the step of largest reads, and step is its name.
	largest int64
	step    string
	// most are the rows of the step that works through most of them without a stop, and mostOf is its name.
	most   int64
	mostOf string
	// file is the size of the largest landing file that comes to this machine.
	file int64
}

// advise judges the work of a plan.
func (w *Workspace) advise(ctx context.Context, v *lake.View, done work) (Advice, error) {
	a := Advice{Engine: project.DuckDB, Rows: done.sum, LongestRows: done.most, StepBytes: done.largest, RowsPerSecond: guessedRate, CPUs: guessedCPUs}
	rate, cpus, run, err := w.measured(ctx, v)
	if err != nil {
		return a, err
	}
	if run != "" {
		a.RowsPerSecond, a.Run, a.CPUs = rate, run, cpus
	}
	a.Seconds = starting + float64(a.Rows)/a.RowsPerSecond
	memory := machine.Memory()
	if memory > 0 && done.largest*fit.Unpacked > memory {
		a.Seconds *= fit.Spilling
	}
	limit := w.Project.Config.Disk
	switch {
	case project.Remote(w.Project.Config.Warehouse) && done.largest > limit:
		a.Engine, a.Why = project.Spark, fmt.Sprintf("%s reads %.0f GB at a time, and disk: allows %.0f GB", done.step, gigabytes(done.largest), gigabytes(limit))
	case a.Seconds > patience.Seconds():
		a.Engine, a.Why = project.Spark, fmt.Sprintf("it would take about %.0f hours on this machine", a.Seconds/3600)
	}
	return a, nil
}

func gigabytes(n int64) float64 { return float64(n) / 1e9 }

// measured gives the best rate of the last runs that the engine in the process has done, and which run that was. Small runs
// are left out: they are over before a rate shows.
func (w *Workspace) measured(ctx context.Context, v *lake.View) (rate, cpus float64, run string, err error) {
	err = w.pastRecords(ctx, v, func(id string, seconds float64, r Record) {
		rows := w.worked(r)
		if rows < worthMeasuring || seconds <= 0 {
			return
		}
		if got := float64(rows) / max(seconds-starting, seconds/4); got > rate {
			rate, run, cpus = got, id, cmp.Or(r.CPUs, guessedCPUs)
		}
	})
	return rate, cpus, run, err
}

// madeElsewhere reports whether another engine than the one in the process has made the models of a run.
func madeElsewhere(r Record) bool {
	return slices.ContainsFunc(engines.Kinds(), func(kind string) bool { return r.Versions[kind] != "" })
}

// worked counts the rows that a run has worked through.
func (w *Workspace) worked(r Record) (n int64) {
	rows := map[string]int64{}
	for _, t := range r.Tables {
		rows[t.Name] = t.Rows
	}
	for _, l := range r.Load {
		n += l.Objects
	}
	for _, t := range r.Tables {
		if t.Action != plan.Rebuild {
			continue
		}
		if g := w.Graph.Table(t.Name); g != nil {
			for _, in := range g.Inputs {
				n += rows[w.Graph.Table(in).Name]
			}
		}
	}
	return n
}
