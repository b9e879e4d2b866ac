package lambdatest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"tarn/internal/exetest"
	"tarn/internal/lambda/lambdatest"
)

// TestMain makes the test binary the function that it tests, where a function's variable says so.
func TestMain(m *testing.M) {
	if os.Getenv("LAMBDATEST_FUNCTION") == "" {
		os.Exit(m.Run())
	}
	lambda.Start(function)
}

// seen is what the function finds where it runs.
type seen struct {
	Calls                 int
	Dir, Home, Temp, User string
	Request, ARN          string
	Left                  time.Duration
	Writable              []string
	Beats                 int
}

var (
	calls int
	beats int
	mu    sync.Mutex
)

// eaten keeps memory in use.
var eaten [][]byte

// spin uses so much time of the processor.
func spin(d time.Duration) {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			panic(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	for until := used() + d; used() < until; {
	}
}

func function(ctx context.Context, event map[string]any) (any, error) {
	if calls++; calls == 1 {
		go func() {
			for range time.Tick(10 * time.Millisecond) {
				mu.Lock()
				beats++
				mu.Unlock()
			}
		}()
	}
	switch event["do"] {
	case "fail":
		return nil, messages.InvokeResponse_Error{Type: "Busy", Message: "come back later"}
	case "panic":
		panic("oh no")
	case "exit":
		os.Exit(3)
	case "spin":
		spin(300 * time.Millisecond)
	case "eat":
		for block := range 512 {
			eaten = append(eaten, bytes.Repeat([]byte{byte(block)}, 1<<20))
		}
	case "sleep":
		fmt.Fprintln(os.Stderr, "asleep")
		time.Sleep(time.Minute)
	case "much":
		return strings.Repeat("x", lambdatest.MaxPayload), nil
	}
	s := seen{Calls: calls, Home: os.Getenv("HOME"), Temp: os.TempDir(), User: fmt.Sprint(os.Getuid())}
	mu.Lock()
	s.Beats = beats
	mu.Unlock()
	s.Dir, _ = os.Getwd()
	if c, ok := lambdacontext.FromContext(ctx); ok {
		s.Request, s.ARN = c.AwsRequestID, c.InvokedFunctionArn
	}
	if d, ok := ctx.Deadline(); ok {
		s.Left = time.Until(d)
	}
	for _, dir := range []string{".", "/", "/var", "/usr", os.TempDir()} {
		if f, err := os.CreateTemp(dir, "try-"); err == nil {
			f.Close()
			s.Writable = append(s.Writable, dir)
		}
	}
	return s, nil
}

func start(t *testing.T, c lambdatest.Config) *lambdatest.Function {
	t.Helper()
	c.Code = t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if err := exetest.WriteFile(filepath.Join(c.Code, "bootstrap"), raw); err != nil {
		t.Fatal(err)
	}
	c.Env = append(c.Env, "LAMBDATEST_FUNCTION=1")
	f, err := lambdatest.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

func invoke(t *testing.T, f *lambdatest.Function, event string) lambdatest.Result {
	t.Helper()
	r, err := f.Invoke(t.Context(), []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func look(t *testing.T, r lambdatest.Result) (s seen) {
	t.Helper()
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	if err := json.Unmarshal(r.Payload, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPlace(t *testing.T) {
	t.Parallel()
	f := start(t, lambdatest.Config{Timeout: time.Minute, Disk: 64})
	r := invoke(t, f, "{}")
	s := look(t, r)
	if !r.Cold || r.Peak == 0 || s.Request != r.Request || s.ARN != "arn:aws:lambda:us-east-1:123456789012:function:tarn" || s.Home != "" {
		t.Errorf("%+v %+v", r, s)
	}
	if s.Left < 10*time.Second || s.Left > time.Minute {
		t.Errorf("%v left of a minute", s.Left)
	}
	if os.Getuid() == 0 && s.Dir == "/var/task" {
		if s.User != "993" || strings.Join(s.Writable, " ") != "/tmp" {
			t.Errorf("%+v", s)
		}
	} else if os.Getuid() == 0 && os.Getenv("CI") != "" {
		t.Errorf("not isolated: %+v", s)
	}
}

func TestFrozenBetween(t *testing.T) {
	t.Parallel()
	f := start(t, lambdatest.Config{})
	first := look(t, invoke(t, f, "{}"))
	time.Sleep(2 * time.Second) // 200 beats
	r := invoke(t, f, "{}")
	second := look(t, r)
	if r.Cold || second.Calls != first.Calls+1 {
		t.Errorf("another process: %+v, %+v", first, second)
	}
	if second.Beats-first.Beats > 100 {
		t.Errorf("it went on working between invocations: %d, %d", first.Beats, second.Beats)
	}
}

func TestEnds(t *testing.T) {
	t.Parallel()
	f, short := start(t, lambdatest.Config{Timeout: time.Minute}), start(t, lambdatest.Config{Timeout: 500 * time.Millisecond})
	for event, want := range map[string]string{
		`{"do": "fail"}`:  "Busy",
		`{"do": "exit"}`:  lambdatest.Exited,
		`{"do": "sleep"}`: lambdatest.TimedOut,
		`{"do": "much"}`:  "Function.ResponseSizeTooLarge",
		`{"do": "panic"}`: "string",
	} {
		f := f
		if want == lambdatest.TimedOut {
			f = short
		}
		r := invoke(t, f, event)
		if r.Err == nil || r.Err.Type != want {
			t.Errorf("%s: %v %s", event, r.Err, r.Payload)
		}
		if !bytes.Contains(r.Payload, []byte(`"errorType"`)) {
			t.Errorf("%s: %s", event, r.Payload)
		}
	}
	look(t, invoke(t, f, "{}"))
	if _, err := f.Invoke(t.Context(), []byte("{")); !errors.Is(err, lambdatest.ErrNotJSON) {
		t.Error(err)
	}
}

// told is told once a function has written to its log.
type told chan struct{}

func (c told) Write(p []byte) (int, error) {
	select {
	case c <- struct{}{}:
	default:
	}
	return len(p), nil
}

func TestKill(t *testing.T) {
	t.Parallel()
	asleep := make(told, 1)
	f := start(t, lambdatest.Config{Log: asleep})
	look(t, invoke(t, f, "{}"))
	go func() {
		<-asleep
		f.Kill()
	}()
	if r := invoke(t, f, `{"do": "sleep"}`); r.Err == nil || r.Err.Type != lambdatest.Exited || !strings.Contains(r.Err.Message, "killed") {
		t.Errorf("%v", r.Err)
	}
	if r := invoke(t, f, "{}"); !r.Cold || look(t, r).Calls != 1 {
		t.Errorf("%+v", r)
	}
}

// A program that is no function ends before it asks for an event.
func TestBrokenStart(t *testing.T) {
	t.Parallel()
	code := t.TempDir()
	if err := exetest.WriteFile(filepath.Join(code, "bootstrap"), []byte("#!/bin/sh\nexit 7\n")); err != nil {
		t.Fatal(err)
	}
	f, err := lambdatest.New(lambdatest.Config{Code: code})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	if r := invoke(t, f, "{}"); r.Err == nil || r.Err.Type != lambdatest.Exited || !strings.Contains(r.Err.Message, "exit status 7") {
		t.Errorf("%v", r.Err)
	}
	if _, err := lambdatest.New(lambdatest.Config{Code: t.TempDir()}); err == nil {
		t.Error("a folder without bootstrap was taken")
	}
}

func TestSideBySide(t *testing.T) {
	t.Parallel()
	f := start(t, lambdatest.Config{Environments: 3})
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() { look(t, invoke(t, f, "{}")) })
	}
	wg.Wait()
}

// The Invoke API is what `aws lambda invoke` speaks.
func TestInvokeAPI(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(start(t, lambdatest.Config{Name: "lake"}))
	t.Cleanup(s.Close)
	for _, c := range []struct {
		name, event, failure string
		status               int
	}{{"lake", "{}", "", 200}, {"lake", `{"do": "fail"}`, "Unhandled", 200}, {"other", "{}", "", 404}, {"lake", "{", "", 400}} {
		res, err := http.Post(s.URL+"/2015-03-31/functions/"+c.name+"/invocations", "application/json", strings.NewReader(c.event))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != c.status || res.Header.Get("X-Amz-Function-Error") != c.failure {
			t.Errorf("%+v: %s %v", c, res.Status, res.Header)
		}
	}
}

// A function of 128 MiB has a fourteenth of a core.
func TestBounded(t *testing.T) {
	t.Parallel()
	if err := os.Mkdir("/sys/fs/cgroup/cpu/lambdatest-try", 0o755); err != nil {
		t.Skip("no cgroups here that this process may write: ", err)
	}
	if err := os.Remove("/sys/fs/cgroup/cpu/lambdatest-try"); err != nil {
		t.Fatal(err)
	}
	f := start(t, lambdatest.Config{Memory: 128, Bounded: true})
	if r := invoke(t, f, `{"do": "spin"}`); r.Err != nil || r.Took < 3*time.Second {
		t.Errorf("300 ms of work took %v: %v", r.Took, r.Err)
	}
	if r := invoke(t, f, `{"do": "eat"}`); r.Err == nil || r.Err.Type != lambdatest.Exited {
		t.Errorf("half a gigabyte fit into 128 MiB: %v", r.Err)
	}
}
