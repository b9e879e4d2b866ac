package cost

import (
	"cmp"
	"slices"
	"time"

	"tarn/internal/deployconf"
	"tarn/internal/fit"
)

// Item is a line of a bill.
type Item struct {
	// AWS's name for what is paid.
	Service string `json:"service"`
	// What it is for, in few words.
	What string `json:"what"`
	// How much of it a month uses.
	Amount float64 `json:"amount"`
	// What that counts, such as requests or GB-seconds.
	Unit string `json:"unit"`
	// What a run costs of it, in US dollars; 0 for what no single run causes.
	Run float64 `json:"run_usd"`
	// What a month costs of it, in US dollars.
	Month float64 `json:"month_usd"`
	// Names of the prices that it was reckoned with.
	Prices []string `json:"prices"`
}

// Bill is what a lake costs.
type Bill struct {
	// What it was reckoned of.
	Case Case `json:"case"`
	// The AWS region whose prices count.
	Region string `json:"region"`
	// The day of the oldest price that was used.
	Dated string `json:"dated"`
	// Number of runs in a month.
	Runs float64 `json:"runs"`
	// How long one takes in the middle of the month.
	RunSeconds float64 `json:"run_seconds"`
	// Where a run works.
	Place Place `json:"place"`
	// All places, the smallest first, with what speaks for and against them.
	Path []Place `json:"path"`
	// The lines, the biggest first.
	Items []Item `json:"items"`
	// What a run costs, in US dollars: the sum of the lines.
	Run float64 `json:"run_usd"`
	// What a month costs, in US dollars: the sum of the lines.
	Month float64 `json:"month_usd"`
	// The lines of the same work as Glue jobs, one for each model.
	Classic []Item `json:"classic"`
	// What they cost a run.
	ClassicRun float64 `json:"classic_run_usd"`
	// What they cost a month.
	ClassicMonth float64 `json:"classic_month_usd"`
	// The same volume in one run a day, here and as Glue jobs, one for each model.
	Daily Daily `json:"daily"`
	// The same with a file a minute.
	Trickle Trickle `json:"trickle"`
	// The prices that were used, by name.
	Prices map[string]Price `json:"prices"`
	// What was taken for granted, in sentences.
	Notes []string `json:"notes"`
}

// Daily says what a month costs with one run a day at most.
type Daily struct {
	// What it costs here, in US dollars.
	Month float64 `json:"month_usd"`
	// What Glue jobs would cost.
	Classic float64 `json:"classic_usd"`
}

// Trickle says what a month with a file a minute costs, of the same rows a day.
type Trickle struct {
	// Number of runs in a month, which are at least min_interval apart.
	Runs float64 `json:"runs"`
	// What a month costs, in US dollars.
	Month float64 `json:"month_usd"`
	// What it would cost if each file started a run.
	Unbounded float64 `json:"unbounded_usd"`
	// What Glue jobs would cost, as often as the lake's own runs.
	Classic float64 `json:"classic_usd"`
}

const (
	minute = 24 * 60 // files a day
	// storedGB is what S3 counts as a gigabyte (Amazon S3 FAQs, "How will I be charged and billed for my use of Amazon S3?").
	storedGB = 1 << 30
	// polls are the requests of a month with which Lambda looks after a queue, where nothing comes too: five readers that wait for
	// 20 s each (AWS Lambda Developer Guide, "Using Lambda with Amazon SQS").
	polls = 5 * 3 * 60 * 24 * Days
	// queueRequests are those for a message: it is sent, and removed.
	queueRequests = 2
	// alarmed are the metrics that the stack's alarms look at, and alarmedEvents those more where new files start runs.
	alarmed       = 3
	alarmedEvents = 2
	// objectsPerKey is for how many objects one request of a key is enough with a bucket key (Amazon S3 User Guide, "Reducing the cost
	// of SSE-KMS": up to 99 percent fewer).
	objectsPerKey = 100
)

// Reckon makes the bill of a case.
func Reckon(c Case, region string, p *Prices) *Bill {
	m := Figures()
	c = c.filled(m)
	items, runs := c.items(m, p)
	b := &Bill{Case: c, Region: region, Items: items, Runs: runs * Days}
	w, _ := c.work(m)
	b.Path = Path(w, c.Settings.Function, c.Settings.Job, p)
	b.Place = c.place(b.Path)
	b.RunSeconds = b.Place.Seconds
	b.Run, b.Month = sum(b.Items)
	b.Classic = c.classic(m, p, runs)
	b.ClassicRun, b.ClassicMonth = sum(b.Classic)
	b.Daily, b.Trickle = c.daily(m, p), c.trickle(m, p)
	b.Prices, b.Dated = p.Used(), p.Dated()
	b.Notes = c.notes(m, p, b)
	return b
}

func sum(items []Item) (run, month float64) {
	for _, i := range items {
		run, month = run+i.Run, month+i.Month
	}
	return run, month
}

// place is where the runs of a case work: the first place where they fit, or the one that the settings say.
func (c Case) place(path []Place) Place {
	switch c.Settings.Engine {
	case deployconf.Lambda:
		return path[0]
	case deployconf.Glue:
		return path[2]
	}
	return Choose(path)
}

// middle is what the lake holds in the middle of the month.
func (c Case) middle() (rows, bytes, days float64) {
	return c.Lake.Rows + c.Volume.Rows*Days/2, c.Lake.Bytes + c.Volume.Bytes*Days/2, c.Lake.Days + Days/2
}

// work describes a run in the middle of the month, and how many there are a day.
func (c Case) work(m Measured) (fit.Run, float64) {
	rows, _, days := c.middle()
	runs := perDay(c.Volume, c.Settings.Events)
	r := c.run(m, runs, rows, days)
	s := c.Lake.Shape
	// The plan is a call of its own, before the run.
	own := r.asked.plus(m.Looking(), -1)
	return fit.Run{
		Rows: r.worked, RowsPerCPU: c.Lake.RowsPerCPU, CPUs: measuredCPUs, CPU: own.CPU, Waiting: own.Waited,
		Longest: s.Longest, LongestStep: "the longest step", StepBytes: rows * s.Step, LargestStep: "the largest step", FileBytes: r.bytes / max(1, r.files),
		// The tables of loaded rows come from the bucket, and all models go there; metadata come and go.
		MovedBytes: r.bytes + rows*(s.Loaded+s.Models) + 2*c.changed()*m.Metadata.Root(runs, days),
	}, runs
}

// items are the lines of a case, the biggest first, and how many runs there are a day.
func (c Case) items(m Measured, p *Prices) ([]Item, float64) {
	rows, raw, days := c.middle()
	w, runs := c.work(m)
	at := c.place(Path(w, c.Settings.Function, c.Settings.Job, p))
	// A run that takes longer than the next one is away keeps that waiting, and what has come meanwhile is for one run.
	if at.Seconds > 0 {
		runs = min(runs, 86400/at.Seconds)
	}
	r := c.run(m, runs, rows, days)
	t := tally{prices: p, runs: runs * Days}
	t.compute(c, m, r, at)
	t.requests(c, m, r, at)
	t.storage(c, m, rows, raw, runs)
	t.watching(c, m, r, runs)
	t.reading(c, rows)
	biggestFirst(t.items)
	return t.items, runs
}

func biggestFirst(items []Item) {
	slices.SortStableFunc(items, func(a, b Item) int { return cmp.Compare(b.Month, a.Month) })
}

// daily is the case with one run a day at most.
func (c Case) daily(m Measured, p *Prices) Daily {
	c.Settings.Events.MinInterval = 24 * time.Hour
	items, runs := c.items(m, p)
	_, month := sum(items)
	_, classic := sum(c.classic(m, p, runs))
	return Daily{Month: month, Classic: classic}
}

// trickle is the case with a file a minute, of the same rows a day.
func (c Case) trickle(m Measured, p *Prices) Trickle {
	c.Volume.Files = minute
	c.Settings.Events.Off = false
	items, runs := c.items(m, p)
	_, month := sum(items)
	_, classic := sum(c.classic(m, p, runs))
	c.Settings.Events.MinInterval, c.Settings.Events.Settle = time.Minute, 0
	items, _ = c.items(m, p)
	_, unbounded := sum(items)
	return Trickle{Runs: runs * Days, Month: month, Unbounded: unbounded, Classic: classic}
}
