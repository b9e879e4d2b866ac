// Package launchers opens Spark where a target says that it runs. Adding a place is one line in kinds, and what tarn.yaml says of it
// in package sparkconf.
package launchers

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"tarn/internal/awsconf"
	"tarn/internal/engine"
	"tarn/internal/engine/spark"
	"tarn/internal/engine/spark/emrserverless"
	"tarn/internal/engine/spark/glue"
	"tarn/internal/engine/spark/local"
	"tarn/internal/sparkconf"
	"tarn/internal/store"
)

// Place says what a target knows.
type Place struct {
	Settings sparkconf.Settings
	AWS      awsconf.Settings
	Stores   store.Locator
	// Own is the location of the folder for runner and runs, without a slash at its end.
	Own string
	// Scratch is a folder of this machine for what belongs to one job.
	Scratch string
}

// kind is one place: its launcher, and how often its jobs are asked after.
type kind struct {
	open func(context.Context, Place) (spark.Launcher, error)
	poll time.Duration
}

var kinds = map[string]kind{
	sparkconf.Local:         {openLocal, 50 * time.Millisecond},
	sparkconf.Glue:          {openGlue, poll},
	sparkconf.EMRServerless: {openEMR, poll},
}

// poll is how often a service is asked after a job: it takes a minute to start one.
const poll = 5 * time.Second

// Open opens an engine.
func Open(ctx context.Context, p Place) (*spark.Engine, error) {
	k, ok := kinds[p.Settings.Where]
	if !ok {
		return nil, fmt.Errorf("there is no place %q for Spark", p.Settings.Where)
	}
	l, err := k.open(ctx, p)
	if err != nil {
		return nil, err
	}
	return &spark.Engine{Kind: p.Settings.Where, Launcher: l, Stores: p.Stores, Own: p.Own, IO: fileAccess(p.AWS), Poll: k.poll, Worker: worker(p), Loading: engine.Loads(p.Settings.Load)}, nil
}

// fileAccess gives the properties of Iceberg's file access (org.apache.iceberg.aws.s3.S3FileIOProperties) for an account.
func fileAccess(s awsconf.Settings) map[string]string {
	out := map[string]string{}
	endpoint := cmp.Or(os.Getenv("AWS_ENDPOINT_URL_S3"), s.Endpoint, os.Getenv("AWS_ENDPOINT_URL"))
	if endpoint != "" {
		out["s3.endpoint"] = endpoint
	}
	if s.PathStyle || endpoint != "" && awsconf.ByAddress(endpoint) {
		out["s3.path-style-access"] = "true"
	}
	if s.Region != "" {
		out["client.region"] = s.Region
	}
	if s.KMSKey != "" {
		out["s3.sse.type"], out["s3.sse.key"] = "kms", s.KMSKey
	}
	return out
}

func openLocal(_ context.Context, p Place) (spark.Launcher, error) {
	var env []string
	if p.AWS.Profile != "" {
		env = append(env, "AWS_PROFILE="+p.AWS.Profile)
	}
	if p.AWS.Region != "" {
		env = append(env, "AWS_REGION="+p.AWS.Region)
	}
	s := p.Settings
	return local.New(local.Options{Submit: s.Submit, Master: s.Master, Jars: s.Jars, Conf: s.Conf, Env: env, Folder: p.Scratch},
		func(ctx context.Context, location string) ([]byte, error) {
			return store.ReadLocation(ctx, p.Stores, location)
		}), nil
}

func openGlue(ctx context.Context, p Place) (spark.Launcher, error) {
	cfg, err := awsconf.Load(ctx, p.AWS)
	if err != nil {
		return nil, err
	}
	s := p.Settings
	return glue.New(cfg, glue.Options{Job: s.Job, Role: s.Role, WorkerType: s.WorkerType, Workers: s.Workers, Jars: s.Jars, Conf: s.Conf, Poll: poll}), nil
}

func openEMR(ctx context.Context, p Place) (spark.Launcher, error) {
	cfg, err := awsconf.Load(ctx, p.AWS)
	if err != nil {
		return nil, err
	}
	s := p.Settings
	return emrserverless.New(cfg, emrserverless.Options{Application: s.Application, Role: s.Role, Jars: s.Jars, Conf: s.Conf, Stores: p.Stores, Poll: poll}), nil
}
