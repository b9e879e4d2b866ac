package glue_test

import (
	"errors"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"tarn/internal/awsconf"
	"tarn/internal/engine/spark"
	"tarn/internal/engine/spark/glue"
	"tarn/internal/engine/spark/jobtest"
	"tarn/internal/engine/spark/launchtest"
	"tarn/internal/store"
	"tarn/internal/store/registry"
)

func TestMain(m *testing.M) {
	for k, v := range map[string]string{"AWS_ACCESS_KEY_ID": "tarn-test", "AWS_SECRET_ACCESS_KEY": "tarn-test-secret", "AWS_REGION": "us-east-1",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true"} {
		if err := os.Setenv(k, v); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// serve starts a stand-in of its own for a test.
func serve(t *testing.T, jobs ...string) (*jobtest.Server, func(o glue.Options) spark.Launcher) {
	s := &jobtest.Server{Do: jobtest.Shell, Jobs: map[string]bool{}}
	for _, j := range jobs {
		s.Jobs[j] = true
	}
	h := httptest.NewServer(s)
	t.Cleanup(func() { s.Close(); h.Close() })
	return s, func(o glue.Options) spark.Launcher {
		settings := awsconf.Settings{Endpoint: h.URL, Region: "us-east-1"}
		cfg, err := awsconf.Load(t.Context(), settings)
		if err != nil {
			t.Fatal(err)
		}
		o.Poll = 20 * time.Millisecond
		return with(cfg, o, registry.New(settings))
	}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	launchtest.Run(t, func(t *testing.T) launchtest.Place {
		_, launcher := serve(t, "spark")
		return launchtest.Place{Launcher: func() spark.Launcher { return launcher(named) }, Script: jobtest.Script}
	})
}

var named = glue.Options{Job: "spark"}

func with(cfg aws.Config, o glue.Options, _ store.Locator) spark.Launcher { return glue.New(cfg, o) }

// TestJobIsMade lets the launcher make the job that is not there.
func TestJobIsMade(t *testing.T) {
	t.Parallel()
	s, launcher := serve(t)
	j := spark.Job{Run: "r", Script: jobtest.Script(t, "true"), Plan: "file:///plan.json"}
	_, err := launcher(glue.Options{Job: "models"}).Start(t.Context(), j)
	var start *spark.StartError
	if !errors.As(err, &start) || !strings.Contains(start.Hint(), "role:") {
		t.Errorf("a job that is not there: %v", err)
	}
	if _, err := launcher(glue.Options{Job: "models"}).Ready(t.Context()); !errors.As(err, &start) || !strings.Contains(start.Hint(), "role:") {
		t.Errorf("a job that is not there: %v", err)
	}
	o := glue.Options{Job: "models", Role: "arn:aws:iam::123456789012:role/glue", Conf: map[string]string{"spark.a": "1", "spark.b": "2"}}
	if _, err := launcher(o).Start(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	runs := s.Runs()
	if len(runs) != 1 || strings.Join(runs[0].Conf, " ") != "spark.a=1 spark.b=2" || s.Counts("CreateJob") != 1 {
		t.Errorf("%+v", runs)
	}
}

// TestStartIsNotRepeated loses the answer of a start: the run is found and not started a second time.
func TestStartIsNotRepeated(t *testing.T) {
	t.Parallel()
	s, launcher := serve(t, "spark")
	j := spark.Job{Run: "r", Script: jobtest.Script(t, "sleep 5"), Plan: "file:///plan.json"}
	id, err := launcher(named).Start(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	again, err := launcher(named).Start(t.Context(), j)
	if err != nil || again != id || len(s.Runs()) != 1 {
		t.Errorf("%q, then %q: %v", id, again, err)
	}
}
