package render_test

import (
	"encoding/json"
	"fmt"
	"strings"

	"tarn/internal/deploy/cfn"
	"tarn/internal/deploy/render"
	"tarn/internal/rights"
	"tarn/internal/rights/rightstest"
)

// all walks the whole template.
func (s *stack) all() {
	for _, r := range s.Resources {
		s.walk(&r)
	}
}

// walk follows the edges that begin at a resource. A kind of resource that nobody has thought of fails.
func (s *stack) walk(r *cfn.Resource) {
	props := s.fill(r.Properties).(map[string]any)
	s.creates(r)
	switch r.Type {
	case "AWS::Events::Rule":
		for _, target := range list(props["Targets"]) {
			s.delivers(r, at(target, "Arn"), "events.amazonaws.com", "sqs:SendMessage")
			s.delivers(r, at(target, "DeadLetterConfig", "Arn"), "events.amazonaws.com", "sqs:SendMessage")
		}
	case "AWS::CloudWatch::Alarm":
		for _, topic := range list(props["AlarmActions"]) {
			s.delivers(r, at(topic), "cloudwatch.amazonaws.com", "sns:Publish")
		}
	case "AWS::Lambda::EventSourceMapping":
		queue, function := at(props, "EventSourceArn"), s.named("AWS::Lambda::Function", "FunctionName", at(props, "FunctionName"))
		s.may("sqs to lambda", at(s.props(function), "Role"), queue, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
		s.opens(at(s.props(function), "Role"), s.keyOf(queue), "kms:Decrypt")
		if visible, timeout := at(s.props(s.byARN(queue)), "VisibilityTimeout"), at(s.props(function), "Timeout"); visible < timeout && len(visible) <= len(timeout) {
			s.complain("%s: messages are seen again after %s s, and the function works for %s", r.ID, visible, timeout)
		}
	case "AWS::SQS::Queue":
		if dead := at(props, "RedrivePolicy", "deadLetterTargetArn"); dead != "" && s.byARN(dead) == nil {
			s.complain("%s: the dead-letter queue %s is not in the template", r.ID, dead)
		}
	case "AWS::Lambda::Function":
		role := at(props, "Role")
		s.takes("lambda.amazonaws.com", role)
		s.may("lambda to states", role, at(props, "Environment", "Variables", "TARN_STATE_MACHINE"), "states:StartExecution")
		if s.byARN(at(props, "Environment", "Variables", "TARN_STATE_MACHINE")) == nil {
			s.complain("the function starts a state machine that is not in the template")
		}
		s.writesLogs("lambda to logs", role, at(props, "LoggingConfig", "LogGroup"))
		s.opens(role, at(props, "KmsKeyArn"), "kms:Decrypt")
	case "AWS::StepFunctions::StateMachine":
		role := at(props, "RoleArn")
		s.takes("states.amazonaws.com", role)
		s.tasks(r, role, props)
		s.may("states to logs", role, "*", "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery", "logs:ListLogDeliveries",
			"logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups")
	case "AWS::Scheduler::Schedule":
		role := at(props, "Target", "RoleArn")
		s.takes("scheduler.amazonaws.com", role)
		s.may("scheduler to states", role, at(props, "Target", "Arn"), "states:StartExecution")
		if dead := at(props, "Target", "DeadLetterConfig", "Arn"); dead != "" {
			s.may("scheduler to dead letters", role, dead, "sqs:SendMessage")
			s.opens(role, s.keyOf(dead), "kms:GenerateDataKey", "kms:Decrypt")
		}
	case "AWS::Glue::Job":
		s.job(props)
	case "AWS::Glue::Crawler":
		role := at(props, "Role")
		s.takes("glue.amazonaws.com", role)
		for _, target := range list(at0(props, "Targets", "S3Targets")) {
			s.may("crawler to s3", role, object(at(target, "Path"))+"x.json", "s3:GetObject")
		}
		for _, what := range []string{"catalog", "database/" + at(props, "DatabaseName"), "table/" + at(props, "DatabaseName") + "/x"} {
			s.may("crawler to catalog", role, s.arn("glue", what), "glue:CreateTable", "glue:UpdateTable", "glue:GetTable")
		}
	case "AWS::Athena::WorkGroup":
		// Who works in it puts results where it says.
		for _, a := range []rights.Actor{rights.Analyst, rights.Scientist} {
			if group := at(props, "Name"); strings.HasSuffix(group, "-"+string(a)) {
				role := s.roleOf(a)
				s.may("athena to results", role, object(at(props, "WorkGroupConfiguration", "ResultConfiguration", "OutputLocation"))+"x.csv", "s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload")
				s.may("reader to athena", role, s.arn("athena", "workgroup/"+group), "athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults", "athena:GetWorkGroup")
				s.opens(role, at(props, "WorkGroupConfiguration", "ResultConfiguration", "EncryptionConfiguration", "KmsKey"), "kms:GenerateDataKey", "kms:Decrypt")
			}
		}
	case "AWS::SageMaker::NotebookInstance":
		s.takes("sagemaker.amazonaws.com", at(props, "RoleArn"))
	case "AWS::SNS::Subscription":
		if s.byARN(at(props, "TopicArn")) == nil {
			s.complain("%s is of a topic that is not there", r.ID)
		}
	case "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::S3::BucketPolicy", "AWS::KMS::Key", "AWS::KMS::Alias", "AWS::IAM::Role", "AWS::IAM::ManagedPolicy":
		// They are what edges are allowed by.
	case "AWS::S3::Bucket", "AWS::Glue::Database", "AWS::Glue::SecurityConfiguration", "AWS::Athena::NamedQuery", "AWS::Logs::LogGroup", "AWS::Logs::MetricFilter", "AWS::SNS::Topic",
		"AWS::SageMaker::NotebookInstanceLifecycleConfig", "AWS::LakeFormation::PrincipalPermissions", "AWS::LakeFormation::Permissions", "AWS::LakeFormation::Resource":
		// Nothing goes out from them.
	default:
		s.complain("%s: what goes out from a %s is not looked at here", r.ID, r.Type)
	}
}

// tasks are the edges of the state machine's states.
func (s *stack) tasks(r *cfn.Resource, role string, props map[string]any) {
	definition := at(props, "DefinitionString")
	for name, value := range at0(props, "DefinitionSubstitutions").(map[string]any) {
		definition = strings.ReplaceAll(definition, "${"+name+"}", fmt.Sprint(value))
	}
	var machine any
	if err := json.Unmarshal([]byte(definition), &machine); err != nil {
		s.t.Fatalf("%s: %v", r.ID, err)
	}
	var visit func(any)
	visit = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				visit(e)
			}
		case map[string]any:
			if v["Type"] == "Task" {
				s.task(r, role, at(v, "Resource"), v["Parameters"])
			}
			for _, e := range v {
				visit(e)
			}
		}
	}
	visit(machine)
}

func (s *stack) task(r *cfn.Resource, role, resource string, parameters any) {
	switch resource {
	case "arn:aws:states:::lambda:invoke":
		s.may("states to lambda", role, at(parameters, "FunctionName"), "lambda:InvokeFunction")
	case "arn:aws:states:::glue:startJobRun.sync":
		// AWS Step Functions Developer Guide, "IAM policies for integrated services: AWS Glue".
		s.may("states to glue", role, s.arn("glue", "job/"+at(parameters, "JobName")), "glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun")
	case "arn:aws:states:::sns:publish":
		topic := at(parameters, "TopicArn")
		s.may("states to sns", role, topic, "sns:Publish")
		s.opens(role, s.keyOf(topic), "kms:GenerateDataKey", "kms:Decrypt")
	default:
		s.complain("%s: a state uses %s, which is not looked at here", r.ID, resource)
	}
}

// job are the edges of the Glue job: it reads its script and tables, writes tables, and logs.
func (s *stack) job(props map[string]any) {
	role := at(props, "Role")
	s.takes("glue.amazonaws.com", role)
	p := render.Places(s.spec)
	lake := "arn:aws:s3:::" + p.Warehouse.Bucket + "/" + p.Warehouse.Prefix + p.Database + "/"
	s.may("glue to script", role, object(at(props, "Command", "ScriptLocation")), "s3:GetObject")
	for _, zone := range []string{"landing", "trusted", "curated"} {
		s.may("glue to s3", role, lake+zone+"/x/data/run/1.parquet", "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload")
	}
	for _, own := range []string{"hints/1", "head.json", "next.json", "warehouse.json"} {
		s.mayNot(role, lake+"_tarn/"+own, "s3:PutObject", "s3:DeleteObject")
	}
	for _, l := range p.Landing {
		raw := "arn:aws:s3:::" + l.Bucket + "/" + l.Prefix + "x.json"
		s.may("glue to landing", role, raw, "s3:GetObject")
		s.mayNot(role, raw, "s3:PutObject", "s3:DeleteObject")
		s.mayNot(s.roleOf(rights.Runner), raw, "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion")
		s.mayNot(s.roleOf(rights.Scientist), raw, "s3:GetObject")
	}
	group := at(props, "DefaultArguments", "--custom-logGroup-prefix")
	if group == "" {
		group = "/aws-glue/jobs"
	}
	name := at(props, "SecurityConfiguration")
	if name != "" {
		// AWS Glue Developer Guide, "Logging for AWS Glue jobs".
		group += "/" + name + "-role/" + role[strings.LastIndexByte(role, '/')+1:]
	}
	s.writesLogs("glue to logs", role, group+"/error")
	for _, end := range []string{"/output", "/error"} {
		if s.named("AWS::Logs::LogGroup", "LogGroupName", group+end) == nil {
			s.complain("the job logs to %s, which is not in the template", group+end)
		}
	}
	if name != "" {
		security := s.props(s.named("AWS::Glue::SecurityConfiguration", "Name", name))
		if key := at(security, "EncryptionConfiguration", "CloudWatchEncryption", "KmsKeyArn"); key != "" {
			s.may("glue to logs", role, s.arn("logs", "log-group:"+group+"/error"), "logs:AssociateKmsKey")
		}
		for _, e := range list(at0(security, "EncryptionConfiguration", "S3Encryptions")) {
			s.opens(role, at(e, "KmsKeyArn"), "kms:GenerateDataKey", "kms:Decrypt")
		}
	}
}

// delivers is an edge from a service to a queue or topic, which the policy of that and its key allow, for this sender only.
func (s *stack) delivers(from *cfn.Resource, to, service, action string) {
	target := s.byARN(to)
	if target == nil {
		s.complain("%s sends to %q, which is not in the template", from.ID, to)
		return
	}
	s.walked[service+" to "+target.Type]++
	sender := map[string]string{"aws:SourceArn": s.arnOf(from), "aws:SourceAccount": rightstest.Account, "aws:SecureTransport": "true"}
	strange := map[string]string{"aws:SourceArn": "arn:aws:events:us-east-1:999999999999:rule/x", "aws:SourceAccount": "999999999999", "aws:SecureTransport": "true"}
	var policies []rights.Policy
	for _, r := range s.Resources {
		if r.Type != "AWS::SQS::QueuePolicy" && r.Type != "AWS::SNS::TopicPolicy" {
			continue
		}
		props := s.props(&r)
		for _, on := range append(list(props["Queues"]), list(props["Topics"])...) {
			if on == s.refOf(target) {
				policies = append(policies, s.document(props["PolicyDocument"], service))
			}
		}
	}
	s.judged(from.ID+" to "+target.ID, policies, action, to, sender, true)
	s.judged("somebody else to "+target.ID, policies, action, to, strange, false)
	key := s.keyOf(to)
	switch {
	case key == "":
		// SSE-SQS, or none, asks nobody.
	case strings.HasPrefix(key, "alias/aws/"):
		s.complain("%s: the key %s lets no service in", target.ID, key)
	case s.byARN(key) != nil:
		doc := []rights.Policy{s.document(s.props(s.byARN(key))["KeyPolicy"], service)}
		for _, action := range []string{"kms:GenerateDataKey", "kms:Decrypt"} {
			s.judged(from.ID+" to the key", doc, action, key, sender, true)
			s.judged("somebody else to the key", doc, action, key, strange, false)
		}
	default:
		// A key of others gets these statements from them: see render.KeyStatements.
		doc := []rights.Policy{only(s.policy(rights.Policy{Statement: render.KeyStatements(s.spec.Names())}), service)}
		s.judged(from.ID+" to a key of others", doc, "kms:GenerateDataKey", key, sender, true)
	}
}
