package cost

import (
	"math"
	"time"

	"tarn/internal/deployconf"
)

// Days is how long a month is here.
const Days = 30

// Volume is what comes to a lake in a day, and what is asked of it.
type Volume struct {
	// Raw files, spread evenly over the day.
	Files float64 `json:"files"`
	// Rows in them.
	Rows float64 `json:"rows"`
	// Their size as stored.
	Bytes float64 `json:"bytes"`
	// Where these numbers are from.
	From string `json:"from"`
	// Queries of Athena, each of which reads the largest curated table whole.
	Queries float64 `json:"queries"`
}

// Lake is what a lake consists of, and what it holds when the month begins.
type Lake struct {
	// Number of landing tables.
	Landing int `json:"landing_tables"`
	// Number of models.
	Models int `json:"models"`
	// Number of models that are partitioned by day.
	Daily int `json:"daily_models"`
	// Raw files that were loaded so far.
	Files float64 `json:"files"`
	// Rows that were loaded so far.
	Rows float64 `json:"rows"`
	// Size of their raw files.
	Bytes float64 `json:"bytes"`
	// On how many days they lie.
	Days float64 `json:"days"`
	// How much there is of tables for each row that was loaded; where nothing is loaded, as in the lake of the model case.
	Shape Shape `json:"shape"`
	// How many rows a second one core works through; where no run was large enough to say, as measured with the lake of the model case.
	RowsPerCPU float64 `json:"rows_per_cpu"`
	// The run that it was measured in.
	Measured string `json:"measured,omitempty"`
	// Whether the tables' names are in the Glue Data Catalog.
	Glue bool `json:"glue"`
	// Whether a key of one's own encrypts what is written.
	KMS bool `json:"kms"`
}

// Shape says how much work and room a row makes that was loaded.
type Shape struct {
	// Rows of tables that models read.
	Reread float64 `json:"reread"`
	// The share of these that the longest step works through.
	Longest float64 `json:"longest"`
	// Bytes in the tables of loaded rows, as files.
	Loaded float64 `json:"loaded_bytes"`
	// Bytes in the tables of models.
	Models float64 `json:"model_bytes"`
	// Bytes in the largest curated table.
	Curated float64 `json:"curated_bytes"`
	// Bytes of the tables that the largest step reads.
	Step float64 `json:"step_bytes"`
}

// ModelCase is the lake of the stedi template, without data: three landing tables and five models.
func ModelCase() Lake { return Lake{Landing: 3, Models: 5, Daily: 3, Glue: true} }

// Case is all that a bill is reckoned of.
type Case struct {
	// What the lake consists of, and what it holds when the month begins.
	Lake Lake `json:"lake"`
	// What comes to it in a day.
	Volume Volume `json:"volume"`
	// What is deployed.
	Settings deployconf.Settings `json:"-"`
}

// filled puts what was measured in the place of what is not known.
func (c Case) filled(m Measured) Case {
	if c.Lake.Shape == (Shape{}) {
		c.Lake.Shape = m.Shape()
	}
	if c.Lake.RowsPerCPU == 0 {
		c.Lake.RowsPerCPU = m.RowsPerCPU()
	}
	each := m.Rate.RawBytes / m.Rate.RawRows
	switch v := &c.Volume; {
	case v.Bytes == 0:
		v.Bytes = v.Rows * each
	case v.Rows == 0:
		v.Rows = v.Bytes / each
	}
	if c.Lake.Bytes == 0 {
		c.Lake.Bytes = c.Lake.Rows * each
	}
	return c
}

// After is the case so many days of its volume later.
func (c Case) After(days float64) Case {
	c = c.filled(Figures())
	c.Lake.Files, c.Lake.Rows, c.Lake.Bytes, c.Lake.Days = c.Lake.Files+days*c.Volume.Files, c.Lake.Rows+days*c.Volume.Rows, c.Lake.Bytes+days*c.Volume.Bytes, c.Lake.Days+days
	return c
}

// measuredCPUs is how many processors the rate of rows was measured with. What more of them would give was not, so they do not count.
const measuredCPUs = 2

// coldStart is what the start of a process takes in a function, in seconds, and counts once for every run. Until it asks for its first event the
// program took 0.23 s on a machine of this size that had it in no cache (go run ./bench -with lambda); what AWS does before that, with a zip
// of this size, cannot be measured here.
const coldStart = 2

// Landing folders of dates are listed from so many days ago on in each run, and all of them once a day: docs/landing.md. A listing
// gives a thousand names (Amazon S3 API Reference, ListObjectsV2).
const (
	listedDays = 3
	listPage   = 1000
)

// reruns is what a run does that has new files.
type reruns struct {
	// files, rows and bytes are new ones, worked the rows that it works through.
	files, rows, bytes, worked float64
	// asked are its requests with those of the plan before it.
	asked Asked
	// batches are those of the queue.
	batches float64
}

// perDay is how many runs a day there are for new files: one a file where they come further apart than the least time between two runs. Where
// none are started by files, there is that of the schedule.
func perDay(v Volume, e deployconf.Events) float64 {
	switch {
	case v.Files == 0 || e.Off && e.Schedule == "":
		return 0
	case e.Off:
		return min(v.Files, 1)
	}
	apart := max(e.MinInterval, e.Settle, time.Second)
	return min(v.Files, (24*time.Hour).Seconds()/apart.Seconds())
}

// batches is how many times the function is given messages about so many files that come evenly within a time: none that came within a window
// of the batch's first one begins another, and no batch is larger than the most.
func batches(files float64, within time.Duration) float64 {
	windows := within.Seconds() / deployconf.QueueWindow.Seconds()
	return math.Ceil(min(max(files, 1), max(files/deployconf.QueueBatch, windows, 1)))
}

// run describes a run of a day, where the lake holds so many rows of so many days and there are so many runs a day.
func (c Case) run(m Measured, runs, rows, days float64) reruns {
	r := reruns{}
	if runs > 0 {
		r.files, r.rows, r.bytes = c.Volume.Files/runs, c.Volume.Rows/runs, c.Volume.Bytes/runs
	}
	r.worked = r.rows + rows*c.Lake.Shape.Reread
	// A new file changes its landing table; it is taken that all models are made of that one.
	r.asked = m.Looking().plus(m.Publishing(float64(1+c.Lake.Models)), 1).plus(m.File(), max(0, r.files-1))
	r.asked.Put += float64(c.Lake.Daily) * max(0, days-1) // a model that is partitioned by day is a file for each
	if runs > 0 {
		all := c.Lake.Files + c.Volume.Files*Days/2
		r.asked.List += (listedDays*c.Volume.Files + all/runs) / listPage
	}
	r.asked.Put += rows * c.Lake.Shape.Models / part
	r.asked.Get += (r.bytes + rows*c.Lake.Shape.Loaded) / part
	if !c.Settings.Events.Off {
		r.batches = batches(r.files, time.Duration(float64(24*time.Hour)/max(runs, 1)))
	}
	// A hint for each batch, which the run reads and removes; and the object that says when the next run begins.
	r.asked = r.asked.plus(m.Function.Run.asked(), 1).plus(m.Function.Batch.asked(), r.batches)
	if !c.Lake.Glue {
		r.asked.Glue = 0
	}
	return r
}

// part is how many bytes of a large object go in one request.
const part = 16 << 20

// cpus is how many processors of a function count.
func cpus(memory int) float64 { return min(float64(memory)/deployconf.MiBPerCPU, measuredCPUs) }
