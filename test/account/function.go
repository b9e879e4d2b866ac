package account

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"tarn/internal/deploy/machine/machinetest"
	"tarn/internal/deploy/stack/stacktest"
	"tarn/internal/exetest"
	"tarn/internal/lambda/lambdatest"
)

// function is the code of a Lambda function, unpacked, with its processes.
type function struct {
	*lambdatest.Function
	code, dir string
}

func (f *function) close() {
	f.Close()
	_ = os.RemoveAll(f.dir) // a folder for temporary files
}

// function gives a function that was deployed, by its name or ARN, with the code and the variables of the last deployment.
func (a *Account) function(ctx context.Context, name string) (*function, error) {
	name = name[strings.LastIndex(name, ":")+1:]
	p := a.stack.Deployed("AWS::Lambda::Function")[name]
	if p == nil {
		return nil, fmt.Errorf("there is no function %s", name)
	}
	place, _ := p["Code"].(map[string]any)
	code := fmt.Sprintf("s3://%v/%v", place["S3Bucket"], place["S3Key"])
	environment, _ := p["Environment"].(map[string]any)
	variables, _ := environment["Variables"].(map[string]any)
	state := fmt.Sprint(code, variables)
	a.mu.Lock()
	defer a.mu.Unlock()
	if f := a.functions[name]; f != nil {
		if f.code == state {
			return f, nil
		}
		f.close()
		delete(a.functions, name)
	}
	s, key, err := a.stores.Locate(ctx, code)
	if err != nil {
		return nil, err
	}
	raw, _, err := s.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	dir, err := unpack(raw)
	if err != nil {
		return nil, err
	}
	number := func(v any) int {
		n, _ := strconv.Atoi(fmt.Sprint(v)) // 0 is the stand-in's own default
		return n
	}
	disk, _ := p["EphemeralStorage"].(map[string]any)
	c := lambdatest.Config{Code: dir, Name: name, Memory: number(p["MemorySize"]), Disk: number(disk["Size"]), Timeout: time.Duration(number(p["Timeout"])) * time.Second,
		Environments: 3, Env: a.Env, Log: &lines{a.stack, "/aws/lambda/" + name, a.log}}
	for k, v := range variables {
		c.Env = append(c.Env, fmt.Sprintf("%s=%v", k, v))
	}
	f, err := lambdatest.New(c)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	a.functions[name] = &function{f, state, dir}
	return a.functions[name], nil
}

// unpack writes a function's code into a folder, which the user of its processes can read.
func unpack(raw []byte) (dir string, err error) {
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return "", err
	}
	if dir, err = os.MkdirTemp("", "tarn-function-"); err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	return dir, exetest.CopyFS(dir, z)
}

// tasks are what the states of a machine ask for.
func (a *Account) tasks() map[string]machinetest.Task {
	return map[string]machinetest.Task{
		"arn:aws:states:::lambda:invoke": func(ctx context.Context, parameters any) (any, error) {
			p, _ := parameters.(map[string]any)
			payload, err := json.Marshal(p["Payload"])
			if err != nil {
				return nil, err
			}
			f, err := a.function(ctx, fmt.Sprint(p["FunctionName"]))
			if err != nil {
				return nil, &machinetest.Error{Name: "Lambda.ResourceNotFoundException", Cause: err.Error()}
			}
			r, err := f.Invoke(ctx, payload)
			if err != nil {
				return nil, &machinetest.Error{Name: "Lambda.SdkClientException", Cause: err.Error()}
			}
			if r.Err != nil {
				return nil, &machinetest.Error{Name: r.Err.Type, Cause: string(r.Payload)}
			}
			return map[string]any{"ExecutedVersion": "$LATEST", "Payload": json.RawMessage(r.Payload), "StatusCode": 200}, nil
		},
		"arn:aws:states:::glue:startJobRun.sync": func(context.Context, any) (any, error) {
			return nil, &machinetest.Error{Name: "Glue.AWSGlueException", Cause: "this account has no Spark"}
		},
		"arn:aws:states:::sns:publish": func(_ context.Context, parameters any) (any, error) {
			p, _ := parameters.(map[string]any)
			_, err := fmt.Fprintf(a.log, "to the topic: %v\n%v\n", p["Subject"], p["Message"])
			return map[string]any{"MessageId": "1"}, err
		},
	}
}

// lines are what a function writes, which goes to its log group.
type lines struct {
	stack *stacktest.Server
	group string
	also  io.Writer
}

func (l *lines) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		l.stack.Logged(l.group, stacktest.LogEvent{At: time.Now(), Stream: "here", Message: strings.TrimSuffix(line, "\n")})
	}
	return l.also.Write(p)
}
