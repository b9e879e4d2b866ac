package render_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
	"tarn/internal/deploy/deploytest"
	"tarn/internal/deploy/render"
	"tarn/internal/rights"
	"tarn/internal/rights/rightstest"
)

// stack is a template with everything filled in as CloudFormation would.
type stack struct {
	*cfn.Template
	t    *testing.T
	spec deploy.Spec
	// deployer is the policy of whoever deploys.
	deployer rights.Policy
	walked   map[string]int
	// wrong is what was found.
	wrong []string
}

func (s *stack) complain(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

// TestEdges walks every edge of the template, from what sends to what is sent to: role, policy of the resource, policy of the key. An
// edge that is not allowed fails on AWS without a word where nobody looks.
func TestEdges(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/*/target.yaml")
	if err != nil || len(cases) == 0 {
		t.Fatal(err)
	}
	for _, path := range cases {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			t.Parallel()
			s := rendered(t, path)
			s.all()
			for _, wrong := range s.wrong {
				t.Error(wrong)
			}
			must := []string{"states to lambda", "lambda to states", "states to sns", "athena to results"}
			if events := s.spec.Settings.Events; !events.Off {
				must = append(must, "sqs to lambda", "events.amazonaws.com to AWS::SQS::Queue")
				if events.Schedule != "" {
					must = append(must, "scheduler to states")
				}
			}
			for _, edge := range must {
				if s.walked[edge] == 0 {
					t.Errorf("the edge %s is not in the template", edge)
				}
			}
		})
	}
}

// TestBrokenEdges takes something away from a template that has everything, and makes sure that it is missed.
func TestBrokenEdges(t *testing.T) {
	t.Parallel()
	drop := func(id string) func(*stack) {
		return func(s *stack) {
			s.Resources = slices.DeleteFunc(s.Resources, func(r cfn.Resource) bool { return r.ID == id })
		}
	}
	set := func(id, property string, value any) func(*stack) {
		return func(s *stack) { s.Resource(id).Properties[property] = value }
	}
	for name, c := range map[string]struct {
		broken func(*stack)
		want   string
	}{
		"no policy of the queue":     {drop("QueuePolicy"), "Rule to Queue: sqs:SendMessage"},
		"no policy of the topic":     {drop("TopicPolicy"), "RunFailed to Topic: sns:Publish"},
		"a key of AWS":               {set("Queue", "KmsMasterKeyId", "alias/aws/sqs"), "lets no service in"},
		"a queue open to all events": {set("QueuePolicy", "PolicyDocument", open), "somebody else to Queue"},
		"a key without services":     {set("Key", "KeyPolicy", cfn.Map{"Version": "2012-10-17", "Statement": cfn.List{}}), "Rule to the key"},
		"a runner without rights":    {set("RunnerRole", "Policies", nil), "sqs to lambda: sqs:ReceiveMessage"},
		"a pipeline without rights":  {set("PipelineRole", "Policies", nil), "states to glue: glue:StartJobRun"},
		"a job without rights":       {set("JobRole", "Policies", nil), "glue to script: s3:GetObject"},
		"nobody may be the job":      {set("JobRole", "AssumeRolePolicyDocument", cfn.Map{"Statement": cfn.List{}}), "glue.amazonaws.com takes JobRole"},
		"a short visibility":         {set("Queue", "VisibilityTimeout", 30), "messages are seen again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := rendered(t, "testdata/everything/target.yaml")
			c.broken(s)
			s.all()
			if !slices.ContainsFunc(s.wrong, func(text string) bool { return strings.Contains(text, c.want) }) {
				t.Errorf("found: %s", strings.Join(s.wrong, "\n"))
			}
		})
	}
}

// open lets every rule of every account in.
var open = cfn.Map{"Version": "2012-10-17", "Statement": cfn.List{cfn.Map{"Effect": "Allow", "Principal": cfn.Map{"Service": "events.amazonaws.com"},
	"Action": "sqs:SendMessage", "Resource": cfn.GetAtt("Queue.Arn")}}}

// rendered is the template of a case.
func rendered(t *testing.T, target string) *stack {
	t.Helper()
	keys, err := os.ReadFile(target)
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{t: t, spec: deploytest.Stedi(t, string(keys), nil), walked: map[string]int{}}
	if s.Template, err = render.Template(s.spec); err != nil {
		t.Fatal(err)
	}
	may, err := rights.Of(rights.Deployer, render.Places(s.spec))
	if err != nil {
		t.Fatal(err)
	}
	s.deployer = s.policy(may)
	return s
}

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
	s.writesLogs("glue to logs", role, group+"/error")
	if name := at(props, "SecurityConfiguration"); name != "" {
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

// may makes sure that a role of the stack allows actions; one that was there before is somebody else's to look after.
func (s *stack) may(edge, role, resource string, actions ...string) {
	s.t.Helper()
	s.walked[edge]++
	if s.byARN(role) == nil {
		return
	}
	for _, action := range actions {
		s.judged(edge, s.policiesOf(role), action, resource, nil, true)
	}
}

func (s *stack) mayNot(role, resource string, actions ...string) {
	s.t.Helper()
	for _, action := range actions {
		if s.byARN(role) != nil {
			s.judged(role, s.policiesOf(role), action, resource, nil, false)
		}
	}
}

// opens makes sure that a role may use a key, if there is one.
func (s *stack) opens(role, key string, actions ...string) {
	s.t.Helper()
	if key != "" {
		s.may("key", role, key, actions...)
	}
}

func (s *stack) writesLogs(edge, role, group string) {
	s.t.Helper()
	s.may(edge, role, s.arn("logs", "log-group:"+group+":log-stream:x"), "logs:CreateLogStream", "logs:PutLogEvents")
}

func (s *stack) judged(edge string, policies []rights.Policy, action, resource string, context map[string]string, want bool) {
	s.t.Helper()
	verdict, err := rightstest.Judge(policies, action, resource, context)
	if err != nil || (verdict == rightstest.Allowed) != want {
		s.complain("%s: %s on %s is %s, %v", edge, action, resource, verdict, err)
	}
}

// takes makes sure that a service may take a role on, and that the deployer may pass it to that service and to no other.
func (s *stack) takes(service, role string) {
	s.t.Helper()
	s.walked["pass to "+service]++
	if r := s.byARN(role); r != nil {
		doc := []rights.Policy{s.document(s.props(r)["AssumeRolePolicyDocument"], service)}
		// A trust policy is about its own role.
		for i := range doc[0].Statement {
			doc[0].Statement[i].Resource = rights.List{role}
		}
		s.judged(service+" takes "+r.ID, doc, "sts:AssumeRole", role, map[string]string{"aws:SourceAccount": rightstest.Account}, true)
	}
	deployer := []rights.Policy{s.deployer}
	s.judged("deployer passes to "+service, deployer, "iam:PassRole", role, map[string]string{"iam:PassedToService": service}, true)
	s.judged("deployer passes to another service", deployer, "iam:PassRole", role, map[string]string{"iam:PassedToService": "ec2.amazonaws.com"}, false)
}

// roleOf is the ARN of an actor's role.
func (s *stack) roleOf(a rights.Actor) string {
	id := strings.ToUpper(string(a)[:1]) + string(a)[1:] + "Role"
	for _, r := range s.Resources {
		if r.ID == id {
			return s.arnOf(&r)
		}
	}
	return ""
}

// policiesOf are the policies of a role.
func (s *stack) policiesOf(role string) []rights.Policy {
	props := s.props(s.byARN(role))
	var out []rights.Policy
	for _, p := range list(props["Policies"]) {
		out = append(out, s.document(at0(p, "PolicyDocument"), ""))
	}
	for _, ref := range list(props["ManagedPolicyArns"]) {
		for _, r := range s.Resources {
			if r.Type == "AWS::IAM::ManagedPolicy" && s.refOf(&r) == ref {
				out = append(out, s.document(s.props(&r)["PolicyDocument"], ""))
			}
		}
	}
	return out
}

// document reads a policy; with a service, only those of its statements that are about that one or about all.
func (s *stack) document(doc any, service string) rights.Policy {
	s.t.Helper()
	m := doc.(map[string]any)
	for _, st := range list(m["Statement"]) {
		if who := st.(map[string]any); who["Principal"] == "*" {
			who["Principal"] = map[string]any{"Service": service}
		}
	}
	raw, err := json.Marshal(m)
	var p rights.Policy
	if err == nil {
		err = json.Unmarshal(raw, &p)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if service == "" {
		return p
	}
	return only(p, service)
}

func only(p rights.Policy, service string) rights.Policy {
	p.Statement = slices.DeleteFunc(slices.Clone(p.Statement), func(st rights.Statement) bool { return !slices.Contains(st.Principal["Service"], service) })
	return p
}

// policy fills in what a policy of package rights leaves open.
func (s *stack) policy(p rights.Policy) rights.Policy {
	values := map[string]string{"Key.Arn": s.arn("kms", "key/Key")}
	for k, v := range rightstest.Variables {
		values[k] = v
	}
	return p.Filled(values)
}

// keyOf is the key of a queue or topic, or "".
func (s *stack) keyOf(arn string) string {
	if r := s.byARN(arn); r != nil {
		return at(s.props(r), "KmsMasterKeyId")
	}
	return ""
}

func (s *stack) props(r *cfn.Resource) map[string]any {
	s.t.Helper()
	if r == nil {
		s.t.Fatal("there is no such resource")
	}
	return s.fill(r.Properties).(map[string]any)
}

func (s *stack) named(kind, property, name string) *cfn.Resource {
	for i, r := range s.Resources {
		if r.Type == kind && at(s.props(&r), property) == name {
			return &s.Resources[i]
		}
	}
	return nil
}

func (s *stack) byARN(arn string) *cfn.Resource {
	for i, r := range s.Resources {
		if arn != "" && s.arnOf(&r) == arn {
			return &s.Resources[i]
		}
	}
	return nil
}

// arnOf is the ARN of a resource, or "" where none of the edges is about one.
func (s *stack) arnOf(r *cfn.Resource) string {
	name := func(property string) string {
		text, _ := s.fill(r.Properties[property]).(string)
		return text
	}
	switch r.Type {
	case "AWS::SQS::Queue":
		return s.arn("sqs", name("QueueName"))
	case "AWS::SNS::Topic":
		return s.arn("sns", name("TopicName"))
	case "AWS::Lambda::Function":
		return s.arn("lambda", "function:"+name("FunctionName"))
	case "AWS::StepFunctions::StateMachine":
		return s.arn("states", "stateMachine:"+name("StateMachineName"))
	case "AWS::Events::Rule":
		return s.arn("events", "rule/"+name("Name"))
	case "AWS::CloudWatch::Alarm":
		return s.arn("cloudwatch", "alarm:"+name("AlarmName"))
	case "AWS::KMS::Key":
		return s.arn("kms", "key/"+r.ID)
	case "AWS::Logs::LogGroup":
		return s.arn("logs", "log-group:"+name("LogGroupName")+":*")
	case "AWS::IAM::Role":
		return "arn:aws:iam::" + rightstest.Account + ":role" + name("Path") + s.spec.Names().Stack + "-" + r.ID + "-1A2B3C"
	}
	return ""
}

// refOf is what Ref gives of a resource.
func (s *stack) refOf(r *cfn.Resource) string {
	switch r.Type {
	case "AWS::SQS::Queue":
		return "https://sqs/" + s.arnOf(r)
	case "AWS::SNS::Topic", "AWS::StepFunctions::StateMachine":
		return s.arnOf(r)
	}
	if r.Type == "AWS::Glue::Database" {
		return at(s.fill(r.Properties["DatabaseInput"]), "Name")
	}
	for _, property := range []string{"Name", "FunctionName", "LogGroupName", "BucketName", "QueueName", "NotebookInstanceLifecycleConfigName"} {
		if text, ok := s.fill(r.Properties[property]).(string); ok {
			return text
		}
	}
	return r.ID
}

func (s *stack) arn(service, name string) string {
	return "arn:" + rightstest.Partition + ":" + service + ":" + rightstest.Region + ":" + rightstest.Account + ":" + name
}

var variable = regexp.MustCompile(`\$\{([A-Za-z0-9:.]+)\}`)

// fill does what CloudFormation does with a value.
func (s *stack) fill(v any) any {
	switch v := v.(type) {
	case cfn.Map:
		out := map[string]any{}
		for k, e := range v {
			if e != nil {
				out[k] = s.fill(e)
			}
		}
		return out
	case map[string]any:
		return s.fill(cfn.Map(v))
	case cfn.List:
		var out []any
		for _, e := range v {
			if e != nil {
				out = append(out, s.fill(e))
			}
		}
		return out
	case []any:
		return s.fill(cfn.List(v))
	case []cfn.Map:
		var out []any
		for _, e := range v {
			out = append(out, s.fill(e))
		}
		return out
	case []string:
		var out []any
		for _, e := range v {
			out = append(out, e)
		}
		return out
	case cfn.Ref:
		return s.value(string(v))
	case cfn.GetAtt:
		return s.value(string(v))
	case cfn.Join:
		text := ""
		for _, e := range v {
			text += fmt.Sprint(s.fill(e))
		}
		return text
	case cfn.Sub:
		return variable.ReplaceAllStringFunc(string(v), func(m string) string { return s.value(m[2 : len(m)-1]) })
	}
	return v
}

func (s *stack) value(name string) string {
	if text, ok := rightstest.Variables[name]; ok {
		return text
	}
	if name == "AWS::URLSuffix" {
		return "amazonaws.com"
	}
	id, attribute, _ := strings.Cut(name, ".")
	r := s.Resource(id)
	switch {
	case r == nil:
		return "parameter:" + id
	case attribute == "":
		return s.refOf(r)
	case attribute == "Arn":
		return s.arnOf(r)
	}
	text, _ := s.fill(r.Properties[attribute]).(string)
	return text
}

// at0 finds a value below keys, or nil.
func at0(v any, keys ...string) any {
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}

// at finds a value below keys as a text, or "".
func at(v any, keys ...string) string {
	if v = at0(v, keys...); v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// object is the ARN of what lies at an s3:// location.
func object(location string) string { return "arn:aws:s3:::" + strings.TrimPrefix(location, "s3://") }

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
