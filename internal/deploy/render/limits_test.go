package render_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
	"tarn/internal/deploy/render"
)

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
