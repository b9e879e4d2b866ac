package stack

import (
	"strings"
)

// kinds are types of resources in the words of those who use them.
var kinds = map[string]string{
	"AWS::S3::Bucket":                                 "bucket",
	"AWS::S3::BucketPolicy":                           "bucket policy",
	"AWS::Glue::Database":                             "database",
	"AWS::Glue::Job":                                  "Glue job",
	"AWS::Glue::Crawler":                              "Glue crawler",
	"AWS::Lambda::Function":                           "Lambda function",
	"AWS::Lambda::Permission":                         "Lambda permission",
	"AWS::Lambda::EventSourceMapping":                 "event source",
	"AWS::IAM::Role":                                  "role",
	"AWS::IAM::ManagedPolicy":                         "policy",
	"AWS::IAM::Policy":                                "policy",
	"AWS::SQS::Queue":                                 "queue",
	"AWS::SQS::QueuePolicy":                           "queue policy",
	"AWS::SNS::Topic":                                 "topic",
	"AWS::SNS::TopicPolicy":                           "topic policy",
	"AWS::SNS::Subscription":                          "subscription",
	"AWS::Events::Rule":                               "EventBridge rule",
	"AWS::Scheduler::Schedule":                        "schedule",
	"AWS::StepFunctions::StateMachine":                "state machine",
	"AWS::Logs::LogGroup":                             "log group",
	"AWS::Logs::MetricFilter":                         "metric filter",
	"AWS::CloudWatch::Alarm":                          "alarm",
	"AWS::Athena::WorkGroup":                          "Athena workgroup",
	"AWS::Athena::NamedQuery":                         "named query",
	"AWS::KMS::Key":                                   "key",
	"AWS::KMS::Alias":                                 "key alias",
	"AWS::SageMaker::NotebookInstance":                "notebook",
	"AWS::LakeFormation::Permissions":                 "Lake Formation grant",
	"AWS::LakeFormation::PrincipalPermissions":        "Lake Formation grant",
	"AWS::LakeFormation::Resource":                    "Lake Formation location",
	"AWS::SageMaker::NotebookInstanceLifecycleConfig": "notebook lifecycle script",
	"AWS::CloudFormation::Stack":                      "stack",
}

// kindOf names a type of resources; one that is not known is AWS::Service::Thing without its colons.
func kindOf(kind string) string {
	if w, ok := kinds[kind]; ok {
		return w
	}
	return strings.ReplaceAll(strings.TrimPrefix(kind, "AWS::"), "::", " ")
}
