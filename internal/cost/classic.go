package cost

import (
	"fmt"

	"tarn/internal/words"
)

// The classic set-up: a Glue job for each model, as people click them together, each of which reads its inputs whole and writes its
// output anew.
const (
	// classicWorkers is the least number of workers of a Spark job, each a DPU; one of them is the driver. The console proposes ten.
	classicWorkers = 2
	// crawlDPUs is what a crawler takes, and crawls how many there are a day.
	crawlDPUs = 2
	crawls    = 1
)

// jobs is how many there are: one for each model, five in the model case.
func (c Case) jobs() int { return max(1, c.Lake.Models) }

// Jobs says in words what a bill compares with, such as five Glue jobs.
func (b *Bill) Jobs() string {
	n := b.Case.jobs()
	small := []string{"", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}
	switch {
	case n == 1:
		return "one Glue job"
	case n < len(small):
		return small[n] + " Glue jobs"
	}
	return words.Count(int64(n), "Glue job")
}

// classic are the lines of the same work, as often, as Glue jobs and a crawler.
func (c Case) classic(m Measured, p *Prices, runs float64) []Item {
	rows, raw, _ := c.middle()
	r := c.run(m, runs, rows, c.Lake.Days+Days/2)
	// Each job reads raw files again, so what tarn reads as loaded rows is parsed anew.
	busy := r.worked / (c.Lake.RowsPerCPU / sparkSlower) / ((classicWorkers - 1) * workerCPUs)
	jobs := float64(c.jobs())
	each := max(p.Least("glue_job"), sparkStart+busy/jobs)
	hours := jobs * classicWorkers * each / 3600
	month := runs * Days
	out := []Item{{
		Service: "AWS Glue", What: fmt.Sprintf("%s a run, %d workers, %s each", words.Count(int64(c.jobs()), "job"), classicWorkers, Duration(each)), Amount: month * hours, Unit: "DPU-hours",
		Run: hours * p.Of("glue_dpu_hour"), Month: month * hours * p.Of("glue_dpu_hour"), Prices: []string{"glue_dpu_hour"},
	}}
	// Where nothing comes, nothing is to be found.
	crawl := min(crawls, runs) * Days * crawlDPUs * p.Least("glue_crawler") / 3600
	if crawl > 0 {
		out = append(out, Item{Service: "AWS Glue", What: "a crawler, once a day", Amount: crawl, Unit: "DPU-hours", Month: crawl * p.Of("glue_dpu_hour"), Prices: []string{"glue_dpu_hour"}})
	}
	kept := (raw + rows*c.Lake.Shape.Models) / storedGB
	out = append(out, Item{Service: "Amazon S3", What: "raw files and tables", Amount: kept, Unit: "GB", Month: kept * p.Of("s3_gb_month"), Prices: []string{"s3_gb_month"}})
	scanned := max(rows*c.Lake.Shape.Curated, p.Least("athena")) * c.Volume.Queries * Days / 1e12
	if scanned > 0 {
		out = append(out, Item{Service: "Amazon Athena", What: "queries", Amount: scanned, Unit: "TB", Month: scanned * p.Of("athena_tb"), Prices: []string{"athena_tb"}})
	}
	biggestFirst(out)
	return out
}
