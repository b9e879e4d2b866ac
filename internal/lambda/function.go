// Package lambda is tarn as an AWS Lambda function: what a deployed lake's queue and state machine call.
//
// [Function.Handle] takes every event that the function can get and tells them apart by their form:
//
//   - messages of a queue, or events of S3 and EventBridge themselves: what they name is written down as a hint (package hints), and
//     an execution of the state machine is made sure of;
//   - a task of the state machine (package task): a part of a run, which owns the lake's lock by its execution;
//   - {"run": {…}}: a whole run at once, for a person.
//
// # Logs
//
// Lines of JSON on stdout, with ids, tables, checks, counts and places in definitions. Neither logs nor reports have values of
// rows or names of landing files, as both can hold personal data; errors of AWS keep the location that they are about, without
// which nobody can mend them.
package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"tarn/internal/deployconf"
	"tarn/internal/lambda/hints"
	"tarn/internal/lambda/task"
	"tarn/internal/project"
	stores "tarn/internal/store/registry"
)

// Options say which lake the function works for.
type Options struct {
	// Dir is the lake's folder. It is only read.
	Dir string
	// Target is a target of tarn.yaml; "" is its top level.
	Target string
	// Scratch is a folder for all that is written on this machine. What is there from an earlier process is used again.
	Scratch string
	// Memory is what the function has, in MiB, and 0 where that is not known.
	Memory int
	// StateMachine is the ARN of the state machine that works off hints, "" for none.
	StateMachine string
	// Executions are those of the state machine; nil takes AWS's, in the target's account.
	Executions Executions
	// Log gets a line of JSON for each thing worth knowing.
	Log io.Writer
	// Now replaces the clock in tests.
	Now func() time.Time
}

// Executions are those of a state machine.
type Executions interface {
	// Start makes sure that there is an execution of a name, which begins with an input. One that exists is fine.
	Start(ctx context.Context, name string, input []byte) error
	// Alive reports whether an execution has not ended. One that was never there has ended.
	Alive(ctx context.Context, execution string) (bool, error)
}

// Function handles events. Lambda gives one process one event at a time; Handle may be called by several goroutines all the same.
type Function struct {
	o        Options
	project  *project.Lake
	settings deployconf.Settings
	hints    *hints.Hints
	log      *log

	mu sync.Mutex
	// kept is the lake as the last task has left it, for the next one of the same execution.
	kept *opened
}

// New reads the lake's definitions. It makes no request.
func New(ctx context.Context, o Options) (*Function, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	p, err := project.LoadWith(o.Dir, project.Options{Target: o.Target, NoProfile: true})
	if err != nil {
		return nil, err
	}
	if err := p.Diagnostics.Err(); err != nil {
		return nil, err
	}
	if !project.Remote(p.Config.Warehouse) {
		return nil, fmt.Errorf("the warehouse of target %q is %s: a function needs one in a bucket", o.Target, p.Config.Warehouse)
	}
	f := &Function{o: o, project: p, settings: settings(p), log: newLog(o.Log, o.Now, p.Config.Name, o.Target)}
	if f.hints, err = hints.Open(ctx, stores.New(p.Config.AWS), own(p), o.Now); err != nil {
		return nil, err
	}
	if o.Executions == nil && o.StateMachine != "" {
		if f.o.Executions, err = openExecutions(ctx, p.Config.AWS, o.StateMachine); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Close lets go of what is kept from one event to the next.
func (f *Function) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.let()
}

// event has the members by which events are told apart.
type event struct {
	Records *[]record       `json:"Records"`
	Event   string          `json:"Event"`
	Source  string          `json:"source"`
	Detail  json.RawMessage `json:"detail"`
	Action  *task.Action    `json:"action"`
	Run     json.RawMessage `json:"run"`
}

// record is a message of a queue.
type record struct {
	ID     string `json:"messageId"`
	Source string `json:"eventSource"`
	Body   string `json:"body"`
}

// UnknownEventError says that an event is none that the function takes.
type UnknownEventError struct {
	// Members are the names in it, without their values.
	Members []string
	// Why says what is wrong with it, where it is of a known kind.
	Why string
}

func (e *UnknownEventError) Error() string {
	text := "this event is none that tarn takes"
	if len(e.Members) > 0 {
		text += ": an object with " + strings.Join(e.Members, ", ")
	}
	if e.Why != "" {
		text = "this event cannot be used: " + e.Why
	}
	return text + ` (it takes messages of SQS, events of S3 and EventBridge, tasks of its state machine, and {"run": {}})`
}

// Handle takes one event and gives what the function answers. The error is an [*UnknownEventError], or else a [*TaskError].
func (f *Function) Handle(ctx context.Context, raw json.RawMessage) (_ any, err error) {
	l := f.log.with(ctx)
	defer func() {
		var judgedBefore *TaskError
		var refused *UnknownEventError
		if err != nil && !errors.As(err, &judgedBefore) && !errors.As(err, &refused) {
			err = judged(err, plainly(err))
		}
		if err != nil {
			l.failed(err)
		}
	}()
	var e event
	if err := json.Unmarshal(raw, &e); err != nil {
		// What is in it goes nowhere.
		return nil, &UnknownEventError{Why: "it is no JSON object of a known form"}
	}
	switch {
	case e.Action != nil:
		var t task.Task
		if err := strictly(raw, &t); err != nil {
			return nil, &UnknownEventError{Why: err.Error()}
		}
		return f.task(ctx, l, t)
	case e.Records != nil && fromQueue(*e.Records):
		return f.batch(ctx, l, *e.Records)
	case e.Records != nil, e.Source == "aws.s3" && e.Detail != nil, e.Event == "s3:TestEvent":
		return f.direct(ctx, l, raw)
	case e.Run != nil:
		var m Manual
		if err := strictly(e.Run, &m); err != nil {
			return nil, &UnknownEventError{Why: "run: " + err.Error()}
		}
		return f.manual(ctx, l, m)
	}
	return nil, &UnknownEventError{Members: members(raw)}
}

func fromQueue(records []record) bool {
	return len(records) > 0 && !slices.ContainsFunc(records, func(r record) bool { return r.Source != "aws:sqs" || r.ID == "" })
}

// strictly decodes an object whose members are all known, so that one which is misspelt does not count as left out.
func strictly(raw []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	err := d.Decode(to)
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Errorf("%s cannot be a %s", kind.Field, kind.Value)
	case errors.As(err, &kind):
		return fmt.Errorf("it has to be an object, and is a %s", kind.Value)
	case err != nil:
		return errors.New(strings.Replace(strings.TrimPrefix(err.Error(), "json: "), "unknown field", "there is no member", 1))
	}
	return nil
}

// members lists the names in an object, as many as help.
func members(raw json.RawMessage) []string {
	const most = 20
	var o map[string]json.RawMessage
	if json.Unmarshal(raw, &o) != nil {
		return nil
	}
	names := slices.Sorted(maps.Keys(o))
	return names[:min(len(names), most)]
}

// request is the id of the invocation, "" outside of one.
func request(ctx context.Context) string {
	if c, ok := lambdacontext.FromContext(ctx); ok {
		return c.AwsRequestID
	}
	return ""
}
