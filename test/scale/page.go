package main

import (
	"fmt"
	"strings"
	"time"

	"tarn/internal/cost"
	"tarn/internal/words"
)

const tenThousand = 10_000

var (
	steps     = []float64{1, 30, 90, 180, year}
	months    = []float64{30, 90, 180, year}
	intervals = []time.Duration{5 * time.Minute, time.Hour, 24 * time.Hour}
)

// page writes docs/scale.md.
func page(z sizes) (string, error) {
	var b strings.Builder
	m := cost.Figures()
	rows, raw := m.Rate.RawRows/peopleDays, m.Rate.RawBytes/peopleDays
	fmt.Fprintf(&b, `# Ten thousand devices for a year

<!-- Made by a program: go run ./test/scale -->

What becomes of a lake as it grows: files, partitions, metadata, requests, time and cost, and where a run works. The page is made by
`+"`go run ./test/scale`"+`, and a test holds it to the program. Nothing of it ran at this size, and none of it on AWS: sizes are measured on small lakes and scaled,
as each table says, and costs are those of `+"`tarn cost`"+` ([cost.md](cost.md)) at prices of us-east-1.

The lake is that of the stedi template: three landing tables, five models, three of them partitioned by day. A device is one of `+"`tarn sample`"+`: %s rows and
%s of JSON a day, in two tables. The readings come in one of two ways:

- **batched**: a buffer such as Amazon Data Firehose writes a file for each table every %d minutes, under folders of dates;
- **a file per device**: each device writes a file for each table and day.

`, number(rows), cost.Size(raw), batchMinutes)
	for _, section := range []func(*strings.Builder, sizes) error{growth, metadataSection, work, costs, changes, devices, lessons} {
		if err := section(&b, z); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

func growth(b *strings.Builder, _ sizes) error {
	m := cost.Figures()
	b.WriteString("## Data\n\nOf 10,000 devices. Tables are zstd Parquet, as large for each row as measured on " + m.Rate.Measured + " (`internal/cost/rate.json`).\n\n")
	b.WriteString("| after days | rows | raw JSON | tables | partitions of each daily model | raw files, batched | raw files, a file per device |\n|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, days := range steps {
		s := state{devices: tenThousand, days: days}
		single := state{devices: tenThousand, days: days, way: single}
		rows := m.Rate.RawRows / peopleDays * tenThousand * days
		fmt.Fprintf(b, "| %.0f | %s | %s | %s | %.0f | %s | %s |\n", days, number(rows), cost.Size(rows*m.Rate.RawBytes/m.Rate.RawRows), cost.Size(rows*(m.Rate.LoadedBytes+m.Rate.ModelBytes)/m.Rate.RawRows),
			days, number(s.filesPerDay()*days), number(single.filesPerDay()*days))
	}
	b.WriteString("\n")
	return nil
}

func metadataSection(b *strings.Builder, z sizes) error {
	fmt.Fprintf(b, `## Metadata

The account of loaded files has a row for each raw file, which every run reads: %.0f bytes, measured with %s files on a disk, and %d more for an ETag of S3,
which does not compress. A manifest names the data files of a snapshot
(%.0f bytes for each, measured with 10,000 files of five columns, beside %s), and a model that is partitioned by day has one file for each. `+"`metadata.json`"+` has an
entry for each snapshot that is kept (%s each), for %.0f days until `+"`tarn gc`"+`; it is written anew for each table that a run changes.

| after days | account of files, batched | account of files, a file per device | manifest of a daily model | metadata.json, a run every 5 min | metadata.json, a run a day |
|---:|---:|---:|---:|---:|---:|
`, z.Account, number(rawFiles), etagBytes, z.ManifestFile, cost.Size(z.Manifest), cost.Size(z.Snapshot), keptDays)
	for _, days := range steps {
		s := state{devices: tenThousand, days: days}
		often, daily := s.metadata(z, 288), s.metadata(z, 1)
		s.way = single
		fmt.Fprintf(b, "| %.0f | %s | %s | %s | %s | %s |\n", days, cost.Size(often.account), cost.Size(s.metadata(z, 1).account), cost.Size(often.manifest), cost.Size(often.root), cost.Size(daily.root))
	}
	b.WriteString("\n")
	return nil
}

func work(b *strings.Builder, _ sizes) error {
	b.WriteString("## A run\n\nWith 10,000 devices, batched, in the month that ends then. A run makes all models anew, so it grows with what is there, and not with what is new.\n\n")
	b.WriteString("| after days | runs | rows a run works through | takes about | in | S3 requests a run | a run costs |\n|---:|---|---:|---:|---|---:|---:|\n")
	for _, days := range months {
		for _, interval := range []time.Duration{5 * time.Minute, 24 * time.Hour} {
			bill, err := state{devices: tenThousand, days: days, interval: interval}.bill()
			if err != nil {
				return err
			}
			worked := (bill.Case.Lake.Rows+bill.Case.Volume.Rows*cost.Days/2)*bill.Case.Lake.Shape.Reread + bill.Case.Volume.Rows*cost.Days/bill.Runs
			fmt.Fprintf(b, "| %.0f | %s | %s | %s | %s | %s | %s |\n", days, every(interval, bill.Runs), number(worked), cost.Duration(bill.RunSeconds), engine(bill.Place), number(requests(bill)), cost.Dollars(bill.Run))
		}
	}
	b.WriteString("\n")
	return nil
}

func costs(b *strings.Builder, _ sizes) error {
	b.WriteString("## A month\n\nWhat the month that ends then costs, with 10,000 devices: all of it, and how readings arrive (Firehose and its files, or the devices' own `PUT`s). " +
		"Classic is the same work as five Glue jobs and a crawler, once a day.\n\n")
	b.WriteString("| after days | batched, every 5 min | every hour | once a day | a file per device, once a day | arriving, batched | arriving, a file per device | classic, once a day |\n|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, days := range months {
		cells := []string{fmt.Sprintf("%.0f", days)}
		var daily *cost.Bill
		for _, interval := range intervals {
			bill, err := state{devices: tenThousand, days: days, interval: interval}.bill()
			if err != nil {
				return err
			}
			daily = bill
			cells = append(cells, cost.Dollars(bill.Month))
		}
		alone := state{devices: tenThousand, days: days, way: single, interval: 24 * time.Hour}
		bill, err := alone.bill()
		if err != nil {
			return err
		}
		cells = append(cells, cost.Dollars(bill.Month))
		for _, w := range []way{batched, single} {
			usd, err := state{devices: tenThousand, way: w}.arriving()
			if err != nil {
				return err
			}
			cells = append(cells, cost.Dollars(usd))
		}
		cells = append(cells, cost.Dollars(daily.ClassicMonth))
		fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
	}
	b.WriteString("\n")
	return nil
}

// changes finds the days on which a run no longer fits where it did.
func changes(b *strings.Builder, _ sizes) error {
	b.WriteString("## What changes at each step\n\nWhere a run works, with one a day, batched, and why it moves:\n\n| devices | from day | in | why not in the one before |\n|---:|---:|---|---|\n")
	for _, n := range []float64{1_000, tenThousand, 10 * tenThousand} {
		last := cost.Engine("")
		for days := 1.0; days <= year; days++ {
			bill, err := state{devices: n, days: days + cost.Days/2, interval: 24 * time.Hour}.bill()
			if err != nil {
				return err
			}
			if bill.Place.Engine == last {
				continue
			}
			why := ""
			for i, p := range bill.Path {
				if p.Engine == bill.Place.Engine && i > 0 {
					why = bill.Path[i-1].Why
				}
			}
			fmt.Fprintf(b, "| %s | %.0f | %s | %s |\n", number(n), days, engine(bill.Place), why)
			last = bill.Place.Engine
		}
	}
	b.WriteString("\nEMR Serverless takes over where 50 workers of Glue do not do a run in 80 % of the job's time; none of these needs it. `tarn plan` and `tarn cost` say it of your own\n" +
		"lake, by its own figures.\n\n")
	return nil
}

func devices(b *strings.Builder, _ sizes) error {
	b.WriteString("## Fewer devices\n\nAfter a year, batched.\n\n| devices | rows | raw files | every 5 min: in | a month | once a day: in | a month | classic, once a day |\n|---:|---:|---:|---|---:|---|---:|---:|\n")
	for _, n := range []float64{10, 100, 1_000, tenThousand} {
		often, err := state{devices: n, days: year, interval: 5 * time.Minute}.bill()
		if err != nil {
			return err
		}
		s := state{devices: n, days: year, interval: 24 * time.Hour}
		daily, err := s.bill()
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", number(n), number(daily.Case.Volume.Rows*year), number(s.filesPerDay()*year), engine(often.Place), cost.Dollars(often.Month),
			engine(daily.Place), cost.Dollars(daily.Month), cost.Dollars(daily.ClassicMonth))
	}
	b.WriteString("\n")
	return nil
}

func lessons(b *strings.Builder, _ sizes) error {
	b.WriteString(`## What follows

- **Batch what arrives.** A file per device makes the account of files and the daily listing grow with the number of devices; a buffer makes them grow with time only.
- **Set ` + "`min_interval`" + ` by what readers need.** Models are made anew whole in each run, so the price of being fresh is the size of the lake times the number of runs.
  Small lakes can have five minutes for cents; large ones want an hour or a day.
- **Earlier versions count.** Each run leaves the files that it has replaced for ` + fmt.Sprint(keptDays) + ` days. Where runs are many, ` + "`tarn gc --older-than 1d`" + ` in a schedule saves more than anything else.
- **Left out**: models that are made in parts only (there are none yet), data that leaves the region, free allowances, and everything that only AWS itself would show.
`)
	return nil
}

// requests counts those of S3 in a run.
func requests(b *cost.Bill) float64 {
	n := 0.0
	for _, i := range b.Items {
		if i.Service == "Amazon S3" && i.Unit == "requests" {
			n += i.Amount
		}
	}
	return n / b.Runs
}

// every says how often runs are: as often as the least time between them allows, or as they are done.
func every(interval time.Duration, month float64) string {
	if full := cost.Days * 24 * time.Hour.Hours() / interval.Hours(); month < full*0.999 {
		return fmt.Sprintf("as fast as they go, %s a month", number(month))
	}
	if interval == 24*time.Hour {
		return "once a day"
	}
	return fmt.Sprintf("every %.0f min", interval.Minutes())
}

func engine(p cost.Place) string {
	switch {
	case p.Workers > 0:
		return fmt.Sprintf("%s, %d workers", p.Engine.Name(), p.Workers)
	default:
		return fmt.Sprintf("%s, %s MB", p.Engine.Name(), words.Grouped(int64(p.Memory)))
	}
}

// number writes large numbers with the digits that mean something.
func number(n float64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f billion", n/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f million", n/1e6)
	}
	return words.Grouped(int64(n + 0.5))
}
