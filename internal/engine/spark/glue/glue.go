// Package glue runs Spark as a job of AWS Glue 5.
//
// The job is only what Glue wants one for: a role, workers, a version. Script and arguments come with each run, so one job
// serves every lake of an account. It is named by the target, and made by it where a role is named too.
package glue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"tarn/internal/engine/spark"
)

// Options says which job it is.
type Options struct {
	// Job is the name of the job.
	Job string
	// Role is the ARN of the role that the job is made with where it is not there; "" makes none.
	Role string
	// WorkerType and Workers are of a run, such as G.1X and 10; "" and 0 leave them to the job.
	WorkerType string
	Workers    int
	// Jars are locations of what Spark loads beside Glue's own.
	Jars []string
	// Conf are settings of Spark.
	Conf map[string]string
	// Poll is how often Cancel looks if a run has ended.
	Poll time.Duration
}

// Launcher starts runs of a job. It is a [spark.Launcher].
type Launcher struct {
	client *glue.Client
	o      Options
}

// New makes the launcher of an account.
func New(cfg aws.Config, o Options) *Launcher {
	return &Launcher{client: glue.NewFromConfig(cfg), o: o}
}

const (
	kind = "glue"
	// version is Spark 3.5.4 with Iceberg 1.7.1 (AWS Glue Developer Guide, "AWS Glue versions").
	version = "5.0"
	// defaultWorkerType and defaultWorkers are the least that Glue takes for a job of this kind.
	defaultWorkerType, defaultWorkers = "G.1X", 2
)

// Arguments are the special parameters of a run (AWS Glue Developer Guide, "Using job parameters in AWS Glue jobs") and
// those of the runner.
func (l *Launcher) Arguments(j spark.Job) map[string]string {
	out := map[string]string{"--scriptLocation": j.Script, "--datalake-formats": "iceberg", "--tarn-plan": j.Plan}
	// An argument is there once only, so that Spark's settings go into one, each behind the first with its own --conf.
	var conf []string
	for _, key := range slices.Sorted(maps.Keys(l.o.Conf)) {
		conf = append(conf, key+"="+l.o.Conf[key])
	}
	if len(conf) > 0 {
		out["--conf"] = strings.Join(conf, " --conf ")
	}
	if len(l.o.Jars) > 0 {
		out["--extra-jars"] = strings.Join(l.o.Jars, ",")
	}
	if len(j.IO) > 0 {
		out["--tarn-io"] = j.FileAccess()
	}
	return out
}

// Ready implements [spark.Launcher].
func (l *Launcher) Ready(ctx context.Context) (string, error) {
	out, err := l.client.GetJob(ctx, &glue.GetJobInput{JobName: &l.o.Job})
	var missing *types.EntityNotFoundException
	switch {
	case errors.As(err, &missing) && l.o.Role != "":
		return "job " + l.o.Job + ", which the first run makes", nil
	case errors.As(err, &missing):
		return "", l.refused(err)
	case err != nil:
		return "", spark.NotStarted(kind, fmt.Errorf("job %s: %w", l.o.Job, err), "the role needs glue:GetJob on the job")
	}
	have := aws.ToString(out.Job.GlueVersion)
	if have != "" && have < version {
		return "", spark.NotStarted(kind, fmt.Errorf("job %s is of Glue %s", l.o.Job, have), "Spark 3.5 and Iceberg 1.7 need Glue "+version)
	}
	return fmt.Sprintf("job %s of Glue %s, %d workers %s", l.o.Job, have, aws.ToInt32(out.Job.NumberOfWorkers), out.Job.WorkerType), nil
}

// Start implements [spark.Launcher]. The id is Glue's own of the run.
func (l *Launcher) Start(ctx context.Context, j spark.Job) (string, error) {
	id, err := l.start(ctx, j)
	var missing *types.EntityNotFoundException
	if errors.As(err, &missing) && l.o.Role != "" {
		if err := l.create(ctx, j); err != nil {
			return "", err
		}
		id, err = l.start(ctx, j)
	}
	if err == nil {
		return id, nil
	}
	return "", l.refused(err)
}

// refused says what helps against a start that Glue has refused.
func (l *Launcher) refused(err error) error {
	hint := "the role needs glue:StartJobRun, glue:GetJobRun, glue:GetJobRuns and glue:BatchStopJobRun on the job"
	var missing *types.EntityNotFoundException
	var busy *types.ConcurrentRunsExceededException
	switch {
	case errors.As(err, &missing):
		hint = "make a job of this name with Glue " + version + " and a role that may read and write the warehouse, or name the role: in the target, and tarn makes it"
	case errors.As(err, &busy):
		hint = "another run of the job is under way: wait for it, or raise the job's maximum concurrency"
	}
	return spark.NotStarted(kind, fmt.Errorf("job %s: %w", l.o.Job, err), hint)
}

func (l *Launcher) start(ctx context.Context, j spark.Job) (string, error) {
	in := &glue.StartJobRunInput{JobName: &l.o.Job, Arguments: l.Arguments(j)}
	if l.o.WorkerType != "" {
		in.WorkerType = types.WorkerType(l.o.WorkerType)
	}
	if l.o.Workers > 0 {
		in.NumberOfWorkers = aws.Int32(int32(l.o.Workers))
	}
	out, err := l.client.StartJobRun(ctx, in, func(o *glue.Options) {
		// Glue has no token by which it knows a request again: one whose answer is lost is found by [Launcher.Find], and must
		// not be sent twice.
		o.Retryer = aws.NopRetryer{}
	})
	if err != nil {
		if ids, found := l.Find(ctx, j); found == nil && len(ids) > 0 {
			return ids[0], nil
		}
		return "", err
	}
	return aws.ToString(out.JobRunId), nil
}

// create makes the job.
func (l *Launcher) create(ctx context.Context, j spark.Job) error {
	workers, workerType := l.o.Workers, l.o.WorkerType
	if workers == 0 {
		workers = defaultWorkers
	}
	if workerType == "" {
		workerType = defaultWorkerType
	}
	_, err := l.client.CreateJob(ctx, &glue.CreateJobInput{Name: &l.o.Job, Role: &l.o.Role, GlueVersion: aws.String(version),
		Description:     aws.String("Models of lakes that tarn keeps; script and arguments come with each run"),
		Command:         &types.JobCommand{Name: aws.String("glueetl"), PythonVersion: aws.String("3"), ScriptLocation: &j.Script},
		WorkerType:      types.WorkerType(workerType),
		NumberOfWorkers: aws.Int32(int32(workers)), MaxRetries: 0})
	var there *types.AlreadyExistsException
	if err == nil || errors.As(err, &there) {
		return nil
	}
	return spark.NotStarted(kind, fmt.Errorf("make job %s: %w", l.o.Job, err), "this needs glue:CreateJob, and iam:PassRole on "+l.o.Role+" for glue.amazonaws.com")
}

// Find implements [spark.Launcher]. It looks at the newest runs only: those of older ones have ended.
func (l *Launcher) Find(ctx context.Context, j spark.Job) (ids []string, err error) {
	out, err := l.client.GetJobRuns(ctx, &glue.GetJobRunsInput{JobName: &l.o.Job})
	var missing *types.EntityNotFoundException
	if errors.As(err, &missing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, r := range out.JobRuns {
		if r.Arguments["--tarn-plan"] == j.Plan {
			ids = append(ids, aws.ToString(r.Id))
		}
	}
	return ids, nil
}

var phases = map[types.JobRunState]spark.Phase{
	types.JobRunStateStarting: spark.Waiting, types.JobRunStateWaiting: spark.Waiting,
	types.JobRunStateRunning: spark.Running, types.JobRunStateStopping: spark.Running,
	types.JobRunStateSucceeded: spark.Succeeded, types.JobRunStateStopped: spark.Stopped,
	types.JobRunStateFailed: spark.Failed, types.JobRunStateTimeout: spark.Failed, types.JobRunStateError: spark.Failed, types.JobRunStateExpired: spark.Failed,
}

// State implements [spark.Launcher].
func (l *Launcher) State(ctx context.Context, _ spark.Job, id string) (spark.State, error) {
	out, err := l.client.GetJobRun(ctx, &glue.GetJobRunInput{JobName: &l.o.Job, RunId: &id})
	if err != nil {
		return spark.State{}, err
	}
	r := out.JobRun
	phase, ok := phases[r.JobRunState]
	if !ok {
		return spark.State{}, fmt.Errorf("run %s of job %s is %q, which is not known here", id, l.o.Job, r.JobRunState)
	}
	s := spark.State{Phase: phase, Message: strings.TrimSpace(strings.ToLower(string(r.JobRunState)) + " " + aws.ToString(r.ErrorMessage))}
	if phase == spark.Failed {
		group := aws.ToString(r.LogGroupName)
		if group == "" {
			group = "/aws-glue/jobs"
		}
		s.Logs = "its log is in CloudWatch: aws logs tail " + group + "/error --log-stream-names " + id
	}
	return s, nil
}

// Cancel implements [spark.Launcher].
func (l *Launcher) Cancel(ctx context.Context, j spark.Job, id string) error {
	s, err := l.State(ctx, j, id)
	if err != nil || s.Phase.Ended() {
		return err
	}
	out, err := l.client.BatchStopJobRun(ctx, &glue.BatchStopJobRunInput{JobName: &l.o.Job, JobRunIds: []string{id}})
	if err != nil {
		return err
	}
	if len(out.Errors) > 0 {
		// It may have ended by itself at that moment.
		if s, err := l.State(ctx, j, id); err != nil || s.Phase.Ended() {
			return err
		}
		return fmt.Errorf("job %s: %s", l.o.Job, aws.ToString(out.Errors[0].ErrorDetail.ErrorMessage))
	}
	return spark.UntilEnded(ctx, l, j, id, l.o.Poll)
}
