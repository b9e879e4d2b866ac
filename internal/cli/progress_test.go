package cli

import (
	stdbytes "bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/vbauerster/mpb/v8"

	"tarn/internal/run"
)

// TestBarsDoNotWaitForEachOther tells of many tables while the bars are drawn: adding a bar waits for the one who draws, so
// drawing must not wait for who adds.
func TestBarsDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	var out stdbytes.Buffer
	p := newProgress(&out)
	p.draw(mpb.WithAutoRefresh(), mpb.WithRefreshRate(time.Millisecond))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				table := fmt.Sprintf("table_%d", i)
				p.event(run.Event{Table: table, Phase: "load"})
				for n := range int64(200) {
					p.event(run.Event{Table: table, Phase: "load", Done: n, Total: 200})
					time.Sleep(100 * time.Microsecond)
				}
				p.event(run.Event{Table: table, Phase: "check"})
				p.event(run.Event{Table: table, Rows: 7, Finished: i%2 == 0})
			})
		}
		all.Wait()
		p.done()
	}()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("progress hangs")
	}
	if !stdbytes.Contains(out.Bytes(), []byte("table_3")) || !stdbytes.Contains(out.Bytes(), []byte("load")) {
		t.Errorf("nothing was drawn: %.300q", out.String())
	}
}

func TestPlainLines(t *testing.T) {
	t.Parallel()
	var out stdbytes.Buffer
	p := newProgress(&out)
	p.event(run.Event{Table: "quick", Rows: 3, Finished: true})
	if out.Len() > 0 {
		t.Errorf("a run of less than a second tells %q", out.String())
	}
	p.started = time.Now().Add(-10 * time.Second)
	p.event(run.Event{Table: "slow", Phase: "load"})
	p.tables["slow"].told = time.Now().Add(-plainEvery)
	p.tables["slow"].begun = time.Now().Add(-9 * time.Second)
	p.event(run.Event{Table: "slow", Phase: "load", Done: 1 << 20, Total: 4 << 20, Rows: 56789})
	p.event(run.Event{Table: "slow", Phase: "load", Done: 2 << 20, Total: 4 << 20})
	p.event(run.Event{Table: "slow", Rows: 1234, Finished: true})
	p.silent = true
	p.event(run.Event{Table: "later", Rows: 1, Finished: true})
	want := "  10.0 s  slow  load  56,789 rows, 1.0 MB of 4.0 MB, 27 s left\n  10.0 s  slow  1,234 rows\n"
	if out.String() != want {
		t.Errorf("got:\n%swant:\n%s", out.String(), want)
	}
}

func TestRemaining(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		load                 bool
		rows, current, total int64
		took                 time.Duration
		want                 string
	}{
		{true, 0, 1 << 30, 4 << 30, 10 * time.Second, "1.0 GB of 4.0 GB, 30 s left"},
		{true, 8_000_000, 1 << 30, 4 << 30, 10 * time.Second, "8,000,000 rows, 1.0 GB of 4.0 GB, 30 s left"},
		{true, 1, 1 << 30, 4 << 30, time.Second, "1 row, 1.0 GB of 4.0 GB"},
		{true, 9, 4 << 30, 4 << 30, 10 * time.Second, "9 rows, 4.0 GB of 4.0 GB"},
		{false, 0, 250, 1000, 3 * time.Second, "25 %, 9 s left"},
		{false, 0, 0, 0, 1600 * time.Millisecond, "2s"},
	} {
		if got := remaining(c.load, c.rows, c.current, c.total, c.took); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}
