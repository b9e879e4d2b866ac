package render_test

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"tarn/internal/deploy/cfn"
	"tarn/internal/rights/rightstest"
)

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
	case "AWS::IAM::Role":
		return path.Base(s.arnOf(r))
	case "AWS::Glue::Database":
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
	case map[string]string:
		out := map[string]any{}
		for k, e := range v {
			out[k] = e
		}
		return out
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
