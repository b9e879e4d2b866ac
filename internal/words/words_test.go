package words

import (
	"math"
	"testing"
	"time"
)

func TestGrouped(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1000: "-1,000", 1234567: "1,234,567", math.MinInt64: "-9,223,372,036,854,775,808"} {
		if got := Grouped(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	for n, want := range map[int64]string{0: "0 rows", 1: "1 row", 8956: "8,956 rows"} {
		if got := Count(n, "row"); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{7 * 24 * time.Hour: "7d", 36 * time.Hour: "36h", 90 * time.Minute: "1h30m", time.Minute: "1m",
		20 * time.Minute: "20m", 10 * time.Second: "10s", 90 * time.Second: "1m30s", 0: "0s"} {
		if got := Age(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
