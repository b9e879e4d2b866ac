package run_test

import (
	"context"
	"testing"

	"tarn/internal/awsconf"
	"tarn/internal/run"
)

// TestRequests counts what a run asks of a bucket. A lake of the size of the model case has to stay below 100 requests for
// one new file, wherever its files are.
func TestRequests(t *testing.T) {
	t.Parallel()
	l := newLake(t).inBucket(true)
	l.batch(0)
	l.run()
	for name, c := range map[string]struct {
		batch bool
		most  int
	}{"nothing new": {false, 12}, "one new file a table": {true, 100}} {
		var requests awsconf.Counter
		if c.batch {
			l.batch(1)
		}
		w := l.open(run.Options{Requests: &requests})
		rec, err := w.Run(context.Background(), run.RunOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d requests %v (%s)", name, requests.Total("s3"), requests.Counts(), rec.Status)
		if n := requests.Total("s3"); n > c.most || n == 0 {
			t.Errorf("%s: %d requests, at most %d", name, n, c.most)
		}
	}
}
