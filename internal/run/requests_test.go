package run_test

import (
	"context"
	"testing"

	"tarn/internal/awsconf"
	"tarn/internal/run"
)

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
