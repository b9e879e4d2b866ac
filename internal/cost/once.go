package cost

import (
	"fmt"

	"tarn/internal/deployconf"
	"tarn/internal/fit"
)

// Run is one run that is about to begin, in plain numbers.
type Run struct {
	// How much it works through.
	fit.Run
	// Tables counts those that it changes, Files the raw files that it reads.
	Tables, Files int
	// CopiedBytes come from the bucket, WrittenBytes are those of new data files.
	CopiedBytes, WrittenBytes float64
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

// asked are the requests of a run in the function, with those of the plan before it.
func (r Run) asked(m Measured) Asked {
	asked := m.Looking().plus(m.Publishing(float64(r.Tables)), 1).plus(m.File(), float64(max(0, r.Files-1)))
	asked.Put += r.WrittenBytes / part
	asked.Get += r.CopiedBytes / part
	if !r.Glue {
		asked.Glue = 0
	}
	return asked
}

// OneRun says what a run costs in AWS, deployed with these settings.
func OneRun(r Run, s deployconf.Settings, p *Prices) Once {
	m := Figures()
	asked := r.asked(m)
	// What a run takes besides rows was measured with a function.
	r.CPU, r.Waiting = asked.CPU, coldStart+asked.Waited
	path := Path(r.Run, s.Function, s.Job, p)
	out := Once{Place: Case{Settings: s}.place(path), Path: path}
	out.Requests = (asked.Put+asked.List)*p.Of("s3_put") + (asked.Get+asked.Head)*p.Of("s3_get") + asked.Glue*p.Of("glue_catalog_requests") + float64(m.Function.Transitions)*p.Of("states_transitions")
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
