package render_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"tarn/internal/deploy"
)

// Names of all parts, as their services take them.
func TestNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a_long_name", 9)
	seen := map[string]string{}
	for _, c := range [][2]string{{"shop", "aws"}, {"shop", "aws_2"}, {"shop_aws", "x"}, {"shop", "aws_x"}, {long, "aws"}, {long, "aws2"}} {
		s := made(1, everything)
		s.Lake, s.Target = c[0], c[1]
		n := s.Names()
		if other, twice := seen[n.Base]; twice {
			t.Errorf("%s and %s are both %s", other, c, n.Base)
		}
		seen[n.Base] = fmt.Sprint(c)
		for _, p := range []struct {
			name, pattern string
		}{
			{n.Stack, `^[A-Za-z][A-Za-z0-9-]{0,127}$`}, {n.Function, `^[a-zA-Z0-9-_]{1,64}$`}, {n.StateMachine, `^[a-zA-Z0-9-_]{1,80}$`}, {n.Queue, `^[a-zA-Z0-9-_]{1,80}$`},
			{n.DeadLetters, `^[a-zA-Z0-9-_]{1,80}$`}, {n.Topic, `^[a-zA-Z0-9-_]{1,256}$`}, {n.Rule + "-99", `^[.\-_A-Za-z0-9]{1,64}$`}, {n.Schedule, `^[0-9a-zA-Z-_.]{1,64}$`},
			{n.Notebook, `^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$`}, {n.Scientist, `^[a-zA-Z0-9._-]{1,128}$`}, {n.FunctionLogs, `^[.\-_/#A-Za-z0-9]{1,512}$`},
		} {
			if !regexp.MustCompile(p.pattern).MatchString(p.name) {
				t.Errorf("%s: %s is no name", c, p.name)
			}
		}
		text(t, template(t, s))
	}
}

// What has tags in CloudFormation has those of the lake.
func TestTags(t *testing.T) {
	t.Parallel()
	without := []string{"AWS::S3::BucketPolicy", "AWS::KMS::Alias", "AWS::Glue::Database", "AWS::Athena::NamedQuery", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy",
		"AWS::SNS::Subscription", "AWS::Scheduler::Schedule", "AWS::Glue::SecurityConfiguration", "AWS::IAM::ManagedPolicy",
		"AWS::LakeFormation::PrincipalPermissions"}
	for _, r := range template(t, made(2, everything)).Resources {
		if slices.Contains(without, r.Type) {
			continue
		}
		raw, _ := json.Marshal(r.Properties["Tags"])
		for _, want := range []string{"tarn:lake", "shop", "tarn:target", "aws", "owner"} {
			if !strings.Contains(string(raw), want) {
				t.Errorf("%s, a %s, has no tag %s", r.ID, r.Type, want)
			}
		}
	}
}

// Templates are read by other YAML parsers too.
func TestTextsOfPeople(t *testing.T) {
	t.Parallel()
	const nasty = "yes: \"no\" 'or' # {maybe}\n\ttab ${AWS::Region} é 💡"
	s := made(1, func(s *deploy.Spec) {
		s.Models[0].Description, s.Models[0].Title = nasty, "Customer: 'x'"
		s.Variables = map[string]string{"ON": "on", "N": "007", "TEXT": nasty}
		s.Queries = []deploy.Query{{Name: "a b", Description: nasty, SQL: "SELECT 1 -- " + nasty}}
	})
	var read struct {
		Resources map[string]struct {
			Properties map[string]yaml.Node `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal([]byte(text(t, template(t, s))), &read); err != nil {
		t.Fatal(err)
	}
	var env struct {
		Variables map[string]string `yaml:"Variables"`
	}
	node := read.Resources["Function"].Properties["Environment"]
	if err := node.Decode(&env); err != nil || env.Variables["ON"] != "on" || env.Variables["N"] != "007" || env.Variables["TEXT"] != nasty {
		t.Errorf("variables are %q (%v)", env.Variables, err)
	}
	tmpl := template(t, s)
	for id, want := range map[string]bool{"QueryAB": true, "Function": true, "QueryTables": false, "StateMachine": false} {
		if r := tmpl.Resource(id); want != (r.Metadata["cfn-lint"] != nil) || want != strings.Contains(r.Comment, "E1029") {
			t.Errorf("%s: metadata are %v, comment is %q", id, r.Metadata, r.Comment)
		}
	}
	if got := read.Resources["QueryAB"].Properties["QueryString"]; got.Value != "SELECT 1 -- "+nasty {
		t.Errorf("a query is %q", got.Value)
	}
}
