package machinetest

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

const machine = "arn:aws:states:us-east-1:123456789012:stateMachine:m"

// The API by AWS's own client: a name is one execution, and how each ends is told apart.
func TestServer(t *testing.T) {
	d, err := Parse([]byte(`{"StartAt": "W", "TimeoutSeconds": 100, "States": {"W": {"Type": "Wait", "TimestampPath": "$.at", "Next": "X"},
		"X": {"Type": "Task", "Resource": "x", "TimeoutSeconds": 10, "End": true}}}`))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	clock := NewClock(start)
	s := &Server{Clock: clock, Machines: map[string]*Definition{machine: d}}
	s.Tasks = map[string]Task{"x": func(ctx context.Context, p any) (any, error) {
		switch p.(object)["do"] {
		case "fail":
			return nil, &Error{"E", "c"}
		case "sleep":
			return nil, clock.Sleep(ctx, time.Hour)
		}
		return "done", nil
	}}
	front := httptest.NewServer(s)
	defer front.Close()
	c := sfn.New(sfn.Options{Region: "us-east-1", BaseEndpoint: &front.URL, Credentials: aws.AnonymousCredentials{}, Retryer: aws.NopRetryer{}})
	begin := func(name, input string) (string, error) {
		out, err := c.StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: aws.String(machine), Name: &name, Input: &input})
		if err != nil {
			return "", err
		}
		return *out.ExecutionArn, nil
	}
	status := func(name string) types.ExecutionStatus {
		out, err := c.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: aws.String("arn:aws:states:us-east-1:123456789012:execution:m:" + name)})
		if err != nil {
			t.Fatal(err)
		}
		return out.Status
	}

	hold := clock.Work()
	first, err := begin("a", `{"at":"2026-01-02T03:05:00Z"}`)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := begin("a", `{"at":"2026-01-02T03:05:00Z"}`); err != nil || again != first {
		t.Errorf("the same name and input while it runs: %s, %v", again, err)
	}
	var exists *types.ExecutionAlreadyExists
	if _, err := begin("a", `{"at":"2026-01-02T03:05:01Z"}`); !errors.As(err, &exists) {
		t.Errorf("the same name and another input: %v", err)
	}
	if got := status("a"); got != types.ExecutionStatusRunning {
		t.Errorf("it is %s while it waits", got)
	}
	hold()
	s.Wait()
	if now := clock.Now(); now != start.Add(55*time.Second) {
		t.Errorf("the clock is at %s", now)
	}
	if _, err := begin("a", `{"at":"2026-01-02T03:05:00Z"}`); !errors.As(err, &exists) {
		t.Errorf("the same name and input after its end: %v", err)
	}
	for name, input := range map[string]string{"fails": `{"at":"2026-01-02T03:05:00Z","do":"fail"}`, "slow": `{"at":"2026-01-02T03:05:00Z","do":"sleep"}`,
		"late": `{"at":"2026-01-02T04:05:00Z","do":"fail"}`} {
		if _, err := begin(name, input); err != nil {
			t.Fatal(err)
		}
		s.Wait()
	}
	hold = clock.Work()
	stopped, err := begin("stopped", `{"at":"2026-01-03T03:05:00Z"}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.StopExecution(t.Context(), &sfn.StopExecutionInput{ExecutionArn: &stopped}); err != nil {
		t.Fatal(err)
	}
	hold()
	s.Wait()
	for name, want := range map[string]types.ExecutionStatus{"a": types.ExecutionStatusSucceeded, "fails": types.ExecutionStatusFailed, "slow": types.ExecutionStatusFailed,
		"late": types.ExecutionStatusTimedOut, "stopped": types.ExecutionStatusAborted} {
		if got := status(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	list, err := c.ListExecutions(t.Context(), &sfn.ListExecutionsInput{StateMachineArn: aws.String(machine), StatusFilter: types.ExecutionStatusFailed})
	if err != nil || len(list.Executions) != 2 {
		t.Errorf("%v failed executions, %v", list, err)
	}
	var missing *types.ExecutionDoesNotExist
	if _, err := c.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: aws.String(first + "x")}); !errors.As(err, &missing) {
		t.Errorf("one that is not there: %v", err)
	}
	var invalid *types.InvalidExecutionInput
	if _, err := begin("b", `{`); !errors.As(err, &invalid) {
		t.Errorf("input that is no JSON: %v", err)
	}
	if _, err := begin("c", `"no object"`); err != nil {
		t.Error(err)
	}
	s.Wait()
	s.Close()
}
