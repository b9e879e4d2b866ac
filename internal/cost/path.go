package cost

import (
	"fmt"
	"math"
	"time"

	"tarn/internal/deployconf"
	"tarn/internal/fit"
)

// Engine is a place where a run can work.
type Engine string

// The engines, each for larger runs than the one before.
const (
	Lambda       Engine = "lambda"
	BiggerLambda Engine = "bigger_lambda"
	GlueSpark    Engine = "glue"
	EMR          Engine = "emr_serverless"
)

// Name is what people call an engine.
func (e Engine) Name() string {
	switch e {
	case Lambda:
		return "Lambda"
	case BiggerLambda:
		return "a bigger Lambda"
	case GlueSpark:
		return "Spark on Glue"
	}
	return "Spark on EMR Serverless"
}

// Place is an engine with its size, and whether a run fits there.
type Place struct {
	// lambda, bigger_lambda, glue or emr_serverless.
	Engine Engine `json:"engine"`
	// Memory of a function in MiB.
	Memory int `json:"memory_mib,omitempty"`
	// Its disk in MiB.
	Disk int `json:"disk_mib,omitempty"`
	// Workers of Spark.
	Workers int `json:"workers,omitempty"`
	// About how long a run takes.
	Seconds float64 `json:"seconds"`
	// What that costs there in US dollars, without requests.
	USD float64 `json:"usd"`
	// Whether a run can be done there.
	Fits bool `json:"fits"`
	// What speaks against it, or how it would go.
	Why string `json:"why"`
}

const (
	// spare is the share of a job's time that a run may use, as sizes are estimates.
	spare = 0.8
	// sparkSlower is how many times the processor time of DuckDB Spark took for the same tables: 47 instead of 6.1 seconds of 36
	// million rows, session aside, with a hand-written program of Spark 3.5.9, of which tarn's runner took 1.13 times as long.
	sparkSlower = 47.0 / 6.1 * 1.13
	// sparkStart is how long a session takes before the first row, in seconds.
	sparkStart = 15
	// workerCPUs and workerGB are those of a worker: G.1X, and the same on EMR Serverless. One of them is the driver.
	workerCPUs = 4
	workerGB   = 16
	// glueWorkers is where EMR Serverless takes over: it bills processors and memory by themselves, and sets no jobs apart.
	glueWorkers = 50
	// sparkTime is how long a run on Spark shall take at most before it gets more workers.
	sparkTime = time.Hour
)

// Path goes through the engines from the smallest to the largest, and says of each whether the run fits there and why. The first
// that fits is the one to take: [Choose].
func Path(r fit.Run, f deployconf.Function, j deployconf.Job, p *Prices) []Place {
	out := []Place{function(Lambda, r, f, p), function(BiggerLambda, r, enough(r, f), p)}
	workers := max(j.Workers, 2)
	other := r.CPU + r.Waiting
	busy := r.Rows / (r.RowsPerCPU / sparkSlower)
	need := func(limit time.Duration) int {
		return 1 + int(math.Ceil(busy/workerCPUs/max(1, limit.Seconds()-sparkStart)))
	}
	workers = max(workers, need(sparkTime))
	seconds := func(workers int) float64 { return other + sparkStart + busy/float64((workers-1)*workerCPUs) }
	glue := Place{Engine: GlueSpark, Workers: min(workers, glueWorkers)}
	glue.Seconds = seconds(glue.Workers)
	glue.USD = glue.hours(p.Least("glue_job")) * p.Of("glue_dpu_hour")
	limit := j.Timeout
	if limit == 0 {
		limit = 2 * time.Hour
	}
	if glue.Fits = glue.Seconds <= spare*limit.Seconds() && !j.Off; glue.Fits {
		glue.Why = fmt.Sprintf("one job with %d workers does it in about %s", glue.Workers, Duration(glue.Seconds))
	} else if j.Off {
		glue.Why = "the job is left out (deploy: job: off)"
	} else {
		glue.Why = fmt.Sprintf("%d workers would take about %s, and the job may take %s", glue.Workers, Duration(glue.Seconds), Duration(limit.Seconds()))
	}
	emr := Place{Engine: EMR, Workers: workers, Fits: true, Seconds: seconds(workers)}
	emr.USD = emr.hours(p.Least("emr_worker")) * (workerCPUs*p.Of("emr_vcpu_hour") + workerGB*p.Of("emr_gb_hour"))
	emr.Why = fmt.Sprintf("as many workers as it takes: %d in about %s; not part of the stack", workers, Duration(emr.Seconds))
	return append(out, glue, emr)
}

// hours is how many worker-hours are billed, where each worker is for so many seconds at least.
func (p Place) hours(least float64) float64 { return max(p.Seconds, least) / 3600 * float64(p.Workers) }

// Choose gives the first place of a path where the run fits.
func Choose(path []Place) Place {
	for _, p := range path {
		if p.Fits {
			return p
		}
	}
	return path[len(path)-1]
}

// function says how a run would go in a Lambda function.
func function(e Engine, r fit.Run, f deployconf.Function, p *Prices) Place {
	v := r.In(fit.Lambda(f.Memory, f.Disk, timeout(f)))
	return Place{Engine: e, Memory: f.Memory, Disk: f.Disk, Seconds: v.Seconds, USD: v.Seconds * functionSecond(f, p), Fits: v.Fits, Why: v.Why}
}

// timeout is how long a function may work at a time.
func timeout(f deployconf.Function) time.Duration {
	if f.Timeout > 0 {
		return f.Timeout
	}
	return deployconf.MostTime
}

// enough gives the smallest function above the set one that a run fits into, or the largest one that there is.
func enough(r fit.Run, f deployconf.Function) deployconf.Function {
	f.Timeout = deployconf.MostTime
	most := f
	most.Memory, most.Disk = deployconf.MostMemory, deployconf.MostDisk
	for _, memory := range []int{3072, 4096, 6144, 8192, deployconf.MostMemory} {
		for _, disk := range []int{f.Disk, 4096, 8192, deployconf.MostDisk} {
			if memory <= f.Memory || disk < f.Disk {
				continue
			}
			larger := f
			larger.Memory, larger.Disk = memory, disk
			if r.In(fit.Lambda(memory, disk, f.Timeout)).Fits {
				return larger
			}
		}
	}
	return most
}

// functionSecond is what a second of a function costs.
func functionSecond(f deployconf.Function, p *Prices) float64 {
	return float64(f.Memory)/1024*p.Of(memoryPrice(f)) + max(0, float64(f.Disk-deployconf.LeastDisk))/1024*p.Of("lambda_disk_gb_second")
}

// memoryPrice names the price of a function's memory.
func memoryPrice(f deployconf.Function) string {
	if f.Arch == "arm64" {
		return "lambda_gb_second_arm"
	}
	return "lambda_gb_second_x86"
}

// Size writes bytes in the unit that people would say them in.
func Size(n float64) string {
	for _, u := range []struct {
		of   float64
		unit string
	}{{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
		if n >= u.of {
			return fmt.Sprintf("%.1f %s", n/u.of, u.unit)
		}
	}
	return fmt.Sprintf("%.0f B", n)
}

// Duration writes seconds in the unit that people would say them in.
func Duration(seconds float64) string {
	switch {
	case seconds < 10:
		return fmt.Sprintf("%.1f s", seconds)
	case seconds < 90:
		return fmt.Sprintf("%.0f s", seconds)
	case seconds < 5400:
		return fmt.Sprintf("%.0f min", seconds/60)
	}
	return fmt.Sprintf("%.1f h", seconds/3600)
}
