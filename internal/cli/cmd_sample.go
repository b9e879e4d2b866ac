package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tarn/internal/diag"
	"tarn/internal/project"
	"tarn/internal/sample"
)

func sampleCommand(a *app) *cobra.Command {
	var o sample.Options
	var start, fileSize string
	var late bool
	cmd := &cobra.Command{
		Use:   "sample DIR",
		Short: "Make landing data: invented people, their phones and step trainers",
		Long: `Writes JSON files as the stedi template reads them, into DIR/customer/landing, DIR/accelerometer/landing and
DIR/step_trainer/landing. All people are invented. The same flags give the same bytes on every machine.

Some people agreed to research before their readings, some amid or after them, some never; some devices belong to nobody
known; some people train in pairs and have readings at the same millisecond. --mess breaks a share of the records (they
belong in quarantine) and writes as many in an unusual way (they must load); --broken breaks an exact number.
--late writes the day after those of the same flags for every tenth customer, as files that arrive later.`,
		Example: `  tarn sample mylake/data
  tarn sample mylake/data --people 500 --days 30 --seed 7 --mess 0.001
  tarn sample mylake/data --late            one more day, in files of its own
  tarn sample big --people 20000 --days 14  125 million readings, 12 GB`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.dir != "" {
				return &usageError{errors.New("sample writes into the DIR behind it; -C is for commands on a lake")}
			}
			var err error
			if start != "" {
				if o.Start, err = time.Parse(time.DateOnly, start); err != nil {
					return &usageError{fmt.Errorf("--start %q is no day: write 2026-01-31", start)}
				}
				if o.Start.IsZero() { // which the library takes as left out
					return &usageError{fmt.Errorf("--start %s is too early", start)}
				}
			}
			if o.FileBytes, err = size(fileSize); err != nil {
				return &usageError{err}
			}
			for name, value := range map[string]*int{"people": &o.People, "days": &o.Days, "sessions": &o.Sessions, "seconds": &o.SessionSeconds} {
				// The library takes zero as left out; a zero that was typed is a mistake.
				if cmd.Flags().Changed(name) && *value == 0 {
					return &usageError{fmt.Errorf("--%s must be at least 1", name)}
				}
			}
			if o.Pairs == 0 {
				o.Pairs = -1
			}
			return a.sample(cmd.Context(), args[0], o, late)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.People, "people", sample.DefaultPeople, "how many customers")
	f.IntVar(&o.Days, "days", sample.DefaultDays, "for how many days they train")
	f.Uint64Var(&o.Seed, "seed", sample.DefaultSeed, "chooses among data of the same description")
	f.Float64Var(&o.Mess, "mess", 0, "share of the records that are broken, and as many odd ones: 0.01 is one in a hundred")
	f.IntVar(&o.Broken, "broken", 0, "exactly so many broken records, in place of --mess")
	f.StringVar(&start, "start", "", "first day, UTC (default 2026-01-01)")
	f.IntVar(&o.Sessions, "sessions", 1, "how often a person trains a day, on average")
	f.IntVar(&o.SessionSeconds, "seconds", sample.DefaultSeconds, "how long a session takes, on average")
	f.Float64Var(&o.Pairs, "pairs", sample.DefaultPairs, "share of the people who train in pairs")
	f.StringVar(&fileSize, "file-size", "32MB", "where a file ends and the next begins, before compression")
	f.BoolVar(&o.Gzip, "gzip", false, "compress the files")
	f.BoolVar(&late, "late", false, "write the day after those of the same flags; --broken does not apply")
	f.BoolVar(&o.Replace, "replace", false, "replace a sample that is there")
	return cmd
}

// size reads a number of bytes such as 512KB or 32MB; units are powers of 1024, as DuckDB's memory is shown.
func size(s string) (int64, error) {
	digits := strings.TrimRight(strings.ToUpper(s), "KMGTIB ")
	shift, ok := map[string]int{"": 0, "B": 0, "K": 10, "KB": 10, "KIB": 10, "M": 20, "MB": 20, "MIB": 20, "G": 30, "GB": 30, "GIB": 30, "T": 40, "TB": 40, "TIB": 40}[strings.TrimSpace(strings.ToUpper(s)[len(digits):])]
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || !ok || n < 1 {
		return 0, fmt.Errorf("%q is no size: write 512KB, 32MB or 1GB", s)
	}
	return n << shift, nil
}

func (a *app) sample(ctx context.Context, dir string, o sample.Options, late bool) error {
	started := time.Now()
	p := a.counter()
	o.Progress = p.count
	make := sample.Generate
	if late {
		make = sample.Late
	}
	s, err := make(ctx, dir, o)
	p.done()
	if err != nil {
		if ctx.Err() != nil && !a.json {
			a.tell("interrupted: no file was written, and none replaced")
			return told(err)
		}
		return sampleError(err)
	}
	seconds := time.Since(started).Seconds()
	if a.json {
		return a.print(sampleJSON{absolute(dir), late, seconds, s})
	}
	a.showSample(dir, s, late, seconds)
	return nil
}

func (a *app) showSample(dir string, s *sample.Summary, late bool, seconds float64) {
	if s.Files == 0 { // of few people, there are days on which none trains
		a.say("wrote no files: none of every tenth customer trains on that day; more --people or other --days give some")
		return
	}
	a.say("wrote %s (%s) into %s in %.2f s:", plural(int64(s.Files), "file"), bytes(s.Bytes), dir, seconds)
	rows := [][]string{
		{"  customer", grouped(s.Customers), fmt.Sprintf("people, %s of whom agreed to research", grouped(s.Consented))},
		{"  accelerometer", grouped(s.Accelerometer), "readings of the phones, in g"},
		{"  step_trainer", grouped(s.StepTrainer), "readings of the devices, in cm"},
	}
	if late {
		rows = rows[1:]
	}
	fmt.Fprint(a.stdout, columns(rows, 1))
	if s.BrokenTotal > 0 {
		b := s.Broken[0]
		a.say("beside these %s, such as %s:%d (%s); they belong in quarantine", plural(s.BrokenTotal, "broken record"), b.File, b.Line, b.Kind)
	}
	if s.Odd > 0 {
		a.say("%s of them %s written in an unusual way, and must load all the same", grouped(s.Odd), map[bool]string{true: "is", false: "are"}[s.Odd == 1])
	}
	e := s.Expected
	more := ""
	if late {
		more = " more"
	}
	a.say("the stedi template makes %s%s accelerometer_trusted and %s machine_learning_curated rows of it", grouped(e.AccelerometerTrusted), more, grouped(e.MachineLearningCurated))
	// Data of a lake stands in a folder inside it.
	if _, err := os.Stat(filepath.Join(absolute(dir), "..", project.ConfigFile)); err == nil {
		a.say("next: `%s`", inLake("run", filepath.Dir(absolute(dir))))
	}
}

// sampleError says what to do about an error of sample, where the user can.
func sampleError(err error) error {
	hint := ""
	switch {
	case errors.Is(err, sample.ErrExists):
		hint = "--replace replaces them"
	case errors.Is(err, sample.ErrForeign):
		hint = "take a folder of its own, so that invented people do not mix with real ones"
	case errors.Is(err, sample.ErrBusy):
		hint = "let it end, or take another folder"
	case errors.Is(err, sample.ErrOptions):
		hint = "tarn sample --help"
	default:
		return err
	}
	return diag.WithHint(&usageError{err}, hint)
}
