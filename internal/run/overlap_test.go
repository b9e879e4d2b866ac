package run_test

import (
	"fmt"
	"net/http"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tarn/internal/run"
)

// TestOverlap lets the work wait, at moments, for requests that have to come meanwhile: the next files are fetched while
// the present ones are read, what was read goes up before all is, and what a table is made of is in the bucket before the table that reads it is made.
func TestOverlap(t *testing.T) {
	t.Parallel()
	l := newLake(t).inBucket(true)
	var mu sync.Mutex
	fetched, stored := map[string]bool{}, map[string]bool{}
	proxy := before(t, func(server http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			server.ServeHTTP(w, r)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/raw/readings/"):
				fetched[r.URL.Path] = true
			case r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/data/"):
				table, _, _ := strings.Cut(r.URL.Path, "/data/")
				stored[path.Base(table)] = true
			}
		})
	})
	text, err := os.ReadFile(l.path("tarn.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	// So little that each file comes by itself.
	l.write("tarn.yaml", string(text)+"endpoint: "+proxy+"\ndisk: 1MB\n")
	l.batch(0)
	for i := range 4 {
		l.land(fmt.Sprintf("readings/big%d.json", i), strings.Repeat(fmt.Sprintf("{\"person\": 1, \"ts\": %d, \"v\": 1.5}\n", 1700000000000+i), 2500))
	}
	has := func(enough func() bool) bool {
		// Only what never comes is waited for as long.
		for until := time.Now().Add(2 * time.Minute); time.Now().Before(until); {
			mu.Lock()
			ok := enough()
			mu.Unlock()
			if ok {
				return true
			}
			time.Sleep(10 * time.Millisecond)
		}
		return false
	}
	var first, second sync.Once
	var moments atomic.Int32
	rec, err := l.attemptWith(run.RunOptions{Progress: func(e run.Event) {
		switch {
		case e.Table == "readings_landing" && e.Phase == "load" && e.Rows > 5000:
			second.Do(func() {
				moments.Add(1)
				if !has(func() bool { return stored["readings_landing__rows"] }) {
					t.Error("what is complete does not go up before all is read")
				}
			})
		case e.Table == "readings_landing" && e.Phase == "load" && e.Done > 0:
			first.Do(func() {
				moments.Add(1)
				// The first two come together.
				if !has(func() bool { return len(fetched) > 2 }) {
					t.Error("while a file is read no other one comes")
				}
			})
		case e.Table == "daily" && e.Phase == "build" && e.Done == 0:
			if !has(func() bool { return stored["readings"] }) {
				t.Error("a table is read before it is in the bucket")
			}
			moments.Add(1)
			mu.Lock()
			defer mu.Unlock()
			if stored["daily"] || stored["tarn__runs"] {
				t.Errorf("stored by then: %v", stored)
			}
		}
	}})
	if err != nil || rec.Status != run.Published {
		t.Fatalf("%s, %v", rec.Status, err)
	}
	mu.Lock()
	defer mu.Unlock()
	if moments.Load() != 3 {
		t.Errorf("%d of the 3 moments came", moments.Load())
	}
	if !stored["daily"] || !stored["tarn__runs"] || len(fetched) != 5 {
		t.Errorf("in the end %v were stored and %d files fetched", stored, len(fetched))
	}
}
