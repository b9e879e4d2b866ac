package run_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/google/go-cmp/cmp"

	"tarn/internal/awsconf"
	"tarn/internal/catalog"
	"tarn/internal/catalog/glue/gluetest"
	"tarn/internal/engine/spark/jobtest"
	"tarn/internal/run"
	"tarn/internal/store"
	"tarn/internal/store/registry"
)

// onGlueJob gives a lake in a bucket and Glue whose models are made by a Glue job that does what do says. Somebody else starts it
// with start, as a state machine does.
func onGlueJob(t *testing.T, l *testLake, conf map[string]string, do func(context.Context, jobtest.Run) error) (server *jobtest.Server, start func(arguments map[string]string) string) {
	t.Helper()
	server = &jobtest.Server{Do: do, Jobs: map[string]bool{"spark": true}, Else: gluetest.New(), MoreRuns: 9}
	h := httptest.NewServer(server)
	t.Cleanup(func() { server.Close(); h.Close() })
	t.Setenv("AWS_ENDPOINT_URL_GLUE", h.URL)
	raw, err := json.Marshal(map[string]any{"spark": "glue", "job": "spark", "conf": conf})
	if err != nil {
		t.Fatal(err)
	}
	l.onSpark(string(raw))
	cfg, err := awsconf.Load(t.Context(), awsconf.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	client, job := glue.NewFromConfig(cfg), "spark"
	return server, func(arguments map[string]string) string {
		t.Helper()
		out, err := client.StartJobRun(t.Context(), &glue.StartJobRunInput{JobName: &job, Arguments: arguments})
		if err != nil {
			t.Fatal(err)
		}
		return *out.JobRunId
	}
}

// asOwner opens the lake for an execution.
func (l *testLake) asOwner(execution string) *run.Workspace {
	return l.open(run.Options{Owner: catalog.Owner{Execution: execution}})
}

// handOver prepares a job that somebody else starts, as a process of an execution.
func (l *testLake) handOver(execution string) *run.HandedOverError {
	l.t.Helper()
	w := l.asOwner(execution)
	defer w.Close()
	rec, err := w.Run(l.t.Context(), run.RunOptions{HandOver: true, Deadline: hour()})
	var handed *run.HandedOverError
	if !errors.As(err, &handed) || rec.Status != run.HandedOver || rec.Error != "" || rec.Run != handed.Run {
		l.t.Fatalf("%s %q: %v", rec.Status, rec.Error, err)
	}
	return handed
}

// failing is a job that says that a step of its plan has failed.
func failing(ctx context.Context, r jobtest.Run) error {
	plan := r.Args[slices.Index(r.Args, "--tarn-plan")+1]
	folder := strings.TrimSuffix(plan, "plan.json")
	parts := strings.Split(strings.TrimSuffix(folder, "/"), "/")
	s, key, err := registry.New(awsconf.Settings{}).Locate(ctx, folder+"result.json")
	if err != nil {
		return err
	}
	text := `{"run": "` + parts[len(parts)-1] + `", "error": {"table": "people", "what": "model", "message": "it is the stand-in", "class": "", "start": -1, "end": -1}}`
	if _, err = s.Put(ctx, key, strings.NewReader(text), store.Condition{}); err == nil {
		err = errors.New("a step has failed")
	}
	return err
}

const itFails = "trusted/people.sql:1:1: build people on Spark: it is the stand-in"

// TestHandOver leaves starting the job to somebody else. It is prepared once, started by them with exactly what is said, and its
// failure is told with the model's place, by the run that should publish and by Recover.
func TestHandOver(t *testing.T) {
	for _, end := range []string{"publish", "recover", "nobody starts it"} {
		t.Run(end, func(t *testing.T) {
			l := newLake(t).inGlue()
			l.batch(0)
			server, start := onGlueJob(t, l, map[string]string{"spark.a": "1", "spark.b": "2"}, failing)
			h := l.handOver("arn:1")
			want := map[string]string{"--datalake-formats": "iceberg", "--tarn-plan": h.Plan, "--conf": "spark.a=1 --conf spark.b=2"}
			got := map[string]string{}
			for _, name := range []string{"--datalake-formats", "--tarn-plan", "--conf"} {
				got[name] = h.Arguments[name]
			}
			if diff := cmp.Diff(want, got); diff != "" || !strings.HasSuffix(h.Arguments["--scriptLocation"], ".py") || !strings.HasSuffix(h.Plan, "/_tarn/spark/"+h.Run+"/plan.json") {
				t.Errorf("%v", h.Arguments)
			}
			if diff := cmp.Diff([]string{"people", "readings", "daily", "joined"}, h.Models); diff != "" || !cmp.Equal(h.After["joined"], []string{"people", "readings"}) || h.Late {
				t.Errorf("%+v", h)
			}
			if again := l.handOver("arn:1"); !cmp.Equal(h, again) {
				t.Errorf("a second process is told (-first +second):\n%s", cmp.Diff(h, again))
			}
			if n := server.Counts("StartJobRun"); n != 0 {
				t.Errorf("the job was started %d times", n)
			}
			if rows, id := l.tables(); len(rows) > 0 {
				t.Errorf("readers see run %s", id)
			}
			if _, err := l.attempt(); !errors.Is(err, run.ErrBusy) {
				t.Errorf("somebody else meanwhile: %v", err)
			}
			if end != "nobody starts it" {
				start(h.Arguments)
			}
			w := l.asOwner("arn:1")
			defer w.Close()
			if end == "recover" {
				for r := server.Runs(); len(r) != 1; r = server.Runs() {
				}
				server.Close() // it has ended
				r, err := w.Recover(t.Context())
				if err != nil || r.Run != h.Run || !r.Thrown || r.Err == nil || !strings.Contains(r.Err.Error(), itFails) {
					t.Errorf("%+v: %v", r, err)
				}
			} else if rec, err := w.Run(t.Context(), run.RunOptions{}); err == nil || !strings.Contains(err.Error(), itFails) || rec.Run != h.Run {
				t.Errorf("run %s: %v", rec.Run, err)
			}
			if n := server.Counts("StartJobRun"); n != 1 {
				t.Errorf("the job was started %d times", n)
			}
			if left := l.garbage(); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if at := strings.TrimSuffix(h.Plan, "spark/"+h.Run+"/plan.json"); len(l.below(at+"left")) > 0 || len(l.below(at+"spark/"+h.Run)) > 0 {
				t.Errorf("left behind: %v %v", l.below(at+"left"), l.below(at+"spark/"+h.Run))
			}
		})
	}
}

// below lists what is in a bucket.
func (l *testLake) below(location string) (out []string) {
	l.t.Helper()
	s, prefix, err := registry.New(awsconf.Settings{}).Locate(l.t.Context(), location)
	if err != nil {
		l.t.Fatal(err)
	}
	for o, err := range s.List(l.t.Context(), prefix, store.ListOptions{}) {
		if err != nil {
			l.t.Fatal(err)
		}
		out = append(out, o.Key)
	}
	return out
}

// TestHandOverWhereNothingIsToBeStarted changes nothing about a run of DuckDB, and of one that finds nothing to do.
func TestHandOverWhereNothingIsToBeStarted(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.batch(0)
	for _, want := range []run.Status{run.Published, run.NothingToDo} {
		if rec, err := l.attemptWith(run.RunOptions{HandOver: true}); err != nil || rec.Status != want {
			t.Errorf("%s: %v", rec.Status, err)
		}
	}
}
