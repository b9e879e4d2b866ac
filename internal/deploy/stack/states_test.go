package stack_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"tarn/internal/deploy/stack"
	"tarn/internal/deploy/stack/stacktest"
)

// What a stack that can only be deleted still has is not deleted without asking.
func TestStackThatCanOnlyBeDeleted(t *testing.T) {
	server := stacktest.New(t)
	server.SetPace(100)
	a := newAccount(t)
	s := spec(t, "states-lake", "")
	a.apply(s, nil)
	for status, why := range map[string]string{"CREATE_FAILED": "could not be made earlier", "ROLLBACK_FAILED": "could not be made earlier", "DELETE_FAILED": "could not be removed whole earlier"} {
		if err := server.Put("tarn-stedi-aws", status, "because of a test"); err != nil {
			t.Fatal(err)
		}
		a.asked, a.agree = nil, func(stack.Proposal) (bool, error) { return false, nil }
		if _, err := a.open(s, nil).Apply(t.Context()); !errors.Is(err, stack.ErrDeclined) || len(a.asked) != 1 || len(actions(a.asked[0])[stack.Remove]) < 10 ||
			!strings.Contains(a.asked[0].Before[0], why+" ("+status+"): it is deleted, and made anew") {
			t.Errorf("%s: %v, asked %+v", status, err, a.asked)
		}
		if server.Counts()["DeleteStack"] != 0 {
			t.Fatalf("%s: it was deleted", status)
		}
	}
	a.asked, a.agree = nil, nil
	if r := a.apply(s, nil); r.Status != "UPDATE_COMPLETE" || len(a.asked) != 2 {
		t.Errorf("%+v, asked %d times", r, len(a.asked))
	}
	// An import into a new stack that failed leaves nothing but the stack.
	if _, err := a.open(s, nil).Destroy(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	server.Fail(stacktest.Fault{Resource: "Database", On: "IMPORT", Reason: "it is being changed"})
	var failed *stack.FailedError
	if _, err := a.open(s, nil).Apply(t.Context()); !errors.As(err, &failed) || failed.Status != "IMPORT_ROLLBACK_COMPLETE" || failed.Resource != "Database" || !strings.Contains(hint(err), "database: existing") {
		t.Fatalf("%v", err)
	}
	if r := a.apply(s, nil); r.Status != "UPDATE_COMPLETE" || !strings.Contains(a.told[len(a.told)-1], "(IMPORT_ROLLBACK_COMPLETE): it is deleted, and made anew") {
		t.Errorf("%+v, told %v", r, a.told)
	}
	// In a stack that has more, it is as before the import.
	if err := server.Put("tarn-stedi-aws", "IMPORT_ROLLBACK_COMPLETE", ""); err != nil {
		t.Fatal(err)
	}
	if r := a.apply(s, nil); r.Changed {
		t.Errorf("%+v", r)
	}
	if err := server.Put("tarn-stedi-aws", "IMPORT_ROLLBACK_FAILED", "Internal Failure"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.open(s, nil).Apply(t.Context()); !errors.As(err, &failed) || !strings.Contains(hint(err), "`tarn deploy destroy` takes the stack away") {
		t.Errorf("%v, hint %s", err, hint(err))
	}
}

// A way back that fails again, and a removal that does, name what is in the way, and how to leave it out.
func TestWhatIsInTheWay(t *testing.T) {
	server := stacktest.New(t)
	server.SetPace(100)
	a := newAccount(t)
	s := spec(t, "way-lake", "")
	a.apply(s, nil)
	s.Files["queries/more.sql"] = []byte("SELECT 1")
	server.Fail(stacktest.Fault{Resource: "StateMachine", On: "UPDATE", Reason: "Invalid definition"}, stacktest.Fault{Resource: "Function", On: "ROLLBACK", Reason: "is being used", Times: 2})
	other := func(template string) string {
		return strings.Replace(template, "StateMachineName: stedi-aws", "StateMachineName: stedi-aws\n      TracingConfiguration: {Enabled: true}", 1)
	}
	var failed *stack.FailedError
	for range 2 {
		_, err := a.open(s, other).Apply(t.Context())
		if !errors.As(err, &failed) || failed.Status != "UPDATE_ROLLBACK_FAILED" || !slices.Equal(failed.Left, []string{"Function"}) ||
			!strings.Contains(hint(err), "`aws cloudformation continue-update-rollback --region us-east-1 --stack-name tarn-stedi-aws --resources-to-skip Function`") {
			t.Fatalf("%v, hint %s", err, hint(err))
		}
	}
	a.apply(s, other)
	server.Fail(stacktest.Fault{Resource: "Queue", On: "DELETE", Reason: "Access denied for operation 'sqs:DeleteQueue'"})
	_, err := a.open(s, nil).Destroy(t.Context(), false)
	if !errors.As(err, &failed) || !strings.HasPrefix(err.Error(), "queue Queue could not be removed: ") || !strings.Contains(hint(err), "call the same again") ||
		!strings.Contains(hint(err), "--deletion-mode FORCE_DELETE_STACK` leaves Queue in the account") {
		t.Errorf("%v, hint %s", err, hint(err))
	}
}

// A bucket that keeps versions goes with all of them.
func TestVersionedBucketGoesWithItsData(t *testing.T) {
	server := stacktest.New(t)
	server.SetPace(100)
	a := newAccount(t)
	s := spec(t, "versioned-lake", `deploy: {versioned: true}`)
	a.apply(s, nil)
	for range 3 {
		put(t, "versioned-lake", "warehouse/x/data.parquet", "rows")
	}
	put(t, "versioned-lake", "landing/customer/1.json", "{}")
	if err := bucketOf(t, "versioned-lake").Delete(t.Context(), "landing/customer/1.json"); err != nil {
		t.Fatal(err)
	}
	// While somebody writes, nothing of it goes.
	a.busy = errors.New("another run is writing to this lake")
	if _, err := a.open(s, nil).Destroy(t.Context(), true); !errors.Is(err, a.busy) || server.Counts()["DeleteStack"] != 0 {
		t.Fatalf("%v, %v", err, server.Counts())
	}
	a.busy = nil
	d, err := a.open(s, nil).Destroy(t.Context(), true)
	if err != nil || d.Data != 5 {
		t.Fatalf("%+v, %v", d, err)
	}
	if hasBucket(t, "versioned-lake") {
		t.Error("the bucket is still there")
	}
}

// Another bucket or database comes in the place of the one before, which stays; one that leaves the stack comes back as it is. The
// template of what there is then is longer than one that can be given as it is.
func TestOtherBucketAndDatabase(t *testing.T) {
	server := stacktest.New(t)
	server.SetPace(100)
	a := newAccount(t)
	s := spec(t, "before-lake", "")
	a.apply(s, nil)
	other := spec(t, "after-lake", "")
	a.asked = nil
	a.apply(other, nil)
	if before := a.asked[0].Before; !slices.Contains(before, "bucket after-lake is made first") || !slices.Contains(before, "bucket before-lake, which the stack has in its place, stays and leaves the stack") {
		t.Errorf("%v", before)
	}
	renamed := other
	renamed.Database = "renamed_lake"
	a.asked = nil
	a.apply(renamed, nil)
	if !slices.ContainsFunc(a.asked[1].Changes, func(c stack.Change) bool { return c.Resource == "Database" && c.Action == stack.Replace && c.Kept }) {
		t.Errorf("%+v", a.asked[1].Changes)
	}
	other = renamed
	if !hasBucket(t, "before-lake") || !hasBucket(t, "after-lake") || a.apply(other, nil).Changed {
		t.Error("it is not settled")
	}
	var taken *stack.TakenError
	if _, err := a.open(s, nil).Apply(t.Context()); !errors.As(err, &taken) || !strings.Contains(hint(err), "`tarn deploy destroy`") {
		t.Errorf("%v", err)
	}
	// Out of the stack and in again: what it notifies of is looked after, as an import changes nothing.
	outside := spec(t, "after-lake", `deploy: {bucket: existing}`)
	outside.Database = other.Database
	a.apply(outside, nil)
	server.Notify("after-lake", theirs)
	if r := a.apply(other, nil); !slices.Equal(r.SwitchedOn, []string{"after-lake"}) || !strings.Contains(server.Notifications("after-lake"), "<Id>theirs</Id>") {
		t.Errorf("%+v", r.SwitchedOn)
	}
	if got := keys(t, "before-lake", "artefacts/"); len(got) != 2 {
		t.Errorf("the bucket before has %v", got)
	}
}
