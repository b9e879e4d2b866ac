// Package emrserverless runs Spark as a job of an EMR Serverless application.
package emrserverless

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/emrserverless"
	"github.com/aws/aws-sdk-go-v2/service/emrserverless/types"

	"tarn/internal/engine/spark"
	"tarn/internal/store"
)

// Options says which application it is.
type Options struct {
	// Application is the application's id, Role the ARN of what its jobs run as.
	Application, Role string
	// Jars are paths of the application's image or locations; none is Iceberg's runtime of the image.
	Jars []string
	// Conf are settings of Spark.
	Conf map[string]string
	// Stores reads the driver's log, which the application writes into the run's folder.
	Stores store.Locator
	// Poll is how often Cancel looks if a job has ended.
	Poll time.Duration
}

// Launcher starts jobs of an application. It is a [spark.Launcher].
type Launcher struct {
	client *emrserverless.Client
	o      Options
}

// New makes the launcher of an account.
func New(cfg aws.Config, o Options) *Launcher {
	return &Launcher{client: emrserverless.NewFromConfig(cfg), o: o}
}

const (
	kind = "emr-serverless"
	// imageJar is Iceberg's runtime in the images of EMR (Amazon EMR Serverless User Guide, "Using Apache Iceberg").
	imageJar = "/usr/share/aws/iceberg/lib/iceberg-spark3-runtime.jar"
)

// Ready implements [spark.Launcher].
func (l *Launcher) Ready(ctx context.Context) (string, error) {
	out, err := l.client.GetApplication(ctx, &emrserverless.GetApplicationInput{ApplicationId: &l.o.Application})
	if err != nil {
		return "", spark.NotStarted(kind, fmt.Errorf("application %s: %w", l.o.Application, err), "this needs emr-serverless:GetApplication on the application; its id is such as 00f1abcdexample")
	}
	a := out.Application
	return fmt.Sprintf("application %s, %s, %s", aws.ToString(a.ApplicationId), aws.ToString(a.ReleaseLabel), strings.ToLower(string(a.State))), nil
}

// Start implements [spark.Launcher]. The run's id is the token by which EMR knows the request again, so that a job is never
// started twice.
func (l *Launcher) Start(ctx context.Context, j spark.Job) (string, error) {
	jars := l.o.Jars
	if len(jars) == 0 {
		jars = []string{imageJar}
	}
	submit := []string{"--jars", strings.Join(jars, ",")}
	for _, key := range slices.Sorted(maps.Keys(l.o.Conf)) {
		submit = append(submit, "--conf", key+"="+l.o.Conf[key])
	}
	logs := strings.TrimSuffix(j.Folder, "/") + "/logs/"
	out, err := l.client.StartJobRun(ctx, &emrserverless.StartJobRunInput{ApplicationId: &l.o.Application, ExecutionRoleArn: &l.o.Role,
		ClientToken: &j.Run, Name: aws.String(name(j)),
		JobDriver: &types.JobDriverMemberSparkSubmit{Value: types.SparkSubmit{EntryPoint: &j.Script, EntryPointArguments: j.Args(),
			SparkSubmitParameters: aws.String(strings.Join(submit, " "))}},
		ConfigurationOverrides: &types.ConfigurationOverrides{MonitoringConfiguration: &types.MonitoringConfiguration{
			S3MonitoringConfiguration: &types.S3MonitoringConfiguration{LogUri: &logs}}}})
	if err != nil {
		return "", spark.NotStarted(kind, fmt.Errorf("application %s: %w", l.o.Application, err),
			"this needs emr-serverless:StartJobRun, GetJobRun and CancelJobRun on the application, and iam:PassRole on "+l.o.Role)
	}
	return aws.ToString(out.JobRunId), nil
}

// Find implements [spark.Launcher]. It looks at the newest jobs only: older ones have ended.
func (l *Launcher) Find(ctx context.Context, j spark.Job) (ids []string, err error) {
	out, err := l.client.ListJobRuns(ctx, &emrserverless.ListJobRunsInput{ApplicationId: &l.o.Application})
	if err != nil {
		return nil, err
	}
	for _, r := range out.JobRuns {
		if aws.ToString(r.Name) == name(j) {
			ids = append(ids, aws.ToString(r.Id))
		}
	}
	return ids, nil
}

func name(j spark.Job) string { return "tarn " + j.Run }

var phases = map[types.JobRunState]spark.Phase{
	types.JobRunStateSubmitted: spark.Waiting, types.JobRunStatePending: spark.Waiting, types.JobRunStateScheduled: spark.Waiting, types.JobRunStateQueued: spark.Waiting,
	types.JobRunStateRunning: spark.Running, types.JobRunStateCancelling: spark.Running,
	types.JobRunStateSuccess: spark.Succeeded, types.JobRunStateFailed: spark.Failed, types.JobRunStateCancelled: spark.Stopped,
}

// State implements [spark.Launcher].
func (l *Launcher) State(ctx context.Context, j spark.Job, id string) (spark.State, error) {
	out, err := l.client.GetJobRun(ctx, &emrserverless.GetJobRunInput{ApplicationId: &l.o.Application, JobRunId: &id})
	if err != nil {
		return spark.State{}, err
	}
	r := out.JobRun
	phase, ok := phases[r.State]
	if !ok {
		return spark.State{}, fmt.Errorf("job %s of application %s is %q, which is not known here", id, l.o.Application, r.State)
	}
	s := spark.State{Phase: phase, Message: strings.TrimSpace(strings.ToLower(string(r.State)) + " " + aws.ToString(r.StateDetails))}
	if phase == spark.Failed {
		at := fmt.Sprintf("%slogs/applications/%s/jobs/%s/SPARK_DRIVER/stderr.gz", j.Folder, l.o.Application, id)
		if s.Logs, err = l.tail(ctx, at); err != nil {
			s.Logs = "its log is in " + at
		}
	}
	return s, nil
}

// tail gives the last lines of the driver's log, without what Spark says of its daily work.
func (l *Launcher) tail(ctx context.Context, location string) (_ string, err error) {
	s, key, err := l.o.Stores.Locate(ctx, location)
	if err != nil {
		return "", err
	}
	r, err := s.Open(ctx, key, "", 0, -1)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	z, err := gzip.NewReader(r)
	if err != nil {
		return "", err
	}
	raw, err := io.ReadAll(io.LimitReader(z, 16<<20))
	return spark.LogTail(raw), err
}

// Cancel implements [spark.Launcher].
func (l *Launcher) Cancel(ctx context.Context, j spark.Job, id string) error {
	s, err := l.State(ctx, j, id)
	if err != nil || s.Phase.Ended() {
		return err
	}
	if _, err := l.client.CancelJobRun(ctx, &emrserverless.CancelJobRunInput{ApplicationId: &l.o.Application, JobRunId: &id}); err != nil {
		return err
	}
	return spark.UntilEnded(ctx, l, j, id, l.o.Poll)
}
