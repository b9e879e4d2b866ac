package rightstest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"tarn/internal/awsconf"
	"tarn/internal/engine/spark"
	"tarn/internal/engine/spark/glue"
	"tarn/internal/exetest"
	"tarn/internal/lambda/lambdatest"
	"tarn/internal/rights"
	"tarn/internal/rights/rightstest"
)

// executions stands in for the two calls of Step Functions that the function makes. Executions are alive until they are ended.
type executions struct {
	mu      sync.Mutex
	started []string
	ended   map[string]bool
}

func (e *executions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var in struct{ StateMachineArn, Name, ExecutionArn string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	out := map[string]any{"executionArn": in.ExecutionArn, "stateMachineArn": "arn", "status": "RUNNING", "startDate": 1.7e9}
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".StartExecution") {
		e.started = append(e.started, in.Name)
		out = map[string]any{"executionArn": in.StateMachineArn + ":" + in.Name, "startDate": 1.7e9}
	} else if e.ended[in.ExecutionArn] {
		out["status"] = "FAILED"
	}
	_ = json.NewEncoder(w).Encode(out)
}

// function runs the function as a process with the runner's rights: it takes events in, prepares a job for Spark, sees that another
// execution is at work, clears up after it, and runs.
func (d *deployed) function() {
	t := d.t
	t.Helper()
	calls := &executions{ended: map[string]bool{}}
	states := httptest.NewServer(d.guard.Service(calls))
	t.Cleanup(states.Close)
	code := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"bootstrap": "#!/bin/sh\nexec ./tarn lambda\n", "tarn": string(program)} {
		if err := exetest.WriteFile(filepath.Join(code, name), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(code, "lake"), os.DirFS(d.dir)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(d.dir, "tarn.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	config := strings.Replace(string(text), "    catalog: glue", "    deploy: {engine: glue}\n    catalog: glue", 1)
	if err := os.WriteFile(filepath.Join(code, "lake", "tarn.yaml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	machine := "arn:aws:states:" + rightstest.Region + ":" + rightstest.Account + ":stateMachine:stedi-aws"
	env := []string{asTarn + "=1", "TARN_TARGET=aws", "TARN_STATE_MACHINE=" + machine, "AWS_ENDPOINT_URL_SFN=" + states.URL, "AWS_ACCESS_KEY_ID=" + string(rights.Runner)}
	function, err := lambdatest.New(lambdatest.Config{Name: "stedi-aws", Code: code, Timeout: time.Minute, Memory: 1024, Env: append(env, d.env...)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(function.Close)
	call := func(event string) lambdatest.Result {
		t.Helper()
		r, err := function.Invoke(t.Context(), []byte(event))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	task := func(action, execution string) lambdatest.Result {
		t.Helper()
		r := call(fmt.Sprintf(`{"action": %q, "execution": "%s:%s", "start": {"reason": "event"}}`, action, strings.Replace(machine, "stateMachine", "execution", 1), execution))
		if r.Err != nil && r.Err.Type != "Busy" {
			t.Fatalf("%s: %v\n%s", action, r.Err, d.refused())
		}
		return r
	}
	body := fmt.Sprintf(`{"detail-type": "Object Created", "source": "aws.s3", "detail": {"bucket": {"name": %q}, "object": {"key": "landing/customer/landing/customer-1.json"}}}`, d.bucket)
	message, err := json.Marshal(map[string]any{"Records": []any{map[string]any{"messageId": "1", "eventSource": "aws:sqs", "body": body}}})
	if err != nil {
		t.Fatal(err)
	}
	if r := call(string(message)); r.Err != nil || strings.Contains(string(r.Payload), `"1"`) || len(calls.started) != 1 {
		t.Fatalf("%v %s, started: %v\n%s", r.Err, r.Payload, calls.started, d.refused())
	}
	if r := task("prepare", "one"); !strings.Contains(string(r.Payload), `"start"`) {
		t.Fatalf("prepare: %s", r.Payload)
	}
	if r := task("run", "two"); r.Err == nil {
		t.Fatalf("two executions run at once: %s", r.Payload)
	}
	calls.mu.Lock()
	calls.ended[strings.Replace(machine, "stateMachine", "execution", 1)+":one"] = true
	calls.mu.Unlock()
	task("recover", "one")
	task("run", "two")
	task("tidy", "two")

	// What it does with a job that is left: it looks for it, asks how it is and ends it. To start one is the state machine's.
	job := spark.Job{Run: "x", Plan: "s3://" + d.bucket + "/plan.json"}
	if _, err := d.launcher(rights.Pipeline).Start(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	launcher := d.launcher(rights.Runner)
	ids, err := launcher.Find(t.Context(), job)
	if err != nil || len(ids) != 1 {
		t.Fatal(ids, err)
	}
	if err := launcher.Cancel(t.Context(), job, ids[0]); err != nil {
		t.Error(err)
	}
	d.nothingRefused(rights.Runner)
	job.Plan = "s3://" + d.bucket + "/another.json"
	if _, err := launcher.Start(t.Context(), job); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("the function starts a job: %v", err)
	}
}

// launcher is what an actor starts and ends the job by.
func (d *deployed) launcher(a rights.Actor) *glue.Launcher {
	d.t.Helper()
	d.bucketOf(a)
	cfg, err := awsconf.Load(d.t.Context(), awsconf.Settings{})
	if err != nil {
		d.t.Fatal(err)
	}
	return glue.New(cfg, glue.Options{Job: "stedi-aws", Poll: time.Millisecond})
}
