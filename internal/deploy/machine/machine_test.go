package machine

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tarn/internal/golden"
)

// stedi are the models of the lake that tarn init writes.
var stedi = []Model{
	{Name: "customer_trusted", Title: "Customer Trusted", After: []string{"customer_landing"}},
	{Name: "accelerometer_trusted", Title: "Accelerometer Trusted", After: []string{"accelerometer_landing", "customer_trusted"}},
	{Name: "customers_curated", Title: "Customer Curated", After: []string{"customer_trusted", "accelerometer_trusted"}},
	{Name: "step_trainer_trusted", Title: "Step Trainer Trusted", After: []string{"step_trainer_landing", "customer_trusted"}},
	{Name: "machine_learning_curated", Title: "ML Aggregation", After: []string{"step_trainer_trusted", "accelerometer_trusted"}},
}

// Stedi are the options of a lake like that, for tests from outside.
func Stedi() Options { return options() }

func options() Options {
	return Options{Lake: "stedi", Target: "aws", FunctionTimeout: 15 * time.Minute, Spark: true, JobTimeout: 2 * time.Hour, Models: stedi,
		Between: 5 * time.Minute, Ahead: 5*time.Minute + 20*time.Second}
}

func definition(t testing.TB, o Options) string {
	t.Helper()
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	text, err := m.Definition()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestDefinition(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"one":    func(*Options) {},
		"models": func(o *Options) { o.Each = true },
		"lambda": func(o *Options) { o.Spark, o.Between = false, 0 },
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			change(&o)
			golden.Equal(t, "testdata/"+name+".asl.json", definition(t, o))
		})
	}
}

// Whatever people call their models, names of states are all different, not too long, and nothing of the template's.
func TestNamesOfStates(t *testing.T) {
	o := options()
	o.Each = true
	long := strings.Repeat("ä", 100)
	o.Models = []Model{
		{Name: "a", Title: "Publish"}, {Name: "b", Title: "Same"}, {Name: "c", Title: "Same"}, {Name: "d", Title: long + "d"}, {Name: "e", Title: long + "e"},
		{Name: "f", Title: "Same?"}, {Name: "g", Title: "Level 2"}, {Name: "h", Title: ""}, {Name: "i", Title: "Two\nlines\t${Function}"}, {Name: "j", Title: "Same (c)"},
		{Name: strings.Repeat("n", 255), Title: "Same"}, {Name: strings.Repeat("n", 254), Title: "Same"}, {Name: "z", Title: "Z", After: []string{"a"}},
	}
	text := definition(t, o)
	if n := strings.Count(text, "${Function}"); n != strings.Count(text, `"FunctionName": "${Function}"`) {
		t.Errorf("${Function} is there %d times", n)
	}
	var m struct{ States map[string]json.RawMessage }
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	var walk func(map[string]json.RawMessage)
	walk = func(states map[string]json.RawMessage) {
		for name, raw := range states {
			if all[name] || name == "" || utf8.RuneCountInString(name) > longestName || strings.ContainsAny(name, "\n\t") {
				t.Errorf("state %q is there twice, or cannot be called so", name)
			}
			all[name] = true
			var s struct {
				Branches []struct{ States map[string]json.RawMessage }
			}
			if err := json.Unmarshal(raw, &s); err != nil {
				t.Fatal(err)
			}
			for _, b := range s.Branches {
				walk(b.States)
			}
		}
	}
	walk(m.States)
	// A state that is there twice in one object would be lost in the map.
	if want := strings.Count(text, `"Type":`); len(all) != want {
		t.Errorf("%d states have %d names", want, len(all))
	}
	for _, m := range o.Models {
		if !strings.Contains(text, `--tarn-only\":\"`+m.Name+`\"`) {
			t.Errorf("no state makes %s", m.Name)
		}
	}
}

func TestLevels(t *testing.T) {
	levels, err := levelsOf(stedi)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range levels {
		var names []string
		for _, m := range l {
			names = append(names, m.Name)
		}
		got = append(got, strings.Join(names, "+"))
	}
	want := "customer_trusted accelerometer_trusted+step_trainer_trusted customers_curated+machine_learning_curated"
	if strings.Join(got, " ") != want {
		t.Errorf("levels are %v", got)
	}
	o := options()
	for each, want := range map[bool]int{false: 1, true: 2} {
		o.Each = each
		if n, err := Widest(o); n != want || err != nil {
			t.Errorf("with Each %t, %d runs are under way at a time, %v", each, n, err)
		}
	}
	if _, err := levelsOf([]Model{{Name: "a", After: []string{"b"}}, {Name: "b", After: []string{"a"}}}); err == nil {
		t.Error("a circle has levels")
	}
}

// The longest wait for others is what the retrier says.
func TestBusyFor(t *testing.T) {
	r, total, wait := busyRetries, 0.0, float64(busyRetries.IntervalSeconds)
	for range r.MaxAttempts {
		total += min(wait, float64(r.MaxDelaySeconds))
		wait *= r.BackoffRate
	}
	if got := time.Duration(total) * time.Second; got != BusyFor {
		t.Errorf("a state waits %s for others, and BusyFor is %s", got, BusyFor)
	}
}
