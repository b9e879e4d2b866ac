package rights

import (
	"strings"
	"testing"
)

// stedi are the places of a lake as they are deployed by default.
func stedi() Places {
	bucket := "stedi-lake"
	return Places{Lake: "stedi", Target: "aws", Base: "stedi-aws", Database: "stedi",
		Warehouse: Place{bucket, "warehouse/"}, Results: Place{bucket, "results/"}, Artefacts: Place{bucket, "artefacts/"},
		Landing: []Place{{bucket, "landing/customer/"}, {bucket, "landing/accelerometer/"}, {bucket, "landing/step_trainer/"}},
		Models: []Table{{"customer_trusted", Trusted}, {"accelerometer_trusted", Trusted}, {"step_trainer_trusted", Trusted},
			{"customer_curated", Curated}, {"machine_learning_curated", Curated}},
		LandingTables: []string{"customer_landing", "accelerometer_landing", "step_trainer_landing"},
		Function:      ARN("lambda", "function:stedi-aws"), StateMachine: StateMachineARN("stedi-aws"), Executions: ExecutionsOf("stedi-aws"),
		Queue: ARN("sqs", "stedi-aws-landing"), DeadLetters: ARN("sqs", "stedi-aws-dead-letters"), Topic: ARN("sns", "stedi-aws-reports"), Job: JobARN("stedi-aws"),
		FunctionLogs: "/aws/lambda/stedi-aws", MachineLogs: "/aws/vendedlogs/states/stedi-aws",
		AnalystWorkgroup: "stedi-aws-analyst", ScientistWorkgroup: "stedi-aws-scientist", Stack: "tarn-stedi-aws", RolePath: "/",
		Notebook: "stedi-aws", Crawler: "stedi-aws"}
}

// Data are what holds rows: an actor gets rights on named places of them only.
func TestNoStarOnData(t *testing.T) {
	for _, a := range Actors() {
		p, err := Of(a, stedi())
		if err != nil {
			t.Fatal(err)
		}
		sids := map[string]bool{}
		for _, s := range p.Statement {
			if sids[s.Sid] {
				t.Errorf("%s: two statements are called %s", a, s.Sid)
			}
			sids[s.Sid] = true
			for _, r := range s.Resource {
				// Actions that IAM knows no resource for, or that a condition binds.
				service, _, _ := strings.Cut(s.Action[0], ":")
				free := s.Sid == "Doctor" || service == "logs" || service == "cloudwatch" || s.Condition != nil || a == Deployer && (s.Sid == "Templates" || s.Sid == "MachineCheck" || s.Sid == "GlueSecurity" || s.Sid == "MakeKey" || s.Sid == "Unsubscribe")
				if r == "*" && !free {
					t.Errorf("%s may %v on everything", a, s.Action)
				}
				if strings.HasPrefix(r, "arn:${AWS::Partition}:s3:::*") || strings.Contains(r, "s3:::stedi-lake/*") {
					t.Errorf("%s may %v on %s", a, s.Action, r)
				}
			}
			for _, action := range s.Action {
				if strings.Contains(action, "*") {
					t.Errorf("%s may %s", a, action)
				}
			}
		}
		if n := p.Length(); n > MostInline && a != Deployer {
			t.Errorf("%s: %d characters", a, n)
		}
		for _, part := range p.Pieces() {
			if n := part.Length(); n > MostManaged {
				t.Errorf("a part of the policy of the %s has %d characters", a, n)
			}
		}
	}
}

// A call that is not in the table gives no right, and neither do actors that nobody knows.
func TestOutsideTheTable(t *testing.T) {
	if _, err := (use{sid: "X", calls: []string{"s3:PutObjectAcl"}}).statements(); err == nil || !strings.Contains(err.Error(), "s3:PutObjectAcl") {
		t.Errorf("a call outside the table: %v", err)
	}
	if _, err := Of("boss", stedi()); err == nil {
		t.Error("an actor that is not there has rights")
	}
	seen := map[string]bool{}
	for _, c := range Calls() {
		if seen[c.Name()] {
			t.Errorf("%s stands in the table twice", c.Name())
		}
		seen[c.Name()] = true
		if c.Source == "" {
			t.Errorf("%s has no source", c.Name())
		}
		for _, n := range c.Needs {
			if len(n.On) == 0 || !strings.Contains(n.Action, ":") {
				t.Errorf("%s: %+v", c.Name(), n)
			}
		}
	}
}
