package cost

import (
	"testing"
	"time"
)

func TestBatchesOfMessages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		files  float64
		within time.Duration
		want   float64
	}{
		{1, 24 * time.Hour, 1},          // alone
		{40, time.Hour, 40},             // further apart than a window
		{1000, 5 * time.Minute, 60},     // a batch for each window
		{30_000, 5 * time.Minute, 300},  // more than fits into one
		{10_000, time.Second / 10, 100}, // at once
		{0, 24 * time.Hour, 1},          // a run by hand
	} {
		if got := batches(c.files, c.within); got != c.want {
			t.Errorf("%v files within %s are %v batches, want %v", c.files, c.within, got, c.want)
		}
	}
}
