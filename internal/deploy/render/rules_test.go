package render_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
	"tarn/internal/deploy/render"
	"tarn/internal/deployconf"
)

// made is a spec without a lake's folder: n trusted and n curated tables.
func made(n int, change func(*deploy.Spec)) deploy.Spec {
	s := deploy.Spec{Lake: "shop", Target: "aws", Database: "shop", Settings: deployconf.Defaults(),
		Warehouse: deploy.Place{Bucket: "b", Prefix: "warehouse/"}, Results: deploy.Place{Bucket: "b", Prefix: "results/"}, Artefacts: deploy.Place{Bucket: "b", Prefix: "artefacts/"}}
	for i := range n {
		raw, trusted := fmt.Sprintf("table_number_%d_landing", i), fmt.Sprintf("table_number_%d_trusted", i)
		s.Landing = append(s.Landing, deploy.Landing{Name: raw, At: deploy.Place{Bucket: "b", Prefix: fmt.Sprintf("landing/number/%d/", i)}})
		s.Models = append(s.Models, deploy.Model{Name: trusted, Zone: "trusted", Title: "T"},
			deploy.Model{Name: fmt.Sprintf("table_number_%d_curated", i), Zone: "curated", Title: "T", After: []string{trusted}})
	}
	if change != nil {
		change(&s)
	}
	return s
}

func template(t *testing.T, s deploy.Spec) *cfn.Template {
	t.Helper()
	tmpl, err := render.Template(s)
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

func text(t *testing.T, tmpl *cfn.Template) string {
	t.Helper()
	out, err := tmpl.YAML()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// everything switches all parts on.
func everything(s *deploy.Spec) {
	d := &s.Settings
	d.OwnKey, d.Versioned, d.Crawler, d.LakeFormation, d.Notebook.On = true, true, true, true, true
	d.Events.Email, d.Tags, d.Job.States = "data@example.com", map[string]string{"owner": "us", "cost": "1", "a": "b"}, deployconf.StateForEach
	s.Variables = map[string]string{"B": "1", "A": "2", "C": "3"}
}

func TestTheSameEachTime(t *testing.T) {
	t.Parallel()
	first := text(t, template(t, made(5, everything)))
	for range 5 {
		if text(t, template(t, made(5, everything))) != first {
			t.Fatal("the same spec gives another template")
		}
	}
}

// The first step has to be a part of the whole, or the second step would change or replace what it has made.
func TestTheFirstStepIsAPartOfTheWhole(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*deploy.Spec){"default": nil, "everything": everything} {
		s := made(1, change)
		first, err := render.First(s)
		if err != nil {
			t.Fatal(err)
		}
		whole := template(t, s)
		if len(first.Resources) < 3 {
			t.Errorf("%s: the first step has %d resources", name, len(first.Resources))
		}
		for _, r := range first.Resources {
			other := whole.Resource(r.ID)
			if other == nil {
				t.Errorf("%s: the whole has no %s", name, r.ID)
				continue
			}
			a, _ := json.Marshal(r)
			b, _ := json.Marshal(*other)
			if string(a) != string(b) {
				t.Errorf("%s: %s is another one in the whole", name, r.ID)
			}
			if r.Deletion != cfn.RetainExceptOnCreate || r.Replace != cfn.Retain {
				t.Errorf("%s: %s would go with the stack", name, r.ID)
			}
		}
		if n := len(text(t, first)); n > cfn.MaxBody {
			t.Errorf("%s: the first step has %d bytes, and cannot be given directly", name, n)
		}
		// Everything else goes.
		for _, r := range whole.Resources {
			if !first.Has(r.ID) && r.Deletion != "" && r.Deletion != cfn.Delete {
				t.Errorf("%s: %s would stay", name, r.ID)
			}
		}
	}
}

func TestNoRuleExpiresTablesOrRawFiles(t *testing.T) {
	t.Parallel()
	s := made(3, everything)
	props := template(t, s).Resource("Bucket").Properties
	rules := props["LifecycleConfiguration"].(cfn.Map)["Rules"].(cfn.List)
	if len(rules) != 3 {
		t.Errorf("%d rules", len(rules))
	}
	for _, r := range rules {
		rule := r.(cfn.Map)
		_, days := rule["ExpirationInDays"]
		_, date := rule["ExpirationDate"]
		if prefix, _ := rule["Prefix"].(string); (days || date) && prefix != "results/" {
			t.Errorf("rule %v expires what lies below %q", rule["Id"], prefix)
		}
	}
	// Results elsewhere are somebody else's.
	s.Results = deploy.Place{Bucket: "other", Prefix: "x/"}
	if strings.Contains(text(t, template(t, s)), "ExpirationInDays") {
		t.Error("a rule expires objects where no results are")
	}
}

// Rules of EventBridge must not match what runs write.
func TestRulesMatchLandingAlone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		places []deploy.Place
		want   [][]string // prefixes of each rule
	}{
		"one folder":   {[]deploy.Place{{Bucket: "b", Prefix: "landing/a/"}, {Bucket: "b", Prefix: "landing/b/c/"}}, [][]string{{"landing/"}}},
		"one table":    {[]deploy.Place{{Bucket: "b", Prefix: "landing/a/"}}, [][]string{{"landing/a/"}}},
		"side by side": {[]deploy.Place{{Bucket: "b", Prefix: "a/"}, {Bucket: "b", Prefix: "c/"}}, [][]string{{"a/", "c/"}}},
		"around":       {[]deploy.Place{{Bucket: "b", Prefix: "warehouse2/a/"}, {Bucket: "b", Prefix: "warehouse2/b/"}}, [][]string{{"warehouse2/"}}},
		"buckets":      {[]deploy.Place{{Bucket: "b", Prefix: "a/"}, {Bucket: "z", Prefix: "a/"}}, [][]string{{"a/"}, {"a/"}}},
		"whole bucket": {[]deploy.Place{{Bucket: "z", Prefix: ""}}, [][]string{nil}},
	} {
		s := made(0, func(s *deploy.Spec) {
			for i, p := range c.places {
				s.Landing = append(s.Landing, deploy.Landing{Name: fmt.Sprintf("t%d", i), At: p})
			}
		})
		var got [][]string
		for _, r := range template(t, s).Resources {
			if r.Type != "AWS::Events::Rule" {
				continue
			}
			var prefixes []string
			if object, ok := r.Properties["EventPattern"].(cfn.Map)["detail"].(cfn.Map)["object"].(cfn.Map); ok {
				for _, k := range object["key"].(cfn.List) {
					prefixes = append(prefixes, k.(cfn.Map)["prefix"].(string))
				}
			}
			got = append(got, prefixes)
		}
		if !slices.EqualFunc(got, c.want, slices.Equal[[]string]) {
			t.Errorf("%s: prefixes are %v, want %v", name, got, c.want)
		}
	}
}

// A pattern has at most 2,048 characters (Amazon EventBridge User Guide, "EventBridge quotas").
func TestManyLandingPlaces(t *testing.T) {
	t.Parallel()
	s := made(0, func(s *deploy.Spec) {
		for i := range 200 {
			s.Landing = append(s.Landing, deploy.Landing{Name: fmt.Sprintf("t%d", i), At: deploy.Place{Bucket: "b", Prefix: fmt.Sprintf("source-number-%d/raw/", i)}})
		}
	})
	places := map[string]bool{}
	names := map[any]bool{}
	for _, r := range template(t, s).Resources {
		if r.Type != "AWS::Events::Rule" {
			continue
		}
		raw, err := json.Marshal(r.Properties["EventPattern"])
		if err != nil || len(raw) > 2048 {
			t.Errorf("%s has a pattern of %d characters (%v)", r.ID, len(raw), err)
		}
		names[r.Properties["Name"]] = true
		for _, k := range r.Properties["EventPattern"].(cfn.Map)["detail"].(cfn.Map)["object"].(cfn.Map)["key"].(cfn.List) {
			places[k.(cfn.Map)["prefix"].(string)] = true
		}
	}
	if len(places) != 200 || len(names) < 2 {
		t.Errorf("%d places in %d rules", len(places), len(names))
	}
}

// IAM takes 10,240 characters of a role's own policies and 6,144 of a managed one.
func TestRightsOnManyPlaces(t *testing.T) {
	t.Parallel()
	s := made(0, func(s *deploy.Spec) {
		for i := range 150 {
			s.Landing = append(s.Landing, deploy.Landing{Name: fmt.Sprintf("t%d", i), At: deploy.Place{Bucket: "b", Prefix: fmt.Sprintf("source-number-%d/raw/", i)}})
		}
	})
	all, read, kept := 0, map[string]bool{}, map[string]bool{}
	for _, r := range template(t, s).Resources {
		switch r.Type {
		case "AWS::IAM::ManagedPolicy":
			all++
			if n := len(compact(t, r.Properties["PolicyDocument"])); n > 6144 {
				t.Errorf("%s has %d characters", r.ID, n)
			}
			sids := map[any]bool{}
			for _, statement := range r.Properties["PolicyDocument"].(cfn.Map)["Statement"].(cfn.List) {
				sid := statement.(cfn.Map)["Sid"]
				if sids[sid] {
					t.Errorf("%s has two statements %s", r.ID, sid)
				}
				sids[sid] = true
			}
			if !strings.HasPrefix(r.ID, "RunnerRole") {
				continue
			}
			for _, statement := range r.Properties["PolicyDocument"].(cfn.Map)["Statement"].(cfn.List) {
				in := read
				if statement.(cfn.Map)["Effect"] == "Deny" {
					in = kept
				}
				for _, m := range regexp.MustCompile(`source-number-\d+`).FindAllString(compact(t, statement), -1) {
					in[m] = true
				}
			}
		case "AWS::IAM::Role":
			for _, p := range listOf(r.Properties["Policies"]) {
				if n := len(compact(t, p.(cfn.Map)["PolicyDocument"])); n > 10240 {
					t.Errorf("%s has %d characters", r.ID, n)
				}
			}
		}
	}
	if all < 2 || len(read) != 150 || len(kept) != 150 {
		t.Errorf("%d managed policies, by which %d places are read and %d kept", all, len(read), len(kept))
	}
}

func listOf(v any) cfn.List {
	out, _ := v.(cfn.List)
	return out
}

// compact is a policy as IAM counts it, filled in.
func compact(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("${AWS::Partition}", "aws-us-gov", "${AWS::Region}", "ap-southeast-2", "${AWS::AccountId}", "123456789012").Replace(string(raw))
}

func TestLimitsOfTemplates(t *testing.T) {
	t.Parallel()
	if n := len(text(t, template(t, made(100, everything)))); n > cfn.MaxURL {
		t.Errorf("a lake of 300 tables has a template of %d bytes", n)
	}
	var big *cfn.TooBigError
	if _, err := render.Template(made(200, nil)); !errors.As(err, &big) {
		t.Errorf("a lake of 600 tables with named queries: %v", err)
	}
	if _, err := render.Template(made(200, func(s *deploy.Spec) { s.Settings.Athena.NoQueries = true })); err != nil {
		t.Errorf("and without: %v", err)
	}
}

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

// Every part can be left out, and then nothing is left of it.
func TestPartsAreLeftOut(t *testing.T) {
	t.Parallel()
	all := text(t, template(t, made(2, nil)))
	for name, c := range map[string]struct {
		change func(*deployconf.Settings)
		gone   string
	}{
		"bucket":   {func(s *deployconf.Settings) { s.Bucket = deployconf.Existing }, `AWS::S3::`},
		"database": {func(s *deployconf.Settings) { s.Database = deployconf.Existing }, `AWS::Glue::Database`},
		"job":      {func(s *deployconf.Settings) { s.Job.Off = true }, `AWS::Glue::Job|JobRole|startJobRun|TARN_GLUE_JOB|glue:StartJobRun|JobOutput`},
		"lambda":   {func(s *deployconf.Settings) { s.Engine = deployconf.Lambda }, `AWS::Glue::Job|JobRole|startJobRun`},
		"events":   {func(s *deployconf.Settings) { s.Events.Off = true }, `AWS::SQS|AWS::Events::Rule|EventSourceMapping|sqs:`},
		"schedule": {func(s *deployconf.Settings) { s.Events.Schedule = "" }, `AWS::Scheduler`},
		"alarms":   {func(s *deployconf.Settings) { s.Alarms = false }, `AWS::CloudWatch`},
		"queries":  {func(s *deployconf.Settings) { s.Athena.NoQueries = true }, `AWS::Athena::NamedQuery`},
		"cutoff":   {func(s *deployconf.Settings) { s.Athena.Cutoff = 0 }, `BytesScannedCutoff`},
		"default":  {func(*deployconf.Settings) {}, `AWS::KMS|VersioningConfiguration|AWS::Glue::Crawler|CrawlerRole|AWS::SageMaker|AWS::SNS::Subscription|PermissionsBoundary|VpcConfig|ReservedConcurrentExecutions`},
		"role":     {func(s *deployconf.Settings) { s.Roles.Runner = "arn:aws:iam::123456789012:role/mine" }, `RunnerRole\.Arn|  RunnerRole:`},
	} {
		out := text(t, template(t, made(2, func(s *deploy.Spec) { c.change(&s.Settings) })))
		if found := regexp.MustCompile(c.gone).FindString(out); found != "" {
			t.Errorf("%s: the template has %s", name, found)
		}
		if name != "default" && regexp.MustCompile(c.gone).FindString(all) == "" {
			t.Errorf("%s: nothing by default matches %s", name, c.gone)
		}
	}
}

// The queue has to hold a message for as long as the function may work on it, or Lambda refuses the mapping.
func TestVisibility(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{time.Minute, 15 * time.Minute} {
		tmpl := template(t, made(1, func(s *deploy.Spec) { s.Settings.Function.Timeout = d }))
		if v := tmpl.Resource("Queue").Properties["VisibilityTimeout"].(int); v <= int(d.Seconds()) {
			t.Errorf("a function of %s has a queue of %d s", d, v)
		}
	}
}

// What has tags in CloudFormation has those of the lake.
func TestTags(t *testing.T) {
	t.Parallel()
	without := []string{"AWS::S3::BucketPolicy", "AWS::KMS::Alias", "AWS::Glue::Database", "AWS::Athena::NamedQuery", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy",
		"AWS::SNS::Subscription", "AWS::Scheduler::Schedule", "AWS::Glue::SecurityConfiguration", "AWS::IAM::ManagedPolicy", "AWS::SageMaker::NotebookInstanceLifecycleConfig",
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
