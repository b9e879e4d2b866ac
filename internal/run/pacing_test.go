package run

import (
	"testing"
	"time"
)

// TestPace begins steps by what they took before, or what others have taken, and always one.
func TestPace(t *testing.T) {
	t.Parallel()
	p := newPace(time.Now().Add(100 * time.Second)) // 90 of them for work
	p.past = map[string]took{"long": {seconds: 100, size: 10}, "grown": {seconds: 1, size: 10}, "short": {seconds: 1, size: 10}}
	if left := time.Until(p.until); left < 89*time.Second || left > 90*time.Second {
		t.Fatalf("%v are left", left)
	}
	if !p.begin("long", amount{n: 10}) {
		t.Error("the first step was put off")
	}
	for table, c := range map[string]struct {
		size float64
		want bool
	}{"short": {10, true}, "grown": {1000, false}, "long": {10, false}, "unknown": {1e9, true}} {
		if got := p.begin(table, amount{n: c.size}); got != c.want || p.putOff(table) == c.want {
			t.Errorf("%s begins: %v", table, got)
		}
	}
	p.end("short", amount{n: 10}, 1)
	if p.begin("another", amount{n: 1e4}) || !p.begin("another one", amount{n: 10}) || !p.begin("files", amount{n: 1e6, files: true}) {
		t.Error("what others have taken is not looked at")
	}
	if p.wait("after"); !p.putOff("none", "after") || p.putOff("none") || !p.any() {
		t.Error("a table that waits for another")
	}
	if !p.publishes(100) || p.publishes(1000) {
		t.Error("publishing takes as long as its tables")
	}
	if unbound := newPace(time.Time{}); !unbound.begin("a", amount{n: 1}) || !unbound.begin("long", amount{n: 1e9}) || !unbound.publishes(1e6) || unbound.any() {
		t.Error("without a deadline there is no bound")
	}
	for range mostCuts + 1 {
		if table, never := p.hasCut(); never || len(p.cut) > 0 {
			t.Errorf("%s counts as cut, and the process has done a step: %v", table, p.cut)
		}
	}
	alone := newPace(time.Now().Add(100 * time.Second))
	alone.begin("long", amount{n: 10})
	for n := 1; n <= mostCuts; n++ {
		if table, never := alone.hasCut(); never != (n == mostCuts) || never && table == "" {
			t.Errorf("cut %d times: %s %v", n, table, never)
		}
	}
}
