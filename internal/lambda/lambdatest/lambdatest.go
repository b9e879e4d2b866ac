// Package lambdatest runs a Lambda function on this machine, as a process behind a stand-in for the Lambda runtime API.
//
// The function is a folder with a program bootstrap, as the zip of a function has it. Where this process may do that (root on
// Linux), it runs as on Lambda: as another user, in /var/task, on files that can only be read but for a /tmp of its own of a set
// size, with 1,024 descriptors. It is stopped between invocations, killed at its time limit, and can be killed at any moment
// ([Function.Kill]). Sources: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes", "Understanding
// the Lambda execution environment lifecycle", "Working with Lambda environment variables", "Lambda quotas".
package lambdatest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"tarn/internal/deployconf"
)

// MaxPayload is how many bytes an invocation and its answer may have ("Lambda quotas": 6 MB).
const MaxPayload = 6 << 20

// Config says what function is run and how.
type Config struct {
	// Code is the folder with bootstrap.
	Code string
	// Env are the function's own variables, as KEY=value: those of AWS's clients too, which lead to stand-ins.
	Env []string
	// Name is the function's; "" is tarn.
	Name string
	// Memory in MiB is what the function is told that it has; 0 is 1024. It is a bound only with Bounded.
	Memory int
	// Disk in MiB is the size of its /tmp; 0 is 512.
	Disk int
	// Timeout ends an invocation; 0 is 15 minutes.
	Timeout time.Duration
	// Environments is how many invocations can be under way at a time, each in a process of its own; 0 is 1. More wait.
	Environments int
	// Bounded holds each process to Memory and, of the processor, to the share that Lambda gives for it: a core for 1,769 MiB. It
	// needs cgroups that this process may write.
	Bounded bool
	// Plain runs it as this user and without namespaces, also where more can be done.
	Plain bool
	// Log gets what the function writes; nil drops it.
	Log io.Writer
}

// Function is a function that can be invoked. It is safe for concurrent use.
type Function struct {
	c Config
	// log takes the lines of all processes.
	log *logs

	turns chan struct{} // one for each environment that is in use
	mu    sync.Mutex
	idle  []*environment
	busy  map[*environment]bool
}

// New gives a function. No process starts before the first invocation. [Function.Close] ends it.
func New(c Config) (*Function, error) {
	if _, err := os.Stat(c.Code + "/bootstrap"); err != nil {
		return nil, fmt.Errorf("the function's code: %w", err)
	}
	if c.Name == "" {
		c.Name = "tarn"
	}
	if c.Memory == 0 {
		c.Memory = 1024
	}
	if c.Disk == 0 {
		c.Disk = deployconf.LeastDisk
	}
	if c.Timeout == 0 {
		c.Timeout = deployconf.MostTime
	}
	if c.Environments == 0 {
		c.Environments = 1
	}
	return &Function{c: c, log: &logs{to: c.Log}, turns: make(chan struct{}, c.Environments), busy: map[*environment]bool{}}, nil
}

// Result is how an invocation ended.
type Result struct {
	// Payload is the function's answer, or what it says of its error.
	Payload []byte
	// Err is nil where the function has answered.
	Err *Error
	// Request is the invocation's id.
	Request string
	// Cold says that a process was started for it; Took is the time with that.
	Cold bool
	Took time.Duration
	// Start is how much of it went by until the process has asked for its event, where it is new.
	Start time.Duration
	// Peak is the most memory that the process has had in RAM so far, in bytes; 0 where it is gone.
	Peak int64
}

// Error is the error of a function, as Lambda answers it to whoever has invoked it.
type Error struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (e *Error) Error() string { return e.Type + ": " + e.Message }

// The types of errors that Lambda itself gives.
const (
	// Exited is the type where the process has ended before it answered.
	Exited = "Runtime.ExitError"
	// TimedOut is the type where the time limit has ended it.
	TimedOut = "Sandbox.Timedout"
)

// Invoke gives the function an event and waits for its answer. The error is for what is wrong with the stand-in, or ctx; what
// goes wrong in the function is in the result.
func (f *Function) Invoke(ctx context.Context, payload []byte) (Result, error) {
	if len(payload) > MaxPayload {
		return Result{}, ErrTooLarge
	}
	if !json.Valid(payload) {
		return Result{}, ErrNotJSON
	}
	select {
	case f.turns <- struct{}{}:
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
	defer func() { <-f.turns }()
	began := time.Now()
	e, cold, err := f.take()
	if err != nil {
		return Result{}, err
	}
	in := &invocation{id: requestID(), payload: payload, done: make(chan struct{})}
	e.invoke(ctx, in)
	r := Result{Payload: in.answer, Err: in.err, Request: in.id, Cold: cold, Took: time.Since(began), Peak: e.peak()}
	if cold {
		r.Start = e.started
	}
	f.report(r)
	f.giveBack(e)
	return r, ctx.Err()
}

// report writes the line that Lambda writes after each invocation.
func (f *Function) report(r Result) {
	text := fmt.Sprintf("REPORT RequestId: %s\tDuration: %.2f ms\tMemory Size: %d MB\tMax Memory Used: %d MB", r.Request, milliseconds(r.Took-r.Start), f.c.Memory, r.Peak>>20)
	if r.Start > 0 {
		text += fmt.Sprintf("\tInit Duration: %.2f ms", milliseconds(r.Start))
	}
	fmt.Fprintln(f.log, text)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Errors of [Function.Invoke].
var (
	ErrTooLarge = errors.New("the event has more than 6 MB")
	ErrNotJSON  = errors.New("the event is not JSON")
)

// take gives an environment that waits, or a new one.
func (f *Function) take() (e *environment, cold bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.idle) > 0 {
		e, f.idle = f.idle[len(f.idle)-1], f.idle[:len(f.idle)-1]
		if e.alive() {
			f.busy[e] = true
			return e, false, nil
		}
		e.close()
	}
	if e, err = start(f.c, f.log); err != nil {
		return nil, false, err
	}
	f.busy[e] = true
	return e, true, nil
}

func (f *Function) giveBack(e *environment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.busy, e)
	if !e.alive() {
		e.close()
		return
	}
	e.freeze()
	f.idle = append(f.idle, e)
}

// Kill ends all processes as kill -9 does. Invocations that are under way end with [Exited], and the next one starts a process.
func (f *Function) Kill() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for e := range f.busy {
		e.kill()
	}
	for _, e := range f.idle {
		e.close()
	}
	f.idle = nil
}

// Close ends all processes.
func (f *Function) Close() { f.Kill() }

// invocation is an event on its way through a process.
type invocation struct {
	id      string
	payload []byte
	// deadline is when the process is killed.
	deadline time.Time

	// done is closed when answer or err is set, once.
	done   chan struct{}
	once   sync.Once
	answer []byte
	err    *Error
}

func (i *invocation) succeed(answer []byte) {
	i.once.Do(func() { i.answer = answer; close(i.done) })
}

// fail ends an invocation with an error. detail is the document that tells of it, nil to make one.
func (i *invocation) fail(e *Error, detail []byte) {
	i.once.Do(func() {
		if detail == nil {
			detail, _ = json.Marshal(e) // of two strings
		}
		i.answer, i.err = detail, e
		close(i.done)
	})
}

func requestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails: it ends the program instead
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// logs writes whole lines of several processes to one place.
type logs struct {
	mu sync.Mutex
	to io.Writer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.to != nil {
		return l.to.Write(p)
	}
	return len(p), nil
}
