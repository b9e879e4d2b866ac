package lambda

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"tarn/internal/awsconf"
)

// states are the executions of a state machine of AWS Step Functions.
type states struct {
	client  *sfn.Client
	machine string
}

// openExecutions makes no request.
func openExecutions(ctx context.Context, account awsconf.Settings, machine string) (*states, error) {
	cfg, err := awsconf.Load(ctx, account)
	if err != nil {
		return nil, err
	}
	return &states{sfn.NewFromConfig(cfg), machine}, nil
}

// Start implements [Executions]. StartExecution of a name that is there succeeds where that one is running with the same input, and
// is refused where it has ended (AWS Step Functions API Reference, "StartExecution").
func (s *states) Start(ctx context.Context, name string, input []byte) error {
	_, err := s.client.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &s.machine, Name: &name, Input: aws.String(string(input))})
	var exists *types.ExecutionAlreadyExists
	if errors.As(err, &exists) {
		return nil
	}
	return err
}

// Alive implements [Executions].
func (s *states) Alive(ctx context.Context, execution string) (bool, error) {
	out, err := s.client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &execution})
	var gone *types.ExecutionDoesNotExist
	if errors.As(err, &gone) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return out.Status == types.ExecutionStatusRunning || out.Status == types.ExecutionStatusPendingRedrive, nil
}
