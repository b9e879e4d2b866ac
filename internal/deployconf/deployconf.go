// Package deployconf has a target's settings for what is deployed to AWS: what tarn.yaml may say below deploy: and what the
// template is made of, in one place.
package deployconf

import "time"

// The kinds of places where a run of a deployed lake works.
const (
	// Auto lets each run's plan decide.
	Auto   = "auto"
	Lambda = "lambda"
	Glue   = "glue"
)

// What a bucket or database is to the stack.
const (
	// New is made by the stack, which keeps it when the stack goes.
	New = "new"
	// Existing was there before and is used as it is.
	Existing = "existing"
)

// How the states of a run on Glue are cut.
const (
	// OneState is one job run for all models: the cheapest, as each start has a least price.
	OneState = "one"
	// StateForEach is a job run for each model, under its description's name.
	StateForEach = "models"
)

// Settings say what is deployed and how. [Defaults] has what counts where tarn.yaml says nothing.
type Settings struct {
	// Stack is the name of the CloudFormation stack; "" is tarn-LAKE-TARGET.
	Stack string
	// Bucket and Database are [New] or [Existing].
	Bucket, Database string
	// Results is the location of query results; "" is s3://BUCKET/results/ of the warehouse's bucket. Artefacts likewise, for
	// the program and scripts.
	Results, Artefacts string
	// OwnKey makes a key of AWS KMS with the stack, by which bucket, queue, topic and logs are encrypted; false leaves that to the
	// services' own keys, which cost nothing. A kms_key of the target goes first.
	OwnKey bool
	// Versioned keeps earlier versions of objects in a new bucket for NoncurrentDays.
	Versioned      bool
	NoncurrentDays int
	// ResultDays is how long query results are kept.
	ResultDays int
	// Engine is [Auto], [Lambda] or [Glue].
	Engine string

	Function      Function
	Job           Job
	Athena        Athena
	Events        Events
	Notebook      Notebook
	Roles         Roles
	Crawler       bool // a Glue Crawler on the landing prefixes
	LogDays       int  // how long logs are kept
	Alarms        bool // CloudWatch alarms
	LakeFormation bool // makes the grants that a governed database needs before it has tables
	// Tags are on every resource that takes some.
	Tags map[string]string
}

// Function is the Lambda function.
type Function struct {
	// Memory and Disk are in MiB, each 512 to 10,240.
	Memory, Disk int
	// Arch is x86_64 or arm64.
	Arch string
	// Timeout is at most 15 minutes.
	Timeout time.Duration
}

// Job is the Glue Spark job.
type Job struct {
	// Off leaves it out.
	Off bool
	// Version is that of Glue, such as 5.0.
	Version string
	// WorkerType is such as G.1X.
	WorkerType string
	Workers    int
	// States is [OneState] or [StateForEach].
	States string
	// Timeout ends a job run.
	Timeout time.Duration
}

// Athena is the workgroup of each reading role.
type Athena struct {
	// Cutoff ends a query that would read more bytes; 0 sets no bound.
	Cutoff int64
	// NoQueries leaves out the named queries.
	NoQueries bool
}

// Events say when runs start by themselves.
type Events struct {
	// Off leaves out the rule on new files.
	Off bool
	// MinInterval is the least time between the starts of two runs that new files have caused.
	MinInterval time.Duration
	// Settle is how long a run waits for more files after the first one.
	Settle time.Duration
	// Schedule is when a catch-up run with gc and recovery starts, as EventBridge Scheduler writes it, such as rate(1 day); "" for none.
	Schedule string
	// Email gets the reports of failed runs; "" for nobody, the topic is there all the same.
	Email string
}

// Notebook is the SageMaker notebook instance.
type Notebook struct {
	// On makes it: it costs while it runs.
	On bool
	// Instance is its type, such as ml.t3.medium.
	Instance string
	// Table is the curated table that its notebook reads; "" for machine_learning_curated or, where that is not there, the last one.
	Table string
	// Person is the column that says whose a row is, Predict the one that a model guesses; "" for what can be told by the names.
	Person, Predict string
}

// Roles name roles that exist already, by ARN, in place of those that the stack makes; and say how it makes the others.
type Roles struct {
	Runner, Job, Pipeline, Analyst, Scientist, Operator, Crawler string
	// Boundary is the ARN of a permissions boundary, Path such as /data/.
	Boundary, Path string
	// Assume has the ARNs of who may take on the roles of people; empty is whoever the account's own policies let.
	Assume []string
	// Grant has what analysts may read beside the curated tables: names of zones, such as trusted.
	Grant []string
}

// How messages of the queue are given to the function: at most QueueBatch at once, or what has come within QueueWindow of the first one. A
// batch larger than ten needs a window of a second at least (AWS Lambda Developer Guide, "Creating and configuring an Amazon SQS event
// source mapping").
const (
	QueueBatch  = 100
	QueueWindow = 5 * time.Second
)

// Defaults are the settings of a target that says nothing.
func Defaults() Settings {
	return Settings{
		Bucket: New, Database: New, NoncurrentDays: 30, ResultDays: 30, Engine: Auto,
		Function: Function{Memory: 2048, Disk: 4096, Arch: "x86_64", Timeout: 15 * time.Minute},
		Job:      Job{Version: "5.0", WorkerType: "G.1X", Workers: 2, States: OneState, Timeout: 2 * time.Hour},
		Athena:   Athena{Cutoff: 100_000_000_000},
		Events:   Events{MinInterval: 5 * time.Minute, Settle: 20 * time.Second, Schedule: "rate(1 day)"},
		Notebook: Notebook{Instance: "ml.t3.medium"},
		Roles:    Roles{Path: "/"},
		LogDays:  30, Alarms: true,
	}
}
