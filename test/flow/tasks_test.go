package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/smithy-go"

	"tarn/internal/deploy/machine/machinetest"
	"tarn/internal/rights"
	"tarn/internal/store/s3/s3test"
)

// invoke is what Step Functions does for lambda:invoke: the function's error is the state's (AWS Step Functions Developer Guide,
// "Invoke an AWS Lambda function with Step Functions").
func (w *world) invoke(ctx context.Context, parameters any) (any, error) {
	p := parameters.(map[string]any)
	if !w.guard.Allows(string(rights.Pipeline), "lambda", "Invoke", nil, map[rights.Kind][]string{rights.Function: {p["FunctionName"].(string)}}) {
		return nil, &machinetest.Error{Name: "Lambda.AccessDeniedException"}
	}
	payload, err := json.Marshal(p["Payload"])
	if err != nil {
		return nil, err
	}
	w.tellBefore(string(payload))
	r, err := w.lambda.Invoke(ctx, payload)
	if err != nil {
		return nil, &machinetest.Error{Name: "Lambda.SdkClientException", Cause: err.Error()}
	}
	if r.Err != nil {
		return nil, &machinetest.Error{Name: r.Err.Type, Cause: string(r.Payload)}
	}
	return map[string]any{"ExecutedVersion": "$LATEST", "Payload": json.RawMessage(r.Payload), "StatusCode": 200}, nil
}

// tellBefore calls what is to be called before the function gets an event.
func (w *world) tellBefore(event string) {
	w.mu.Lock()
	before := w.before
	w.mu.Unlock()
	if before != nil {
		before(event)
	}
}

// runJob is what it does for glue:startJobRun.sync: it asks until the run has ended.
func (w *world) runJob(ctx context.Context, parameters any) (any, error) {
	p := parameters.(map[string]any)
	given := map[string]string{}
	for k, v := range p["Arguments"].(map[string]any) {
		given[k] = v.(string)
	}
	pipeline := credentials.NewStaticCredentialsProvider(string(rights.Pipeline), s3test.Secret, "")
	client := glue.New(glue.Options{Region: "us-east-1", BaseEndpoint: &w.jobsURL, Credentials: pipeline, Retryer: aws.NopRetryer{}})
	job := aws.String(p["JobName"].(string))
	started, err := client.StartJobRun(ctx, &glue.StartJobRunInput{JobName: job, Arguments: given})
	var refused smithy.APIError
	if errors.As(err, &refused) {
		return nil, &machinetest.Error{Name: "Glue." + refused.ErrorCode(), Cause: refused.ErrorMessage()}
	}
	if err != nil {
		return nil, err
	}
	for {
		out, err := client.GetJobRun(ctx, &glue.GetJobRunInput{JobName: job, RunId: started.JobRunId})
		if err != nil {
			return nil, err
		}
		shown := map[string]any{"JobName": *job, "Id": *started.JobRunId, "JobRunState": string(out.JobRun.JobRunState), "ErrorMessage": aws.ToString(out.JobRun.ErrorMessage)}
		switch out.JobRun.JobRunState {
		case types.JobRunStateSucceeded:
			return shown, nil
		case types.JobRunStateFailed, types.JobRunStateStopped:
			cause, err := json.Marshal(shown)
			if err != nil {
				return nil, err
			}
			return nil, &machinetest.Error{Name: "States.TaskFailed", Cause: string(cause)}
		}
		select {
		case <-ctx.Done():
			_, _ = client.BatchStopJobRun(context.WithoutCancel(ctx), &glue.BatchStopJobRunInput{JobName: job, JobRunIds: []string{*started.JobRunId}})
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// tell is what it does for sns:publish, with the bounds that Amazon SNS has.
func (w *world) tell(_ context.Context, parameters any) (any, error) {
	p := parameters.(map[string]any)
	subject, _ := p["Subject"].(string)
	message, _ := p["Message"].(string)
	if subject == "" || len(subject) > 100 || message == "" || len(message) > 256<<10 || p["TopicArn"] == "" {
		return nil, &machinetest.Error{Name: "Sns.InvalidParameterException", Cause: fmt.Sprintf("Subject %q, %d bytes", subject, len(message))}
	}
	if !w.guard.Allows(string(rights.Pipeline), "sns", "Publish", nil, map[rights.Kind][]string{rights.Topic: {p["TopicArn"].(string)}}) {
		return nil, &machinetest.Error{Name: "Sns.AuthorizationErrorException"}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reports = append(w.reports, subject+"\n"+message)
	return map[string]any{"MessageId": fmt.Sprint(len(w.reports))}, nil
}
