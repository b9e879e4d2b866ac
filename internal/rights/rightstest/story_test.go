package rightstest_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tarn/internal/awsconf"
	"tarn/internal/catalog/glue/gluetest"
	"tarn/internal/cli"
	"tarn/internal/engine/spark/jobtest"
	"tarn/internal/lake"
	"tarn/internal/project"
	"tarn/internal/rights"
	"tarn/internal/rights/rightstest"
	"tarn/internal/stedi"
	"tarn/internal/store"
	s3store "tarn/internal/store/s3"
	"tarn/internal/store/s3/s3test"
	"tarn/internal/template"
)

// asTarn, in the environment, makes the test binary the program.
const asTarn = "TARN_TEST_AS_TARN"

func TestMain(m *testing.M) {
	if os.Getenv(asTarn) != "" {
		os.Exit(cli.Main())
	}
	os.Exit(m.Run())
}

// deployed is the template's lake with the real files in a bucket, and what each actor reaches it by.
type deployed struct {
	t      *testing.T
	dir    string
	bucket string
	places rights.Places
	guard  *rightstest.Guard
	env    []string
}

func deploy(t *testing.T) *deployed {
	t.Helper()
	raw := stedi.Files(t)
	server := s3test.Server(t)
	d := &deployed{t: t, dir: t.TempDir(), bucket: s3test.Bucket(t)}
	at := func(prefix string) rights.Place { return rights.Place{Bucket: d.bucket, Prefix: prefix} }
	d.places = rights.Places{Lake: "stedi", Target: "aws", Database: "stedi", Warehouse: at("warehouse/"), Results: at("results/"), Artefacts: at("artefacts/"),
		Landing: []rights.Place{at("landing/customer/landing/"), at("landing/accelerometer/landing/"), at("landing/step_trainer/landing/")},
		Job:     rights.JobARN("stedi-aws"), StateMachine: rights.StateMachineARN("stedi-aws"), Executions: rights.ExecutionsOf("stedi-aws")}
	if _, err := template.Write(d.dir, "stedi", template.Options{Name: "stedi"}); err != nil {
		t.Fatal(err)
	}
	definitions, err := project.Load(d.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range definitions.Models {
		d.places.Models = append(d.places.Models, rights.Table{Name: m.Name, Zone: m.Zone})
	}
	for _, l := range definitions.Landing {
		d.places.LandingTables = append(d.places.LandingTables, l.Name)
	}
	if d.guard, err = rightstest.Of(d.places); err != nil {
		t.Fatal(err)
	}
	glue := gluetest.New()
	glue.Governed = true
	catalog := httptest.NewServer(d.guard.Service(&jobtest.Server{Else: glue, Jobs: map[string]bool{"stedi-aws": true},
		// A job works until it is stopped.
		Do: func(ctx context.Context, _ jobtest.Run) error {
			<-ctx.Done()
			return ctx.Err()
		}}))
	sts := httptest.NewServer(d.guard.STS())
	// Lake Formation and Service Quotas have nothing to say of this account.
	nothing := httptest.NewServer(d.guard.Service(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("{}")) })))
	t.Cleanup(catalog.Close)
	t.Cleanup(nothing.Close)
	t.Cleanup(sts.Close)
	d.env = []string{"AWS_SECRET_ACCESS_KEY=" + s3test.Secret, "AWS_REGION=" + rightstest.Region, "AWS_ENDPOINT_URL_S3=" + d.guard.S3(t, server),
		"AWS_ENDPOINT_URL_GLUE=" + catalog.URL, "AWS_ENDPOINT_URL_STS=" + sts.URL,
		"AWS_ENDPOINT_URL_LAKEFORMATION=" + nothing.URL, "AWS_ENDPOINT_URL_SERVICE_QUOTAS=" + nothing.URL, "AWS_ENDPOINT_URL=http://127.0.0.1:1", "BUCKET=" + d.bucket}
	for _, table := range []string{"customer", "accelerometer", "step_trainer"} {
		files, err := filepath.Glob(filepath.Join(raw, table, "landing", "*"))
		if err != nil || len(files) == 0 {
			t.Fatal("no files of ", table, err)
		}
		for _, f := range files {
			d.land(table+"/landing/"+filepath.Base(f), string(stedi.Text(t, f)))
		}
	}
	return d
}

// land brings a raw file, as devices do that are no actors of the lake.
func (d *deployed) land(name, text string) {
	d.t.Helper()
	s, err := s3store.Open(d.t.Context(), d.bucket, awsconf.Settings{})
	if err == nil {
		_, err = s.Put(d.t.Context(), "landing/"+name, strings.NewReader(text), store.Condition{})
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// as runs the program as an actor, and compares its exit code.
func (d *deployed) as(actor rights.Actor, code int, args ...string) string {
	d.t.Helper()
	self, err := os.Executable()
	if err != nil {
		d.t.Fatal(err)
	}
	cmd := exec.Command(self, append([]string{"-C", d.dir}, append(args, "--target", "aws")...)...)
	// Each has a machine of their own, without copies.
	cmd.Env = append(os.Environ(), append(d.env, "AWS_ACCESS_KEY_ID="+string(actor), asTarn+"=1")...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		d.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		d.t.Fatalf("%s: tarn %s: exit code %d and not %d\n%s\n%s", actor, strings.Join(args, " "), got, code, out, d.refused())
	}
	if err := os.RemoveAll(filepath.Join(d.dir, ".tarn")); err != nil {
		d.t.Fatal(err)
	}
	return string(out)
}

// doctorAsks are actions for what tarn doctor says beside the lake itself: whoever lacks them is told that it could not be asked.
const doctorAsks = "glue:GetDatabase lakeformation:ListPermissions servicequotas:ListServiceQuotas"

// refused lists what was not allowed.
func (d *deployed) refused() string {
	var b strings.Builder
	for _, e := range d.guard.Entries() {
		if e.Verdict != rightstest.Allowed && !(e.Actor != string(rights.Laptop) && strings.Contains(doctorAsks, e.Action)) {
			b.WriteString(e.String() + "\n")
		}
	}
	return b.String()
}

// bucketOf is the bucket as an actor reaches it.
func (d *deployed) bucketOf(actor rights.Actor) store.Store {
	d.t.Helper()
	for _, e := range append(d.env, "AWS_ACCESS_KEY_ID="+string(actor)) {
		k, v, _ := strings.Cut(e, "=")
		d.t.Setenv(k, v)
	}
	s, err := s3store.Open(d.t.Context(), d.bucket, awsconf.Settings{})
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

func (d *deployed) nothingRefused(who rights.Actor) {
	d.t.Helper()
	if text := d.refused(); text != "" {
		d.t.Errorf("calls of the %s that its policy does not allow:\n%s", who, text)
	}
	for _, err := range d.guard.Err() {
		d.t.Error(err)
	}
}

const ada = `{"customerName": "Ada Doe", "email": "Ada.Doe@test.com", "phone": "8015551212", "birthDay": "1950-01-01", "serialNumber": "5db21eb0-2c2f-4e3e-8e5a-1e5a3a4b5c6d", "registrationDate": 1655471583651, "lastUpdateDate": 1655471583651, "shareWithResearchAsOfDate": 1655471583651}` + "\n"

// TestRoles runs the lake of the real files with the rights that are deployed: each actor can do what it is for, and nothing else.
func TestRoles(t *testing.T) {
	d := deploy(t)

	// The smallest way: a laptop, and no stack.
	d.as(rights.Laptop, 0, "doctor")
	d.as(rights.Laptop, 0, "run", "-q")
	d.as(rights.Laptop, 0, "doctor")
	d.nothingRefused(rights.Laptop)
	d.unused(rights.Laptop)
	d.guard.Forget()

	// The function's role does all of a run and of what follows.
	d.land("customer/landing/ada.json", ada)
	d.land("customer/landing/broken.json", "this is no JSON\n")
	d.as(rights.Runner, 0, "plan")
	d.as(rights.Runner, 0, "run", "-q")
	d.as(rights.Runner, 0, "doctor")
	d.as(rights.Runner, 0, "check")
	if out := d.as(rights.Runner, 0, "quarantine"); !strings.Contains(out, "customer_landing") {
		t.Errorf("quarantine: %s", out)
	}
	d.as(rights.Runner, 0, "query", "FROM customer_landing LIMIT 1")
	first := regexp.MustCompile(`\d{8}T\d{6}Z-[0-9a-f]+`).FindAllString(d.as(rights.Runner, 0, "runs"), -1)
	d.as(rights.Runner, 0, "rollback", first[len(first)-1])
	d.as(rights.Runner, 0, "run", "-q")
	d.as(rights.Runner, 0, "gc", "--older-than", "0", "--over-half")
	d.nothingRefused(rights.Runner)
	d.land("customer/landing/grace.json", strings.ReplaceAll(ada, "Ada", "Grace"))
	d.function()
	d.unused(rights.Runner)

	// It can neither change nor remove a raw file, and it alone writes hints.
	runner := d.bucketOf(rights.Runner)
	const raw, hint = "landing/customer/landing/ada.json", "warehouse/stedi/_tarn/hints/1"
	if _, err := runner.Put(t.Context(), raw, strings.NewReader("x"), store.Condition{}); !errors.Is(err, store.ErrDenied) {
		t.Errorf("the runner overwrites a raw file: %v", err)
	}
	if err := runner.Delete(t.Context(), raw); !errors.Is(err, store.ErrDenied) {
		t.Errorf("the runner removes a raw file: %v", err)
	}
	if _, err := runner.Put(t.Context(), hint, strings.NewReader("x"), store.Condition{}); err != nil {
		t.Error(err)
	}
	for _, a := range rights.Actors() {
		s := d.bucketOf(a)
		if _, err := s.Put(t.Context(), hint, strings.NewReader("y"), store.Condition{}); a != rights.Runner && a != rights.Laptop && !errors.Is(err, store.ErrDenied) {
			t.Errorf("the %s writes hints: %v", a, err)
		}
		if err := s.Delete(t.Context(), raw); !errors.Is(err, store.ErrDenied) {
			t.Errorf("the %s removes a raw file: %v", a, err)
		}
	}
}

// unused fails for actions that a policy allows, that no call so far has needed, and that the table does not call unseen.
func (d *deployed) unused(a rights.Actor) {
	d.t.Helper()
	policy, err := rights.Of(a, d.places)
	if err != nil {
		d.t.Fatal(err)
	}
	used, unseen := d.guard.Used(a), rights.Unseen(a, d.places)
	for _, action := range policy.Actions() {
		if slices.Contains(used, action) || unseen[action] != "" {
			continue
		}
		d.t.Errorf("the %s may %s, and no call has needed it", a, action)
	}
}

// TestReaders has a person with the analyst's rights read the curated tables through tarn, and nothing else.
func TestReaders(t *testing.T) {
	d := deploy(t)
	d.land("customer/landing/broken.json", "this is no JSON\n")
	d.as(rights.Laptop, 0, "run", "-q")
	const count = "SELECT count(*) FROM machine_learning_curated"
	whole := d.as(rights.Laptop, 0, "query", "--format", "csv", count)
	for _, filter := range []bool{false, true} {
		d.guard.FilterTables = filter
		for _, reader := range []rights.Actor{rights.Analyst, rights.Scientist} {
			// The scientist's rights are the analyst's, but for grants: the whole story is told once.
			first := reader == rights.Analyst && !filter
			d.guard.Forget()
			if out := d.as(reader, 0, "query", "--format", "csv", count); out != whole || len(whole) < 10 {
				t.Errorf("%s: %s", reader, out)
			}
			out := d.as(reader, 0, "query", "--format", "csv", "SHOW TABLES")
			if !strings.Contains(out, "customers_curated") || strings.Contains(out, "trusted") || strings.Contains(out, "landing") || strings.Contains(out, "tarn__") {
				t.Errorf("%s: tables: %s", reader, out)
			}
			for _, table := range []string{"customer_trusted", "customer_landing", "customer_landing__rows", "tarn__quarantine", "tarn__runs", "tarn__files"} {
				if !first && table != "customer_trusted" {
					continue
				}
				out := d.as(reader, 7, "query", "FROM "+table)
				if !strings.Contains(out, "these credentials may not read the table "+table) || !strings.Contains(out, "s3:GetObject on arn:aws:s3:::"+d.bucket+"/warehouse/stedi/") {
					t.Errorf("%s: %s", reader, out)
				}
			}
			for _, args := range [][]string{{"run"}, {"quarantine"}, {"runs"}, {"query", "FROM customers_curated", "--at", "2026-01-01"}, {"gc"}} {
				if !first {
					break
				}
				if out := d.as(reader, 7, args...); !strings.Contains(out, "AccessDenied") && !strings.Contains(out, "access denied") && !strings.Contains(out, "not authorized") {
					t.Errorf("%s: tarn %v: %s", reader, args, out)
				}
			}
			d.onlyReads(reader)
		}
	}
}

// onlyReads makes sure that a reader reached what is curated, the pin and nothing else, whatever the program says.
func (d *deployed) onlyReads(a rights.Actor) {
	d.t.Helper()
	for _, e := range d.guard.Entries() {
		if e.Actor != string(a) || e.Verdict != rightstest.Allowed || !strings.HasPrefix(e.Action, "s3:") || e.Action == "s3:ListBucket" {
			continue
		}
		_, key, _ := strings.Cut(e.Resource, d.bucket+"/")
		if e.Action != "s3:GetObject" || !strings.HasPrefix(key, "warehouse/stedi/curated/") && key != "warehouse/stedi/_tarn/head.json" {
			d.t.Errorf("%s", e)
		}
	}
	s := d.bucketOf(a)
	for key, want := range map[string]error{
		"landing/customer/landing/ada.json": store.ErrDenied,
		"warehouse/stedi/trusted/x":         store.ErrDenied,
		"warehouse/stedi/landing/x":         store.ErrDenied,
		"warehouse/stedi/_tarn/hints/1":     store.ErrDenied,
		"warehouse/stedi/curated/not/there": store.ErrDenied, // who may not list the bucket is not told
		"warehouse/stedi/_tarn/next.json":   store.ErrDenied,
		"artefacts/x":                       store.ErrDenied,
		"results/operator/x":                store.ErrDenied,
	} {
		if _, err := s.Stat(d.t.Context(), key); !errors.Is(err, want) {
			d.t.Errorf("%s looks at %s: %v", a, key, err)
		}
	}
	for _, err := range s.List(d.t.Context(), "warehouse/stedi/trusted/", store.ListOptions{}) {
		if !errors.Is(err, store.ErrDenied) {
			d.t.Errorf("%s lists trusted: %v", a, err)
		}
	}
}

// The folders that policies name are those that tables lie in.
func TestZonesAreFolders(t *testing.T) {
	for _, z := range []string{rights.LandingZone, rights.Trusted, rights.Curated} {
		if lake.ZoneFolder(z) != z {
			t.Errorf("tables of %s lie in %s", z, lake.ZoneFolder(z))
		}
	}
	if lake.ZoneFolder("tarn") != rights.LandingZone {
		t.Error("the lake's own account does not rank as landing")
	}
}
