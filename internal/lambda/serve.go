package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"os"
	"path/filepath"
	"strconv"
	"time"

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

// enough is the memory in MiB with which a million rows were loaded and joined; with half of it they were not.
const enough = 512

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
	if err == nil && memory > 0 && memory < enough {
		f.log.warn("the function has too little memory: give it 512 MiB or more", "mib", memory)
	}
	l := newLog(log, time.Now, "", target)
	if err == nil {
		l = f.log
	}
	handle := func(ctx context.Context, raw json.RawMessage) (any, error) { return f.Handle(ctx, raw) }
	if err != nil {
		// A process that ends here says nothing to whoever has called it; an answer does.
		broken := judged(err, plainly(err))
		handle = func(ctx context.Context, _ json.RawMessage) (any, error) {
			l.with(ctx).failed(broken)
			return nil, broken
		}
	}
	stdlog.SetFlags(0)
	stdlog.SetOutput(loopLog{l})
	lambda.StartWithOptions(func(ctx context.Context, raw json.RawMessage) (out any, err error) {
		defer func() {
			if v := recover(); v != nil {
				err = l.with(ctx).panicked(v)
			}
		}()
		if out, err = handle(ctx, raw); err != nil {
			return nil, messages.InvokeResponse_Error{Type: errorType(err), Message: plainly(err)}
		}
		return out, nil
	}, lambda.WithContext(ctx))
	return nil
}
