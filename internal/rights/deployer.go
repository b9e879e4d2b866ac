package rights

import "strings"

// Deployer makes, changes and removes the stack. It is a person or a pipeline of yours, and no role of the stack.
const Deployer Actor = "deployer"

// byDeploy says who makes the calls by which a stack comes and goes.
const byDeploy = "CloudFormation makes it, with the rights of whoever deploys"

// deployCalls are what a deployment takes, in the resource types that the template has. CloudFormation makes most of them, in the name
// of whoever has started the change set.
var deployCalls = [][]Call{
	deployed("cloudformation", "AWS CloudFormation", Stack, "CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "DeleteChangeSet", "ListStackResources",
		"GetTemplate", "DeleteStack", "ContinueUpdateRollback"),
	deployed("cloudformation", "AWS CloudFormation", Any, "GetTemplateSummary", "ValidateTemplate"),
	deployed("s3", "Amazon S3", Bucket, "CreateBucket", "DeleteBucket", "GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy", "GetEncryptionConfiguration",
		"PutEncryptionConfiguration", "GetBucketPublicAccessBlock", "PutBucketPublicAccessBlock", "GetBucketVersioning", "PutBucketVersioning",
		"GetLifecycleConfiguration", "PutLifecycleConfiguration", "GetBucketNotification", "PutBucketNotification", "GetBucketOwnershipControls",
		"PutBucketOwnershipControls", "GetBucketTagging", "PutBucketTagging", "GetBucketLogging", "GetBucketCORS", "GetBucketWebsite", "GetBucketObjectLockConfiguration",
		"GetAccelerateConfiguration", "GetReplicationConfiguration", "GetAnalyticsConfiguration", "GetInventoryConfiguration", "GetMetricsConfiguration",
		"GetIntelligentTieringConfiguration"),
	{glueCall("DeleteDatabase", Catalog, Database, TableKind, UserFunction), glueCall("UpdateDatabase", Catalog, Database)},
	deployed("glue", "AWS Glue", Job, "CreateJob", "UpdateJob", "DeleteJob", "GetTags", "TagResource", "UntagResource"),
	deployed("glue", "AWS Glue", Any, "CreateSecurityConfiguration", "DeleteSecurityConfiguration", "GetSecurityConfiguration"),
	deployed("glue", "AWS Glue", CrawlerKind, "UpdateCrawler", "DeleteCrawler", "GetCrawler"),
	// IAM knows no crawler before there is one.
	{{Service: "glue", Operation: "CreateCrawler", Needs: []Need{{"glue:CreateCrawler", []Kind{Any}}}, Source: reference + "AWS Glue", Unseen: byDeploy}},
	deployed("athena", "Amazon Athena", Workgroup, "CreateWorkGroup", "UpdateWorkGroup", "DeleteWorkGroup", "CreateNamedQuery", "DeleteNamedQuery", "UpdateNamedQuery",
		"TagResource", "UntagResource", "ListTagsForResource"),
	deployed("lambda", "AWS Lambda", Function, "CreateFunction", "DeleteFunction", "GetFunction", "GetFunctionConfiguration", "UpdateFunctionCode", "UpdateFunctionConfiguration",
		"AddPermission", "RemovePermission", "GetPolicy", "TagResource", "UntagResource", "ListTags", "PutFunctionEventInvokeConfig", "GetFunctionEventInvokeConfig",
		"DeleteFunctionEventInvokeConfig", "GetFunctionCodeSigningConfig", "GetRuntimeManagementConfig", "GetFunctionRecursionConfig"),
	deployed("lambda", "AWS Lambda", Any, "CreateEventSourceMapping"),
	deployed("lambda", "AWS Lambda", Mapping, "UpdateEventSourceMapping", "DeleteEventSourceMapping", "GetEventSourceMapping"),
	deployed("sqs", "Amazon SQS", Queue, "CreateQueue", "DeleteQueue", "GetQueueUrl", "SetQueueAttributes", "TagQueue", "UntagQueue", "ListQueueTags"),
	deployed("sns", "Amazon SNS", Topic, "CreateTopic", "DeleteTopic", "GetTopicAttributes", "SetTopicAttributes", "Subscribe", "ListSubscriptionsByTopic",
		"GetDataProtectionPolicy", "ListTagsForResource", "TagResource", "UntagResource"),
	deployed("sns", "Amazon SNS", Any, "Unsubscribe"),
	deployed("events", "Amazon EventBridge", Rule, "PutRule", "DeleteRule", "DescribeRule", "EnableRule", "DisableRule", "PutTargets", "RemoveTargets", "ListTargetsByRule",
		"TagResource", "UntagResource"),
	deployed("scheduler", "Amazon EventBridge Scheduler", Schedule, "CreateSchedule", "UpdateSchedule", "DeleteSchedule", "GetSchedule"),
	deployed("states", "AWS Step Functions", StateMachine, "CreateStateMachine", "UpdateStateMachine", "DeleteStateMachine", "TagResource", "UntagResource", "ListTagsForResource"),
	deployed("states", "AWS Step Functions", Any, "ValidateStateMachineDefinition"),
	deployed("logs", "Amazon CloudWatch Logs", LogGroup, "DeleteLogGroup", "PutRetentionPolicy", "DeleteRetentionPolicy", "PutMetricFilter", "DeleteMetricFilter", "DescribeMetricFilters", "DisassociateKmsKey", "TagResource", "UntagResource", "ListTagsForResource"),
	deployed("cloudwatch", "Amazon CloudWatch", Alarm, "PutMetricAlarm", "DeleteAlarms", "TagResource", "UntagResource", "ListTagsForResource"),
	deployed("sagemaker", "Amazon SageMaker", Notebook, "CreateNotebookInstance", "DeleteNotebookInstance", "UpdateNotebookInstance", "AddTags", "ListTags"),
	deployed("sagemaker", "Amazon SageMaker", Lifecycle, "CreateNotebookInstanceLifecycleConfig", "DeleteNotebookInstanceLifecycleConfig",
		"DescribeNotebookInstanceLifecycleConfig", "UpdateNotebookInstanceLifecycleConfig"),
	deployed("iam", "AWS Identity and Access Management (IAM)", Role, "GetRole", "CreateRole", "DeleteRole", "UpdateRole", "UpdateRoleDescription", "UpdateAssumeRolePolicy",
		"GetRolePolicy", "PutRolePolicy", "DeleteRolePolicy", "ListRolePolicies", "ListAttachedRolePolicies", "AttachRolePolicy", "DetachRolePolicy", "TagRole", "UntagRole",
		"PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary", "PassRole"),
	deployed("iam", "AWS Identity and Access Management (IAM)", ManagedPolicy, "CreatePolicy", "DeletePolicy", "GetPolicy", "GetPolicyVersion", "ListPolicyVersions",
		"CreatePolicyVersion", "DeletePolicyVersion"),
	deployed("lakeformation", "AWS Lake Formation", Any, "GrantPermissions", "RevokePermissions"),
	deployed("kms", "AWS KMS", Key, "DescribeKey", "CreateGrant", "PutKeyPolicy", "GetKeyPolicy", "EnableKeyRotation", "GetKeyRotationStatus", "TagResource", "UntagResource",
		"ListResourceTags", "ScheduleKeyDeletion"),
	deployed("kms", "AWS KMS", Any, "CreateKey"),
	{{Service: "kms", Operation: "CreateAlias", Needs: []Need{{"kms:CreateAlias", []Kind{Key, Alias}}}, Source: reference + "AWS KMS", Unseen: byDeploy},
		{Service: "kms", Operation: "DeleteAlias", Needs: []Need{{"kms:DeleteAlias", []Kind{Key, Alias}}}, Source: reference + "AWS KMS", Unseen: byDeploy}},
}

// Kinds of what only a deployment is about.
const (
	Rule          Kind = "rule"
	Schedule      Kind = "schedule"
	Alarm         Kind = "alarm"
	Alias         Kind = "alias"
	ManagedPolicy Kind = "policy"
	Lifecycle     Kind = "notebook-instance-lifecycle-config"
)

func deployed(service, page string, on Kind, operations ...string) []Call {
	var out []Call
	for _, op := range operations {
		c := same(service, op, page, on)
		c.Unseen = byDeploy
		out = append(out, c)
	}
	return out
}

// all names the operations of a service that a deployment uses on a kind, but for those that a condition of their own binds.
func all(service string, on Kind) []string {
	var out []string
	for _, calls := range deployCalls {
		for _, c := range calls {
			if c.Service == service && len(c.Needs[0].On) == 1 && c.Needs[0].On[0] == on && c.Operation != "PassRole" && c.Operation != "CreateCrawler" {
				out = append(out, c.Name())
			}
		}
	}
	return out
}

// deployer is bound to what has the names of the stack: CloudFormation calls roles STACK-…, and the template gives all else names
// that begin with LAKE-TARGET.
func deployer(p Places) []use {
	named := p.Base + "*"
	roles := "arn:${AWS::Partition}:iam::${AWS::AccountId}:role" + p.RolePath + p.Stack + "-*"
	one := func(sid, service string, kind Kind, arns ...string) use {
		return use{sid: sid, by: byDeploy, calls: all(service, kind), on: map[Kind][]string{kind: arns}}
	}
	ofFunction := map[string]map[string]List{"ArnLike": {"lambda:FunctionArn": {ARN("lambda", "function:"+named)}}}
	uses := []use{
		one("Stack", "cloudformation", Stack, p.stack()),
		{sid: "Follow", by: byDeploy, calls: []string{"cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents", "cloudformation:DescribeStackResources"}, on: map[Kind][]string{Stack: {p.stack()}}},
		one("Templates", "cloudformation", Any),
		one("Bucket", "s3", Bucket, buckets(p.Warehouse)...),
		{sid: "BucketLook", by: byDeploy, calls: []string{"s3:ListObjectsV2", "s3:HeadBucket", "s3:GetBucketLocation"}, on: map[Kind][]string{Bucket: buckets(p.Warehouse, p.Artefacts)}},
		{sid: "Artefacts", by: byDeploy, calls: []string{"s3:HeadObject", "s3:GetObject", "s3:PutObject", "s3:CreateMultipartUpload", "s3:UploadPart", "s3:CompleteMultipartUpload", "s3:AbortMultipartUpload"},
			on: map[Kind][]string{Object: {p.Artefacts.below("")}}},
		{sid: "Database", by: byDeploy, calls: []string{"glue:CreateDatabase", "glue:GetDatabase", "glue:UpdateDatabase", "glue:DeleteDatabase"}, on: map[Kind][]string{Catalog: {p.glue("catalog")},
			Database:     {p.glue("database/" + p.Database), p.glue("database/" + p.Database + "_crawled")},
			TableKind:    {p.glue("table/" + p.Database + "/*"), p.glue("table/" + p.Database + "_crawled/*")},
			UserFunction: {p.glue("userDefinedFunction/" + p.Database + "/*"), p.glue("userDefinedFunction/" + p.Database + "_crawled/*")}}},
		{sid: "GlueJob", by: byDeploy, calls: append(all("glue", Job), "glue:GetJob"), on: map[Kind][]string{Job: {JobARN(named), ARN("glue", "crawler/"+named)}}},
		one("GlueCrawler", "glue", CrawlerKind, ARN("glue", "crawler/"+named)),
		{sid: "NewCrawler", by: byDeploy, calls: []string{"glue:CreateCrawler"}, when: map[Kind]map[string]map[string]List{Any: {"StringEquals": {"aws:RequestTag/tarn:lake": {p.Lake}}}}},
		{sid: "Athena", by: byDeploy, calls: append(all("athena", Workgroup), "athena:GetWorkGroup", "athena:GetNamedQuery"), on: map[Kind][]string{Workgroup: {workgroupARN(named)}}},
		one("Function", "lambda", Function, ARN("lambda", "function:"+named)),
		{sid: "Mapping", by: byDeploy, calls: append(all("lambda", Any), all("lambda", Mapping)...), on: map[Kind][]string{Mapping: {ARN("lambda", "event-source-mapping:*")}},
			when: map[Kind]map[string]map[string]List{Any: ofFunction, Mapping: ofFunction}},
		{sid: "Queues", by: byDeploy, calls: append(all("sqs", Queue), "sqs:GetQueueAttributes"), on: map[Kind][]string{Queue: {ARN("sqs", named)}}},
		one("Topics", "sns", Topic, ARN("sns", named)),
		one("Unsubscribe", "sns", Any),
		one("Rules", "events", Rule, ARN("events", "rule/"+named)),
		one("Schedules", "scheduler", Schedule, ARN("scheduler", "schedule/default/"+named)),
		{sid: "Machine", by: byDeploy, calls: append(all("states", StateMachine), "states:DescribeStateMachine", "states:ListExecutions"), on: map[Kind][]string{StateMachine: {StateMachineARN(named)}}},
		one("MachineCheck", "states", Any),
		{sid: "LogGroups", by: byDeploy, calls: append(all("logs", LogGroup), "logs:CreateLogGroup", "logs:FilterLogEvents"), on: map[Kind][]string{LogGroup: {
			ARN("logs", "log-group:/aws/lambda/"+named), ARN("logs", "log-group:/aws/vendedlogs/states/"+named), ARN("logs", "log-group:/aws-glue/"+named)}}},
		{sid: "LogDelivery", by: byDeploy, calls: []string{"logs:DescribeLogGroups", "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
			"logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies"}},
		one("Alarms", "cloudwatch", Alarm, ARN("cloudwatch", "alarm:"+named)),
		{sid: "AlarmsLook", by: byDeploy, calls: []string{"cloudwatch:DescribeAlarms"}},
	}
	if p.Notebook != "" {
		uses = append(uses,
			use{sid: "Notebook", by: byDeploy, calls: append(all("sagemaker", Notebook), "sagemaker:DescribeNotebookInstance", "sagemaker:StartNotebookInstance", "sagemaker:StopNotebookInstance"),
				on: map[Kind][]string{Notebook: {ARN("sagemaker", "notebook-instance/"+strings.ToLower(p.Notebook)+"*")}}},
			one("NotebookScript", "sagemaker", Lifecycle, ARN("sagemaker", "notebook-instance-lifecycle-config/"+strings.ToLower(p.Notebook)+"*")))
	}
	made := one("Roles", "iam", Role, roles)
	if p.Boundary != "" {
		// Roles without the boundary can't be made; to read and remove them needs none.
		var bound, plain []string
		for _, c := range made.calls {
			switch strings.TrimPrefix(c, "iam:") {
			case "CreateRole", "PutRolePolicy", "AttachRolePolicy", "DeleteRolePolicy", "DetachRolePolicy", "PutRolePermissionsBoundary":
				bound = append(bound, c)
			case "DeleteRolePermissionsBoundary":
			default:
				plain = append(plain, c)
			}
		}
		made.calls = plain
		uses = append(uses, use{sid: "RolesWithBoundary", by: byDeploy, calls: bound, on: map[Kind][]string{Role: {roles}},
			when: map[Kind]map[string]map[string]List{Role: {"StringEquals": {"iam:PermissionsBoundary": {p.Boundary}}}}})
	}
	uses = append(uses, made, one("Policies", "iam", ManagedPolicy, "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy"+p.RolePath+p.Stack+"-*"))
	for _, pass := range []struct {
		service string
		to      []Actor
	}{{"lambda", []Actor{Runner}}, {"glue", []Actor{JobRole, CrawlerRole}}, {"states", []Actor{Pipeline}}, {"scheduler", []Actor{Pipeline}}, {"sagemaker", []Actor{Scientist}}} {
		if pass.service == "sagemaker" && p.Notebook == "" {
			continue
		}
		to := []string{roles}
		for _, a := range pass.to {
			to = append(to, p.GivenRoles[a])
		}
		uses = append(uses, use{sid: "PassTo" + strings.ToUpper(pass.service[:1]) + pass.service[1:], by: byDeploy, calls: []string{"iam:PassRole"}, on: map[Kind][]string{Role: to},
			when: map[Kind]map[string]map[string]List{Role: {"StringEquals": {"iam:PassedToService": {pass.service + ".amazonaws.com"}}}}})
	}
	if p.LakeFormation {
		uses = append(uses, one("Grants", "lakeformation", Any))
	}
	if p.Job != "" && p.Key != "" {
		uses = append(uses, one("GlueSecurity", "glue", Any))
	}
	if !p.MakesKey {
		return append(uses, p.key("kms:DescribeKey", "kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey")...)
	}
	// The key has no name before it is there; the template puts the lake's tag on it.
	tagged := map[Kind]map[string]map[string]List{Key: {"StringEquals": {"aws:ResourceTag/tarn:lake": {p.Lake}}}}
	keys := ARN("kms", "key/*")
	return append(uses,
		one("MakeKey", "kms", Any),
		use{sid: "KeepKey", by: byDeploy, calls: append(all("kms", Key), "kms:Decrypt", "kms:GenerateDataKey"), on: map[Kind][]string{Key: {keys}}, when: tagged},
		use{sid: "NameKey", by: byDeploy, calls: []string{"kms:CreateAlias", "kms:DeleteAlias"}, on: map[Kind][]string{Key: {keys}, Alias: {ARN("kms", "alias/tarn/"+named)}}})
}
