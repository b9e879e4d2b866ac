package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tarn/internal/awsconf"
	"tarn/internal/catalog/glue/gluetest"
	"tarn/internal/engine/spark/jobtest"
	"tarn/internal/exetest"
	"tarn/internal/lambda/lambdatest"
	"tarn/internal/lambda/task"
	"tarn/internal/stedi"
	"tarn/internal/store"
	s3store "tarn/internal/store/s3"
	"tarn/internal/store/s3/s3test"
	"tarn/internal/template"
)

// TestMain makes the test binary the function, where a function's variable says so.
func TestMain(m *testing.M) {
	if os.Getenv("TARN_LAMBDA_TEST") == "" {
		os.Exit(m.Run())
	}
	if err := Serve(context.Background(), "lake", os.Getenv(TargetVariable), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// statesAPI is a stand-in for the two calls of Step Functions that the function makes.
type statesAPI struct {
	*httptest.Server
	mu sync.Mutex
	// inputs are those of started executions by name; alive names executions that go on.
	inputs map[string]string
	alive  map[string]bool
	// throttled refuses so many starts.
	throttled int
}

func newStates(t *testing.T) *statesAPI {
	s := &statesAPI{inputs: map[string]string{}, alive: map[string]bool{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		var in struct{ StateMachineArn, Name, Input, ExecutionArn string }
		problem := func(kind string) {
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(map[string]string{"__type": kind, "message": kind})
		}
		if json.NewDecoder(r.Body).Decode(&in) != nil {
			problem("ValidationException")
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		switch {
		case op == "StartExecution" && s.throttled > 0:
			s.throttled--
			problem("ThrottlingException")
		case op == "StartExecution" && s.inputs[in.Name] != "":
			problem("ExecutionAlreadyExists")
		case op == "StartExecution":
			s.inputs[in.Name] = in.Input
			_ = json.NewEncoder(w).Encode(map[string]any{"executionArn": in.StateMachineArn + ":" + in.Name, "startDate": 1.7e9})
		case op == "DescribeExecution" && s.alive[in.ExecutionArn]:
			_ = json.NewEncoder(w).Encode(map[string]any{"executionArn": in.ExecutionArn, "stateMachineArn": "arn", "status": "RUNNING", "startDate": 1.7e9})
		case op == "DescribeExecution":
			problem("ExecutionDoesNotExist")
		default:
			problem("UnknownOperationException")
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// world is a deployed lake: the real files in a bucket, Glue, a state machine and the function.
type world struct {
	t      *testing.T
	dir    string
	bucket string
	store  store.Store
	glue   *gluetest.Server
	// proxy is between the function and the bucket.
	proxy    *s3test.Proxy
	states   *statesAPI
	function *lambdatest.Function
	logs     *bytes.Buffer
}

// newWorld makes one. It cannot be parallel, as it leads the environment to the servers.
func newWorld(t *testing.T, c lambdatest.Config) *world {
	t.Helper()
	raw := stedi.Files(t)
	w := &world{t: t, dir: t.TempDir(), logs: &bytes.Buffer{}, states: newStates(t), glue: gluetest.Start(t)}
	jobs := httptest.NewServer(&jobtest.Server{Else: w.glue, Jobs: map[string]bool{"stedi-aws": true}})
	t.Cleanup(jobs.Close)
	server := s3test.Server(t)
	w.bucket = s3test.Bucket(t)
	w.proxy = s3test.NewProxy(t, server)
	t.Setenv("AWS_ENDPOINT_URL_GLUE", jobs.URL)
	cfg, err := awsconf.Load(t.Context(), awsconf.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	w.store = s3store.New(w.bucket, cfg, awsconf.Settings{})
	err = filepath.WalkDir(raw, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.Contains(path, "/landing/") {
			return err
		}
		rel, err := filepath.Rel(raw, path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil {
			w.put("landing/"+filepath.ToSlash(rel), string(content))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := template.Write(filepath.Join(w.dir, "lake"), "stedi", template.Options{Name: "stedi"}); err != nil {
		t.Fatal(err)
	}
	w.write("lake/tarn.yaml", "name: stedi\ntargets:\n  aws:\n    warehouse: s3://${BUCKET}/warehouse/\n    catalog: glue\n    profile: of-a-laptop\n    locations: {\"s3://stedi-lake/\": \"s3://${BUCKET}/landing/\"}\n")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	w.write("tarn", string(program))
	w.write("bootstrap", "#!/bin/sh\nexec ./tarn\n")
	c.Name, c.Code, c.Log = "stedi-aws", w.dir, w.logs
	c.Env = []string{"TARN_LAMBDA_TEST=1", "BUCKET=" + w.bucket, TargetVariable + "=aws", StateMachineVariable + "=arn:aws:states:us-east-1:123456789012:stateMachine:stedi-aws",
		"AWS_ENDPOINT_URL_SFN=" + w.states.URL}
	for _, e := range os.Environ() {
		if strings.HasPrefix(e, "AWS_ENDPOINT_URL=") {
			e = "AWS_ENDPOINT_URL=" + w.proxy.URL
		}
		if strings.HasPrefix(e, "AWS_") {
			c.Env = append(c.Env, e)
		}
	}
	if w.function, err = lambdatest.New(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.function.Close)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(w.logs.String())
		}
	})
	return w
}

func (w *world) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := exetest.WriteFile(path, []byte(text)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) read(name string) string {
	w.t.Helper()
	raw, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(raw)
}

// replace changes a file of the function.
func (w *world) replace(name, from, to string) {
	w.t.Helper()
	text := w.read(name)
	if !strings.Contains(text, from) {
		w.t.Fatalf("%s has no %q", name, from)
	}
	w.write(name, strings.Replace(text, from, to, 1))
}

// config adds settings to the target.
func (w *world) config(more string) { w.write("lake/tarn.yaml", w.read("lake/tarn.yaml")+more) }

func (w *world) put(key, text string) {
	w.t.Helper()
	if _, err := w.store.Put(w.t.Context(), key, strings.NewReader(text), store.Condition{}); err != nil {
		w.t.Fatal(err)
	}
}

// keys lists what is in the bucket below a prefix.
func (w *world) keys(prefix string) (keys []string) {
	w.t.Helper()
	for o, err := range w.store.List(w.t.Context(), prefix, store.ListOptions{}) {
		if err != nil {
			w.t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

// call gives the function an event that it answers.
func (w *world) call(event string) map[string]any {
	w.t.Helper()
	r := w.invoke(event)
	if r.Err != nil {
		w.t.Fatalf("%s: %v", event, r.Err)
	}
	var out map[string]any
	if err := json.Unmarshal(r.Payload, &out); err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) invoke(event string) lambdatest.Result {
	w.t.Helper()
	r, err := w.function.Invoke(w.t.Context(), []byte(event))
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// task is what the state machine calls the function with.
func (w *world) task(action task.Action, execution, run string) string {
	return fmt.Sprintf(`{"action": %q, "execution": %q, "run": %q, "start": {"at": "2025-01-31T10:00:00Z", "reason": "event"}}`, action, execution, run)
}

func (w *world) arrived(keys ...string) string {
	var records []record
	for i, key := range keys {
		r := message(fmt.Sprint(i), key)
		r.Body = strings.ReplaceAll(r.Body, `"name":"lake"`, `"name":"`+w.bucket+`"`)
		records = append(records, r)
	}
	return string(batchOf(w.t, records...))
}

// customer is a file of one, from whom everything else is made.
const customer = `{"customerName": "Ada Doe", "email": "Ada.Doe@test.com", "phone": "8015551212", "birthDay": "1950-01-01",
	"serialNumber": "5db21eb0-2c2f-4e3e-8e5a-1e5a3a4b5c6d", "registrationDate": 1655471583651, "lastUpdateDate": 1655471583651, "shareWithResearchAsOfDate": 1655471583651}` + "\n"

// The whole way on the real files: a batch of a queue, the tasks of an execution, then nothing; a check that fails, another
// execution at work, a manual run, and a process that is killed at every call of Glue.
func TestFunction(t *testing.T) {
	w := newWorld(t, lambdatest.Config{Timeout: time.Minute, Memory: 1024})
	w.states.throttled = 2
	landing := w.keys("landing/")
	if out := w.call(w.arrived(landing...)); len(out["batchItemFailures"].([]any)) != 0 {
		t.Fatal(out)
	}
	if len(w.states.inputs) != 1 || len(w.keys("warehouse/stedi/_tarn/hints/")) != 1 {
		t.Fatal(w.states.inputs, w.keys("warehouse/stedi/_tarn/"))
	}
	name := slices.Collect(maps.Keys(w.states.inputs))[0]
	execution := "arn:aws:states:us-east-1:123456789012:execution:stedi-aws:" + name
	if out := w.call(w.task(task.Plan, execution, "")); out["next"] != string(task.InLambda) {
		t.Fatal(out)
	}
	out := w.call(w.task(task.Run, execution, ""))
	if out["next"] != string(task.Done) || out["published"] != 8.0 || out["loaded"] != 110_909.0 {
		t.Fatal(out)
	}
	for _, want := range []string{"machine_learning_curated: 40,981 rows, +40,981, -0", "trusted/accelerometer_trusted.sql:6: check before_consent of accelerometer_trusted warned: the query gives 8,956 rows"} {
		if !strings.Contains(out["report"].(string), want) {
			t.Errorf("the report lacks %q:\n%s", want, out["report"])
		}
	}
	if left := w.keys("warehouse/stedi/_tarn/hints/"); len(left) != 0 {
		t.Error(left)
	}
	if out := w.call(w.task(task.Plan, execution, "")); out["next"] != string(task.Nothing) {
		t.Fatal(out)
	}
	if out := w.call(w.task(task.Tidy, execution, "")); out["next"] != string(task.Done) {
		t.Fatal(out)
	}

	// Another execution holds the lock: whoever comes waits for it, until it has ended.
	w.put("landing/customer/landing/more.json", customer+`{"customerName": "Ada`+"\n")
	w.call(w.arrived("landing/customer/landing/more.json"))
	other := "arn:aws:states:us-east-1:123456789012:execution:stedi-aws:other"
	w.states.alive[execution] = true
	var kill sync.Once // the next process is not meant
	w.glue.Do(func(op string) gluetest.Fault {
		if op == "UpdateTable" {
			kill.Do(w.function.Kill)
		}
		return gluetest.Fault{}
	})
	if r := w.invoke(w.task(task.Run, execution, "")); r.Err == nil || r.Err.Type != lambdatest.Exited {
		t.Fatalf("%v %s", r.Err, r.Payload)
	}
	w.glue.Do(nil)
	if r := w.invoke(w.task(task.Run, other, "")); r.Err == nil || r.Err.Type != task.Busy {
		t.Fatalf("%v %s", r.Err, r.Payload)
	}
	if r := w.invoke(`{"run": {}}`); r.Err == nil || r.Err.Type != task.Busy {
		t.Fatalf("%v %s", r.Err, r.Payload)
	}
	delete(w.states.alive, execution)
	if out := w.call(w.task(task.Recover, other, "")); out["next"] != string(task.Done) {
		t.Fatal(out)
	}
	if out := w.call(w.task(task.Run, other, "")); out["next"] != string(task.Done) {
		t.Fatal(out)
	}
	out = w.call(`{"run": {"tables": ["customers_curated"], "full_refresh": true}}`)
	if out["next"] != string(task.Done) || out["published"].(float64) < 3 || !strings.Contains(out["report"].(string), "customers_curated: ") {
		t.Fatal(out)
	}
	// What else is made of these is out of date then.
	if out := w.call(w.task(task.Run, other, "")); out["next"] != string(task.Done) || out["published"] == 0.0 {
		t.Fatal(out)
	}
	if out := w.call(w.task(task.Plan, other, "")); out["next"] != string(task.Nothing) {
		t.Fatal(out)
	}

	for _, secret := range []string{"Ada", "@test.com", "more.json", "8015551212"} {
		if strings.Contains(w.logs.String(), secret) {
			t.Errorf("the log says %s", secret)
		}
	}
	for _, want := range []string{`"RowsQuarantined":1`, `"Namespace":"tarn"`, `"RunsFailed":1`, `"action":"run"`, `"request":"`} {
		if !strings.Contains(w.logs.String(), want) {
			t.Errorf("the log lacks %s", want)
		}
	}
}
