package stack_test

import (
	"slices"
	"testing"

	"tarn/internal/deploy/stack"
	"tarn/internal/store/s3/s3test"
)

// TestMoto deploys to another stand-in than that of all other tests: for the shapes of requests and answers. It makes less of a
// template than AWS does, and says that all is made all the same; it gives no outputs after an update, and not whether a bucket notifies
// EventBridge.
func TestMoto(t *testing.T) {
	s3test.Moto(t)
	a := newAccount(t)
	s := spec(t, "moto-lake", "")
	r := a.apply(s, nil)
	if r.Status != "UPDATE_COMPLETE" || len(a.asked) != 1 || len(r.Changes) < 30 {
		t.Errorf("%s with %d changes, asked %d times", r.Status, len(r.Changes), len(a.asked))
	}
	if got := keys(t, "moto-lake", "artefacts/"); len(got) != 2 {
		t.Errorf("the bucket has %v", got)
	}
	status, err := a.open(s, nil).Status(t.Context())
	if err != nil || !slices.ContainsFunc(status.Queues, func(q stack.Queue) bool { return q.Dead }) {
		t.Errorf("%+v, %v", status, err)
	}
	groups, err := a.open(s, nil).LogGroups(t.Context())
	if err != nil || !slices.Contains(groups, "/aws/lambda/stedi-aws") {
		t.Errorf("%v, %v", groups, err)
	}
	if err := a.open(s, nil).Logs(t.Context(), groups, status.Changed, false, nil); err != nil {
		t.Error(err)
	}
	if _, err := a.open(s, nil).Destroy(t.Context(), false); err != nil {
		t.Fatal(err)
	}
}
