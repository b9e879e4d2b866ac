package stack

import (
	"cmp"
	"context"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Status is how a stack is.
type Status struct {
	// Name of the stack.
	Stack string `json:"stack"`
	// AWS region that it is in.
	Region string `json:"region"`
	// Number of the account.
	Account string `json:"account"`
	// State is CloudFormation's, such as UPDATE_COMPLETE, with the Reason that it gives; "" where there is no stack.
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
	// Changed is when the stack was last made or changed.
	Changed time.Time `json:"changed"`
	// Executions are the last ones of the state machine, newest first.
	Executions []Execution `json:"executions"`
	// Queues of the stack.
	Queues []Queue `json:"queues"`
	// Alarms of the stack.
	Alarms []Alarm `json:"alarms"`
	// Outputs are those of the template, by name.
	Outputs map[string]Output `json:"outputs"`
}

// Execution is one of the state machine.
type Execution struct {
	// Name of the execution.
	Name string `json:"name"`
	// Status is that of Step Functions, such as SUCCEEDED.
	Status string `json:"status"`
	// When it began.
	Start time.Time `json:"start"`
	// Seconds is how long it took, or has taken so far.
	Seconds float64 `json:"seconds"`
}

// Queue is a queue of the stack.
type Queue struct {
	// Name of the queue.
	Name string `json:"name"`
	// About how many messages are in it.
	Waiting int `json:"waiting"`
	// About how many somebody is working on.
	Taken int `json:"taken"`
	// Dead says that it has messages which could not be read.
	Dead bool `json:"dead_letters"`
}

// Alarm is an alarm of the stack.
type Alarm struct {
	// Name of the alarm.
	Name string `json:"name"`
	// State is OK, ALARM or INSUFFICIENT_DATA.
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
}

// Well reports whether nothing of it asks for somebody.
func (s *Status) Well() bool {
	failed := !strings.HasSuffix(s.State, "_COMPLETE") && !strings.HasSuffix(s.State, "_IN_PROGRESS") || strings.Contains(s.State, "ROLLBACK")
	return !failed && !slices.ContainsFunc(s.Alarms, func(a Alarm) bool { return a.State == "ALARM" }) &&
		!slices.ContainsFunc(s.Queues, func(q Queue) bool { return q.Dead && q.Waiting > 0 }) &&
		(len(s.Executions) == 0 || s.Executions[0].Status == "SUCCEEDED" || s.Executions[0].Status == "RUNNING")
}

// shown is how many executions a status has.
const shown = 5

// Status looks at the stack and its parts. The error is a [MissingError] where there is no stack.
func (s *Stack) Status(ctx context.Context) (*Status, error) {
	st, err := s.existing(ctx)
	if err != nil {
		return nil, err
	}
	out := &Status{Stack: s.name, Region: s.region, Account: s.account, State: string(st.StackStatus), Reason: aws.ToString(st.StackStatusReason), Executions: []Execution{}, Queues: []Queue{},
		Alarms: []Alarm{}, Outputs: outputs(st), Changed: aws.ToTime(cmp.Or(st.LastUpdatedTime, st.CreationTime))}
	held, err := s.held(ctx)
	if err != nil {
		return nil, err
	}
	var alarms []string
	for _, id := range slices.Sorted(maps.Keys(held)) {
		switch physical := aws.ToString(held[id].PhysicalResourceId); aws.ToString(held[id].ResourceType) {
		case "AWS::StepFunctions::StateMachine":
			err = s.executions(ctx, physical, out)
		case "AWS::SQS::Queue":
			err = s.queue(ctx, physical, out)
		case "AWS::CloudWatch::Alarm":
			alarms = append(alarms, physical)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, s.alarms(ctx, alarms, out)
}

// existing gives the stack, which has to be there and this lake's.
func (s *Stack) existing(ctx context.Context) (*types.Stack, error) {
	st, err := s.describe(ctx)
	if err != nil {
		return nil, err
	}
	if st == nil {
		return nil, &MissingError{"the " + s.where(), "`tarn deploy` makes it"}
	}
	return st, s.ours(st)
}

func outputs(st *types.Stack) map[string]Output {
	out := map[string]Output{}
	for _, o := range st.Outputs {
		out[aws.ToString(o.OutputKey)] = Output{aws.ToString(o.OutputValue), aws.ToString(o.Description)}
	}
	return out
}

func (s *Stack) executions(ctx context.Context, machine string, to *Status) error {
	out, err := sfn.NewFromConfig(s.cfg).ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: &machine, MaxResults: shown})
	if err != nil {
		return s.failed("list the executions of "+machine, err)
	}
	for _, e := range out.Executions {
		end := s.now()
		if e.StopDate != nil {
			end = *e.StopDate
		}
		to.Executions = append(to.Executions, Execution{aws.ToString(e.Name), string(e.Status), aws.ToTime(e.StartDate), end.Sub(aws.ToTime(e.StartDate)).Seconds()})
	}
	return nil
}

func (s *Stack) queue(ctx context.Context, url string, to *Status) error {
	out, err := sqs.NewFromConfig(s.cfg).GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url,
		AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible}})
	if err != nil {
		return s.failed("look at the queue "+url, err)
	}
	q := Queue{Name: path.Base(url)}
	q.Dead = q.Name == s.o.Spec.Names().DeadLetters
	// What is no number is none.
	q.Waiting, _ = strconv.Atoi(out.Attributes["ApproximateNumberOfMessages"])
	q.Taken, _ = strconv.Atoi(out.Attributes["ApproximateNumberOfMessagesNotVisible"])
	to.Queues = append(to.Queues, q)
	return nil
}

func (s *Stack) alarms(ctx context.Context, names []string, to *Status) error {
	if len(names) == 0 {
		return nil
	}
	const most = 100 // Amazon CloudWatch API Reference, DescribeAlarms
	for names := range slices.Chunk(names, most) {
		out, err := cloudwatch.NewFromConfig(s.cfg).DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: names, MaxRecords: aws.Int32(most)})
		if err != nil {
			return s.failed("look at the alarms", err)
		}
		for _, a := range out.MetricAlarms {
			to.Alarms = append(to.Alarms, Alarm{aws.ToString(a.AlarmName), string(a.StateValue), aws.ToString(a.StateReason)})
		}
	}
	return nil
}
