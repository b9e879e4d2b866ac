package cost

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"tarn/internal/deployconf"
	"tarn/internal/words"
)

// Plain says in a few sentences what a deployed lake costs a month, for people who are about to deploy it. The file of prices is
// the user's, "" for none.
func Plain(c Case, region, file string) ([]string, error) {
	p, err := Load(region, file)
	if err != nil {
		return nil, err
	}
	b := Reckon(c, region, p)
	idle := Reckon(Case{Lake: c.Lake, Settings: c.Settings}, region, p)
	out := []string{
		fmt.Sprintf("About %s a month with %s and %s a day: %s a month, %s each.", Dollars(b.Month), count(b.Case.Volume.Files, "file"), count(b.Case.Volume.Rows, "row"),
			count(b.Runs, "run"), Dollars(b.Run)),
		"Most of it is for " + biggest(b.Items, 3) + ".",
		fmt.Sprintf("With no new files it is about %s a month.", Dollars(idle.Month)),
		fmt.Sprintf("The same work as %s, one for each model, would be about %s a month.", b.Jobs(), Dollars(b.ClassicMonth)),
	}
	return append(out, b.Honesty()), nil
}

// biggest names the largest services of a bill with what they cost.
func biggest(items []Item, n int) string {
	total := map[string]float64{}
	for _, i := range items {
		total[i.Service] += i.Month
	}
	names := slices.SortedFunc(maps.Keys(total), func(a, b string) int {
		if total[a] != total[b] {
			if total[a] > total[b] {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	var out []string
	for _, name := range names[:min(n, len(names))] {
		out = append(out, name+" "+Dollars(total[name]))
	}
	return strings.Join(out, ", ")
}

// Honesty says how old the prices are and what they were compared with.
func (b *Bill) Honesty() string {
	by, elsewhere := map[Checked]int{}, 0
	for _, p := range b.Prices {
		by[p.Checked]++
		if !p.Known(b.Region) {
			elsewhere++
		}
	}
	text := "Prices of " + b.Dated
	if elsewhere > 0 {
		text += fmt.Sprintf(", %d of the %d only known of %s and taken for %s too", elsewhere, len(b.Prices), builtinRegion, b.Region)
	} else if b.Region != "" {
		text += " for " + b.Region
	}
	var parts []string
	for _, c := range []struct {
		checked Checked
		text    string
	}{{AWS, "read on AWS's pages"}, {List, "quoted by others from AWS's price list"}, {Others, "on pages of others who quote AWS"}, {Yours, "yours"}} {
		if n := by[c.checked]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, c.text))
		}
	}
	return text + ": " + strings.Join(parts, ", ") + "; without free allowances. None of it was compared with a bill."
}

// notes say what a bill takes for granted.
func (c Case) notes(m Measured, p *Prices, b *Bill) []string {
	by := "as measured with the lake of the model case on " + m.Rate.Measured
	if c.Lake.Measured != "" {
		by = "as in run " + c.Lake.Measured
	}
	out := []string{
		fmt.Sprintf("A run makes all models anew: it works through its new rows and %.1f times the rows that are there, %s of them in the middle of the month.", c.Lake.Shape.Reread, words.Grouped(int64(c.Lake.Rows+c.Volume.Rows*Days/2))),
		fmt.Sprintf("One core does %s rows a second, %s; %s MB of Lambda are one, and more than %d do not count, as no more were measured.", words.Grouped(int64(c.Lake.RowsPerCPU)), by, words.Grouped(deployconf.MiBPerCPU), measuredCPUs),
		fmt.Sprintf("Requests are those counted on %s; S3 is taken to answer in 30 ms and Glue in 100 ms, and a function to start in %d s.", m.Requests.Measured, coldStart),
		fmt.Sprintf("Files come evenly over the day, and runs are at least %s apart (min_interval).", Duration(c.Settings.Events.MinInterval.Seconds())),
		fmt.Sprintf("The Glue jobs, one for each model, run as often, with %d workers each, the fewest (the console proposes 10, five times as much), for %.0f s at least, and a crawler once a day. "+
			"Their requests, logs and whatever starts them in the right order are left out, in their favour.", classicWorkers, p.Least("glue_job")),
	}
	if slices.ContainsFunc(slices.Collect(maps.Values(b.Prices)), func(p Price) bool { return !p.Known(b.Region) }) {
		out = append(out, "Lines marked * have a price that is only known of "+builtinRegion+": --prices FILE overrides it.")
	}
	return out
}

// Dollars writes an amount with as many digits as it needs to say something.
func Dollars(usd float64) string {
	switch {
	case usd < 0.0000005:
		return "$0"
	case usd < 0.0001:
		return fmt.Sprintf("$%.6f", usd)
	case usd < 0.1:
		return fmt.Sprintf("$%.4f", usd)
	case usd < 1000:
		return fmt.Sprintf("$%.2f", usd)
	}
	return "$" + words.Grouped(int64(math.Round(usd)))
}

func count(n float64, one string) string {
	if n > 0 && n < 10 && n != math.Trunc(n) {
		return fmt.Sprintf("%.1f %ss", n, one)
	}
	return words.Count(int64(math.Round(n)), one)
}
