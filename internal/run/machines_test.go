package run_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTwoMachines lets two machines, each with a copy of the lake's folder and nothing else in common, run the same lake in
// a bucket at the same time while files keep coming. No run may be lost, mixed with another or hidden, and the tables have
// to be those of a lake that one machine ran alone.
func TestTwoMachines(t *testing.T) {
	t.Parallel()
	rounds := map[string]int{"bucket": 6, "glue": 6} // of each machine
	if os.Getenv("TARN_LONG") != "" {
		rounds = map[string]int{"bucket": 15, "glue": 25}
	}
	for name, one := range map[string]*testLake{"bucket": newLake(t).inBucket(true), "glue": newLake(t).inGlue()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			twoMachines(t, one, rounds[name])
		})
	}
}

func twoMachines(t *testing.T, one *testLake, rounds int) {
	calm, two := newLake(t), newLake(t)
	two.raw, two.bucket, two.target = one.raw, true, one.target
	raw, err := os.ReadFile(one.path("tarn.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	two.write("tarn.yaml", string(raw))
	var wg sync.WaitGroup
	var mu sync.Mutex
	published := map[string]bool{}
	for m, l := range []*testLake{one, two} {
		wg.Go(func() {
			for n := range rounds {
				l.batch(m*rounds + n)
				out, err := l.tarn("run", "-q", "--wait").CombinedOutput()
				if err != nil {
					t.Errorf("machine %d, round %d: %v\n%s", m, n, err, out)
					return
				}
				if _, rest, ok := strings.Cut(string(out), " in one step as run "); ok {
					id, _, _ := strings.Cut(rest, " ")
					mu.Lock()
					if published[id] {
						t.Errorf("two runs have the id %s", id)
					}
					published[id] = true
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	one.run()
	for n := range 2 * rounds {
		calm.batch(n)
	}
	calm.run()
	want, _ := calm.tables()
	for m, l := range []*testLake{one, two} {
		got, _ := l.tables()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("machine %d sees (-alone +race):\n%s", m, diff)
		}
	}
	code, stdout, stderr := one.cli("query", "--format", "csv", "SELECT run_id FROM tarn__runs")
	if code != 0 {
		t.Fatal(stderr)
	}
	for id := range published {
		if !strings.Contains(stdout, id) {
			t.Errorf("run %s was published and is not in the account", id)
		}
	}
	if len(published) < rounds {
		t.Errorf("only %d runs of %d published: the race proves little", len(published), 2*rounds)
	}
	t.Log(fmt.Sprint(len(published), " runs published by two machines"))
}
