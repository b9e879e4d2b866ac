package cli

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"tarn/internal/run"
)

// progress shows a run's events on stderr: bars on a terminal, and elsewhere plain lines, but nothing for a run that takes
// less than a second.
type progress struct {
	mu      sync.Mutex
	w       io.Writer
	bars    *mpb.Progress
	tables  map[string]*tableProgress
	started time.Time
	silent  bool
}

// tableProgress is what is known of one table. The bars' own goroutine reads phase, so it must not need the lock: adding a
// bar waits for that goroutine.
type tableProgress struct {
	bar   *mpb.Bar
	phase atomic.Value
	rows  atomic.Int64
	told  time.Time
	begun time.Time
}

// plainEvery is how often a load that goes on is told in a plain line.
const plainEvery = 5 * time.Second

func (a *app) progress() *progress {
	p := newProgress(a.stderr)
	p.silent = a.quiet
	if terminal(a.stderr) && !a.quiet {
		p.draw()
	}
	return p
}

func newProgress(w io.Writer) *progress {
	return &progress{w: w, tables: map[string]*tableProgress{}, started: time.Now()}
}

// draw shows bars in place of lines.
func (p *progress) draw(options ...mpb.ContainerOption) {
	p.bars = mpb.New(append([]mpb.ContainerOption{mpb.WithOutput(p.w), mpb.WithWidth(24), mpb.WithRefreshRate(100 * time.Millisecond)}, options...)...)
}

func (p *progress) event(e run.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent || e.Table == "" {
		return
	}
	t := p.tables[e.Table]
	if t == nil {
		t = &tableProgress{told: time.Now(), begun: time.Now()}
		t.phase.Store(e.Phase)
		p.tables[e.Table] = t
		if p.bars != nil {
			t.bar = p.bars.AddBar(0, mpb.BarRemoveOnComplete(),
				mpb.PrependDecorators(decor.Name(e.Table, decor.WCSyncSpaceR), decor.Any(func(decor.Statistics) string { return t.phase.Load().(string) }, decor.WCSyncSpaceR)),
				mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string { return t.remaining(s.Current, s.Total) })))
		}
	}
	if e.Phase != "" {
		t.phase.Store(e.Phase)
	}
	t.rows.Store(e.Rows)
	if t.bar == nil {
		p.line(t, e)
		return
	}
	if e.Total > 0 {
		t.bar.SetTotal(e.Total, false)
		t.bar.SetCurrent(e.Done)
	}
	if e.Finished {
		t.bar.SetTotal(-1, true)
	}
}

// remaining tells how far the table is.
func (t *tableProgress) remaining(current, total int64) string {
	return remaining(t.phase.Load() == "load", t.rows.Load(), current, total, time.Since(t.begun))
}

// remaining tells how far a table is and how long the rest takes at the pace so far; work without a measure only has its
// time. What is loaded is measured in bytes.
func remaining(load bool, rows, current, total int64, took time.Duration) string {
	if total <= 0 {
		return took.Round(time.Second).String()
	}
	text := fmt.Sprintf("%d %%", 100*current/total)
	if load {
		text = fmt.Sprintf("%s of %s", bytes(current), bytes(total))
	}
	if rows > 0 {
		text = plural(rows, "row") + ", " + text
	}
	if current > 0 && current < total && took > time.Second {
		left := took.Seconds() * float64(total-current) / float64(current)
		text += fmt.Sprintf(", %.0f s left", left)
	}
	return text
}

// line tells of a table in a plain line: when it is finished, and from time to time before.
func (p *progress) line(t *tableProgress, e run.Event) {
	now := time.Now()
	took := now.Sub(p.started)
	switch {
	case e.Finished && took > time.Second:
		fmt.Fprintf(p.w, "%6.1f s  %s  %s\n", took.Seconds(), e.Table, plural(e.Rows, "row"))
	case !e.Finished && e.Total > 0 && now.Sub(t.told) >= plainEvery:
		t.told = now
		fmt.Fprintf(p.w, "%6.1f s  %s  %s  %s\n", took.Seconds(), e.Table, t.phase.Load(), t.remaining(e.Done, e.Total))
	}
}

// done ends the bars; nothing is left of them on the screen.
func (p *progress) done() {
	p.mu.Lock()
	p.silent = true
	p.mu.Unlock()
	if p.bars == nil {
		return
	}
	for _, t := range p.tables {
		t.bar.Abort(true)
	}
	p.bars.Wait()
}

// counter shows how many rows were written: one line that is redrawn on a terminal, elsewhere a plain line every five
// seconds, and nothing for work of less than a second.
type counter struct {
	w       io.Writer
	redraw  bool
	silent  bool
	started time.Time
	shown   time.Time
}

func (a *app) counter() *counter {
	now := time.Now()
	return &counter{w: a.stderr, redraw: terminal(a.stderr), silent: a.quiet, started: now, shown: now}
}

func (c *counter) count(rows, written int64) {
	c.line(func(took time.Duration) string {
		return fmt.Sprintf("%s rows, %s, %s/s", grouped(rows), bytes(written), bytes(int64(float64(written)/took.Seconds())))
	})
}

// line shows what has been done so far, if the last one was long enough ago.
func (c *counter) line(text func(took time.Duration) string) {
	wait := plainEvery
	if c.redraw {
		wait = 100 * time.Millisecond
	}
	now := time.Now()
	took := now.Sub(c.started)
	if c.silent || took < time.Second || now.Sub(c.shown) < wait {
		return
	}
	c.shown = now
	start, end := "", "\n"
	if c.redraw {
		start, end = "\r\x1b[K", ""
	}
	fmt.Fprintf(c.w, "%s%6.1f s  %s%s", start, took.Seconds(), text(took), end)
}

// done removes a line that was redrawn.
func (c *counter) done() {
	if c.redraw && c.shown != c.started {
		fmt.Fprint(c.w, "\r\x1b[K")
	}
}
