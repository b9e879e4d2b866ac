package render_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
	"tarn/internal/deploy/deploytest"
	"tarn/internal/deploy/render"
	"tarn/internal/rights"
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
