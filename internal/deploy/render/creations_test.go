package render_test

import (
	"slices"
	"strings"

	"tarn/internal/deploy/cfn"
	"tarn/internal/rights"
)

// creations are actions without which CloudFormation can't make a kind of resource, in the name of whoever deploys.
var creations = map[string][]string{
	"AWS::S3::Bucket":       {"s3:CreateBucket", "s3:PutEncryptionConfiguration", "s3:PutBucketPublicAccessBlock", "s3:PutLifecycleConfiguration", "s3:PutBucketNotification", "s3:PutBucketOwnershipControls"},
	"AWS::S3::BucketPolicy": {"s3:PutBucketPolicy"}, "AWS::Glue::Database": {"glue:CreateDatabase"}, "AWS::Glue::Job": {"glue:CreateJob"}, "AWS::Glue::Crawler": {"glue:CreateCrawler"},
	"AWS::Glue::SecurityConfiguration": {"glue:CreateSecurityConfiguration"}, "AWS::Athena::WorkGroup": {"athena:CreateWorkGroup"}, "AWS::Athena::NamedQuery": {"athena:CreateNamedQuery"},
	"AWS::Lambda::Function": {"lambda:CreateFunction"}, "AWS::Lambda::EventSourceMapping": {"lambda:CreateEventSourceMapping"}, "AWS::SQS::Queue": {"sqs:CreateQueue"},
	"AWS::SQS::QueuePolicy": {"sqs:SetQueueAttributes"}, "AWS::SNS::Topic": {"sns:CreateTopic"}, "AWS::SNS::TopicPolicy": {"sns:SetTopicAttributes"}, "AWS::SNS::Subscription": {"sns:Subscribe"},
	"AWS::Events::Rule": {"events:PutRule", "events:PutTargets"}, "AWS::Scheduler::Schedule": {"scheduler:CreateSchedule"}, "AWS::StepFunctions::StateMachine": {"states:CreateStateMachine"},
	"AWS::Logs::LogGroup": {"logs:CreateLogGroup", "logs:PutRetentionPolicy"}, "AWS::Logs::MetricFilter": {"logs:PutMetricFilter"}, "AWS::CloudWatch::Alarm": {"cloudwatch:PutMetricAlarm"},
	"AWS::IAM::Role": {"iam:CreateRole", "iam:PutRolePolicy"}, "AWS::IAM::ManagedPolicy": {"iam:CreatePolicy"}, "AWS::KMS::Key": {"kms:CreateKey"}, "AWS::KMS::Alias": {"kms:CreateAlias"},
	"AWS::SageMaker::NotebookInstance": {"sagemaker:CreateNotebookInstance"}, "AWS::SageMaker::NotebookInstanceLifecycleConfig": {"sagemaker:CreateNotebookInstanceLifecycleConfig"},
	"AWS::LakeFormation::PrincipalPermissions": {"lakeformation:GrantPermissions"}, "AWS::LakeFormation::Permissions": {"lakeformation:GrantPermissions"}, "AWS::LakeFormation::Resource": {"lakeformation:RegisterResource"},
}

// creates makes sure that the deployer's policy has what a resource takes.
func (s *stack) creates(r *cfn.Resource) {
	s.t.Helper()
	actions, known := creations[r.Type]
	if !known {
		s.complain("%s: what it takes to make a %s is not known here", r.ID, r.Type)
	}
	for _, action := range actions {
		if !slices.Contains(s.deployer.Actions(), action) {
			s.complain("%s: whoever deploys may not %s", r.ID, action)
		}
	}
	if arn := s.arnOf(r); arn != "" && r.Type != "AWS::KMS::Key" {
		context := map[string]string{"iam:PermissionsBoundary": s.spec.Settings.Roles.Boundary}
		s.judged("deployer", []rights.Policy{s.deployer}, actions[0], strings.TrimSuffix(arn, ":*"), context, true)
	}
}
