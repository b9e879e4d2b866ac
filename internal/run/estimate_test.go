package run_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"tarn/internal/awsconf"
	"tarn/internal/fit"
	"tarn/internal/run"
)

// TestEstimate holds what a plan says beforehand against what the run then did.
func TestEstimate(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, newLake func(t *testing.T) *testLake) {
		l := newLake(t)
		for n := range 3 {
			l.batch(n)
			var requests awsconf.Counter
			w := l.open(run.Options{Requests: &requests})
			p, err := w.Plan(t.Context(), run.Selection{})
			if err != nil {
				t.Fatal(err)
			}
			e := p.Estimate
			before := requests.Total("s3")
			glue := requests.Total("glue")
			if _, err := w.Run(context.Background(), run.RunOptions{}); err != nil {
				t.Fatal(err)
			}
			v, err := w.Lake.View(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var written int64
			for _, table := range w.Graph.Tables {
				n, err := v.Table(table.Stored()).Bytes(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				written += n
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			store, catalog := int64(requests.Total("s3")-before), int64(requests.Total("glue")-glue)
			t.Logf("run %d: %+v; it made %d and %d requests, and the tables have %d bytes", n, e, store, catalog, written)
			if e.ReadBytes == 0 || e.WrittenBytes == 0 || e.WrittenBytes > 10*written || n > 0 && e.WrittenBytes*10 < written {
				t.Errorf("%+v, and the tables have %d bytes", e, written)
			}
			if (e.CopiedBytes > 0) != (l.raw != "") {
				t.Errorf("copied: %d", e.CopiedBytes)
			}
			if e.StoreRequests > 2*store || 2*e.StoreRequests < store || e.CatalogRequests > 2*catalog || 2*e.CatalogRequests < catalog {
				t.Errorf("requests: %d and %d, and %d and %d were made", e.StoreRequests, e.CatalogRequests, store, catalog)
			}
		}
		w := l.open(run.Options{})
		defer w.Close()
		if p, err := w.Plan(t.Context(), run.Selection{}); err != nil || p.Estimate != (run.Estimate{}) {
			t.Errorf("nothing to do: %+v, %v", p.Estimate, err)
		}
	})
}

// TestAdvice is about the engine that a plan asks for.
func TestAdvice(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	advise := func() run.Advice {
		w := l.open(run.Options{})
		defer w.Close()
		p, err := w.Plan(t.Context(), run.Selection{FullRefresh: true})
		if err != nil {
			t.Fatal(err)
		}
		return p.Advice
	}
	l.batch(0)
	if a := advise(); a.Engine != "duckdb" || a.Run != "" || a.Rows == 0 || a.Seconds <= 0 {
		t.Errorf("before the first run: %+v", a)
	}
	const people = 60_000
	var rows strings.Builder
	for n := range people {
		fmt.Fprintf(&rows, "{\"id\": %d, \"name\": \"Ann\", \"consent\": true}\n", n)
	}
	l.write("data/people/many.json", rows.String())
	rec := l.run()
	a := advise()
	if a.Engine != "duckdb" || a.Run != rec.Run || a.Rows < people || a.Rows > 20*people || a.RowsPerSecond < people/60 {
		t.Errorf("after a run of %d rows: %+v", people, a)
	}
	// Half of the memory is half of the processor, and rows that one process has no time for go on in the next.
	w := l.open(run.Options{})
	p, err := w.Plan(t.Context(), run.Selection{FullRefresh: true})
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	big, small := p.Fits(fit.Lambda(3538, 1024, 15*time.Minute)), p.Fits(fit.Lambda(1769, 1024, 15*time.Minute))
	if !big.Fits || !small.Fits || small.Longest < 1.5*big.Longest || small.Seconds <= big.Seconds || small.Longest <= 0 || small.Longest > small.Seconds || !strings.Contains(small.Why, "measured in run "+rec.Run) {
		t.Errorf("%+v\n%+v", big, small)
	}
	// A process has time between two batches of landing files.
	l.write("data/people/more.json", rows.String())
	longest := func(files int) float64 {
		w := l.open(run.Options{})
		defer w.Close()
		w.SetFilesAtOnce(files)
		p, err := w.Plan(t.Context(), run.Selection{FullRefresh: true, Tables: []string{"people_landing"}})
		if err != nil {
			t.Fatal(err)
		}
		return p.Fits(fit.Lambda(3538, 1024, 15*time.Minute)).Longest
	}
	if one, all := longest(1), longest(9); one <= 0 || one > 0.6*all {
		t.Errorf("longest is %g with a file at a time, and %g with all", one, all)
	}
	l.remove("data/people/more.json")
	for name, c := range map[string]struct {
		room fit.Room
		why  string
	}{
		"memory": {fit.Lambda(256, 1024, time.Minute), "a run needs 512 MB of memory, and there are 256"},
		"disk":   {fit.Room{Memory: 1 << 30, Disk: 1, Time: time.Minute, CPUs: 1}, "GB of disk at a time"},
		"a step": {fit.Room{Memory: 1 << 30, Disk: 1 << 30, Time: 20 * time.Millisecond, CPUs: 0.001, Processes: 99}, "and a process has 20ms"},
		"all":    {fit.Room{Memory: 1 << 30, Disk: 1 << 30, Time: time.Duration(big.Seconds * float64(time.Second)), CPUs: 1}, "it takes about "},
	} {
		if f := p.Fits(c.room); f.Fits || !strings.Contains(f.Why, c.why) {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if rec.CPUs < 1 {
		t.Errorf("the run had %g processors", rec.CPUs)
	}
	// A file of holes is as long as a big one, and reading is not what a plan does.
	f, err := os.Create(l.path("data/people/huge.json"))
	if err == nil {
		err = errors.Join(f.Truncate(1<<42), f.Close())
	}
	if err != nil {
		t.Skipf("no file of this size here: %v", err)
	}
	if a := advise(); a.Engine != "spark" || a.Why == "" || a.Seconds < 3600 {
		t.Errorf("of four terabytes: %+v", a)
	}
	w = l.open(run.Options{})
	defer w.Close()
	if p, err := w.Plan(t.Context(), run.Selection{}); err != nil || p.Fits(fit.Lambda(10240, 10240, 15*time.Minute)).Fits {
		t.Errorf("four terabytes fit a function: %v", err)
	}
}
