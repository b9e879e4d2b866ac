// Command bench times the whole pipeline of the stedi lake, from raw files to five published tables, against a
// hand-written DuckDB script that does the same without checks, ledger, catalog or atomic publish.
//
//	go run ./bench                        the real files, 1 M and 8 M readings, five pairs each
//	go run ./bench -data S10 -n 9         1 M readings only, nine pairs
//	go run ./bench -with cloud -data S10  the lake in S3 and Glue, on stand-ins on this machine, with the lake on its disk
//	go run ./bench -with lambda -data stedi  a cold start as an AWS Lambda function of 1,024 MiB: see docs/lambda.md
//	go run ./bench -requests              what runs ask of S3 and Glue: see requests.md
//	go run ./bench -rate                  what rows take of a processor and of disks
//
// Both are whole processes that start with warm files, in turn (A B A B …), so that a machine that slows down slows both.
// What is printed are medians, and the ratio is the median over the pairs. The script, its data generator and the counts
// that both have to reach are those of -peers; Python with DuckDB is installed into a cache folder the first time.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
)

type options struct {
	data   string
	peers  string
	stedi  string
	cache  string
	tarn   string
	mode   string
	memory string
	with   string
	runs   int
	// running are the servers that were started.
	running *sync.WaitGroup
	// requests counts requests in place of seconds, files is how many the wide lake has.
	requests bool
	files    int
	// rate measures what rows take instead.
	rate bool
	// out is the file that gets what was counted, for programs.
	out string
}

const usage = `Times tarn and a hand-written DuckDB script on the same raw files, in turn, and prints the medians and their ratio:
wall time, CPU time and peak memory of the whole process. Needs Python 3, and a folder with the script (-peers).

  go run ./bench                        the real files, 1 M and 8 M readings, five pairs each
  go run ./bench -data S10 -n 9         1 M readings only, nine pairs
  go run ./bench -with cloud -data stedi,S10
                                        the lake in S3 and Glue, on stand-ins on this machine, with the lake on its disk
  go run ./bench -with spark -data S10  the lake's models on Spark, with a hand-written program (see test/peers/spark.sh)
  go run ./bench -with lambda -data stedi  a cold start as an AWS Lambda function of 1,024 MiB, on the real files; needs Linux and root
  go run ./bench -requests              what runs ask of S3 and Glue, counted where it arrives: servers of the tests
  go run ./bench -rate                  what rows take of a processor and of disks, on invented data

Costs are reckoned with what the last two give: -o internal/cost/requests.json, and -o internal/cost/rate.json.

Nothing else should run on the machine meanwhile.

`

func main() {
	var o options
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	flag.StringVar(&o.data, "data", "stedi,S10,S100", "data sets, in this order: stedi (real files), S10 (1 M accelerometer rows), S100 (8 M)")
	flag.StringVar(&o.peers, "peers", env("TARN_BENCH_PEERS", "../shared/bench"), "folder of p_duckdb.py, gen.py and golden.py")
	flag.StringVar(&o.stedi, "stedi", env("TARN_STEDI", "../shared/data/stedi"), "folder of the real files")
	flag.StringVar(&o.cache, "cache", filepath.Join(cache, "tarn-bench"), "where Python and generated data are kept")
	flag.StringVar(&o.tarn, "tarn", "", "program to measure (default: built from this folder)")
	flag.StringVar(&o.mode, "mode", "b", "mode of p_duckdb.py: b writes the landing tables too, a does not")
	flag.StringVar(&o.with, "with", "script", "script: the hand-written script; cloud: tarn in a bucket and Glue with tarn on the disk; spark: models on Spark with a hand-written PySpark; lambda: cold starts of a function")
	flag.StringVar(&o.memory, "memory", "", "memory limit of both engines, such as 512MB (default: each one's own)")
	flag.IntVar(&o.runs, "n", 5, "pairs of runs for each data set, after one that is not counted")
	flag.BoolVar(&o.requests, "requests", false, "count the requests of runs in a bucket instead, and print a table of them")
	flag.IntVar(&o.files, "files", 100_000, "with -requests, how many landing files the lake has that is all files")
	flag.BoolVar(&o.rate, "rate", false, "measure what rows take of a processor and of disks instead")
	flag.StringVar(&o.out, "o", "", "with -requests or -rate, file to write what was measured to, as JSON: those that costs are reckoned with are internal/cost/requests.json and rate.json")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

func run(ctx context.Context, o options) (err error) {
	if _, err := os.Stat(filepath.Join(o.peers, "p_duckdb.py")); err != nil && !o.requests && !o.rate && o.with != "lambda" {
		return fmt.Errorf("%w\nhint: -peers names the folder of the script to compare with", err)
	}
	work, err := os.MkdirTemp("", "tarn-bench-")
	if err != nil {
		return err
	}
	o.running = &sync.WaitGroup{}
	ctx, stop := context.WithCancel(ctx)
	defer func() {
		stop()
		o.running.Wait()
		err = errors.Join(err, os.RemoveAll(work))
	}()
	if o.tarn == "" {
		o.tarn = filepath.Join(work, "tarn")
		if err := quietly(ctx, "go", "build", "-tags", "grpcnotrace,lambda.norpc", "-o", o.tarn, "./cmd/tarn"); err != nil {
			return err
		}
	}
	if o.rate {
		return measureRate(ctx, o, work)
	}
	if o.requests {
		return countRequests(ctx, o, o.files, work)
	}
	python, err := pythonWithDuckDB(ctx, o.cache)
	if err != nil {
		return err
	}
	if o.with == "lambda" {
		data := map[string]dataset{}
		for name := range strings.SplitSeq(o.data, ",") {
			if data[name], err = prepare(ctx, o, python, name); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return coldStarts(ctx, o, work, data)
	}
	fmt.Printf("%-7s %-37s %8s %8s %8s\n", "data", "what", "wall s", "cpu s", "peak MiB")
	for name := range strings.SplitSeq(o.data, ",") {
		d, err := prepare(ctx, o, python, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		var c contest
		place := filepath.Join(work, name)
		switch o.with {
		case "script":
			c = withScript(o, python, d, place)
		case "cloud":
			c, err = withCloud(ctx, o, d, place)
		case "spark":
			c, err = withSpark(ctx, o, d, place)
		default:
			err = fmt.Errorf("-with %s: script, cloud or spark", o.with)
		}
		if err == nil {
			err = compare(ctx, o, name, c)
		}
		if err := errors.Join(err, os.RemoveAll(place)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// contest is two commands that are measured in turn. After the first of a pair its like is run again, with nothing new.
type contest struct {
	ours, theirs command
	// fresh makes everything as it was before the first of them.
	fresh func(ctx context.Context) error
	// right tells if both gave what they should.
	right func(ctx context.Context) error
	// wallOnly says that the work is done by processes which are not waited for, so that CPU and memory cannot be told.
	wallOnly bool
}

// command is a process with the words for its row.
type command struct {
	name string
	args []string
}

// withScript lets the pipeline and the script run over one data set.
func withScript(o options, python string, d dataset, work string) contest {
	lake, out := filepath.Join(work, "lake"), filepath.Join(work, "peer")
	c := contest{
		ours:   command{name: "tarn", args: []string{o.tarn, "run", "-q", "-C", lake}},
		theirs: command{name: "DuckDB script, mode " + o.mode, args: []string{python, filepath.Join(o.peers, "p_duckdb.py"), d.dir, out, "--mode", o.mode}},
		fresh:  func(ctx context.Context) error { return newLake(ctx, o.tarn, lake, d.dir) },
		right: func(ctx context.Context) error {
			return errors.Join(rightCounts(ctx, d.want, command{args: []string{o.tarn, "query", "-C", lake}}), quietly(ctx, python, filepath.Join(o.peers, "golden.py"), d.dir, "--check", out))
		},
	}
	if o.memory != "" {
		c.ours.args = append(c.ours.args, "--memory", o.memory)
		c.theirs.args = append(c.theirs.args, "--memory", o.memory)
	}
	return c
}

// compare runs both in turn and prints the figures.
func compare(ctx context.Context, o options, data string, c contest) error {
	var ours, theirs, nothing series
	for i := range o.runs + 1 {
		if err := c.fresh(ctx); err != nil {
			return err
		}
		a, err := measure(ctx, c.ours)
		if err != nil {
			return err
		}
		again, err := measure(ctx, c.ours)
		if err != nil {
			return err
		}
		b, err := measure(ctx, c.theirs)
		if err != nil {
			return err
		}
		if i == 0 {
			if err := c.right(ctx); err != nil {
				return err
			}
			continue
		}
		ours, theirs, nothing = append(ours, a), append(theirs, b), append(nothing, again)
	}
	show := row
	if c.wallOnly {
		show = wallRow
	}
	show(data, c.ours.name, ours.median())
	show(data, c.theirs.name, theirs.median())
	show(data, "ratio", ours.ratio(theirs))
	show(data, c.ours.name+", nothing new", nothing.median())
	return nil
}

func row(data, what string, f figures) {
	format := "%-7s %-37s %8.2f %8.2f %8.0f\n"
	if what == "ratio" {
		format = "%-7s %-37s %8.2f %8.2f %8.2f\n"
	}
	fmt.Printf(format, data, what, f.wall, f.cpu, f.peak)
}

func wallRow(data, what string, f figures) { fmt.Printf("%-7s %-37s %8.2f\n", data, what, f.wall) }

// quietly runs a command whose output matters only when it fails.
func quietly(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, out)
	}
	return nil
}
