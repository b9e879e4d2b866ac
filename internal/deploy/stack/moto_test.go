package stack_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"tarn/internal/deploy"
	"tarn/internal/deploy/render"
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
	checkEach(t, s)
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

// unmade are types of the template of which moto makes nothing, and calls the stack complete all the same.
var unmade = []string{"AWS::Athena::NamedQuery", "AWS::Athena::WorkGroup", "AWS::CloudWatch::Alarm", "AWS::Glue::Database", "AWS::Glue::Job", "AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy",
	"AWS::SQS::QueuePolicy", "AWS::Scheduler::Schedule"}

// checkEach asks for each resource of the stack at its own service.
func checkEach(t *testing.T, s deploy.Spec) {
	t.Helper()
	tmpl, err := render.Template(s)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Getenv("TARN_MOTO"), "testdata/each.py", s.Names().Stack)
	cmd.Env = append(os.Environ(), "AWS_DEFAULT_REGION="+s3test.Region)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	found := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if f := strings.SplitN(strings.TrimSpace(line), "\t", 3); len(f) == 3 {
			found[f[1]] = f[2]
		}
	}
	var without []string
	for _, r := range tmpl.Resources {
		switch answer, listed := found[r.ID]; {
		case !listed && !slices.Contains(without, r.Type):
			without = append(without, r.Type)
		case listed && answer != "yes":
			t.Errorf("%s %s is not there: %s", r.Type, r.ID, answer)
		}
	}
	if slices.Sort(without); !slices.Equal(without, unmade) {
		t.Errorf("moto makes nothing of %v", without)
	}
}
