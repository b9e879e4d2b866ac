// Package flow lets a deployed lake work on this machine, from an event of S3 to tables that others read: the queue, the real
// function as a process behind a stand-in for the Lambda runtime API, the state machine of the template executed by package
// machinetest, an S3 server, and stand-ins for the APIs of Glue and Step Functions. Each actor has the rights of the template, and no
// others: see package rightstest.
//
// The clock of executions jumps, so waiting takes no time; that of the function is the machine's. Where an execution has waited for
// a time, the function is made to see that this has passed: see [world.passed].
package flow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tarn/internal/awsconf"
	"tarn/internal/catalog/glue/gluetest"
	"tarn/internal/cli"
	"tarn/internal/deploy"
	"tarn/internal/deploy/deploytest"
	"tarn/internal/deploy/machine"
	"tarn/internal/deploy/machine/machinetest"
	"tarn/internal/deploy/render"
	"tarn/internal/engine/spark/jobtest"
	"tarn/internal/exetest"
	"tarn/internal/lambda"
	"tarn/internal/lambda/lambdatest"
	"tarn/internal/rights"
	"tarn/internal/rights/rightstest"
	"tarn/internal/stedi"
	"tarn/internal/store"
	s3store "tarn/internal/store/s3"
	"tarn/internal/store/s3/s3test"
	"tarn/internal/template"
	"tarn/test/peers"
)

// TestMain makes the test binary the program, where that is how it is called.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "tarn" {
		os.Exit(cli.Main())
	}
	code := m.Run()
	peers.End()
	os.Exit(code)
}

const (
	account    = "123456789012"
	machineARN = "arn:aws:states:us-east-1:" + account + ":stateMachine:stedi-aws"
	jobName    = "stedi-aws"
)

// world is a deployed lake and all around it.
type world struct {
	t      *testing.T
	dir    string // with lake, bootstrap and tarn
	bucket string
	spec   deploy.Spec
	store  store.Store
	s3     *s3test.Proxy
	glue   *gluetest.Server
	jobs   *jobtest.Server
	guard  *rightstest.Guard
	clock  *machinetest.Clock
	states *machinetest.Server
	lambda *lambdatest.Function
	queue  *queue
	log    *logs
	// jobsURL is where the stand-in for Glue is.
	jobsURL string

	// throttled is how many starts of jobs are refused.
	throttled atomic.Int64

	mu sync.Mutex
	// reports are what was sent to the topic.
	reports []string
	// shown is the last time that the function was made to see.
	shown time.Time
	// before is called before the function gets an event.
	before func(event string)
}

// logs is what the function writes.
type logs struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.String()
}

// config says what a world differs in.
type config struct {
	// keys are lines of the target in tarn.yaml.
	keys string
	// files are more files of the lake, by path.
	files map[string]string
	// function is how it is run.
	function lambdatest.Config
	// env are more variables of the function.
	env []string
}

// newWorld makes one, without landing files. It cannot be parallel, as it leads the environment to the servers.
func newWorld(t *testing.T, c config) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), log: &logs{}, clock: machinetest.NewClock(time.Now())}
	w.glue = gluetest.Start(t)
	s3 := s3test.Server(t)
	w.bucket = s3test.Bucket(t)
	cfg, err := awsconf.Load(t.Context(), awsconf.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	w.store = s3store.New(w.bucket, cfg, awsconf.Settings{})
	w.jobs = &jobtest.Server{Jobs: map[string]bool{jobName: true}, Else: w.glue, Do: func(context.Context, jobtest.Run) error { return errors.New("no job was to be run") }}
	t.Cleanup(w.jobs.Close)
	w.writeLake(c)
	w.spec = deploytest.Lake(t, filepath.Join(w.dir, "lake"), "aws", map[string]string{"BUCKET": w.bucket})
	w.states = &machinetest.Server{Clock: w.clock, Machines: map[string]*machinetest.Definition{machineARN: w.machine()}, Waited: w.passed,
		Tasks: map[string]machinetest.Task{"arn:aws:states:::lambda:invoke": w.invoke, "arn:aws:states:::glue:startJobRun.sync": w.runJob, "arn:aws:states:::sns:publish": w.tell}}
	if w.guard, err = rightstest.Of(render.Places(w.spec)); err != nil {
		t.Fatal(err)
	}
	// The stack has made the database.
	if _, err := w.glue.Call("CreateDatabase", map[string]any{"DatabaseInput": map[string]any{"Name": w.spec.Database}}); err != nil {
		t.Fatal(err)
	}
	w.s3 = s3test.NewProxy(t, w.guard.S3(t, s3))
	guarded := w.guard.Service(w.jobs)
	jobs := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Target") == "AWSGlue.StartJobRun" && w.throttled.Add(-1) >= 0 {
			rw.Header().Set("X-Amzn-Errortype", "ThrottlingException")
			rw.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(rw, `{"__type":"ThrottlingException","message":"Rate exceeded"}`)
			return
		}
		guarded.ServeHTTP(rw, r)
	}))
	t.Cleanup(jobs.Close)
	w.jobsURL = jobs.URL
	states := httptest.NewServer(w.guard.Service(w.states))
	t.Cleanup(states.Close)
	t.Cleanup(w.states.Close)

	c.function.Code, c.function.Log, c.function.Name = w.dir, w.log, "stedi-aws"
	if c.function.Memory == 0 {
		c.function.Memory = w.spec.Settings.Function.Memory
	}
	if c.function.Disk == 0 {
		c.function.Disk = w.spec.Settings.Function.Disk
	}
	if c.function.Timeout == 0 {
		c.function.Timeout = w.spec.Settings.Function.Timeout
	}
	c.function.Environments = 3
	c.function.Env = append([]string{"BUCKET=" + w.bucket, lambda.TargetVariable + "=aws", lambda.StateMachineVariable + "=" + machineARN, lambda.JobVariable + "=" + jobName,
		"AWS_ENDPOINT_URL=" + w.s3.URL, "AWS_ENDPOINT_URL_GLUE=" + jobs.URL, "AWS_ENDPOINT_URL_SFN=" + states.URL}, c.env...)
	for _, e := range os.Environ() {
		if strings.HasPrefix(e, "AWS_") && !strings.HasPrefix(e, "AWS_ENDPOINT") {
			c.function.Env = append(c.function.Env, e)
		}
	}
	c.function.Env = append(c.function.Env, "AWS_ACCESS_KEY_ID="+string(rights.Runner))
	if w.lambda, err = lambdatest.New(c.function); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.lambda.Close)
	w.queue = &queue{w: w}
	t.Setenv("BUCKET", w.bucket)
	t.Cleanup(func() {
		w.withinRights()
		if t.Failed() {
			t.Log(w.log.String())
			for _, e := range w.states.Executions() {
				t.Logf("execution %s: %s %s", e.Name, e.Status, e.Error)
				for _, s := range e.Steps {
					t.Logf("  %s, attempt %d: %s %s", s.State, s.Attempt, s.Output, s.Error)
				}
			}
		}
	})
	return w
}

// withinRights fails where an actor of the stack was refused something, or has asked for what the table of rights does not have.
func (w *world) withinRights() {
	w.t.Helper()
	for _, err := range w.guard.Err() {
		w.t.Error(err)
	}
	for _, e := range w.guard.Entries() {
		if e.Verdict != rightstest.Allowed {
			w.t.Errorf("refused: %s", e)
		}
	}
}

// writeLake writes the function's code: the lake that tarn init makes, the program, and its start.
func (w *world) writeLake(c config) {
	w.t.Helper()
	lake := filepath.Join(w.dir, "lake")
	if _, err := template.Write(lake, "stedi", template.Options{Name: "stedi"}); err != nil {
		w.t.Fatal(err)
	}
	config := "name: stedi\ntargets:\n  aws:\n    warehouse: s3://${BUCKET}/warehouse/\n    catalog: glue\n    locations: {\"s3://stedi-lake/\": \"s3://${BUCKET}/landing/\"}\n"
	for _, line := range strings.Split(strings.TrimSpace(c.keys), "\n") {
		config += "    " + line + "\n"
	}
	w.write("lake/tarn.yaml", config)
	for path, text := range c.files {
		w.write("lake/"+path, text)
	}
	w.write("bootstrap", "#!/bin/sh\nexec ./tarn lambda\n")
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	// A link, where the test's binary is on the same disk: it is large.
	if os.Link(self, filepath.Join(w.dir, "tarn")) != nil {
		raw, err := os.ReadFile(self)
		if err != nil {
			w.t.Fatal(err)
		}
		w.write("tarn", string(raw))
	}
	if err := os.Chmod(w.dir, 0o755); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := exetest.WriteFile(path, []byte(text)); err != nil {
		w.t.Fatal(err)
	}
}

// machine is the state machine of the lake's template, with the names of this account in it.
func (w *world) machine() *machinetest.Definition {
	w.t.Helper()
	m, err := machine.New(render.MachineOptions(w.spec))
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := m.Definition()
	if err != nil {
		w.t.Fatal(err)
	}
	text = strings.NewReplacer(machine.Function, w.arn(w.spec.Names().FunctionARN()), machine.Job, w.spec.Names().Job, machine.Topic, w.arn(w.spec.Names().TopicARN())).Replace(text)
	d, err := machinetest.Parse([]byte(text))
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// arn fills in what the template leaves open in an ARN.
func (w *world) arn(text string) string {
	for name, value := range rightstest.Variables {
		text = strings.ReplaceAll(text, "${"+name+"}", value)
	}
	return text
}

// own is the key of the folder that the lake has for itself.
const own = "warehouse/stedi/_tarn/"

// passed lets the function see that a time has come for which an execution has waited by the clock that jumps.
func (w *world) passed(at time.Time) {
	ctx := context.Background()
	for {
		raw, o, err := w.store.Get(ctx, own+"next.json")
		if errors.Is(err, store.ErrNotFound) {
			return
		}
		var next struct {
			At time.Time `json:"at"`
		}
		if err == nil {
			err = json.Unmarshal(raw, &next)
		}
		if err != nil {
			w.t.Error(err)
			return
		}
		if next.At.After(at) || !next.At.After(time.Now()) {
			return
		}
		// Each time is another one, as the names of executions are made of them.
		now := time.Now().UTC().Truncate(time.Second)
		w.mu.Lock()
		if !now.After(w.shown) {
			now = w.shown.Add(time.Second)
		}
		w.shown = now
		w.mu.Unlock()
		text := fmt.Sprintf(`{"at":%q}`, now.Format(time.RFC3339))
		_, err = w.store.Put(ctx, own+"next.json", strings.NewReader(text), store.Condition{ETag: o.ETag})
		if !errors.Is(err, store.ErrCondition) {
			if err != nil {
				w.t.Error(err)
			}
			return
		}
	}
}

// land copies the real files into the bucket, and gives their keys.
func (w *world) land() (keys []string) {
	w.t.Helper()
	raw := stedi.Files(w.t)
	err := filepath.WalkDir(raw, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.Contains(path, "/landing/") {
			return err
		}
		rel, err := filepath.Rel(raw, path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil {
			keys = append(keys, w.put("landing/"+filepath.ToSlash(rel), string(content)))
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return keys
}

// put puts an object into the bucket and gives its key.
func (w *world) put(key, text string) string {
	w.t.Helper()
	if _, err := w.store.Put(w.t.Context(), key, strings.NewReader(text), store.Condition{}); err != nil {
		w.t.Fatal(err)
	}
	return key
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

// start starts an execution as a schedule or a person does, and waits for all that are there.
func (w *world) start(name, input string) {
	w.t.Helper()
	if _, err := w.states.Start(machineARN, name, input); err != nil {
		w.t.Fatal(err)
	}
	w.states.Wait()
}

// last is the execution that was started last.
func (w *world) last() machinetest.Ended {
	all := w.states.Executions()
	return all[len(all)-1]
}

// steps are the states of an execution, those that were tried again once for each time.
func steps(e machinetest.Ended) string {
	var out []string
	for _, s := range e.Steps {
		out = append(out, s.State)
	}
	return strings.Join(out, ", ")
}

// allSucceeded fails where an execution has not ended well.
func (w *world) allSucceeded() {
	w.t.Helper()
	for _, e := range w.states.Executions() {
		if e.Status != "SUCCEEDED" {
			w.t.Errorf("execution %s is %s: %s", e.Name, e.Status, e.Error)
		}
	}
}

// counts are the rows of the real files' tables (README of the data).
var counts = map[string]int{"customer_landing": 956, "accelerometer_landing": 81_273, "step_trainer_landing": 28_680, "customer_trusted": 482,
	"accelerometer_trusted": 40_981, "customers_curated": 482, "step_trainer_trusted": 14_460, "machine_learning_curated": 40_981}

// tables says what is in each table: how many rows, and a sum over all values.
func (w *world) tables() map[string]string {
	w.t.Helper()
	out := map[string]string{}
	var parts []string
	for name := range counts {
		parts = append(parts, fmt.Sprintf("SELECT '%s', count(*), sum(hash(t)::HUGEINT) FROM %s t", name, name))
	}
	// The account of files and rows: without when, and by which run.
	parts = append(parts, "SELECT 'files', count(*), sum(hash(table_name, file, size, etag, definition, objects, loaded, quarantined)::HUGEINT) FROM tarn__files")
	slices.Sort(parts)
	for _, line := range strings.Split(strings.TrimSpace(w.query(strings.Join(parts, " UNION ALL "))), "\n")[1:] {
		name, sums, _ := strings.Cut(line, ",")
		out[name] = sums
	}
	return out
}

// rightCounts fails where tables have other rows than the real files make.
func (w *world) rightCounts() {
	w.t.Helper()
	got := w.tables()
	for name, want := range counts {
		if n, _, _ := strings.Cut(got[name], ","); n != fmt.Sprint(want) {
			w.t.Errorf("%s has %s rows, want %d", name, n, want)
		}
	}
}

// query gives rows as CSV.
func (w *world) query(sql string) string {
	w.t.Helper()
	var out, errs bytes.Buffer
	if code := cli.Run(context.Background(), []string{"query", "-C", filepath.Join(w.dir, "lake"), "--target", "aws", "--format", "csv", sql}, strings.NewReader(""), &out, &errs); code != 0 {
		w.t.Fatalf("tarn query: exit code %d\n%s", code, errs.String())
	}
	return out.String()
}
