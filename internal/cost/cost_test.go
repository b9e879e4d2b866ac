package cost_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tarn/internal/cost"
	"tarn/internal/deployconf"
	"tarn/internal/fit"
)

func prices(t *testing.T, region, file string) *cost.Prices {
	t.Helper()
	p, err := cost.Load(region, file)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func modelCase() cost.Case {
	return cost.Case{Lake: cost.ModelCase(), Settings: deployconf.Defaults(), Volume: cost.Volume{Files: 24, Rows: 1_000_000, Queries: 10}}
}

// TestPricesAreSourced holds every price of the program to what it has to say of itself.
func TestPricesAreSourced(t *testing.T) {
	t.Parallel()
	prices, least := cost.Builtin(t)
	if len(prices) < 20 || len(least) != 4 {
		t.Fatalf("%d prices, %d minimums", len(prices), len(least))
	}
	check := func(name string, s cost.Source) {
		if _, err := time.Parse(time.DateOnly, s.Read); err != nil {
			t.Errorf("%s: read on %q", name, s.Read)
		}
		if s.Page == "" || s.Unit == "" || !strings.HasPrefix(s.URL, "https://aws.amazon.com/") || !slices.Contains([]cost.Checked{cost.AWS, cost.List, cost.Others}, s.Checked) {
			t.Errorf("%s says too little: %+v", name, s)
		}
		if (s.By == "") != (s.Checked == cost.AWS) {
			t.Errorf("%s: compared with %s, by %q", name, s.Checked, s.By)
		}
	}
	for name, p := range prices {
		check(name, p.Source)
		if p.USD <= 0 || p.Per <= 0 {
			t.Errorf("%s: %v for %v", name, p.USD, p.Per)
		}
		for region, usd := range p.Regions {
			if usd < p.USD/2 || usd > p.USD*2 {
				t.Errorf("%s in %s: %v, and %v elsewhere", name, region, usd, p.USD)
			}
		}
	}
	for name, m := range least {
		if check(name, m.Source); m.Least <= 0 {
			t.Errorf("%s: %v", name, m.Least)
		}
	}
}

// TestOwnPrices lets a user's file go before the program's.
func TestOwnPrices(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "prices.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("prices:\n  athena_tb: {usd: 7.5, read: 2027-01-02}\n  s3_put: {usd: 1, regions: {eu-central-1: 2}}\nminimums:\n  glue_job: {least: 120}\n")
	p := prices(t, "eu-central-1", file)
	if p.Of("athena_tb") != 7.5 || p.Of("s3_put") != 0.002 || p.Least("glue_job") != 120 || p.Least("athena") != 10_000_000 || p.Of("s3_get") != 0.00043/1000 {
		t.Errorf("%v %v %v %v", p.Of("athena_tb"), p.Of("s3_put"), p.Least("glue_job"), p.Of("s3_get"))
	}
	if used := p.Used()["athena_tb"]; used.Checked != cost.Yours || used.Page == "" || used.Unit != "TB scanned" {
		t.Errorf("%+v", used)
	}
	for text, want := range map[string]string{
		"prices: {athena: {usd: 1}}":                             "no price is called athena",
		"prices: {athena_tb: {usd: -1}}":                         "athena_tb is no price",
		"prices: {athena_tb: {usd: .nan}}":                       "athena_tb is no price",
		"prices: {athena_tb: {usd: .inf}}":                       "athena_tb is no price",
		"prices: {athena_tb: {usd: 1, per: 0}}":                  "per is how many",
		"prices: {athena_tb: {read: 2027-01-01}}":                "athena_tb says no price",
		"prices: {s3_put: {regions: {eu-central-1: -1}}}":        "s3_put in eu-central-1 is no price",
		"prices: {s3_put: {regions: {eu-central-1: 1}, per: 1}}": "per is 1000",
		"prices: {athena_tb: {usd: 1, currency: EUR}}":           "there is no key currency\nhint: a price in US dollars",
		"prices: {athena_tb: {eur: 1}}":                          "line 1: there is no key eur",
		"minimums: {lambda: {least: 1}}":                         "no minimum is called lambda",
		"minimums: {glue_job: {least: -1}}":                      "not below zero",
		"prices: [1]":                                            "cannot unmarshal !!seq into keys and values",
		"prices: {athena_tb: {usd: five a month}}":               "cannot unmarshal",
	} {
		write(text)
		if _, err := cost.Load("", file); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := cost.Load("", file+".gone"); err == nil {
		t.Error("a file that is not there")
	}
	write("")
	prices(t, "", file)
}

// TestRegions takes a region's own price where the file has one, and says what it has none for.
func TestRegions(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]float64{"us-east-1": 0.000025, "eu-west-3": 0.0000297, "eu-central-1": 0.000025} {
		p := prices(t, region, "")
		if got := p.Of("states_transitions"); got != want {
			t.Errorf("%s: %v", region, got)
		}
		p.Of("athena_tb")
		if used := p.Used(); !used["states_transitions"].Known(region) || used["athena_tb"].Known(region) != (region == "us-east-1") {
			t.Errorf("%s: %+v", region, used)
		}
	}
}

// TestPageOfRequests holds the page to the file that costs are reckoned with.
func TestPageOfRequests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "bench", "requests.md"))
	if err != nil {
		t.Fatal(err)
	}
	m := cost.Figures()
	for _, r := range m.Requests.Runs {
		row := fmt.Sprintf("| %s | %s | %d | %.0f | %.0f, %.0f, %.0f, %.0f, %.0f | %.0f | %.2f | %.2f |", r.Lake, r.Run, r.Published, r.List+r.Get+r.Head+r.Put+r.Delete, r.List, r.Get, r.Head, r.Put, r.Delete, r.Glue, r.CPU, r.Waited)
		if !strings.Contains(string(page), row) {
			t.Errorf("bench/requests.md has no row\n%s", row)
		}
	}
	if n := len(regexp.MustCompile(`(?m)^\| .* files`).FindAll(page, -1)); n != len(m.Requests.Runs) {
		t.Errorf("the page has %d rows, the file %d", n, len(m.Requests.Runs))
	}
}

// TestFormulas holds the formulas to the runs that they were made of.
func TestFormulas(t *testing.T) {
	t.Parallel()
	m := cost.Figures()
	for _, r := range m.Requests.Runs {
		if r.Run != "one new file, on another machine" {
			continue
		}
		got := m.Publishing(float64(r.Published))
		if got.S3() != r.List+r.Get+r.Head+r.Put || got.Put != r.Put || strings.Contains(r.Lake, "glue") && got.Glue != r.Glue {
			// The real lake was measured with both catalogs, and one of them is what the formulas are of.
			if !strings.Contains(r.Lake, "sqlite") {
				t.Errorf("%s: %+v, measured %+v", r.Lake, got, r)
			}
		}
	}
	if f := m.File(); f.Get < 0.99 || f.Get > 1.1 || f.Waited <= 0 || f.Waited > 0.03 || f.CPU <= 0 {
		t.Errorf("a further file: %+v", f)
	}
	if rate := m.RowsPerCPU(); rate < 5e5 || rate > 5e7 {
		t.Errorf("%v rows a second", rate)
	}
	if l := m.Looking(); l.S3() == 0 || l.Put > m.Publishing(1).Put {
		t.Errorf("looking: %+v", l)
	}
}

// TestBill checks sums, order and what a bill grows with.
func TestBill(t *testing.T) {
	t.Parallel()
	b := cost.Reckon(modelCase(), "us-east-1", prices(t, "us-east-1", ""))
	sum := 0.0
	for i, item := range b.Items {
		sum += item.Month
		if i > 0 && item.Month > b.Items[i-1].Month {
			t.Errorf("%s stands behind %s", item.What, b.Items[i-1].What)
		}
		if item.Month <= 0 || item.Run < 0 || item.Run*b.Runs > item.Month*1.001 {
			t.Errorf("%+v", item)
		}
	}
	if diff := b.Month - sum; diff > 1e-9 || diff < -1e-9 || b.Runs != 24*cost.Days || b.Dated != "2026-11-26" {
		t.Errorf("%v together, %v added up; %v runs; prices of %s", b.Month, sum, b.Runs, b.Dated)
	}
	if b.Place.Engine != cost.Lambda || b.ClassicMonth < 2*b.Month {
		t.Errorf("%+v; classic %v, here %v", b.Place, b.ClassicMonth, b.Month)
	}
	// Five jobs of two workers for a minute, and a crawl of two for ten minutes a day.
	if want := 5*2*60.0/3600*0.44*b.Runs + cost.Days*2*600.0/3600*0.44; b.ClassicMonth < want || b.ClassicMonth > want*1.05 {
		t.Errorf("classic %v, and its jobs alone %v", b.ClassicMonth, want)
	}
	more := modelCase()
	more.Volume.Rows *= 10
	if c := cost.Reckon(more, "", prices(t, "", "")); c.Month <= b.Month || c.RunSeconds <= b.RunSeconds {
		t.Errorf("ten times the rows: %v, and %v", c.Month, b.Month)
	}
	arm := modelCase()
	arm.Settings.Function.Arch = "arm64"
	if c := cost.Reckon(arm, "", prices(t, "", "")); c.Month >= b.Month {
		t.Errorf("on ARM: %v, and %v", c.Month, b.Month)
	}
	extra := modelCase()
	extra.Lake.KMS, extra.Settings.Notebook.On = true, true
	if c := cost.Reckon(extra, "", prices(t, "", "")); c.Month < b.Month+1+36 {
		t.Errorf("with key and notebook: %v, and %v", c.Month, b.Month)
	}
}

// TestTrickle is about a file a minute: runs are apart, so it is not 1,440 of them a day.
func TestTrickle(t *testing.T) {
	t.Parallel()
	b := cost.Reckon(modelCase(), "", prices(t, "", ""))
	if tr := b.Trickle; tr.Runs != 288*cost.Days || tr.Unbounded < 2*tr.Month || tr.Classic < 10*tr.Month || tr.Month <= b.Month {
		t.Errorf("%+v, and %v", tr, b.Month)
	}
	c := modelCase()
	c.Volume.Files, c.Settings.Events.MinInterval = 1440, time.Hour
	if r := cost.Reckon(c, "", prices(t, "", "")); r.Runs != 24*cost.Days {
		t.Errorf("an hour apart: %v", r.Runs)
	}
	c.Settings.Events.Off = true
	if r := cost.Reckon(c, "", prices(t, "", "")); r.Runs != cost.Days || r.Trickle.Runs != 24*cost.Days {
		t.Errorf("without events, the schedule has %v runs; and %+v", r.Runs, r.Trickle)
	}
	c.Settings.Events.Schedule = ""
	if r := cost.Reckon(c, "", prices(t, "", "")); r.Runs != 0 {
		t.Errorf("without events and schedule: %v", r.Runs)
	}
}

// TestPath goes from small runs to large ones: each engine takes over where the one before ends, with the reason.
func TestPath(t *testing.T) {
	t.Parallel()
	s := deployconf.Defaults()
	p := prices(t, "", "")
	seen := []cost.Engine{}
	for rows := 1e5; rows < 1e15; rows *= 3 {
		w := fit.Run{Rows: rows, RowsPerCPU: 4e6, CPUs: 2, Waiting: 5, Longest: 0.4, StepBytes: rows, MovedBytes: 2 * rows}
		path := cost.Path(w, s.Function, s.Job, p)
		at := cost.Choose(path)
		if len(path) != 4 || at.Why == "" {
			t.Fatalf("%v rows: %+v", rows, path)
		}
		for _, place := range path {
			if place.Engine == at.Engine {
				break
			}
			if place.Fits || place.Why == "" {
				t.Errorf("%v rows: %+v was passed over", rows, place)
			}
		}
		if n := len(seen); n == 0 || seen[n-1] != at.Engine {
			seen = append(seen, at.Engine)
		}
	}
	if want := []cost.Engine{cost.Lambda, cost.BiggerLambda, cost.GlueSpark, cost.EMR}; !slices.Equal(seen, want) {
		t.Errorf("%v", seen)
	}
	// Time alone, without large tables.
	slow := cost.Choose(cost.Path(fit.Run{Rows: 1e10, RowsPerCPU: 1e6, CPUs: 2, Longest: 0.4}, s.Function, s.Job, p))
	if slow.Engine != cost.GlueSpark || slow.Workers < 3 {
		t.Errorf("%+v", slow)
	}
	s.Job.Off = true
	if off := cost.Choose(cost.Path(fit.Run{Rows: 1e10, RowsPerCPU: 1e6, CPUs: 2, Longest: 0.4}, s.Function, s.Job, p)); off.Engine != cost.EMR {
		t.Errorf("without the job: %+v", off)
	}
}

// TestMonotone lets more and more rows come: nothing gets cheaper or quicker by more work at the same place, the place is never a smaller one again,
// and where it changes a run does not cost twenty times as much at once.
func TestMonotone(t *testing.T) {
	t.Parallel()
	order := []cost.Engine{cost.Lambda, cost.BiggerLambda, cost.GlueSpark, cost.EMR}
	p := prices(t, "", "")
	var last *cost.Bill
	for rows := 1e3; rows < 1e13; rows *= 1.3 {
		c := modelCase()
		c.Volume.Rows = rows
		b := cost.Reckon(c, "", p)
		if last != nil {
			was, is := slices.Index(order, last.Place.Engine), slices.Index(order, b.Place.Engine)
			switch {
			case is < was:
				t.Errorf("%.0f rows: back from %s to %s", rows, last.Place.Engine, b.Place.Engine)
			case is == was && b.Place.Workers == last.Place.Workers && b.Place.Memory == last.Place.Memory && (b.Run < last.Run || b.RunSeconds < last.RunSeconds):
				t.Errorf("%.0f rows: a run costs %v and takes %v s, and fewer %v and %v", rows, b.Run, b.RunSeconds, last.Run, last.RunSeconds)
			case b.Run > 20*last.Run || b.ClassicRun < last.ClassicRun:
				t.Errorf("%.0f rows: a run costs %v, and fewer %v; classic %v and %v", rows, b.Run, last.Run, b.ClassicRun, last.ClassicRun)
			}
		}
		last = b
	}
	if last.Place.Engine != cost.EMR {
		t.Errorf("the most rows are worked through in %s", last.Place.Engine)
	}
}

// TestShape is about a lake of other tables than the model case's: room and scans are those of its own.
func TestShape(t *testing.T) {
	t.Parallel()
	p := prices(t, "", "")
	c := modelCase()
	c.Lake.Rows, c.Lake.Bytes = 1e6, 1e9
	small := cost.Reckon(c, "", p)
	c.Lake.Shape = cost.Shape{Reread: 2, Longest: 0.5, Loaded: 1000, Models: 2000, Curated: 1500, Step: 1200}
	wide := cost.Reckon(c, "", p)
	for _, what := range []string{"raw files and tables", "queries"} {
		of := func(b *cost.Bill) float64 {
			return b.Items[slices.IndexFunc(b.Items, func(i cost.Item) bool { return i.What == what })].Amount
		}
		if of(wide) < 3*of(small) {
			t.Errorf("%s: %v of wide rows, and %v", what, of(wide), of(small))
		}
	}
	// In the middle of the month there are 16 million rows.
	if i := wide.Items[slices.IndexFunc(wide.Items, func(i cost.Item) bool { return i.What == "queries" })]; math.Abs(i.Amount-10*30*16e6*1500/1e12) > 1e-9 {
		t.Errorf("%+v", i)
	}
}

// TestPlain is what a deploy says before it asks.
func TestPlain(t *testing.T) {
	t.Parallel()
	lines, err := cost.Plain(modelCase(), "eu-central-1", "")
	if err != nil || len(lines) != 5 {
		t.Fatal(lines, err)
	}
	text := strings.Join(lines, "\n")
	for _, want := range []string{"a month with 24 files and 1,000,000 rows a day", "720 runs a month", "five Glue jobs, one for each model, would be about $", "known of us-east-1 and taken for eu-central-1 too", "price list", "was compared with a bill"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if _, err := cost.Plain(modelCase(), "", "/nowhere.yaml"); err == nil {
		t.Error("a file that is not there")
	}
}
