package stack_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tarn/internal/deploy"
	"tarn/internal/deploy/render"
	"tarn/internal/deploy/stack"
	"tarn/internal/deploy/stack/stacktest"
	"tarn/internal/rights"
)

// dataRights are what removing data takes beside the deployer's policy: docs/rights.md names them.
var dataRights = []string{"glue:DeleteTable", "glue:GetTables"}

// Whoever deploys may make each call that deploying, looking and taking away makes.
func TestCallsAreAllowed(t *testing.T) {
	server := stacktest.New(t)
	server.SetPace(100)
	a := newAccount(t)
	s, shared := spec(t, "rights-lake", `deploy: {own_key: true, versioned: true}`), spec(t, "rights-shared", `deploy: {bucket: existing}`)
	shared.Lake = "shared"
	bucket(t, "rights-shared")
	server.Notify("rights-shared", theirs)
	for range 2 {
		a.apply(s, nil)
		a.apply(shared, nil)
		if _, err := a.open(s, nil).Destroy(t.Context(), false); err != nil {
			t.Fatal(err)
		}
	}
	a.apply(s, nil)
	s.Files["queries/more.sql"] = []byte("SELECT 1")
	server.Fail(stacktest.Fault{Resource: "StateMachine", On: "UPDATE", Reason: "x"}, stacktest.Fault{Resource: "Function", On: "ROLLBACK", Reason: "x"})
	other := func(template string) string {
		return strings.Replace(template, "StateMachineName: stedi-aws", "StateMachineName: stedi-aws\n      TracingConfiguration: {Enabled: true}", 1)
	}
	if _, err := a.open(s, other).Apply(t.Context()); err == nil {
		t.Fatal("it went well")
	}
	a.apply(s, nil)
	s.Files["queries/more.sql"] = []byte("SELECT 2")
	a.apply(s, nil)
	s.Files["queries/more.sql"] = []byte("SELECT 3")
	a.apply(s, nil)
	st := a.open(s, nil)
	groups, err := st.LogGroups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Logs(t.Context(), groups, time.Now(), false, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Glue.Call("CreateTable", map[string]any{"DatabaseName": s.Database, "TableInput": map[string]any{"Name": "customer_curated"}}); err != nil {
		t.Fatal(err)
	}
	for _, x := range []*stack.Stack{st, a.open(shared, nil)} {
		if _, err := x.Destroy(t.Context(), true); err != nil {
			t.Fatal(err)
		}
	}
	var may []string
	for _, x := range []deploy.Spec{s, shared} {
		p, err := rights.Of(rights.Deployer, render.Places(x))
		if err != nil {
			t.Fatal(err)
		}
		may = append(may, p.Actions()...)
	}
	asked := server.Operations()
	for _, want := range []string{"cloudformation:ContinueUpdateRollback", "s3:PutBucketNotificationConfiguration", "s3:ListObjectVersions", "logs:DeleteLogGroup", "kms:DescribeKey", "glue:DeleteDatabase"} {
		if !slices.Contains(asked, want) {
			t.Errorf("nothing has asked for %s: %v", want, asked)
		}
	}
	data := map[string]bool{}
	for _, op := range asked {
		service, name, _ := strings.Cut(op, ":")
		call := rights.Find(service, name)
		if call == nil {
			t.Errorf("the table of calls has no %s", op)
			continue
		}
		for _, n := range call.Needs {
			if slices.Contains(dataRights, n.Action) {
				data[n.Action] = true
			} else if !slices.Contains(may, n.Action) {
				t.Errorf("%s needs %s, which the deployer may not", op, n.Action)
			}
		}
	}
	page, err := os.ReadFile("../../../docs/rights.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, action := range dataRights {
		if !data[action] {
			t.Errorf("nothing has needed %s", action)
		}
		if !strings.Contains(string(page), "`"+action+"`") {
			t.Errorf("docs/rights.md does not name %s", action)
		}
	}
}
