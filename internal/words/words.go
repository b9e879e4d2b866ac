// Package words writes numbers as people read them, the same in all messages.
package words

import (
	"strconv"
	"strings"
	"time"
)

// Grouped writes a whole number with commas, as in 40,981.
func Grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Count writes a number with its noun: 1 row, 2 rows, 2 policies.
func Count(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	if stem, ok := strings.CutSuffix(one, "y"); ok && !strings.HasSuffix(one, "ay") && !strings.HasSuffix(one, "ey") {
		one = stem + "ie"
	}
	return Grouped(n) + " " + one + "s"
}

// Age writes a duration in the units that definitions have: 7d, 36h, 1h30m.
func Age(d time.Duration) string {
	const day = 24 * time.Hour
	if d > 0 && d%day == 0 {
		return Grouped(int64(d/day)) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
