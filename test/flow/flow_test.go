package flow

import (
	"strings"
	"testing"
)

// person is one customer more, who has agreed to research.
func person(name string) string {
	return `{"customerName": "` + name + `", "email": "` + name + `@test.com", "phone": "8015551212", "birthDay": "1950-01-01",
	"serialNumber": "` + name + `", "registrationDate": 1655471583651, "lastUpdateDate": 1655471583651, "shareWithResearchAsOfDate": 1655471583651}` + "\n"
}

// The way of the real files: events, twice and in any order, among them one that cannot be read, to tables with the right counts;
// then one file more, and one that a check does not let through.
func TestFlow(t *testing.T) {
	w := newWorld(t, config{})
	hold := w.clock.Work()
	landed := w.land()
	w.arrive(landed...)
	w.arrive(landed...)
	w.queue.send("what is this")
	w.queue.deliver()
	if n := len(w.states.Executions()); n != 1 {
		t.Errorf("%d files make %d executions", len(landed), n)
	}
	hold()
	w.states.Wait()
	w.allSucceeded()
	w.rightCounts()
	w.same()
	if len(w.queue.dead) != 1 || w.queue.dead[0] != "what is this" {
		t.Errorf("dead letters are %q", w.queue.dead)
	}
	if left := w.keys(own + "hints/"); len(left) != 0 {
		t.Errorf("hints are left: %s", left)
	}
	const way = "Begin, Wait for more files, Plan, Where does it fit?, Run, Has it run?, Done"
	if got := steps(w.last()); got != way {
		t.Errorf("its way is %s", got)
	}

	w.arrive(w.put("landing/customer/landing/more.json", person("Ada.Doe")))
	w.queue.deliver()
	w.states.Wait()
	if got := strings.TrimSpace(w.query("SELECT count(*) AS n FROM customer_trusted")); got != "n\n483" {
		t.Errorf("one customer more makes %s", got)
	}
	if got := steps(w.last()); got != way {
		t.Errorf("its way is %s", got)
	}
	w.allSucceeded()

	// Late news of what is there already.
	w.arrive(landed[0])
	w.queue.deliver()
	w.states.Wait()
	if got := steps(w.last()); got != "Begin, Wait for more files, Plan, Where does it fit?, Done" {
		t.Errorf("nothing new: its way is %s", got)
	}
	w.start("schedule", `{"reason":"schedule"}`)
	if got := steps(w.last()); got != "Begin, Plan, Where does it fit?, Tidy, Done" {
		t.Errorf("the way of a schedule is %s", got)
	}
	w.allSucceeded()
	if len(w.reports) != 0 {
		t.Errorf("reports: %q", w.reports)
	}
}
