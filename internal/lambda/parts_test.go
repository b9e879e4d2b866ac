package lambda

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tarn/internal/lambda/hints"
	"tarn/internal/lambda/lambdatest"
	"tarn/internal/lambda/task"
	"tarn/internal/run"
	"tarn/internal/store/memory"
	"tarn/internal/store/s3/s3test"
)

const (
	one = "arn:aws:states:us-east-1:123456789012:execution:stedi-aws:one"
	two = "arn:aws:states:us-east-1:123456789012:execution:stedi-aws:two"
)

// A run on Glue: the function loads the landing files and writes the job down, which somebody else starts. Nobody else gets in
// between, and if the job fails, all is as it was.
func TestJobOfAnother(t *testing.T) {
	w := newWorld(t, lambdatest.Config{Timeout: time.Minute})
	w.config("    deploy:\n      engine: glue\n")
	w.states.alive[one] = true
	w.call(w.arrived("landing/customer/landing/customer-1.json"))
	if out := w.call(w.task(task.Plan, one, "")); out["next"] != string(task.OnGlue) {
		t.Fatal(out)
	}
	out := w.call(w.task(task.Prepare, one, ""))
	arguments, _ := out["arguments"].(map[string]any)
	if out["next"] != string(task.StartJob) || out["run"] == "" || arguments["--tarn-plan"] != out["plan"] || len(out["models"].(map[string]any)) != 5 {
		t.Fatal(out)
	}
	// A process that was killed before its answer came is asked again, and says the same.
	w.function.Kill()
	if again := w.call(w.task(task.Prepare, one, "")); again["run"] != out["run"] || again["plan"] != out["plan"] {
		t.Fatal(again)
	}
	if r := w.invoke(w.task(task.Run, two, "")); r.Err == nil || r.Err.Type != task.Busy {
		t.Fatalf("%v %s", r.Err, r.Payload)
	}
	// An execution that waited for this one in vain has nothing to clear away, and takes nothing from it.
	if out := w.call(fmt.Sprintf(`{"action": "recover", "execution": %q, "start": {"reason": "event"}, "state": {"error": {"Error": "Busy", "Cause": "{}"}}}`, two)); out["next"] != string(task.Done) {
		t.Fatal(out)
	}
	if again := w.call(w.task(task.Prepare, one, "")); again["plan"] != out["plan"] {
		t.Fatal(again)
	}
	state, err := json.Marshal(map[string]any{"answer": out, "error": map[string]string{"Error": "States.TaskFailed",
		"Cause": `{"Id": "jr_1", "JobName": "stedi-aws", "JobRunState": "FAILED", "ErrorMessage": "Could not convert 'Sean' of 8015551212"}`}})
	if err != nil {
		t.Fatal(err)
	}
	told := w.call(fmt.Sprintf(`{"action": "recover", "execution": %q, "start": {"reason": "event"}, "state": %s}`, one, state))
	if text := told["report"].(string); told["next"] != string(task.Done) || !strings.Contains(text, "job run jr_1 of stedi-aws has failed") || strings.Contains(text, "Sean") || strings.Contains(text, "8015551212") {
		t.Fatal(told)
	}
	if left := w.keys("warehouse/stedi/_tarn/hints/"); len(left) != 1 {
		t.Error("the hints of a run that was not published are gone")
	}
	for _, key := range w.keys("warehouse/stedi/_tarn/") {
		if strings.Contains(key, "/taken/") || strings.Contains(key, "/left") {
			t.Errorf("%s was left", key)
		}
	}
	if out := w.call(w.task(task.Run, two, "")); out["next"] != string(task.Done) || out["published"] != 8.0 {
		t.Fatal(out)
	}
	if left := w.keys("warehouse/stedi/_tarn/hints/"); len(left) != 0 {
		t.Error(left)
	}
}

// Where there is little time, a run takes several invocations, and hints that come meanwhile are for the next one. A machine that does
// not get on in that time gets four times as much, with requests that take as much longer.
func TestLittleTime(t *testing.T) {
	slower := time.Duration(1)
	for ; !littleTime(t, slower, slower < 64); slower *= 4 {
	}
}

// littleTime reports whether the function got on in its time; it has to if nothing else may be.
func littleTime(t *testing.T, slower time.Duration, may bool) bool {
	w := newWorld(t, lambdatest.Config{Timeout: 3 * slower * time.Second})
	// Each request takes a while.
	w.proxy.Do(func(*http.Request) s3test.Fault {
		time.Sleep(50 * slower * time.Millisecond)
		return s3test.None
	})
	w.states.alive[one] = true
	if r := w.invoke(w.arrived("landing/customer/landing/customer-1.json")); r.Err != nil {
		return tooSlow(t, r.Err, may)
	}
	id, turns := "", 0
	for {
		r := w.invoke(w.task(task.Run, one, id))
		if r.Err != nil {
			return tooSlow(t, r.Err, may)
		}
		var out map[string]any
		if err := json.Unmarshal(r.Payload, &out); err != nil {
			t.Fatal(err)
		}
		if turns++; turns == 1 {
			if r := w.invoke(w.arrived("landing/customer/landing/other.json")); r.Err != nil {
				return tooSlow(t, r.Err, may)
			}
		}
		if id, _ = out["run"].(string); out["next"] != string(task.Continue) {
			if out["next"] != string(task.Done) || out["published"] != 8.0 {
				t.Error(out)
			}
			break
		}
		if turns == 40 {
			t.Fatal("it does not come to its end")
		}
	}
	t.Logf("%d invocations", turns)
	if turns == 1 {
		t.Error("all of it was done in one invocation: this has tested nothing")
	}
	if left := w.keys("warehouse/stedi/_tarn/hints/"); len(left) != 1 {
		t.Errorf("hints %q", left)
	}
	return true
}

// tooSlow is for a function that had no time, on a machine with other things to do; all else is an error. It is false.
func tooSlow(t *testing.T, err *lambdatest.Error, may bool) bool {
	t.Helper()
	if late := err.Type == lambdatest.TimedOut || strings.Contains(err.Message, "is not made within"); !may || !late {
		t.Fatal(err)
	}
	t.Log(err)
	return false
}

// Where the definitions have changed in the middle of a run, what that had done is thrown away. What events have named stays for a
// run that looks at it.
func TestThrownAway(t *testing.T) {
	w := newWorld(t, lambdatest.Config{Timeout: 3 * time.Second})
	slow := func(*http.Request) s3test.Fault {
		time.Sleep(50 * time.Millisecond)
		return s3test.None
	}
	w.proxy.Do(slow)
	w.states.alive[one] = true
	w.call(w.arrived("landing/customer/landing/customer-1.json"))
	begun := w.call(w.task(task.Run, one, ""))
	if begun["next"] != string(task.Continue) {
		t.Fatal(begun)
	}
	w.proxy.Do(nil)
	w.function.Kill()
	w.replace("lake/trusted/customer_trusted.sql", "trim(c.customerName) AS", "upper(c.customerName) AS")
	out := begun
	for turns := 0; out["next"] == string(task.Continue) && turns < 20; turns++ {
		out = w.call(w.task(task.Run, one, out["run"].(string)))
	}
	if out["next"] != string(task.Done) || out["run"] == begun["run"] || out["published"] != 8.0 {
		t.Fatal(out)
	}
	if left := w.keys("warehouse/stedi/_tarn/hints/"); len(left) != 1 {
		t.Errorf("hints %q", left)
	}
	if out := w.call(w.task(task.Plan, one, "")); out["next"] != string(task.Nothing) || len(w.keys("warehouse/stedi/_tarn/hints/")) != 0 {
		t.Error(out, w.keys("warehouse/stedi/_tarn/hints/"))
	}
}

// What others have written is told without what may be somebody's.
func TestVeiled(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`Could not convert string 'Sean Smith' to INT32`:      "Could not convert string … to INT32",
		`row "x" of Sean.Smith@test.com, <sean@test.com>: no`: "row … of … <…>: no",
		"the number 8015551212 at line 12":                    "the number … at line 12",
	} {
		if got := veiled(text); got != want {
			t.Errorf("%s became %s, want %s", text, got, want)
		}
	}
}

// What stops a publish is told by its name and place, no row is, and what events have named waits for the next run.
func TestFailures(t *testing.T) {
	w := newWorld(t, lambdatest.Config{Timeout: time.Minute})
	w.call(w.arrived("landing/customer/landing/more.json"))
	checked, made := "lake/trusted/accelerometer_trusted.sql", "lake/trusted/customer_trusted.sql"
	for _, c := range []struct {
		what   string
		before func()
		want   []string
	}{
		{"a check", func() { w.replace(checked, "    on_fail: warn\n", "") },
			[]string{"trusted/accelerometer_trusted.sql:6: failed check before_consent of accelerometer_trusted: the query gives 8,956 rows"}},
		{"a cast", func() { w.replace(made, "trim(c.customerName) AS", "CAST(c.customerName AS bigint) AS") },
			[]string{"trusted/customer_trusted.sql:11: customer_trusted cannot be made of the rows that there are: "}},
		{"definitions", func() { w.replace(made, "trim(c.customerName) AS", "trim(c.customerNam) AS") }, []string{"trusted/customer_trusted.sql:11:"}},
		{"settings", func() { w.config("    memory: much\n") }, []string{"tarn.yaml:", `:13: memory "much" is not a size`}},
		{"rows", func() {
			w.write("lake/landing/customer_landing.yml", "max_quarantine: 1%\n")
			w.put("landing/customer/landing/more.json", strings.Repeat(`{"customerName": "Sean Smith", "registrationDate": "8015551212x"}`+"\n", 5000))
		}, []string{"landing/customer_landing.sql: 5,000 of 5,956 rows of customer_landing could not be loaded", "5000 × "}},
	} {
		text := map[string]string{checked: w.read(checked), made: w.read(made), "lake/tarn.yaml": w.read("lake/tarn.yaml")}
		c.before()
		w.function.Kill() // as a new version of the function is a new process
		r := w.invoke(w.task(task.Run, one, ""))
		if r.Err == nil || r.Err.Type != task.Failed {
			t.Errorf("%s: %v %s", c.what, r.Err, r.Payload)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(r.Err.Message, want) {
				t.Errorf("%s: the report lacks %q:\n%s", c.what, want, r.Err.Message)
			}
		}
		t.Logf("%s: %s", c.what, r.Err.Message)
		for name, before := range text {
			w.write(name, before)
		}
	}
	w.put("landing/customer/landing/more.json", customer)
	for _, secret := range []string{"Sean", "Ada", "@test.com", "more.json", "8015551212"} {
		if strings.Contains(w.logs.String(), secret) {
			t.Errorf("the log says %s", secret)
		}
	}
	for line := range strings.SplitSeq(strings.TrimSpace(w.logs.String()), "\n") {
		if !strings.HasPrefix(line, "REPORT ") && !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	if left := w.keys("warehouse/stedi/_tarn/hints/"); len(left) != 1 {
		t.Errorf("hints %q", left)
	}
	w.function.Kill()
	if out := w.call(`{"run": {}}`); out["next"] != string(task.Done) || out["published"] != 8.0 {
		t.Error(out)
	}
	if left := w.keys("warehouse/stedi/_tarn/hints/"); len(left) != 0 {
		t.Errorf("hints %q", left)
	}
}

// After a run, hints that came meanwhile are for the execution that they have started, or else for another round.
func TestAgain(t *testing.T) {
	t.Parallel()
	s, m := memory.New("s3://lake/"), &machine{}
	f := intakeOf(t, s, m)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ended := func(taken hints.Taken) task.Next {
		t.Helper()
		out, err := f.published(t.Context(), f.log, &run.Record{Run: "r", Status: run.Published}, taken)
		must(err)
		return out.Next
	}
	must(f.hints.Add(t.Context(), []string{"s3://lake/landing/a/1"}))
	taken, err := f.hints.List(t.Context())
	must(err)
	// The function that has written this one was killed before it could start anything.
	must(f.hints.Add(t.Context(), []string{"s3://lake/landing/a/2"}))
	if next := ended(taken); next != task.Again {
		t.Error(next)
	}
	if got := objects(t, f); len(got) != 1 || got[0] != "s3://lake/landing/a/2" {
		t.Error(got)
	}
	if _, err := handle(t, f, message("1", "landing/b/3")); err != nil {
		t.Fatal(err)
	}
	if next := ended(hints.Taken{}); next != task.Done || len(objects(t, f)) != 2 {
		t.Error(next, "although an execution is on its way")
	}
	taken, err = f.hints.List(t.Context())
	must(err)
	if next := ended(taken); next != task.Done || len(objects(t, f)) != 0 {
		t.Error(next, objects(t, f))
	}
}
