package cost

import (
	"fmt"

	"tarn/internal/deployconf"
	"tarn/internal/fit"
)

// tally adds the lines of a bill up.
type tally struct {
	prices *Prices
	// runs is how many there are a month.
	runs  float64
	items []Item
}

// used is how much of something is used: by each run, each day, and in a month whatever is done.
type used struct{ run, day, month float64 }

// add makes a line of one price, if anything is used.
func (t *tally) add(service, what, unit, price string, u used) {
	amount := t.runs*u.run + Days*u.day + u.month
	if usd := t.prices.Of(price); amount > 0 {
		t.items = append(t.items, Item{Service: service, What: what, Amount: amount, Unit: unit, Run: u.run * usd, Month: amount * usd, Prices: []string{price}})
	}
}

// scheduled is how often a day the schedule starts an execution, which is taken as daily.
func (c Case) scheduled() float64 {
	if c.Settings.Events.Schedule == "" {
		return 0
	}
	return 1
}

// compute is what works: the function, and Spark.
func (t *tally) compute(c Case, m Measured, r reruns, at Place) {
	function := c.Settings.Function
	if at.Engine == BiggerLambda || at.Engine == Lambda {
		function.Memory, function.Disk = at.Memory, at.Disk
	}
	// Besides a run there are a plan and the taking in of messages, in the same function, which has to start for the first of them.
	looking := m.Looking()
	busy := used{run: coldStart + looking.CPU/min(cpus(function.Memory), 1) + looking.Waited + r.batches*m.intake(),
		day: c.scheduled() * (coldStart + m.Function.Schedule.asked().S3()*fit.StoreCall.Seconds())}
	switch at.Engine {
	case Lambda, BiggerLambda:
		busy.run += at.Seconds
	case GlueSpark:
		hours := at.hours(t.prices.Least("glue_job"))
		t.add("AWS Glue", fmt.Sprintf("one Spark job a run, %d workers", at.Workers), "DPU-hours", "glue_dpu_hour", used{run: hours})
	case EMR:
		hours := at.hours(t.prices.Least("emr_worker"))
		t.add("Amazon EMR Serverless", fmt.Sprintf("processors of %d workers", at.Workers), "vCPU-hours", "emr_vcpu_hour", used{run: hours * workerCPUs})
		t.add("Amazon EMR Serverless", "their memory", "GB-hours", "emr_gb_hour", used{run: hours * workerGB})
	}
	gb := float64(function.Memory) / 1024
	disk := max(0, float64(function.Disk-deployconf.LeastDisk)) / 1024
	t.add("AWS Lambda", fmt.Sprintf("runs, %d MB", function.Memory), "GB-seconds", memoryPrice(function), used{run: busy.run * gb, day: busy.day * gb})
	t.add("AWS Lambda", "disk beyond 512 MB", "GB-seconds", "lambda_disk_gb_second", used{run: busy.run * disk, day: busy.day * disk})
	t.add("AWS Lambda", "calls", "requests", "lambda_requests", used{run: 2 + r.batches, day: 2 * c.scheduled()})
}

// requests are those of S3, of the catalog and of what starts runs.
func (t *tally) requests(c Case, m Measured, r reruns, at Place) {
	var daily Asked
	daily = daily.plus(m.Function.Schedule.asked(), c.scheduled())
	t.add("Amazon S3", "writes and listings", "requests", "s3_put", used{run: r.asked.Put + r.asked.List, day: daily.Put + daily.List})
	t.add("Amazon S3", "reads", "requests", "s3_get", used{run: r.asked.Get + r.asked.Head, day: daily.Get + daily.Head})
	if c.Lake.Glue {
		t.add("AWS Glue", "Data Catalog", "requests", "glue_catalog_requests", used{run: r.asked.Glue})
	}
	if c.Lake.KMS {
		t.add("AWS KMS", "key", "keys", "kms_key", used{month: 1})
		t.add("AWS KMS", "requests, with a bucket key", "requests", "kms_requests", used{run: (r.asked.Put + r.asked.Get) / objectsPerKey})
	}
	transitions := m.Function.Transitions
	if at.Engine == GlueSpark {
		transitions = m.Function.OnGlue
	}
	t.add("AWS Step Functions", "state machine", "transitions", "states_transitions", used{run: float64(transitions), day: c.scheduled() * float64(m.Function.Scheduled)})
	t.add("Amazon EventBridge", "schedule, taken as daily", "starts", "scheduler_starts", used{day: c.scheduled()})
	if c.Settings.Events.Off {
		return
	}
	t.add("Amazon SQS", "messages", "requests", "sqs_requests", used{run: r.files * queueRequests})
	t.add("Amazon SQS", "looking after the queue", "requests", "sqs_requests", used{month: polls})
	t.add("Amazon EventBridge", "events of new files", "events", "eventbridge_events", used{run: r.files})
}

// storage is what S3 keeps.
func (t *tally) storage(c Case, m Measured, rows, raw, runs float64) {
	shape := c.Lake.Shape
	t.add("Amazon S3", "raw files and tables", "GB", "s3_gb_month", used{month: (raw + rows*(shape.Loaded+shape.Models)) / storedGB})
	// Every run makes its models anew, and the files of earlier versions stay until gc.
	earlier := runs * keptDays * rows * shape.Models
	t.add("Amazon S3", fmt.Sprintf("earlier versions of tables, kept for %.0f days", keptDays), "GB", "s3_gb_month", used{month: earlier / storedGB})
	_, _, days := c.middle()
	z := m.Metadata
	bytes := keptMetadata(runs, days)*z.Root(runs, days) + kept(runs, days)*(z.List+z.Manifest+z.ManifestFile*days)
	t.add("Amazon S3", "metadata of earlier versions", "GB", "s3_gb_month", used{month: c.changed() * bytes / storedGB})
}

// watching are logs, metrics and alarms.
func (t *tally) watching(c Case, m Measured, r reruns, runs float64) {
	const gb = 1e9
	logs := used{run: (m.Function.Run.logged() + r.batches*m.Function.Batch.logged()) / gb, day: c.scheduled() * m.Function.Schedule.logged() / gb}
	t.add("Amazon CloudWatch", "logs", "GB", "logs_gb", logs)
	kept := (t.runs*logs.run + Days*logs.day) * float64(c.Settings.LogDays) / Days
	t.add("Amazon CloudWatch", fmt.Sprintf("logs, kept for %d days", c.Settings.LogDays), "GB", "logs_gb_month", used{month: kept})
	if c.Settings.Alarms {
		looked := float64(alarmed)
		if !c.Settings.Events.Off {
			looked += alarmedEvents
		}
		t.add("Amazon CloudWatch", "alarms", "metrics", "alarms", used{month: looked})
	}
	// A metric counts for the hours in which something is sent for it (Amazon CloudWatch Pricing).
	if sent := float64(m.Function.Metrics); sent > 0 {
		t.add("Amazon CloudWatch", fmt.Sprintf("metrics of runs, %.0f", sent), "metrics", "metrics", used{month: sent * min(1, runs/24)})
	}
}

// reading is what people do with the tables.
func (t *tally) reading(c Case, rows float64) {
	scanned := max(rows*c.Lake.Shape.Curated, t.prices.Least("athena"))
	t.add("Amazon Athena", "queries", "TB", "athena_tb", used{day: c.Volume.Queries * scanned / 1e12})
	if c.Settings.Notebook.On {
		t.add("Amazon SageMaker", "notebook, "+c.Settings.Notebook.Instance+", always on", "hours", "notebook_hour", used{day: 24})
	}
}
