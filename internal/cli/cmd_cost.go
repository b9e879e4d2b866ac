package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"tarn/internal/cost"
	"tarn/internal/deployconf"
	"tarn/internal/project"
	"tarn/internal/run"
	"tarn/internal/store/s3"
	"tarn/internal/words"
)

// usualQueries is how many queries of Athena a day are taken for granted.
const usualQueries = 10

// mostCounted is the largest number that tarn cost takes: more rows or files a day than anybody has.
const mostCounted = 1e12

// costFlags are those of tarn cost.
type costFlags struct {
	files, rows, queries float64
	bytes, prices        string
	region               string
	after                float64
}

func costCommand(a *app) *cobra.Command {
	var o costFlags
	cmd := &cobra.Command{
		Use:   "cost",
		Short: "Show what the lake costs in AWS, a run and a month",
		Long: `Reckons what a deployed lake costs: a run, a month of 30 days, and a month with a file a minute, beside the same work
as Glue jobs, one for each model. Then where a run of that size fits: a Lambda function, a bigger one, or Spark on Glue or EMR Serverless, and why.

Volume is what the lake has loaded so far, by the days on which it did, or what the flags say; a lake that has loaded nothing is
reckoned with what lies in its landing places. Outside of a lake, and with the flags, it is that of the stedi template.

Requests and seconds come from measurements that are part of the program, and from the lake's own runs. Prices are part of the
program too, dated and with their sources; --prices FILE overrides any of them, in the form that docs/cost.md shows. Free
allowances are left out. Nothing is asked of AWS, but for what the lake's own tables say.`,
		Example: `  tarn cost --target aws
  tarn cost --target aws --files-per-day 1440 --rows-per-day 1000000
  tarn cost --target aws --after 365 --prices our-prices.yaml
  tarn cost --files-per-day 24 --bytes-per-day 10GB`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for name, v := range map[string]float64{"files-per-day": o.files, "rows-per-day": o.rows, "queries-per-day": o.queries, "after": o.after} {
				if !(v >= 0 && v <= mostCounted) {
					return &usageError{fmt.Errorf("--%s is a number from 0 to %g", name, mostCounted)}
				}
			}
			b, err := a.reckon(cmd, o)
			if err != nil {
				return err
			}
			if a.json {
				return a.print(b)
			}
			a.showBill(b)
			return nil
		},
	}
	f := cmd.Flags()
	f.Float64Var(&o.files, "files-per-day", 0, "raw files a day, a `number`, spread evenly (default: as so far)")
	f.Float64Var(&o.rows, "rows-per-day", 0, "rows in them, a `number` (default: as so far)")
	f.StringVar(&o.bytes, "bytes-per-day", "", "their `size`, such as 200MB (default: as so far, or by the rows)")
	f.Float64Var(&o.queries, "queries-per-day", usualQueries, "queries of Athena a day, a `number`, each over the largest curated table")
	f.Float64Var(&o.after, "after", 0, "reckon for the month after so many `days` of that volume, beside what there is")
	f.StringVar(&o.prices, "prices", "", "`file` with prices that override those of the program")
	f.StringVar(&o.region, "region", "", "AWS `region` whose prices count (default: the target's, or us-east-1)")
	return cmd
}

// reckon makes the bill of the lake that the command is about, or of the model case outside of one.
func (a *app) reckon(cmd *cobra.Command, o costFlags) (*cost.Bill, error) {
	c := cost.Case{Lake: cost.ModelCase(), Settings: deployconf.Defaults()}
	given := cmd.Flags().Changed("files-per-day") && (cmd.Flags().Changed("rows-per-day") || o.bytes != "")
	known, region, err := a.costs(cmd.Context(), o.region, given)
	var refused *s3.Error
	switch {
	case errors.Is(err, project.ErrNoLake) && a.dir == "" && given:
	case errors.Is(err, project.ErrNoLake) && a.dir == "":
		return nil, fmt.Errorf("%w\nhint: outside of a lake, say what comes: --files-per-day 24 --rows-per-day 100000", err)
	case errors.As(err, &refused) && refused.Missing():
		// What it would cost is asked before there is anything.
		lake, spec, err := a.deploySpec(cmd.Context())
		if err != nil {
			return nil, err
		}
		c = caseOf(spec)
		if o.region == "" {
			o.region = lake.Config.AWS.Region
		}
		if !given {
			c.Volume = exampleVolume
			a.tell("note: %v yet, so this is an example; --files-per-day and --rows-per-day say what comes", refused.Err)
		}
	case err != nil:
		return nil, err
	default:
		c, o.region = known, region
	}
	v := &c.Volume
	each := 0.0
	if v.Rows > 0 {
		each = v.Bytes / v.Rows
	}
	if cmd.Flags().Changed("files-per-day") {
		v.Files, v.From = o.files, ofFlags
	}
	if cmd.Flags().Changed("rows-per-day") {
		v.Rows, v.Bytes, v.From = o.rows, o.rows*each, ofFlags
	}
	if o.bytes != "" {
		n, err := size(o.bytes)
		if err != nil {
			return nil, &usageError{fmt.Errorf("--bytes-per-day: %w", err)}
		}
		v.From = ofFlags
		if v.Bytes = float64(n); !cmd.Flags().Changed("rows-per-day") {
			if v.Rows = 0; each > 0 {
				v.Rows = v.Bytes / each
			}
		}
	}
	v.Queries = o.queries
	c = c.After(o.after)
	if o.region == "" {
		o.region = "us-east-1"
	}
	p, err := cost.Load(o.region, o.prices)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %w", errMissing, err)
	}
	if err != nil {
		return nil, err
	}
	return cost.Reckon(c, o.region, p), nil
}

// costs describes the lake that the command is about as costs are reckoned of it.
func (a *app) costs(ctx context.Context, region string, given bool) (cost.Case, string, error) {
	w, err := a.open(ctx)
	if err != nil {
		return cost.Case{}, region, err
	}
	c, region, err := costCase(ctx, w, region, given)
	return c, region, errors.Join(err, w.Close())
}

// costCase describes a lake as costs are reckoned of it.
func costCase(ctx context.Context, w *run.Workspace, region string, given bool) (cost.Case, string, error) {
	settings := w.Project.Config
	if region == "" {
		region = settings.AWS.Region
	}
	h, err := w.Holdings(ctx)
	if err != nil {
		return cost.Case{}, region, err
	}
	c := cost.Case{Settings: settings.Deploy, Lake: cost.Lake{Landing: h.Landing, Models: h.Models, Daily: h.Daily, Files: float64(h.Files), Rows: float64(h.Rows), Bytes: float64(h.Bytes),
		Days: float64(h.Partitions), Shape: shapeOf(h), RowsPerCPU: h.RowsPerCPU, Measured: h.Run, Glue: settings.Catalog == "glue", KMS: settings.AWS.KMSKey != ""}}
	if h.Days > 0 {
		c.Volume = cost.Volume{Files: float64(h.Files) / float64(h.Days), Rows: float64(h.Rows) / float64(h.Days), Bytes: float64(h.Bytes) / float64(h.Days),
			From: "as it has loaded so far, on " + words.Count(h.Days, "day")}
		return c, region, nil
	}
	if given {
		return c, region, nil
	}
	// Nothing is loaded yet: what lies there is taken as the first day.
	p, err := w.Plan(ctx, run.Selection{})
	if err != nil {
		return c, region, err
	}
	for _, s := range p.Steps {
		for _, f := range s.Work.Read() {
			c.Volume.Files++
			c.Volume.Bytes += float64(f.Size)
		}
	}
	c.Volume.Rows, c.Volume.From = float64(p.Estimate.LoadedRows), "what lies in its landing places, as if so much came every day"
	return c, region, nil
}

// shapeOf says how much of tables there is for each row that was loaded; nothing where there are none.
func shapeOf(h run.Holdings) (s cost.Shape) {
	if h.Rows == 0 || h.RereadRows == 0 {
		return s
	}
	n := float64(h.Rows)
	return cost.Shape{Reread: float64(h.RereadRows) / n, Longest: float64(h.LongestRows) / float64(h.RereadRows), Loaded: float64(h.LoadedBytes) / n,
		Models: float64(h.ModelBytes) / n, Curated: float64(h.CuratedBytes) / n, Step: float64(h.StepBytes) / n}
}

// costOf tells what a planned run costs in AWS; nil where the lake is on this machine, or there is nothing to do.
func costOf(w *run.Workspace, p *run.Planned) *cost.Once {
	c := w.Project.Config
	if p == nil || p.Empty() || !project.Remote(c.Warehouse) {
		return nil
	}
	r := cost.Run{Run: p.Size(), CopiedBytes: float64(p.Estimate.CopiedBytes), WrittenBytes: float64(p.Estimate.WrittenBytes), Glue: c.Catalog == "glue"}
	for _, s := range p.Steps {
		if s.Works() {
			r.Tables++
			r.Files += len(s.Work.Read())
		}
	}
	prices, err := cost.Load(c.AWS.Region, "")
	if err != nil {
		return nil // they are part of the program, and a plan is worth showing without them
	}
	once := cost.OneRun(r, c.Deploy, prices)
	return &once
}

// ofFlags is where numbers are from that flags give.
const ofFlags = "as the flags say"

func (a *app) showBill(b *cost.Bill) {
	v := b.Case.Volume
	a.say("comes a day: %s, %s and %s, %s", words.Count(int64(v.Files+0.5), "file"), words.Count(int64(v.Rows+0.5), "row"), cost.Size(v.Bytes), v.From)
	if v.Files == 0 {
		a.say("with no files a day there are no runs; --files-per-day and --rows-per-day say what comes")
	} else {
		a.say("done a month: %s, each about %s in %s", words.Count(int64(b.Runs+0.5), "run"), cost.Duration(b.RunSeconds), b.Place.Engine.Name())
	}
	a.say("")
	rows := append([][]string{{"", "", "a run", "a month", ""}}, lines(b, b.Items)...)
	rows = append(rows, []string{"together", "", dollars(b.Run), dollars(b.Month), ""}, []string{"", "", "", "", ""}, []string{"The same as " + b.Jobs(), "", "", "", ""})
	rows = append(rows, lines(b, b.Classic)...)
	rows = append(rows, []string{"together", "", dollars(b.ClassicRun), dollars(b.ClassicMonth), ""})
	fmt.Fprint(a.stdout, columns(rows, 2, 3))
	a.say("")
	t := b.Trickle
	a.say("In one run a day: %s. As %s: %s.", cost.Dollars(b.Daily.Month), b.Jobs(), cost.Dollars(b.Daily.Classic))
	each := ""
	// Where runs take longer than they are apart, they are no more often without min_interval.
	if t.Unbounded > 1.05*t.Month {
		each = " If each file started a run: " + cost.Dollars(t.Unbounded) + "."
	}
	a.say("With a file a minute: %s a month, %s.%s As %s: %s.", words.Count(int64(t.Runs+0.5), "run"), cost.Dollars(t.Month), each, b.Jobs(), cost.Dollars(t.Classic))
	a.say("")
	a.say("Where a run fits")
	rows = nil
	for _, p := range b.Path {
		fits := "no"
		switch {
		case p.Engine == b.Place.Engine:
			fits = "this"
		case p.Fits:
			fits = "yes"
		}
		rows = append(rows, []string{"  " + fits, p.Engine.Name(), cost.Dollars(p.USD), p.Why})
	}
	fmt.Fprint(a.stdout, columns(rows))
	a.say("")
	for _, n := range b.Notes {
		a.say("- %s", n)
	}
	a.say("- %s", b.Honesty())
}

// lines are the rows of a table of items; what is less than a cent a month is one of them, where there is more than one.
func lines(b *cost.Bill, items []cost.Item) (rows [][]string) {
	const cent = 0.01
	var small, run, month float64
	for _, i := range items {
		if i.Month < cent {
			small, run, month = small+1, run+i.Run, month+i.Month
		}
	}
	for _, i := range items {
		if i.Month >= cent || small == 1 {
			rows = append(rows, []string{i.Service, i.What, dollars(i.Run), dollars(i.Month), starred(b, i)})
		}
	}
	if small > 1 {
		rows = append(rows, []string{"", fmt.Sprintf("%.0f more, each below a cent", small), dollars(run), dollars(month), ""})
	}
	return rows
}

// dollars leaves out what is nothing.
func dollars(usd float64) string {
	if usd == 0 {
		return ""
	}
	return cost.Dollars(usd)
}

// starred tells lines whose price is only known of another region.
func starred(b *cost.Bill, i cost.Item) string {
	for _, name := range i.Prices {
		if !b.Prices[name].Known(b.Region) {
			return "*"
		}
	}
	return ""
}
