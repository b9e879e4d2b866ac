package sample

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
)

// generator writes the records of one call.
type generator struct {
	dir      string
	options  Options
	people   people
	calendar calendar
	sines    *sines

	customers, accelerometer, steps *output

	lost      bitset   // customers whose record is broken
	moved     bitset   // customers who agreed and have an accelerometer reading
	stepRows  []uint32 // of each customer who agreed
	consented int64
	expected  Expected
	reported  int64 // bytes at the last call of Progress
}

// bitset is a set of small numbers.
type bitset []uint64

func (b bitset) has(i int) bool { return b[i/64]>>(i%64)&1 != 0 }
func (b bitset) set(i int)      { b[i/64] |= 1 << (i % 64) }

func newGenerator(dir, suffix string, o Options) (*generator, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	g := &generator{dir: dir, options: o, people: newPeople(o), sines: newSines()}
	g.calendar = calendar{people: &g.people, perDay: o.Sessions, secs: o.SessionSeconds}
	words := o.People/64 + 1
	g.lost, g.moved, g.stepRows = make(bitset, words), make(bitset, words), make([]uint32, o.People)
	for _, t := range []struct {
		table string
		out   **output
	}{
		{customerTable, &g.customers},
		{accelerometerTable, &g.accelerometer},
		{stepTrainerTable, &g.steps},
	} {
		if *t.out, err = newOutput(dir, t.table, t.table+suffix, o); err != nil {
			return nil, err
		}
		if o.Mess > 0 || o.Broken > 0 {
			(*t.out).mess = newMess(t.table, o, key(o.Seed, uint64(len(suffix))))
		}
	}
	return g, nil
}

func (g *generator) outputs() []*output {
	return []*output{g.customers, g.accelerometer, g.steps}
}

// place chooses the records that [Options.Broken] breaks.
func (g *generator) place() error {
	if g.options.Broken == 0 {
		return nil
	}
	rnd := random(key(g.options.Seed, forBroken))
	steps := g.calendar.steps(g.options.Days)
	// There are at least two accelerometer readings for each second of a known person.
	rooms := []int64{steps - 1, steps, int64(g.options.People)}
	outputs := []*output{g.steps, g.accelerometer, g.customers}
	if steps == 0 {
		return fmt.Errorf("%w: there are no readings to break", ErrOptions)
	}
	shares := make([]int64, len(outputs))
	for i := range g.options.Broken {
		shares[i%len(shares)]++
	}
	for t, out := range outputs {
		targets := make([]target, shares[t])
		if n := shares[t]; n > rooms[t] {
			return fmt.Errorf("%w: %d broken records are more than there are records", ErrOptions, g.options.Broken)
		}
		for i := range targets {
			kind := brokenKinds[(t+len(outputs)*i)%len(brokenKinds)]
			if t == 0 && i == 0 {
				targets[i] = target{atEnd, kind}
				continue
			}
			low, high := rooms[t]*int64(i)/shares[t], rooms[t]*int64(i+1)/shares[t]
			targets[i] = target{low + int64(rnd.below(int(high-low))), kind}
		}
		slices.SortFunc(targets, func(a, b target) int { return cmp.Compare(a.at, b.at) })
		out.mess.targets = targets
	}
	return nil
}

func (g *generator) writeCustomers(ctx context.Context) error {
	out := g.customers
	for i := range g.options.People {
		if i%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		who := g.people.person(i)
		start := len(out.buf)
		out.buf = who.record(out.buf)
		good, err := out.end(start)
		switch {
		case err != nil:
			return err
		case !good:
			g.lost.set(i)
		case who.research != 0:
			g.consented++
		}
		g.tell()
	}
	return nil
}

// write writes the readings of sessions; last says that none come after them.
func (g *generator) write(ctx context.Context, day int, sessions []session, last bool) error {
	for i, s := range sessions {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := g.session(s, day, last && i == len(sessions)-1); err != nil {
			return err
		}
		g.tell()
	}
	return nil
}

// session writes one session, second by second.
func (g *generator) session(s session, day int, last bool) error {
	who := g.people.person(s.owner)
	m := newMotion(g.sines, &who, key(g.options.Seed, forSession, uint64(s.owner), uint64(day), uint64(s.order)), day)
	trusted := who.known && who.research != 0 && !g.lost.has(s.owner)
	user := []byte(`{"user":"` + who.email + `","timestamp":`)
	serial := []byte(`,"serialNumber":"` + who.serial + `","distanceFromObject":`)
	steps, acc := g.steps, g.accelerometer
	for second := range s.secs {
		now := s.start + int64(second)*secondMS
		m.second()

		start := len(steps.buf)
		steps.buf = appendNumber(steps.buf, `{"sensorReadingTime":`, now)
		steps.buf = append(steps.buf, serial...)
		steps.buf = append(strconv.AppendInt(steps.buf, int64(m.distance), 10), '}')
		if last && second == s.secs-1 && steps.mess != nil {
			steps.mess.last = true
		}
		goodStep, err := steps.end(start)
		if err != nil {
			return err
		}
		if !who.known {
			continue
		}
		if trusted && goodStep {
			g.stepRows[s.owner]++
		}

		// Each reading is its own measurement; the phone stamps a bundle of them with one time. One in six comes short.
		bundle := 3
		if m.rnd.below(6) == 0 {
			bundle = 2
		}
		for range bundle {
			start := len(acc.buf)
			acc.buf = strconv.AppendInt(append(acc.buf, user...), now, 10)
			acc.buf = append(m.reading(acc.buf), '}')
			good, err := acc.end(start)
			if err != nil {
				return err
			}
			if !trusted || !good {
				continue
			}
			g.expected.AccelerometerTrusted++
			if goodStep {
				g.expected.MachineLearningCurated++
			}
			if now < who.research {
				g.expected.BeforeConsent++
			}
			g.moved.set(s.owner)
		}
	}
	return nil
}

// tell calls Progress for each MiB.
func (g *generator) tell() {
	if g.options.Progress != nil && g.bytes()-g.reported >= 1<<20 {
		g.progress()
	}
}

func (g *generator) bytes() int64 {
	n := int64(0)
	for _, out := range g.outputs() {
		n += out.flushed
	}
	return n
}

func (g *generator) progress() {
	if g.options.Progress == nil {
		return
	}
	g.reported = g.bytes()
	g.options.Progress(g.customers.count+g.accelerometer.count+g.steps.count, g.reported)
}

func (g *generator) summary() *Summary {
	s := &Summary{
		Customers: g.customers.good, Accelerometer: g.accelerometer.good, StepTrainer: g.steps.good,
		Consented: g.consented, Expected: g.expected,
	}
	for _, out := range g.outputs() {
		s.Files += len(out.names)
		s.Bytes += out.bytes
		if out.mess != nil {
			s.Odd += out.mess.odd
			s.BrokenTotal += out.mess.broken
			s.Broken = append(s.Broken, out.mess.listed...)
		}
	}
	s.Expected.CustomerTrusted = g.consented
	for i, n := range g.stepRows {
		if g.moved.has(i) {
			s.Expected.CustomersCurated++
			s.Expected.StepTrainerTrusted += int64(n)
		}
	}
	return s
}
