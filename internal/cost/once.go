package cost

import (
	"fmt"

	"tarn/internal/deployconf"
)

// Run is one run that is about to begin, in plain numbers.
type Run struct {
	// Rows are those that it works through; RowsPerCPU is how many a second one core does, 0 for what was measured with the lake of
	// the model case.
	Rows, RowsPerCPU float64
	// Tables counts those that it changes, Files the raw files that it reads.
	Tables, Files int
	// CopiedBytes come from the bucket, WrittenBytes are those of new data files, and StepBytes those of the tables that the largest
	// step reads.
	CopiedBytes, WrittenBytes, StepBytes float64
	// Glue says that the tables' names are in the Glue Data Catalog.
	Glue bool
}

// Once is what a run costs in AWS.
type Once struct {
	// All of it in US dollars.
	USD float64 `json:"usd"`
	// What S3, Glue and the state machine are of that.
	Requests float64 `json:"requests_usd"`
	// The smallest place where it fits.
	Place Place `json:"place"`
	// All places, the smallest first, with what speaks for and against them.
	Path []Place `json:"path"`
	// The day of the oldest price that was used.
	Dated string `json:"dated"`
}

// work describes a run as places for it are chosen by.
func (r Run) work(m Measured, f deployconf.Function) (Work, Asked) {
	if r.RowsPerCPU == 0 {
		r.RowsPerCPU = m.RowsPerCPU()
	}
	asked := m.Looking().plus(m.Publishing(float64(r.Tables)), 1).plus(m.File(), float64(max(0, r.Files-1)))
	const part = 16 << 20
	asked.Put += r.WrittenBytes / part
	asked.Get += r.CopiedBytes / part
	if !r.Glue {
		asked.Glue = 0
	}
	return Work{Rows: r.Rows, RowsPerCPU: r.RowsPerCPU, Other: coldStart + asked.CPU/min(cpus(f.Memory), 1) + asked.Waited, StepBytes: r.StepBytes,
		CopiedBytes: r.CopiedBytes, WrittenBytes: r.WrittenBytes}, asked
}

// Fit says where a run fits, the smallest place first.
func Fit(r Run, s deployconf.Settings, p *Prices) []Place {
	w, _ := r.work(Figures(), s.Function)
	return Path(w, s.Function, s.Job, p)
}

// OneRun says what a run costs in AWS, deployed with these settings.
func OneRun(r Run, s deployconf.Settings, p *Prices) Once {
	w, asked := r.work(Figures(), s.Function)
	path := Path(w, s.Function, s.Job, p)
	out := Once{Place: Case{Settings: s}.place(path), Path: path}
	out.Requests = (asked.Put+asked.List)*p.Of("s3_put") + (asked.Get+asked.Head)*p.Of("s3_get") + asked.Glue*p.Of("glue_catalog_requests") + transitions*p.Of("states_transitions")
	out.USD, out.Dated = out.Place.USD+out.Requests, p.Dated()
	return out
}

// String says it in a line.
func (o Once) String() string {
	return fmt.Sprintf("about %s in %s, %s of it for requests, at prices of %s; %s", Dollars(o.USD), o.Place.Engine.Name(), Dollars(o.Requests), o.Dated, o.reason())
}

// reason says why it is this place: what speaks against the one before, or what it was chosen for.
func (o Once) reason() string {
	for i, p := range o.Path {
		if p.Engine == o.Place.Engine && i > 0 && !o.Path[i-1].Fits {
			return o.Path[i-1].Engine.Name() + " does not do, as " + o.Path[i-1].Why
		}
	}
	return o.Place.Why
}
