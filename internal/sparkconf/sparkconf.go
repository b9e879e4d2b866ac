// Package sparkconf has a target's settings for Spark: what tarn.yaml may say and what the launchers take, in one place.
package sparkconf

import "strings"

// The places where Spark runs.
const (
	Local         = "local"          // spark-submit on this machine
	Glue          = "glue"           // a job of AWS Glue 5
	EMRServerless = "emr-serverless" // an application of EMR Serverless
)

// Settings say where Spark runs and how; each place takes its own of them.
type Settings struct {
	// Where is [Local], [Glue] or [EMRServerless].
	Where string
	// Submit is the program spark-submit for local, "" for that of $SPARK_HOME or the path; Master is such as local[4].
	Submit, Master string
	// Jars are absolute paths or locations of what Spark loads beside its own.
	Jars []string
	// Conf are settings of Spark by name.
	Conf map[string]string
	// Job is the name of the AWS Glue job, and Role the ARN of the role that it is made with where it is not there, or that jobs
	// of EMR Serverless run as.
	Job, Role string
	// Application is the id of the EMR Serverless application.
	Application string
	// WorkerType and Workers are of a Glue job's run, such as G.1X and 10; "" and 0 leave them to the job.
	WorkerType string
	Workers    int
	// Load says who reads landing files: [LoadHere], [LoadSpark], or [LoadAuto]. Worker is the absolute path of the tarn that
	// does it on Spark, "" for the one that is running.
	Load, Worker string
}

// Who reads landing files where Spark is the engine.
const (
	// LoadAuto is Spark where there is much to be read.
	LoadAuto  = "auto"
	LoadHere  = "here"
	LoadSpark = "spark"
)

// Place says which of the settings that only some places have one of them needs, and which it takes, as tarn.yaml calls them.
type Place struct{ Needs, Takes []string }

// Places are all of them, by what tarn.yaml calls them.
var Places = map[string]Place{
	Local:         {Takes: []string{"submit", "master"}},
	Glue:          {Needs: []string{"job"}, Takes: []string{"role", "worker_type", "workers"}},
	EMRServerless: {Needs: []string{"application", "role"}},
}

// OnThisMachine reports whether Spark's work is done here, so that it can read files of this machine.
func (s Settings) OnThisMachine() bool {
	return s.Where == Local && (s.Master == "" || s.Master == "local" || strings.HasPrefix(s.Master, "local["))
}
