// Package account is an AWS account on this machine in which a deployed lake works: what `tarn deploy` makes in the stand-in of package
// stacktest is brought to life by the template alone. The function's code comes out of the bucket and runs as a process, the state machine
// is executed as it is written in the template, files that land become events and messages by the template's rule, and Athena asks the
// lake's tables. Time is the machine's, but for how long the state machine waits before it tries something again.
//
// Rights are not looked at, and there is no Spark: a run that wants it fails. Package flow has both.
package account

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"tarn/internal/athena/athenatest"
	"tarn/internal/awsconf"
	"tarn/internal/deploy/machine/machinetest"
	"tarn/internal/deploy/stack/stacktest"
	"tarn/internal/store/registry"
)

// Account is one. Close ends it.
type Account struct {
	// Env are the variables that lead the AWS clients of other programs to it.
	Env []string

	stack  *stacktest.Server
	http   *httptest.Server
	stores *registry.Set
	log    io.Writer
	stop   func()
	athena athenatest.Engine
	events *events

	mu        sync.Mutex
	functions map[string]*function
	machines  map[string]*machine
	groups    string
	asked     *athenatest.Server
}

// machine is a state machine as it was deployed last.
type machine struct {
	definition string
	server     *machinetest.Server
}

// Serve starts an account. Athena asks the lake in a folder, by one of its targets. What functions write goes to the log as well.
func Serve(lake athenatest.Lake, log io.Writer) (*Account, error) {
	stack, env, stop, err := stacktest.Serve()
	if err != nil {
		return nil, err
	}
	a := &Account{stack: stack, stores: registry.New(awsconf.Settings{}), log: log, stop: stop, athena: lake, functions: map[string]*function{}, machines: map[string]*machine{}}
	a.events = &events{a: a}
	a.http = httptest.NewServer(a)
	a.Env = append(env, "AWS_ENDPOINT_URL="+a.http.URL)
	return a, nil
}

// Close ends all processes.
func (a *Account) Close() {
	a.mu.Lock()
	machines, functions := slices.Collect(maps.Values(a.machines)), slices.Collect(maps.Values(a.functions))
	a.mu.Unlock()
	a.events.close()
	for _, m := range machines {
		m.server.Close()
	}
	for _, f := range functions {
		f.close()
	}
	a.http.Close()
	a.stop()
}

// ServeHTTP implements [http.Handler].
func (a *Account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := r.Header.Get("X-Amz-Target")
	switch {
	case strings.HasPrefix(target, "AWSStepFunctions."):
		a.states(w, r, strings.TrimPrefix(target, "AWSStepFunctions."))
	case strings.HasPrefix(target, "AmazonAthena."):
		a.ask(w, r)
	case target == "AmazonSQS.GetQueueUrl":
		a.queue(w, r)
	case strings.HasPrefix(r.URL.Path, "/2015-03-31/functions/"):
		name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/2015-03-31/functions/"), "/")
		f, err := a.function(r.Context(), name)
		if err != nil {
			refuse(w, http.StatusNotFound, "ResourceNotFoundException", err.Error())
			return
		}
		f.ServeHTTP(w, r)
	case target == "" && (r.Method == http.MethodPut || r.Method == http.MethodPost):
		seen := &status{ResponseWriter: w, code: http.StatusOK}
		a.stack.ServeHTTP(seen, r)
		if seen.code == http.StatusOK {
			a.events.written(r)
		}
	default:
		a.stack.ServeHTTP(w, r)
	}
}

// status notes how a request has ended.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

func refuse(w http.ResponseWriter, code int, kind, message string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-Errortype", kind)
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": kind, "message": message})
}

func answer(w http.ResponseWriter, out any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_ = json.NewEncoder(w).Encode(out)
}

// states answers for Step Functions: the list of machines, and of one what package machinetest does.
func (a *Account) states(w http.ResponseWriter, r *http.Request, op string) {
	deployed := a.stack.Deployed("AWS::StepFunctions::StateMachine")
	if op == "ListStateMachines" {
		list := []any{}
		for arn, p := range deployed {
			list = append(list, map[string]any{"stateMachineArn": arn, "name": p["StateMachineName"], "type": "STANDARD", "creationDate": time.Now().Unix()})
		}
		answer(w, map[string]any{"stateMachines": list})
		return
	}
	raw, err := io.ReadAll(r.Body)
	var in struct{ StateMachineArn, ExecutionArn string }
	if err == nil {
		err = json.Unmarshal(raw, &in)
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "SerializationException", err.Error())
		return
	}
	arn := in.StateMachineArn
	if arn == "" { // an execution's has the machine's and its own name
		arn = strings.Replace(in.ExecutionArn, ":execution:", ":stateMachine:", 1)
		arn = arn[:max(0, strings.LastIndex(arn, ":"))]
	}
	m, err := a.machine(arn, deployed[arn])
	if err != nil {
		refuse(w, http.StatusBadRequest, "StateMachineDoesNotExist", err.Error())
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	m.ServeHTTP(w, r)
}

func (a *Account) machine(arn string, properties map[string]any) (*machinetest.Server, error) {
	text, _ := properties["DefinitionString"].(string)
	if text == "" {
		return nil, fmt.Errorf("no state machine %s was deployed", arn)
	}
	names, _ := properties["DefinitionSubstitutions"].(map[string]any)
	for name, value := range names {
		text = strings.ReplaceAll(text, "${"+name+"}", fmt.Sprint(value))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if m := a.machines[arn]; m != nil && m.definition == text {
		return m.server, nil
	}
	d, err := machinetest.Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	// The clock of executions jumps; where they wait for a time, this waits as well.
	s := &machinetest.Server{Clock: machinetest.NewClock(time.Now()), Machines: map[string]*machinetest.Definition{arn: d},
		Waited: func(at time.Time) { time.Sleep(time.Until(at)) }, Tasks: a.tasks()}
	a.machines[arn] = &machine{text, s}
	return s, nil
}

// ask answers for Athena, with the workgroups that were deployed.
func (a *Account) ask(w http.ResponseWriter, r *http.Request) {
	groups := map[string]athenatest.WorkGroup{}
	for name, p := range a.stack.Deployed("AWS::Athena::WorkGroup") {
		settings, _ := p["WorkGroupConfiguration"].(map[string]any)
		results, _ := settings["ResultConfiguration"].(map[string]any)
		output, _ := results["OutputLocation"].(string)
		groups[name] = athenatest.WorkGroup{Output: output, Enforce: settings["EnforceWorkGroupConfiguration"] == "true"}
	}
	a.mu.Lock()
	if names := fmt.Sprint(groups); a.asked == nil || a.groups != names {
		a.asked, a.groups = athenatest.New(a.athena, a.stores, groups), names
	}
	asked := a.asked
	a.mu.Unlock()
	asked.ServeHTTP(w, r)
}

// queue answers with the URL of a queue.
func (a *Account) queue(w http.ResponseWriter, r *http.Request) {
	var in struct{ QueueName string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		refuse(w, http.StatusBadRequest, "SerializationException", err.Error())
		return
	}
	for url, p := range a.stack.Deployed("AWS::SQS::Queue") {
		if p["QueueName"] == in.QueueName {
			answer(w, map[string]string{"QueueUrl": url})
			return
		}
	}
	refuse(w, http.StatusBadRequest, "QueueDoesNotExist", "The specified queue does not exist.")
}
