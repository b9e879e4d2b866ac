package stack_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"tarn/internal/deploy"
	"tarn/internal/deploy/stack"
	"tarn/internal/deploy/stack/stacktest"
	"tarn/internal/store/s3/s3test"
)

// database makes a database as somebody does who is no stack.
func database(t *testing.T, server *stacktest.Server, name string, parameters map[string]any) {
	t.Helper()
	if _, err := server.Glue.Call("CreateDatabase", map[string]any{"DatabaseInput": map[string]any{"Name": name, "Parameters": parameters}}); err != nil {
		t.Fatal(err)
	}
}

func bucket(t *testing.T, name string) {
	t.Helper()
	s3test.Removed(t, name)
	if _, err := bucketOf(t, name).Client().CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
}

func TestDeployDestroyDeploy(t *testing.T) {
	server := stacktest.New(t)
	a := newAccount(t)
	s := spec(t, "again-lake", "")
	a.apply(s, nil)
	put(t, "again-lake", "landing/customer/1.json", "{}")
	put(t, "again-lake", "warehouse/x/data.parquet", "rows")
	server.Logged("/aws/lambda/stedi-aws", stacktest.LogEvent{At: time.Now(), Message: "a line that came late"})
	server.Logged("/aws/lambda/other", stacktest.LogEvent{At: time.Now(), Message: "somebody else's"})

	a.asked = nil
	d, err := a.open(s, nil).Destroy(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	kept := []string{}
	for _, c := range d.Kept {
		kept = append(kept, c.Resource)
	}
	if !slices.Equal(kept, []string{"Bucket", "BucketPolicy", "Database"}) || len(d.Removed) < 8 || d.Artefacts != 2 || d.Data != 0 || !slices.Equal(d.LogGroups, []string{"/aws/lambda/stedi-aws"}) || len(a.asked) != 1 {
		t.Errorf("%+v", d)
	}
	if got := keys(t, "again-lake", ""); !slices.Equal(got, []string{"landing/customer/1.json", "warehouse/x/data.parquet"}) {
		t.Errorf("the bucket has %v", got)
	}
	if got := server.LogGroups(); !slices.Equal(got, []string{"/aws/lambda/other"}) {
		t.Errorf("log groups %v", got)
	}
	var missing *stack.MissingError
	if _, err := a.open(s, nil).Status(t.Context()); !errors.As(err, &missing) || !strings.Contains(hint(err), "tarn deploy") {
		t.Errorf("%v", err)
	}
	// Once more does no harm.
	if d, err := a.open(s, nil).Destroy(t.Context(), false); err != nil || len(d.Removed)+d.Artefacts != 0 {
		t.Errorf("%+v, %v", d, err)
	}

	// What has stayed is taken into the next stack.
	a.asked = nil
	r := a.apply(s, nil)
	if r.Status != "UPDATE_COMPLETE" || len(a.asked) != 1 || !slices.Equal(actions(a.asked[0])[stack.Import], []string{"Bucket", "BucketPolicy", "Database"}) {
		t.Errorf("%+v, asked %+v", r, a.asked)
	}
	if got := keys(t, "again-lake", "landing/"); len(got) != 1 {
		t.Errorf("the bucket has %v", got)
	}
	// And goes with it if that is said.
	d, err = a.open(s, nil).Destroy(t.Context(), true)
	if err != nil || d.Data != 2 {
		t.Fatalf("%+v, %v", d, err)
	}
	if hasBucket(t, "again-lake") {
		t.Error("the bucket is still there")
	}
	if _, err := server.Glue.Call("GetDatabase", map[string]any{"Name": "again_lake"}); err == nil {
		t.Error("the database is still there")
	}
	a.apply(s, nil)
}

// A key that encrypts the data stays with it, and is taken in again by its alias.
func TestOwnKeyStays(t *testing.T) {
	stacktest.New(t)
	a := newAccount(t)
	s := spec(t, "key-lake", `deploy: {own_key: true}`)
	a.apply(s, nil)
	if !slices.Contains(actions(a.asked[0])[stack.Add], "Key") {
		t.Fatalf("asked %+v", a.asked)
	}
	if _, err := a.open(s, nil).Destroy(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	a.asked = nil
	a.apply(s, nil)
	if got := actions(a.asked[0])[stack.Import]; !slices.Contains(got, "Key") || !slices.Contains(got, "KeyAlias") {
		t.Errorf("imports %v", got)
	}
	if r := a.apply(s, nil); r.Changed {
		t.Errorf("%+v", r.Changes)
	}
}

func TestDestroyIsGoneOnWith(t *testing.T) {
	server := stacktest.New(t)
	a := newAccount(t)
	s := spec(t, "stuck-lake", "")
	a.apply(s, nil)
	server.Fail(stacktest.Fault{Resource: "Queue", On: "DELETE", Reason: "AccessDenied: not authorized to perform: sqs:deletequeue"})
	_, err := a.open(s, nil).Destroy(t.Context(), false)
	var failed *stack.FailedError
	if !errors.As(err, &failed) || failed.Status != "DELETE_FAILED" || failed.Resource != "Queue" {
		t.Fatalf("%v", err)
	}
	if _, err := a.open(s, nil).Destroy(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	a.agree = func(stack.Proposal) (bool, error) { return false, nil }
	if _, err := a.open(s, nil).Destroy(t.Context(), true); !errors.Is(err, stack.ErrDeclined) || len(keys(t, "stuck-lake", "")) != 0 {
		t.Errorf("%v", err)
	}
}

// A database that a run has made before there was a stack is the lake's. The bucket is somebody's, and used as it is.
func TestRunThenDeploy(t *testing.T) {
	server := stacktest.New(t)
	a := newAccount(t)
	s := spec(t, "run-lake", "")
	bucket(t, "run-lake")
	database(t, server, "run_lake", map[string]any{"tarn.lake": "s3://run-lake/warehouse/run_lake"})
	_, err := a.open(s, nil).Apply(t.Context())
	var taken *stack.TakenError
	if !errors.As(err, &taken) || !strings.Contains(err.Error(), "bucket run-lake is there already and has no tag tarn:lake") || !strings.Contains(hint(err), "bucket: existing") {
		t.Fatalf("%v", err)
	}
	s = spec(t, "run-lake", `deploy: {bucket: existing}`)
	a.asked = nil
	a.apply(s, nil)
	if got := actions(a.asked[0]); !slices.Equal(got[stack.Import], []string{"Database"}) || slices.Contains(got[stack.Add], "Bucket") {
		t.Errorf("asked %+v", a.asked)
	}
	// Another lake's database is refused, by name.
	database(t, server, "other_lake", map[string]any{"tarn.lake": "s3://elsewhere/warehouse/other_lake"})
	other := spec(t, "other-lake", "")
	if _, err := a.open(other, nil).Apply(t.Context()); !errors.As(err, &taken) || !strings.Contains(err.Error(), "database other_lake is there already and belongs to the lake s3://elsewhere/warehouse/other_lake") {
		t.Errorf("%v", err)
	}
	// So is a bucket that is not there.
	var missing *stack.MissingError
	if _, err := a.open(spec(t, "no-bucket", `deploy: {bucket: existing}`), nil).Apply(t.Context()); !errors.As(err, &missing) || !strings.Contains(err.Error(), "bucket no-bucket is not there") {
		t.Errorf("%v", err)
	}
}

// theirs is what others have configured for a bucket.
const theirs = `<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><QueueConfiguration><Id>theirs</Id><Queue>arn:aws:sqs:us-east-1:123456789012:photos</Queue>` +
	`<Event>s3:ObjectCreated:*</Event><Filter><S3Key><FilterRule><Name>prefix</Name><Value>photos/</Value></FilterRule></S3Key></Filter></QueueConfiguration></NotificationConfiguration>`

func TestExistingBucketKeepsItsNotifications(t *testing.T) {
	server := stacktest.New(t)
	a := newAccount(t)
	bucket(t, "shared-bucket")
	server.Notify("shared-bucket", theirs)
	put(t, "shared-bucket", "photos/1.jpg", "photo")
	one, two := spec(t, "shared-bucket", `deploy: {bucket: existing}`), spec(t, "shared-bucket", `deploy: {bucket: existing}`)
	two.Lake, two.Database = "shop", "shop"
	two.Warehouse.Prefix, two.Results.Prefix = "shop/warehouse/", "shop/results/"
	on := func() bool {
		return strings.Contains(server.Notifications("shared-bucket"), "EventBridgeConfiguration")
	}
	kept := func() bool {
		return strings.Contains(server.Notifications("shared-bucket"), "<Id>theirs</Id>") && strings.Contains(server.Notifications("shared-bucket"), "<Value>photos/</Value>")
	}
	if r := a.apply(one, nil); !slices.Equal(r.SwitchedOn, []string{"shared-bucket"}) || !on() || !kept() {
		t.Fatalf("%+v: %s", r, server.Notifications("shared-bucket"))
	}
	writes := server.Counts()["PutBucketNotificationConfiguration"]
	if r := a.apply(two, nil); len(r.SwitchedOn) != 0 || server.Counts()["PutBucketNotificationConfiguration"] != writes {
		t.Errorf("%+v: %v", r, server.Counts())
	}
	destroy := func(s deploy.Spec) *stack.Destroyed {
		t.Helper()
		d, err := a.open(s, nil).Destroy(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	// The other lake still needs it; whoever goes last switches it off, as it was off before.
	put(t, "shared-bucket", "warehouse/x/data.parquet", "rows")
	if d := destroy(one); len(d.SwitchedOff) != 0 || !on() || d.Data != 1 {
		t.Errorf("%+v: %s", d, server.Notifications("shared-bucket"))
	}
	if d := destroy(two); !slices.Equal(d.SwitchedOff, []string{"shared-bucket"}) || on() || !kept() {
		t.Errorf("%+v: %s", d, server.Notifications("shared-bucket"))
	}
	if got := keys(t, "shared-bucket", ""); !slices.Equal(got, []string{"photos/1.jpg"}) {
		t.Errorf("the bucket has %v", got)
	}
	// Where it was on before, nothing is written, and it stays on.
	server.Notify("shared-bucket", strings.Replace(theirs, "<QueueConfiguration>", "<EventBridgeConfiguration/><QueueConfiguration>", 1))
	writes = server.Counts()["PutBucketNotificationConfiguration"]
	a.apply(one, nil)
	destroy(one)
	if !on() || server.Counts()["PutBucketNotificationConfiguration"] != writes {
		t.Errorf("%s, %v", server.Notifications("shared-bucket"), server.Counts())
	}
}

// Who changes a bucket's notifications at the same moment loses theirs or ours: that is seen, and said.
func TestNotificationsOfTwoAtOnce(t *testing.T) {
	server := stacktest.New(t)
	server.SetPace(100)
	a := newAccount(t)
	bucket(t, "torn-bucket")
	server.Notify("torn-bucket", theirs)
	s := spec(t, "torn-bucket", `deploy: {bucket: existing}`)
	const none = `<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EventBridgeConfiguration/></NotificationConfiguration>`
	server.Refuse(stacktest.Refusal{Operation: "s3:GetBucketNotificationConfiguration", After: 1, Times: 1, Before: func() { server.Notify("torn-bucket", none) }})
	_, err := a.open(s, nil).Apply(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the notifications of bucket torn-bucket are not what was written") || !strings.Contains(err.Error(), "photos") || !strings.Contains(hint(err), "somebody else has changed them") {
		t.Fatalf("%v, hint %s", err, hint(err))
	}
	server.Notify("torn-bucket", theirs)
	if r := a.apply(s, nil); !slices.Equal(r.SwitchedOn, []string{"torn-bucket"}) || !strings.Contains(server.Notifications("torn-bucket"), "<Id>theirs</Id>") {
		t.Errorf("%+v: %s", r, server.Notifications("torn-bucket"))
	}
}

func TestStatusAndLogs(t *testing.T) {
	server := stacktest.New(t)
	a := newAccount(t)
	s := spec(t, "status-lake", "")
	a.apply(s, nil)
	st := a.open(s, nil)
	now := time.Now()
	for i, status := range []string{"SUCCEEDED", "FAILED"} {
		start := now.Add(time.Duration(i-2) * time.Minute)
		server.Executed("stedi-aws", stacktest.Execution{Name: "stedi-aws-" + status, Status: status, Start: start, Stop: start.Add(30 * time.Second)})
	}
	got, err := st.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.State != "UPDATE_COMPLETE" || len(got.Executions) != 2 || got.Executions[0].Status != "FAILED" || got.Executions[0].Seconds != 30 || got.Well() {
		t.Errorf("%+v", got)
	}
	server.Executed("stedi-aws", stacktest.Execution{Name: "again", Status: "RUNNING", Start: now})
	if got, err = st.Status(t.Context()); err != nil || !got.Well() || len(got.Alarms) == 0 || got.Alarms[0].State != "INSUFFICIENT_DATA" {
		t.Errorf("%+v, %v", got, err)
	}
	server.Queued("stedi-aws-dead-letters", 3)
	if got, err = st.Status(t.Context()); err != nil || got.Well() || !slices.Contains(got.Queues, stack.Queue{Name: "stedi-aws-dead-letters", Waiting: 3, Dead: true}) {
		t.Errorf("%+v, %v", got, err)
	}
	server.Queued("stedi-aws-dead-letters", 0)
	server.Alarmed(got.Alarms[0].Name, "ALARM")
	if got, err = st.Status(t.Context()); err != nil || got.Well() {
		t.Errorf("%+v, %v", got, err)
	}

	groups, err := st.LogGroups(t.Context())
	if err != nil || !slices.Contains(groups, "/aws/lambda/stedi-aws") {
		t.Fatalf("%v, %v", groups, err)
	}
	server.Logged("/aws/lambda/stedi-aws", stacktest.LogEvent{At: now.Add(-time.Hour), Message: "old"}, stacktest.LogEvent{At: now, Message: "second\n"})
	server.Logged("/aws/vendedlogs/states/stedi-aws", stacktest.LogEvent{At: now.Add(-time.Second), Message: "first"})
	var lines []string
	enough := errors.New("enough")
	each := func(l stack.Line) error {
		if lines = append(lines, l.Text); l.Text == "third" {
			return enough
		}
		if l.Text == "second" { // while somebody follows
			server.Logged("/aws/lambda/stedi-aws", stacktest.LogEvent{At: now.Add(-time.Millisecond), Message: "third"})
		}
		return nil
	}
	if err := st.Logs(t.Context(), groups, now.Add(-time.Minute), true, each); !errors.Is(err, enough) || !slices.Equal(lines, []string{"first", "second", "third"}) {
		t.Errorf("%v, %v", lines, err)
	}
}
