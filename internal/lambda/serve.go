package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
)

// The function's variables.
const (
	// TargetVariable names the target of tarn.yaml.
	TargetVariable = "TARN_TARGET"
	// StateMachineVariable is the ARN of the state machine.
	StateMachineVariable = "TARN_STATE_MACHINE"
	// JobVariable is the name of the Glue job, where tarn.yaml names none; without it, it is that of the function, as in the stack
	// of tarn deploy.
	JobVariable = "TARN_GLUE_JOB"
)

// The runtime's variables (AWS Lambda Developer Guide, "Defined runtime environment variables").
const (
	runtimeAPI   = "AWS_LAMBDA_RUNTIME_API"
	memorySize   = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
	functionName = "AWS_LAMBDA_FUNCTION_NAME"
)

// ErrNoRuntime says that this process was not started by Lambda.
var ErrNoRuntime = errors.New("this is no Lambda function: " + runtimeAPI + " is not set")

// Serve works as a Lambda function on the lake in dir until the process is ended: Lambda gives it one event after the other. It
// comes back only where it cannot begin.
func Serve(ctx context.Context, dir, target string, log io.Writer) error {
	if os.Getenv(runtimeAPI) == "" {
		return ErrNoRuntime
	}
	memory := 0
	if v := os.Getenv(memorySize); v != "" {
		var err error
		if memory, err = strconv.Atoi(v); err != nil || memory <= 0 {
			return fmt.Errorf("%s=%s is no number of MiB", memorySize, v)
		}
	}
	boundHeap(memory)
	f, err := New(ctx, Options{Dir: dir, Target: target, Scratch: filepath.Join(os.TempDir(), "tarn"), Memory: memory, StateMachine: os.Getenv(StateMachineVariable), Log: log})
	handle := func(ctx context.Context, raw json.RawMessage) (any, error) { return f.Handle(ctx, raw) }
	if err != nil {
		// A process that ends here says nothing to whoever has called it; an answer does.
		broken := judged(err, plainly(err))
		handle = func(context.Context, json.RawMessage) (any, error) { return nil, broken }
	}
	lambda.StartWithOptions(func(ctx context.Context, raw json.RawMessage) (any, error) {
		out, err := handle(ctx, raw)
		if err != nil {
			return nil, messages.InvokeResponse_Error{Type: errorType(err), Message: plainly(err)}
		}
		return out, nil
	}, lambda.WithContext(ctx))
	return nil
}
