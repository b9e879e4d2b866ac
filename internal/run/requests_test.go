package run_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tarn/internal/awsconf"
	"tarn/internal/cost"
	"tarn/internal/run"
	"tarn/internal/stedi"
	"tarn/internal/template"
)

// stediInBucket is the template's lake with its tables in a bucket, with Glue or without, and the real files in the same
// bucket. more is added to tarn.yaml.
func stediInBucket(t *testing.T, glue bool, more string) *testLake {
	t.Helper()
	raw := stedi.Files(t)
	l := &testLake{t: t, dir: t.TempDir()}
	if _, err := template.Write(l.dir, "stedi", template.Options{Name: "stedi"}); err != nil {
		t.Fatal(err)
	}
	if l.inBucket(true); glue {
		l.inGlue()
	}
	text, err := os.ReadFile(l.path("tarn.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	l.write("tarn.yaml", strings.NewReplacer("small", "stedi", "s3://raw/", "s3://stedi-lake/").Replace(string(text))+more)
	for _, table := range []string{"customer", "accelerometer", "step_trainer"} {
		files, err := filepath.Glob(filepath.Join(raw, table, "landing", "*"))
		if err != nil || len(files) == 0 {
			t.Fatal("no files of ", table, err)
		}
		for _, f := range files {
			l.land(table+"/landing/"+filepath.Base(f), string(stedi.Text(t, f)))
		}
	}
	return l
}

// TestRequestsOfTheRealLake holds what one new file costs on the lake of the model case with the real files: 100 requests
// of the bucket and 30 calls of the catalog are what it may take. As tables get more files with time, less is allowed here.
func TestRequestsOfTheRealLake(t *testing.T) {
	t.Parallel()
	l := stediInBucket(t, true, "")
	l.run()
	// Of a customer everything else is made.
	customer := func(name string) {
		l.land("customer/landing/"+name, `{"customerName": "Ada Doe", "email": "Ada.Doe@test.com", "phone": "8015551212", "birthDay": "1950-01-01",
			"serialNumber": "5db21eb0-2c2f-4e3e-8e5a-1e5a3a4b5c6d", "registrationDate": 1655471583651, "lastUpdateDate": 1655471583651, "shareWithResearchAsOfDate": 1655471583651}`+"\n")
	}
	for _, c := range []struct {
		name        string
		before      func()
		status      run.Status
		s3, catalog int
	}{
		{"one new file", func() { customer("one-more.json") }, run.Published, 60, 30},
		{"nothing new", func() {}, run.NothingToDo, 10, 5},
		{"one new file, on another machine", func() { customer("two-more.json"); l.remove(".tarn") }, run.Published, 90, 30},
	} {
		c.before()
		var requests awsconf.Counter
		w := l.open(run.Options{Requests: &requests})
		rec, err := w.Run(t.Context(), run.RunOptions{})
		if e := w.Close(); err != nil || e != nil {
			t.Fatal(err, e)
		}
		t.Logf("%s: %v (%s, %d tables)", c.name, requests.Counts(), rec.Status, len(rec.Published))
		if s3, catalog := requests.Total("s3"), requests.Total("glue"); s3 > c.s3 || catalog > c.catalog || catalog == 0 || rec.Status != c.status {
			t.Errorf("%s, %s: %d requests of the bucket, at most %d, and %d of the catalog, at most %d", c.name, rec.Status, s3, c.s3, catalog, c.catalog)
		}
		// Costs are reckoned with what the bench has counted for the same run.
		if rec.Status == run.Published && c.name == "one new file, on another machine" {
			known := cost.Figures().Publishing(float64(len(rec.Published)))
			if s3, catalog := float64(requests.Total("s3")), float64(requests.Total("glue")); math.Abs(s3/known.S3()-1) > 0.15 || math.Abs(catalog-known.Glue) > 2 {
				t.Errorf("%s: %v and %v requests, and costs are reckoned with %v and %v: go run ./bench -requests -o internal/cost/requests.json", c.name, s3, catalog, known.S3(), known.Glue)
			}
		}
	}
}

// TestRequests counts what a run asks of a bucket and of Glue. For one new file a landing table, a lake of the size of the
// model case has to stay below 100 requests of the one and 30 of the other, wherever its files are.
func TestRequests(t *testing.T) {
	t.Parallel()
	for place, l := range map[string]*testLake{"bucket": newLake(t).inBucket(true), "glue": newLake(t).inGlue()} {
		l.batch(0)
		l.run()
		for _, c := range []struct {
			name     string
			batch    bool
			s3, glue int
		}{{"nothing new", false, 12, 8}, {"one new file a table", true, 100, 30}} {
			if c.batch {
				l.batch(1)
			}
			var requests awsconf.Counter
			w := l.open(run.Options{Requests: &requests})
			rec, err := w.Run(context.Background(), run.RunOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			t.Logf("%s, %s: %v (%s)", place, c.name, requests.Counts(), rec.Status)
			if n := requests.Total("s3"); n > c.s3 || n == 0 {
				t.Errorf("%s, %s: %d requests of the bucket, at most %d", place, c.name, n, c.s3)
			}
			if n := requests.Total("glue"); n > c.glue || (n == 0) != (place == "bucket") {
				t.Errorf("%s, %s: %d requests of Glue, at most %d", place, c.name, n, c.glue)
			}
		}
	}
}
