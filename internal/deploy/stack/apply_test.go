package stack_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"tarn/internal/deploy/stack"
	"tarn/internal/deploy/stack/stacktest"
)

func actions(p stack.Proposal) map[stack.Action][]string {
	out := map[stack.Action][]string{}
	for _, c := range p.Changes {
		out[c.Action] = append(out[c.Action], c.Resource)
	}
	return out
}

func TestFirstDeploymentThenNothingThenAChange(t *testing.T) {
	server := stacktest.New(t)
	a := newAccount(t)
	s := spec(t, "first-lake", "")
	r := a.apply(s, nil)
	if r.Status != "UPDATE_COMPLETE" || !r.Changed || r.Outputs["Warehouse"].Value != "s3://first-lake/warehouse/" {
		t.Errorf("%+v", r)
	}
	for _, doing := range []string{"packing the function's code", "uploading the function's code"} {
		if m := a.moved[doing]; m[0] == 0 || m[0] != m[1] {
			t.Errorf("%s: %v", doing, m)
		}
	}
	// Asked once, before anything was made, with all that would be.
	if len(a.asked) != 1 || !a.asked[0].New || len(actions(a.asked[0])[stack.Add]) < 10 || a.asked[0].Account != stacktest.Account ||
		!slices.Contains(a.asked[0].Before, "bucket first-lake is made first") || !slices.Contains(a.asked[0].Estimate, "about 1 USD a month") {
		t.Errorf("asked %+v", a.asked)
	}
	if got := keys(t, "first-lake", "artefacts/"); len(got) != 2 || !strings.HasPrefix(got[0], "artefacts/stedi-aws/tarn-") || !strings.HasPrefix(got[1], "artefacts/stedi-aws/template-") {
		t.Errorf("the bucket has %v", got)
	}
	if r.Artefact != "s3://first-lake/"+keys(t, "first-lake", "artefacts/")[0] {
		t.Errorf("the code is in %s", r.Artefact)
	}

	a.asked = nil
	if again := a.apply(s, nil); again.Changed || len(a.asked) != 0 || again.Outputs["FunctionName"].Value != "stedi-aws" {
		t.Errorf("nothing was changed: %+v, asked %v", again, a.asked)
	}

	// Another definition is other code, which the function gets.
	s.Files["queries/more.sql"] = []byte("SELECT 1")
	third := a.apply(s, nil)
	if len(a.asked) != 1 || a.asked[0].New || !slices.Equal(actions(a.asked[0])[stack.Modify], []string{"Function"}) || len(a.asked[0].Changes) != 1 ||
		!slices.Contains(a.asked[0].Changes[0].Why, "Code") {
		t.Errorf("asked %+v", a.asked)
	}
	// The code before stays, as CloudFormation needs it on a way back; what was before that goes.
	zips := func() (n int) {
		for _, k := range keys(t, "first-lake", "artefacts/") {
			if strings.HasSuffix(k, ".zip") {
				n++
			}
		}
		return n
	}
	if got := keys(t, "first-lake", "artefacts/"); zips() != 2 || len(got) != 3 || third.Artefact == r.Artefact {
		t.Errorf("the bucket has %v", keys(t, "first-lake", "artefacts/"))
	}
	s.Files["queries/more.sql"] = []byte("SELECT 2")
	a.apply(s, nil)
	if zips() != 2 || slices.Contains(keys(t, "first-lake", "artefacts/"), strings.TrimPrefix(r.Artefact, "s3://first-lake/")) {
		t.Errorf("the bucket has %v", keys(t, "first-lake", "artefacts/"))
	}
	if server.Counts()["ExecuteChangeSet"] != 4 {
		t.Errorf("%v", server.Counts())
	}
}

func TestNobodyAgrees(t *testing.T) {
	server := stacktest.New(t)
	a := newAccount(t)
	s := spec(t, "declined-lake", "")
	a.agree = func(stack.Proposal) (bool, error) { return false, nil }
	if _, err := a.open(s, nil).Apply(t.Context()); !errors.Is(err, stack.ErrDeclined) {
		t.Errorf("%v", err)
	}
	if server.Counts()["CreateChangeSet"] != 0 {
		t.Errorf("something was done: %v", server.Counts())
	}
	a.agree = nil
	a.apply(s, nil)
	// An update has a change set to be shown, which goes again.
	a.agree = func(stack.Proposal) (bool, error) { return false, nil }
	s.Files["queries/more.sql"] = []byte("SELECT 1")
	if _, err := a.open(s, nil).Apply(t.Context()); !errors.Is(err, stack.ErrDeclined) || server.Counts()["DeleteChangeSet"] == 0 {
		t.Errorf("%v, %v", err, server.Counts())
	}
}

func TestDeployFailsAndIsGoneOnWith(t *testing.T) {
	server := stacktest.New(t)
	a := newAccount(t)
	s := spec(t, "failing-lake", "")
	// In the first step nothing is left.
	server.Fail(stacktest.Fault{Resource: "Database", On: "CREATE", Reason: `Resource handler returned message: "User: arn:aws:sts::123456789012:assumed-role/deployer/someone is not authorized to perform: glue:CreateDatabase because no permissions boundary allows the glue:CreateDatabase action (Service: Glue, Status Code: 400)"`})
	_, err := a.open(s, nil).Apply(t.Context())
	var failed *stack.FailedError
	if !errors.As(err, &failed) || failed.Resource != "Database" || failed.Status != "ROLLBACK_COMPLETE" || !strings.Contains(hint(err), "permissions boundary") ||
		strings.Contains(err.Error(), "Status Code") || !strings.HasPrefix(err.Error(), "database Database could not be made: User: ") {
		t.Fatalf("%v, hint %s", err, hint(err))
	}
	// A stack that was rolled back can only be deleted, which is done; then in the second step what was made first stays.
	server.Fail(stacktest.Fault{Resource: "Function", On: "CREATE", Reason: "API: iam:PassRole User: someone is not authorized to perform: iam:PassRole on resource: role"})
	_, err = a.open(s, nil).Apply(t.Context())
	if !errors.As(err, &failed) || failed.Resource != "Function" || !failed.Sound || failed.Status != "UPDATE_ROLLBACK_COMPLETE" || !strings.Contains(hint(err), "iam:PassRole") || !strings.Contains(hint(err), "goes on from here") {
		t.Fatalf("%v, hint %s", err, hint(err))
	}
	if !strings.Contains(strings.Join(a.told, "\n"), "could not be made earlier (ROLLBACK_COMPLETE)") {
		t.Errorf("told %v", a.told)
	}
	if r := a.apply(s, nil); r.Status != "UPDATE_COMPLETE" {
		t.Errorf("%+v", r)
	}
	// A way back that fails is continued.
	server.Fail(stacktest.Fault{Resource: "StateMachine", On: "UPDATE", Reason: "Invalid definition"}, stacktest.Fault{Resource: "Function", On: "ROLLBACK", Reason: "is being used"})
	s.Files["queries/more.sql"] = []byte("SELECT 1")
	other := func(template string) string {
		return strings.Replace(template, "StateMachineName: stedi-aws", "StateMachineName: stedi-aws\n      TracingConfiguration: {Enabled: true}", 1)
	}
	if _, err = a.open(s, other).Apply(t.Context()); !errors.As(err, &failed) || failed.Status != "UPDATE_ROLLBACK_FAILED" || failed.Resource != "StateMachine" {
		t.Fatalf("%v", err)
	}
	if r := a.apply(s, other); r.Status != "UPDATE_COMPLETE" || !strings.Contains(strings.Join(a.told, "\n"), "so did the way back: trying that once more") {
		t.Errorf("%+v, told %v", r, a.told)
	}
}

func TestInterrupted(t *testing.T) {
	stacktest.New(t)
	a := newAccount(t)
	s := spec(t, "interrupted-lake", "")
	ctx, cancel := context.WithCancel(t.Context())
	a.seen = func(e stack.Event) {
		if e.Resource == "Function" {
			cancel()
		}
	}
	_, err := a.open(s, nil).Apply(ctx)
	var on *stack.GoesOnError
	if !errors.As(err, &on) || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "`tarn deploy status`") {
		t.Fatalf("%v", err)
	}
	// AWS goes on; whoever comes next waits for it, and finds that all is done.
	a.seen, a.asked = nil, nil
	r := a.apply(s, nil)
	if r.Changed || r.Status != "UPDATE_COMPLETE" || len(a.asked) != 0 || !strings.Contains(strings.Join(a.told, "\n"), "somebody is at work on the stack tarn-stedi-aws") {
		t.Errorf("%+v, told %v", r, a.told)
	}
}

// Two who deploy the same change at the same time: one of them does, and the other one is told so.
func TestTwoAtOnce(t *testing.T) {
	server := stacktest.New(t)
	server.SetPace(100)
	a := newAccount(t)
	s := spec(t, "both-lake", "")
	a.apply(s, nil)
	s.Files["queries/more.sql"] = []byte("SELECT 1")
	a.agree = func(stack.Proposal) (bool, error) {
		a.agree = nil
		a.apply(s, nil)
		return true, nil
	}
	_, err := a.open(s, nil).Apply(t.Context())
	if err == nil || !strings.Contains(hint(err), "somebody changes the stack at the same time") {
		t.Errorf("%v, hint %s", err, hint(err))
	}
	if r := a.apply(s, nil); r.Changed {
		t.Errorf("%+v", r)
	}
}

// A change set that AWS does not take leaves nothing behind, not even the name.
func TestRefusedChangeSet(t *testing.T) {
	server := stacktest.New(t)
	a := newAccount(t)
	s := spec(t, "refused-lake", "")
	server.Fail(stacktest.Fault{Resource: "Bucket", On: "PLAN", Reason: "Template error: something is wrong"})
	_, err := a.open(s, nil).Apply(t.Context())
	var failed *stack.FailedError
	if !errors.As(err, &failed) || !failed.Sound || !strings.Contains(err.Error(), "Template error: something is wrong; the stack is as it was before") {
		t.Errorf("%v", err)
	}
	var missing *stack.MissingError
	if _, err := a.open(s, nil).Status(t.Context()); !errors.As(err, &missing) {
		t.Errorf("%v", err)
	}
	a.apply(s, nil)
}

func TestThrottled(t *testing.T) {
	server := stacktest.New(t)
	a := newAccount(t)
	server.Throttle(2)
	a.apply(spec(t, "throttled-lake", ""), nil)
}

func TestTwoLakesInOneAccount(t *testing.T) {
	stacktest.New(t)
	a := newAccount(t)
	one, two := spec(t, "lake-one", ""), spec(t, "lake-two", "")
	two.Lake = "shop"
	a.apply(one, nil)
	a.apply(two, nil)
	// The second one cannot take the first one's bucket.
	third := spec(t, "lake-one", "")
	third.Target = "test"
	_, err := a.open(third, nil).Apply(t.Context())
	var taken *stack.TakenError
	if !errors.As(err, &taken) || !strings.Contains(err.Error(), "bucket lake-one is there already and belongs to the target aws of this lake") || !strings.Contains(hint(err), "bucket: existing") {
		t.Errorf("%v, hint %s", err, hint(err))
	}
	third = spec(t, "lake-three", "")
	third.Lake, third.Settings.Stack = "other", "tarn-stedi-aws"
	if _, err = a.open(third, nil).Apply(t.Context()); !errors.As(err, &taken) || !strings.Contains(err.Error(), "stack tarn-stedi-aws is there already and belongs to the lake stedi") {
		t.Errorf("%v", err)
	}
}
