// Package sample generates landing data: people with a step trainer and the app that goes with it.
//
// [Generate] writes customers, accelerometer readings and step trainer readings as newline-delimited JSON, [Late] writes
// one more day that arrives later. The same [Options] give the same bytes on every machine. Everything is invented: names
// are put together from lists, addresses are of example.com, .org and .net, phone numbers of the range 555-0100 to
// 555-0199. What is done with the files is left to others.
//
// A session is some minutes of exercises on the step trainer. Each second it measures the distance to the person in cm,
// and at exactly the same millisecond the phone gives two or three readings of its acceleration in g. Both follow from one
// motion, so there is something to learn from them.
package sample

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"tarn/internal/filelock"
)

const (
	customerTable      = "customer"
	accelerometerTable = "accelerometer"
	stepTrainerTable   = "step_trainer"

	lateSuffix = "-late"
)

// ErrOptions is the root of errors about options that cannot be.
var ErrOptions = errors.New("these options do not work")

// What `tarn sample` and `tarn demo` write where nothing else is asked for: about as much as the case that the stedi
// template is modelled on has, which is run in a second.
const (
	DefaultPeople  = 120
	DefaultDays    = 3
	DefaultSeed    = 1 // of the commands; here, 0 is a seed like any other
	DefaultPairs   = 0.1
	DefaultSeconds = 120
)

// Options describes the data. The zero value gives DefaultPeople and DefaultDays, without mess.
type Options struct {
	// People is the number of customers, at most 10 million; 0 means DefaultPeople. One device for each 50 customers comes on top,
	// whose owner is unknown; of 25 customers, one has no readings at all.
	People int
	// Days is for how many days they train; 0 means DefaultDays.
	Days int
	// Seed chooses among data of the same description.
	Seed uint64
	// Mess is the share of records that are broken, from 0 to 1. Of the others, the same share is odd: unusual, but to be
	// loaded. See [Kind].
	Mess float64
	// Broken is an exact number of broken records in place of Mess, spread over the tables and their files, of as many
	// kinds as there are. The first is cut off at the end of the last step trainer file, the second an accelerometer
	// reading of the wrong type, the third a customer with a quote missing.
	Broken int
	// Start lies on the first day, in UTC; zero means 2026-01-01.
	Start time.Time
	// FileBytes is where a file ends and the next begins, before compression; 0 means 32 MiB.
	FileBytes int64
	// Sessions is how often a person trains a day on average, at most 200; 0 means once. It varies by one.
	Sessions int
	// SessionSeconds is how long a session takes on average, at most 240; 0 means DefaultSeconds. It varies by half.
	SessionSeconds int
	// Pairs is the share of people who train in pairs, and so have readings at the same millisecond: rows that are joined
	// on time alone are wrong for them. 0 means DefaultPairs, below 0 none.
	Pairs float64
	// Gzip compresses the files, and adds .gz to their names.
	Gzip bool
	// Replace allows to replace files of an earlier call. Those that it does not write again are removed, and with
	// Generate's those of Late.
	Replace bool
	// Progress is called now and then, and at the end, with the records and the bytes (before compression) so far.
	Progress func(rows, bytes int64)
}

// Summary is what was written.
type Summary struct {
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"` // as they are on disk

	// Records that must load, the odd ones included.
	Customers     int64 `json:"customers"`
	Accelerometer int64 `json:"accelerometer"`
	StepTrainer   int64 `json:"step_trainer"`
	// Consented is how many of these customers agreed to research.
	Consented int64 `json:"consented"`

	// Odd counts the unusual records that must load. BrokenTotal counts the broken ones, Broken lists them: at most 100,000
	// of each table.
	Odd         int64          `json:"odd"`
	BrokenTotal int64          `json:"broken_total"`
	Broken      []BrokenRecord `json:"broken,omitempty"`

	Expected Expected `json:"expected"`
}

// BrokenRecord is a record that must not load.
type BrokenRecord struct {
	File string `json:"file"` // below the folder, with forward slashes
	Line int64  `json:"line"` // from 1
	Kind Kind   `json:"kind"`
}

// Expected are the rows that the stedi template makes of these records: nothing of people without consent to research,
// nothing of broken records. Of [Late], they are those that it adds, if the first data has no other options.
type Expected struct {
	CustomerTrusted        int64 `json:"customer_trusted"`
	AccelerometerTrusted   int64 `json:"accelerometer_trusted"`
	CustomersCurated       int64 `json:"customers_curated"`
	StepTrainerTrusted     int64 `json:"step_trainer_trusted"`
	MachineLearningCurated int64 `json:"machine_learning_curated"`
	// BeforeConsent of the readings in accelerometer_trusted are older than their owner's consent.
	BeforeConsent int64 `json:"before_consent"`
}

// withDefaults fills in what was left out and reports options that cannot be.
func (o Options) withDefaults() (Options, error) {
	if o.People == 0 {
		o.People = DefaultPeople
	}
	if o.Days == 0 {
		o.Days = DefaultDays
	}
	if o.Sessions == 0 {
		o.Sessions = 1
	}
	if o.SessionSeconds == 0 {
		o.SessionSeconds = DefaultSeconds
	}
	if o.FileBytes == 0 {
		o.FileBytes = 32 << 20
	}
	if o.Pairs == 0 {
		o.Pairs = DefaultPairs
	}
	if o.Start.IsZero() {
		o.Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	year, month, day := o.Start.UTC().Date()
	o.Start = time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	var problems []error
	within := func(name string, value, low, high int64) {
		if value < low || value > high {
			problems = append(problems, fmt.Errorf("%s must be from %d to %d, not %d", name, low, high, value))
		}
	}
	within("people", int64(o.People), 1, 10_000_000)
	within("days", int64(o.Days), 1, 3660)
	within("sessions a day", int64(o.Sessions), 1, 150)
	within("seconds of a session", int64(o.SessionSeconds), 2, 240)
	within("bytes of a file", o.FileBytes, 1, math.MaxInt64)
	within("broken records", int64(o.Broken), 0, 1_000_000)
	within("year of the start", int64(year), 2002, 2200)
	if !(o.Mess >= 0 && o.Mess <= 1) {
		problems = append(problems, fmt.Errorf("mess must be from 0 to 1, not %v", o.Mess))
	}
	if !(o.Pairs <= 1) {
		problems = append(problems, fmt.Errorf("pairs must be at most 1, not %v", o.Pairs))
	}
	if o.Mess > 0 && o.Broken > 0 {
		problems = append(problems, errors.New("mess and a number of broken records exclude each other"))
	}
	if len(problems) == 0 {
		return o, nil
	}
	return o, fmt.Errorf("%w: %w", ErrOptions, errors.Join(problems...))
}

// Generate writes below dir: customer/landing/customer-000.json and so on, accelerometer/landing and step_trainer/landing
// likewise. Records stand in the order in which sessions began, so memory does not grow with the days. The files get
// their names all at the end: after an error, or when ctx is done, dir holds no new ones. Where a sample is there
// already it fails with [ErrExists], unless [Options.Replace] is set; where other files are, with [ErrForeign].
func Generate(ctx context.Context, dir string, o Options) (*Summary, error) {
	g, err := newGenerator(dir, "", o)
	if err != nil {
		return nil, fmt.Errorf("generate sample: %w", err)
	}
	if err := g.place(); err != nil {
		return nil, fmt.Errorf("generate sample: %w", err)
	}
	err = g.run(ctx, func() error {
		if err := g.writeCustomers(ctx); err != nil {
			return err
		}
		for day := range g.options.Days {
			if err := g.write(ctx, day, g.calendar.day(day), day == g.options.Days-1); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("generate sample: %w", err)
	}
	return g.summary(), nil
}

// Late writes the day after those of [Generate] for every tenth customer, with the same options: readings that arrive
// later, in files of their own (accelerometer-late-000.json and so on). It does not need Generate's files. Options.Broken
// does not apply.
func Late(ctx context.Context, dir string, o Options) (*Summary, error) {
	o.Broken = 0
	g, err := newGenerator(dir, lateSuffix, o)
	if err != nil {
		return nil, fmt.Errorf("generate late sample: %w", err)
	}
	day := g.options.Days
	err = g.run(ctx, func() error { return g.write(ctx, day, g.calendar.late(day), true) })
	if err != nil {
		return nil, fmt.Errorf("generate late sample: %w", err)
	}
	return g.summary(), nil
}

// lock keeps other calls off a folder until it is closed.
func lock(dir string) (io.Closer, error) {
	f, err := filelock.Take(dir, os.O_RDONLY, unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return nil, fmt.Errorf("%s: %w", dir, ErrBusy)
	case err != nil:
		return nil, err
	}
	return f, nil
}

func (g *generator) run(ctx context.Context, write func() error) (err error) {
	lock, err := lock(g.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	outputs := g.outputs()
	defer func() {
		if err != nil {
			for _, out := range outputs {
				out.discard()
			}
		}
	}()
	var old []string
	for _, out := range outputs {
		names, err := out.existing()
		if err != nil {
			return err
		}
		if len(names) > 0 && !g.options.Replace {
			return fmt.Errorf("%s: %w", filepath.Join(out.folder, names[0]), ErrExists)
		}
		for _, name := range names {
			old = append(old, filepath.Join(out.folder, name))
		}
	}
	if err := write(); err != nil {
		return err
	}
	for _, out := range outputs {
		if err := out.finish(); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	g.progress()
	for _, out := range outputs {
		if err := out.publish(); err != nil {
			return err
		}
		for _, name := range out.names {
			if i := slices.Index(old, filepath.Join(out.folder, name)); i >= 0 {
				old = slices.Delete(old, i, i+1)
			}
		}
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}
