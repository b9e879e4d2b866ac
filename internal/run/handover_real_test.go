package run_test

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/engine"
	"tarn/internal/engine/spark/jobtest"
	"tarn/internal/run"
)

// parts starts a job run for each model, each when those that it reads are made, and a last one for late checks, as a state
// machine does. It gives the number of job runs that were under way at a time.
func parts(t *testing.T, server *jobtest.Server, start func(map[string]string) string, h *run.HandedOverError) (atOnce int) {
	t.Helper()
	with := func(name, value string) map[string]string {
		out := maps.Clone(h.Arguments)
		out[name] = value
		return out
	}
	var mu sync.Mutex
	running := 0
	begin := func(arguments map[string]string) {
		mu.Lock()
		id := start(arguments)
		running++
		atOnce = max(atOnce, running)
		mu.Unlock()
		server.Ended(id)
		mu.Lock()
		running--
		mu.Unlock()
	}
	done := map[string]chan struct{}{}
	for _, name := range h.Models {
		done[name] = make(chan struct{})
	}
	var all sync.WaitGroup
	for _, name := range h.Models {
		all.Go(func() {
			for _, in := range h.After[name] {
				<-done[in]
			}
			begin(with(engine.ArgOnly, name))
			close(done[name])
		})
	}
	all.Wait()
	if h.Late {
		begin(with(engine.ArgLate, "true"))
	}
	return atOnce
}

// TestModelsInJobRunsOfTheirOwn makes a lake with every kind of check on real Spark, with a job run for each model, as DuckDB makes
// it. That each job run can be a Spark of its own is tested in test/flow, on the real files.
func TestModelsInJobRunsOfTheirOwn(t *testing.T) {
	s := needSpark(t).shared(t)
	duck, l := newLake(t), newLake(t).inGlue()
	for _, l := range []*testLake{duck, l} {
		full(l)
		l.batch(0)
		l.batch(1)
	}
	server, start := onGlueJob(t, l, s.conf(), s.do)
	h := l.handOver("arn:1")
	if !h.Late {
		t.Error("no late checks")
	}
	atOnce := parts(t, server, start, h)
	w := l.asOwner("arn:1")
	defer w.Close()
	rec, err := w.Run(t.Context(), run.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	alike(t, duck.run(), rec)
	want, _ := duck.tables()
	got, id := l.tables()
	if diff := cmp.Diff(want, got); diff != "" || id != h.Run {
		t.Errorf("run %s (-DuckDB +a job run for each):\n%s", id, diff[:min(len(diff), 4000)])
	}
	if n := server.Counts("StartJobRun"); n != len(h.Models)+1 || atOnce < 2 {
		t.Errorf("%d job runs for %v, %d at a time", n, h.Models, atOnce)
	}
}

// TestAModelFailsInItsOwnJobRun tells the place of a model that fails, where others were made, and what is there of a job run
// that was started too early.
func TestAModelFailsInItsOwnJobRun(t *testing.T) {
	s := needSpark(t).shared(t)
	for name, c := range map[string]struct {
		broken string
		models []string
		want   string
	}{
		"a cast that fails": {"joined", []string{"people", "readings", "joined", "daily"}, "curated/joined.sql:2:3: build joined on Spark: "},
		"too early":         {"", []string{"people", "joined"}, "no other job run has made readings, which is read here"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLake(t).inGlue()
			l.batch(0)
			if c.broken != "" {
				l.write("curated/joined.sql", "SELECT p.name,\n  CAST(concat(p.name, 'x') AS BIGINT) AS n\nFROM people p\nJOIN readings r ON r.person = p.id -- drop: no_readings\n")
			}
			server, start := onGlueJob(t, l, s.conf(), s.do)
			h := l.handOver("arn:1")
			for _, m := range c.models {
				if !slices.Contains(h.Models, m) {
					t.Fatalf("%v has no %s", h.Models, m)
				}
				arguments := maps.Clone(h.Arguments)
				arguments[engine.ArgOnly] = m
				server.Ended(start(arguments))
			}
			w := l.asOwner("arn:1")
			defer w.Close()
			_, err := w.Run(t.Context(), run.RunOptions{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("it says %v", err)
			}
			if n := server.Counts("StartJobRun"); n != len(c.models) {
				t.Errorf("%d job runs", n)
			}
			if left := l.garbage(); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
