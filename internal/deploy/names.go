package deploy

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Names are those of a stack's parts. They are the same on every machine and known before anything is there, so that parts can
// name each other. Those of a region begin with LAKE-TARGET; several lakes, targets and regions fit into one account. As a
// name of a lake or target has no hyphen, two of them never give the same.
type Names struct {
	// Base is LAKE-TARGET.
	Base string
	// Stack is that of CloudFormation.
	Stack string
	// Function, StateMachine, Queue, DeadLetters, Topic, Job, Rule, Schedule and Crawler are named as their services list them.
	Function, StateMachine, Queue, DeadLetters, Topic, Job, Rule, Schedule, Crawler string
	// CrawlerDatabase is the Glue database of what a crawler finds.
	CrawlerDatabase string
	// Notebook is the SageMaker notebook instance.
	Notebook string
	// Owners, Analyst and Scientist are the Athena workgroups: of those who may read everything, and of the reading roles.
	Owners, Analyst, Scientist string
	// FunctionLogs and MachineLogs are log groups; JobLogs is what those of the Glue job begin with.
	FunctionLogs, MachineLogs, JobLogs string
}

// longest is how long Base is at most: names of EventBridge schedules and of Lambda functions have 64 characters (EventBridge
// Scheduler API Reference, CreateSchedule; Lambda API Reference, CreateFunction), those of notebook instances 63.
const longest = 44

// Names gives the names of the stack's parts.
func (s Spec) Names() Names {
	base := s.Lake
	if s.Target != "" {
		base += "-" + s.Target
	}
	if len(base) > longest {
		sum := sha256.Sum256([]byte(base))
		base = strings.TrimRight(base[:longest-9], "-_") + "-" + hex.EncodeToString(sum[:4])
	}
	n := Names{Base: base, Stack: s.Settings.Stack, Function: base, StateMachine: base, Queue: base + "-landing", DeadLetters: base + "-dead-letters",
		Topic: base + "-reports", Job: base, Rule: base + "-landing", Schedule: base + "-catch-up", Crawler: base + "-landing",
		CrawlerDatabase: s.Database + "_crawled", Notebook: hyphens(base),
		Owners: base, Analyst: base + "-analyst", Scientist: base + "-scientist",
		FunctionLogs: "/aws/lambda/" + base, MachineLogs: "/aws/vendedlogs/states/" + base, JobLogs: "/aws-glue/" + base}
	if n.Stack == "" {
		n.Stack = "tarn-" + hyphens(base)
	}
	return n
}

// hyphens makes a name of letters, digits and hyphens, which is all that stacks and notebook instances take.
func hyphens(name string) string { return strings.ReplaceAll(name, "_", "-") }

// The beginning of an ARN in a template, which CloudFormation fills in.
const arn = "arn:${AWS::Partition}:"

// ARN writes the ARN of something in the stack's account and region for a template: service is such as states, resource such as
// stateMachine:stedi-aws.
func ARN(service, resource string) string {
	return arn + service + ":${AWS::Region}:${AWS::AccountId}:" + resource
}

// StateMachineARN is the ARN of the state machine, for a template.
func (n Names) StateMachineARN() string { return ARN("states", "stateMachine:"+n.StateMachine) }

// ExecutionsARN is the ARN of the executions of the state machine, for a template.
func (n Names) ExecutionsARN() string { return ARN("states", "execution:"+n.StateMachine+":*") }

// QueueARN is the ARN of the queue of what has landed, for a template.
func (n Names) QueueARN() string { return ARN("sqs", n.Queue) }

// DeadLettersARN is the ARN of the queue of messages that could not be read, for a template.
func (n Names) DeadLettersARN() string { return ARN("sqs", n.DeadLetters) }

// TopicARN is the ARN of the topic of failed runs and alarms, for a template.
func (n Names) TopicARN() string { return ARN("sns", n.Topic) }

// JobARN is the ARN of the Glue job, for a template.
func (n Names) JobARN() string { return ARN("glue", "job/"+n.Job) }

// FunctionARN is the ARN of the function, for a template.
func (n Names) FunctionARN() string { return ARN("lambda", "function:"+n.Function) }
