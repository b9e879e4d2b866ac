package machinetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Server is a stand-in for the API of AWS Step Functions: executions of machines that [Parse] takes. It is an [http.Handler].
// Signatures are not checked. The fields are not changed once it serves.
type Server struct {
	Clock *Clock
	// Machines are by their ARNs, Tasks by the Resource of Task states.
	Machines map[string]*Definition
	Tasks    map[string]Task
	// Waited, if not nil, is told each time for which a Wait state of an execution has waited.
	Waited func(time.Time)
	// Refuse, if not nil, is asked before each operation, and refuses it by the name of an error that is not "".
	Refuse func(op string) string

	mu      sync.Mutex
	all     []*started
	running sync.WaitGroup
}

// started is an execution as the API shows it.
type started struct {
	*Execution
	input        string
	status       string
	output       string
	failure      Error
	began, ended time.Time
	cancel       context.CancelFunc
}

const (
	isRunning = "RUNNING"
	succeeded = "SUCCEEDED"
	failed    = "FAILED"
	timeOut   = "TIMED_OUT"
	aborted   = "ABORTED"
)

// Wait waits until all executions have ended that there are.
func (s *Server) Wait() { s.running.Wait() }

// Close stops all executions.
func (s *Server) Close() {
	s.mu.Lock()
	all := slices.Clone(s.all)
	s.mu.Unlock()
	for _, x := range all {
		s.stop(x, Error{})
	}
	s.running.Wait()
}

// Stop ends an execution, as StopExecution does.
func (s *Server) Stop(arn string) error {
	x, err := s.find(arn)
	if err == nil {
		s.stop(x, Error{})
	}
	return err
}

// Ended is an execution as it stands: Status as the API has it, the steps, and how it failed, if it did.
type Ended struct {
	Name, ARN, Status, Error string
	Steps                    []Step
}

// Executions are all that there are, the oldest first.
func (s *Server) Executions() []Ended {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Ended
	for _, x := range s.all {
		e := Ended{Name: x.Name, ARN: x.ARN, Status: x.status, Steps: x.Steps()}
		if x.failure.Name != "" {
			e.Error = x.failure.Error()
		}
		out = append(out, e)
	}
	return out
}

type refusal struct{ code, message string }

func (r *refusal) Error() string { return r.code + ": " + r.message }

func refuse(code, format string, args ...any) error {
	return &refusal{code, fmt.Sprintf(format, args...)}
}

// ServeHTTP implements [http.Handler] (AWS JSON 1.0).
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op, _ := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AWSStepFunctions.")
	var in struct {
		StateMachineArn, ExecutionArn, Name, Input, StatusFilter, Error, Cause, NextToken string
		MaxResults                                                                        int
	}
	err := json.NewDecoder(r.Body).Decode(&in)
	var out any
	if err == nil && s.Refuse != nil {
		if code := s.Refuse(op); code != "" {
			err = refuse(code, "refused by the test")
		}
	}
	if err == nil {
		switch op {
		case "StartExecution":
			out, err = s.Start(in.StateMachineArn, in.Name, in.Input)
		case "DescribeExecution":
			out, err = s.describe(in.ExecutionArn)
		case "ListExecutions":
			out, err = s.list(in.StateMachineArn, in.StatusFilter)
		case "StopExecution":
			var x *started
			if x, err = s.find(in.ExecutionArn); err == nil {
				s.stop(x, Error{in.Error, in.Cause})
				out = object{"stopDate": seconds(s.Clock.Now())}
			}
		default:
			err = refuse("UnknownOperationException", "%s is not known here", op)
		}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if err != nil {
		var no *refusal
		if !errors.As(err, &no) {
			no = &refusal{"ValidationException", err.Error()}
		}
		w.WriteHeader(http.StatusBadRequest)
		out = object{"__type": "com.amazonaws.swf.service.v2.model#" + no.code, "message": no.message}
	}
	_ = json.NewEncoder(w).Encode(out)
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// Start starts an execution, as StartExecution does: one of a name and input that is running is given again, and a name that is taken
// otherwise is refused (AWS Step Functions API Reference, "StartExecution").
func (s *Server) Start(machine, name, input string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.Machines[machine]
	if d == nil {
		return nil, refuse("StateMachineDoesNotExist", "no state machine %s", machine)
	}
	if input == "" {
		input = "{}"
	}
	if !json.Valid([]byte(input)) || len(input) > MaxState {
		return nil, refuse("InvalidExecutionInput", "the input is not JSON, or too long")
	}
	if name == "" {
		name = fmt.Sprintf("execution-%d", len(s.all)+1)
	}
	if len(name) > 80 || strings.ContainsAny(name, " \t\n<>{}[]?*\"#%\\^|~`$&,;:/") {
		return nil, refuse("InvalidName", "%q", name)
	}
	arn := strings.Replace(machine, ":stateMachine:", ":execution:", 1) + ":" + name
	for _, x := range s.all {
		if x.ARN != arn {
			continue
		}
		if x.status != isRunning || x.input != input {
			return nil, refuse("ExecutionAlreadyExists", "Execution Already Exists: '%s'", arn)
		}
		return object{"executionArn": arn, "startDate": seconds(x.began)}, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	x := &started{input: input, status: isRunning, began: s.Clock.Now(), cancel: cancel,
		Execution: &Execution{ARN: arn, Name: name, Machine: machine, MachineName: machine[strings.LastIndex(machine, ":")+1:], Tasks: s.Tasks, Clock: s.Clock, Waited: s.Waited}}
	s.all = append(s.all, x)
	s.running.Add(1)
	stop := s.Clock.Work()
	go func() {
		defer s.running.Done()
		defer stop()
		out, err := x.run(ctx, d, []byte(input))
		s.end(x, string(out), err)
	}()
	return object{"executionArn": arn, "startDate": seconds(x.began)}, nil
}

// end notes how an execution has ended.
func (s *Server) end(x *started, out string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.status != isRunning {
		return
	}
	x.ended = s.Clock.Now()
	switch {
	case err == nil:
		x.status, x.output = succeeded, out
	case x.expired:
		x.status, x.failure = timeOut, *named(err)
	default:
		x.status, x.failure = failed, *named(err)
	}
}

// stop ends an execution at once. Tasks that are under way are told by their contexts.
func (s *Server) stop(x *started, why Error) {
	s.mu.Lock()
	if x.status == isRunning {
		x.status, x.failure, x.ended = aborted, why, s.Clock.Now()
	}
	s.mu.Unlock()
	x.cancel()
	s.Clock.notice()
}

func (s *Server) find(arn string) (*started, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.all {
		if x.ARN == arn {
			return x, nil
		}
	}
	return nil, refuse("ExecutionDoesNotExist", "Execution Does Not Exist: '%s'", arn)
}

func (s *Server) describe(arn string) (any, error) {
	x, err := s.find(arn)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := x.shown()
	out["input"] = x.input
	switch {
	case x.status == succeeded:
		out["output"] = x.output
	case x.failure.Name != "":
		out["error"], out["cause"] = x.failure.Name, x.failure.Cause
	}
	return out, nil
}

func (x *started) shown() object {
	out := object{"executionArn": x.ARN, "stateMachineArn": x.Machine, "name": x.Name, "status": x.status, "startDate": seconds(x.began)}
	if x.status != isRunning {
		out["stopDate"] = seconds(x.ended)
	}
	return out
}

// list gives executions, the newest first.
func (s *Server) list(machine, status string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Machines[machine] == nil {
		return nil, refuse("StateMachineDoesNotExist", "no state machine %s", machine)
	}
	out := []object{}
	for _, x := range slices.Backward(s.all) {
		if x.Machine == machine && (status == "" || x.status == status) {
			out = append(out, x.shown())
		}
	}
	return object{"executions": out}, nil
}
