package cost

import (
	_ "embed"
	"encoding/json"
)

//go:embed requests.json
var requestsJSON []byte

//go:embed rate.json
var rateJSON []byte

//go:embed metadata.json
var metadataJSON []byte

//go:embed function.json
var functionJSON []byte

// Asked is what a run asks of S3 and of Glue, and what it takes besides the work on rows.
type Asked struct {
	List, Get, Head, Put, Glue float64
	// CPU is the time of one core, Waited how long at least one answer was waited for, in seconds. Answers of S3 took 30 ms, those
	// of Glue 100 ms.
	CPU, Waited float64
}

// plus adds up, n times b.
func (a Asked) plus(b Asked, n float64) Asked {
	return Asked{a.List + n*b.List, a.Get + n*b.Get, a.Head + n*b.Head, a.Put + n*b.Put, a.Glue + n*b.Glue, a.CPU + n*b.CPU, a.Waited + n*b.Waited}
}

// over divides by n, where nothing is below zero.
func (a Asked) over(n float64) Asked {
	return Asked{max(0, a.List/n), max(0, a.Get/n), max(0, a.Head/n), max(0, a.Put/n), max(0, a.Glue/n), max(0, a.CPU/n), max(0, a.Waited/n)}
}

// S3 counts the requests of S3.
func (a Asked) S3() float64 { return a.List + a.Get + a.Head + a.Put }

// measuredRun is a run that `go run ./bench -requests` has counted.
type measuredRun struct {
	Lake      string  `json:"lake"`
	Run       string  `json:"run"`
	Published int     `json:"published"`
	Files     int     `json:"files"`
	Objects   int64   `json:"objects"`
	List      float64 `json:"list"`
	Get       float64 `json:"get"`
	Head      float64 `json:"head"`
	Put       float64 `json:"put"`
	Delete    float64 `json:"delete"`
	Glue      float64 `json:"glue"`
	CPU       float64 `json:"cpu"`
	Waited    float64 `json:"waited"`
}

func (m measuredRun) asked() Asked {
	return Asked{List: m.List, Get: m.Get, Head: m.Head, Put: m.Put, Glue: m.Glue, CPU: m.CPU, Waited: m.Waited}
}

// Measured are the figures that were measured, and when.
type Measured struct {
	Requests struct {
		Measured string        `json:"measured"`
		Runs     []measuredRun `json:"runs"`
	}
	Function Function
	Metadata Metadata
	Rate     struct {
		Measured     string  `json:"measured"`
		RawBytes     float64 `json:"raw_bytes"`
		RawRows      float64 `json:"raw_rows"`
		Worked       float64 `json:"worked"`
		LoadedBytes  float64 `json:"loaded_bytes"`
		ModelBytes   float64 `json:"model_bytes"`
		CuratedBytes float64 `json:"curated_bytes"`
		LongestRows  float64 `json:"longest_rows"`
		StepBytes    float64 `json:"step_bytes"`
		CPU          float64 `json:"cpu"`
		PeakBytes    float64 `json:"peak_bytes"`
	}
}

// Figures gives what was measured and lies in the program.
func Figures() Measured {
	var m Measured
	for _, f := range []struct {
		raw []byte
		to  any
	}{{requestsJSON, &m.Requests}, {rateJSON, &m.Rate}, {functionJSON, &m.Function}, {metadataJSON, &m.Metadata}} {
		if err := json.Unmarshal(f.raw, f.to); err != nil {
			panic("cost: " + err.Error()) // they are part of the program
		}
	}
	return m
}

// The lakes and runs of requests.json that the formulas are made of.
const (
	realLake  = "real files, glue"
	wideLake  = "100000 small files"
	manyFiles = "1000 new files"
	newHere   = "one new file"
	nothing   = "nothing new, on another machine"
	newElse   = "one new file, on another machine"
	ownTables = 2 // the account of files and of runs, which each publish changes
)

func (m Measured) run(lake, what string) measuredRun {
	for _, r := range m.Requests.Runs {
		if r.Lake == lake && r.Run == what {
			return r
		}
	}
	panic("cost: " + lake + ", " + what + " was not measured")
}

// Looking is what a run asks that finds nothing to do, or a plan, on a machine without copies.
func (m Measured) Looking() Asked { return m.run(realLake, nothing).asked() }

// Publishing is what a run asks that reads one new file and changes so many tables of the lake, on a machine without copies: a
// straight line through the two lakes that were measured.
func (m Measured) Publishing(tables float64) Asked {
	small, large := m.run(wideLake, newElse), m.run(realLake, newElse)
	t := (tables - float64(small.Published)) / float64(large.Published-small.Published)
	a := small.asked().plus(large.asked().plus(small.asked(), -1), t)
	// The wide lake has its catalog in the bucket, so Glue's calls are counted by themselves: some for the run, one for a table.
	perRun := large.Glue - float64(large.Published+ownTables)
	a.Glue = perRun + tables + ownTables
	least := m.Looking()
	for _, v := range []struct{ value, least *float64 }{{&a.List, &least.List}, {&a.Get, &least.Get}, {&a.Head, &least.Head}, {&a.Put, &least.Put}, {&a.CPU, &least.CPU}, {&a.Waited, &least.Waited}} {
		*v.value = max(*v.value, *v.least)
	}
	return a
}

// File is what each further raw file adds: its GET, and its share of the processor and of waiting.
func (m Measured) File() Asked {
	many, one := m.run(wideLake, manyFiles), m.run(wideLake, newHere)
	return many.asked().plus(one.asked(), -1).over(float64(many.Files - one.Files))
}

// RowsPerCPU is how many rows a second one core works through.
func (m Measured) RowsPerCPU() float64 { return m.Rate.Worked / m.Rate.CPU }

// Shape is that of the lake of the model case.
func (m Measured) Shape() Shape {
	r := m.Rate
	read := r.Worked - r.RawRows
	return Shape{Reread: read / r.RawRows, Longest: r.LongestRows / read, Loaded: r.LoadedBytes / r.RawRows, Models: r.ModelBytes / r.RawRows,
		Curated: r.CuratedBytes / r.RawRows, Step: r.StepBytes / r.RawRows}
}
