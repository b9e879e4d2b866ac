package run

import (
	"time"

	"tarn/internal/fit"
)

const (
	// callsAtOnce is how many requests of the store are under way at a time.
	callsAtOnce = 4
	// guessedCPUs are those that the guessed rate is of, and that of runs which do not say what they had.
	guessedCPUs = 2
)

// Size is how large the planned run is, if the engine in the process makes the models: by the rows a second of earlier runs for each of their
// processors, and by what the run reads at a time.
func (p *Planned) Size() fit.Run {
	a, k := p.Advice, p.work
	r := fit.Run{Rows: float64(a.Rows), RowsPerCPU: a.RowsPerSecond / a.CPUs, CPUs: max(a.CPUs, guessedCPUs), By: " (a guess, as no run has measured it yet)", LongestStep: k.mostOf,
		StepBytes: float64(k.largest), FileBytes: float64(k.file), LargestStep: k.step, MovedBytes: float64(p.Estimate.CopiedBytes + p.Estimate.WrittenBytes), CPU: starting,
		Waiting: (fit.StoreCall * time.Duration(p.Estimate.StoreRequests) / callsAtOnce).Seconds() + (fit.ServiceCall * time.Duration(p.Estimate.CatalogRequests)).Seconds()}
	if a.Run != "" {
		r.By = " (measured in run " + a.Run + ")"
	}
	if k.sum > 0 {
		r.Longest = float64(k.most) / float64(k.sum)
	}
	return r
}

// Fits judges whether the planned run fits a place.
func (p *Planned) Fits(room fit.Room) fit.Verdict {
	if p.Empty() {
		return fit.Verdict{Fits: true, Processes: 1, Why: "there is nothing to do"}
	}
	return p.Size().In(room)
}
