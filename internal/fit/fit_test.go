package fit_test

import (
	"strings"
	"testing"
	"time"

	"tarn/internal/deployconf"
	"tarn/internal/fit"
)

// run is one of ten million rows.
func run() fit.Run {
	return fit.Run{Rows: 1e7, RowsPerCPU: 1e6, CPUs: 2, Longest: 0.5, LongestStep: "big", StepBytes: 1e8, LargestStep: "wide", MovedBytes: 52_428_800, CPU: 1, Waiting: 3}
}

// TestSeconds recomputes how long a run takes.
func TestSeconds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		memory  int
		seconds float64
		longest float64
	}{
		// A core: a second of it, three of waiting, ten of rows, one on the wire.
		"a core": {deployconf.MiBPerCPU, 1 + 3 + 10 + 1, 5.5},
		// Half of one takes twice as long for what it does itself. Its memory holds the largest step.
		"two": {2 * deployconf.MiBPerCPU, 1 + 3 + 5 + 1, 3},
		// More than were measured do not count.
		"five": {5 * deployconf.MiBPerCPU, 1 + 3 + 5 + 1, 3},
	} {
		v := run().In(fit.Lambda(c.memory, 1024, deployconf.MostTime))
		if !v.Fits || v.Seconds != c.seconds || v.Longest != c.longest || v.Processes != 1 || v.Disk != 2e8 {
			t.Errorf("%s: %+v", name, v)
		}
	}
	spills := run()
	spills.StepBytes = 1e9
	if v := spills.In(fit.Lambda(deployconf.MiBPerCPU, 10_240, deployconf.MostTime)); v.Seconds != 1+3+30+1 || v.Disk != 6e9 {
		t.Errorf("a step that does not fit into memory: %+v", v)
	}
}

// TestBounds goes over each of them.
func TestBounds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*fit.Run)
		room   fit.Room
		why    string
	}{
		"memory":   {func(*fit.Run) {}, fit.Lambda(256, 1024, time.Minute), "a run needs 512 MB of memory, and there are 256"},
		"disk":     {func(r *fit.Run) { r.StepBytes = 1e9 }, fit.Lambda(8192, 1024, time.Minute), "wide needs 2.0 GB of disk at a time, and there are 1.1"},
		"a file":   {func(r *fit.Run) { r.FileBytes = 2e9 }, fit.Lambda(8192, 1024, time.Minute), "the largest landing file needs 2.0 GB of disk"},
		"one step": {func(r *fit.Run) { r.Longest = 0.9 }, fit.Lambda(deployconf.MiBPerCPU, 1024, 10*time.Second), "big takes about 10s, and a process has 10s"},
		"all":      {func(r *fit.Run) { r.Longest = 0.01 }, fit.Lambda(deployconf.MiBPerCPU, 1024, 5*time.Second), "it takes about 15s, and 4 processes have, one after the other, each 5s"},
	} {
		r := run()
		c.change(&r)
		if v := r.In(c.room); v.Fits || !strings.Contains(v.Why, c.why) {
			t.Errorf("%s: %+v", name, v)
		}
	}
	r := run()
	r.Longest = 0.1
	if v := r.In(fit.Lambda(deployconf.MiBPerCPU, 1024, 8*time.Second)); !v.Fits || v.Processes != 3 || !strings.Contains(v.Why, "in up to 3 calls of 8s each") {
		t.Errorf("more than one process: %+v", v)
	}
}
