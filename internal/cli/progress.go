package cli

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"tarn/internal/run"
)

// progress shows a run's events on stderr: bars on a terminal, and elsewhere one plain line per finished table, but
// nothing for a run that takes less than a second.
type progress struct {
	mu      sync.Mutex
	w       io.Writer
	bars    *mpb.Progress
	byTable map[string]*mpb.Bar
	phase   map[string]string
	started time.Time
	silent  bool
}

func (a *app) progress() *progress {
	p := &progress{w: a.stderr, byTable: map[string]*mpb.Bar{}, phase: map[string]string{}, started: time.Now(), silent: a.quiet}
	if terminal(a.stderr) && !a.quiet {
		p.bars = mpb.New(mpb.WithOutput(a.stderr), mpb.WithWidth(32), mpb.WithRefreshRate(100*time.Millisecond))
	}
	return p
}

func (p *progress) event(e run.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent || e.Table == "" {
		return
	}
	if p.bars == nil {
		if e.Finished && time.Since(p.started) > time.Second {
			fmt.Fprintf(p.w, "%6.1f s  %s  %s rows\n", time.Since(p.started).Seconds(), e.Table, grouped(e.Rows))
		}
		return
	}
	bar := p.byTable[e.Table]
	if bar == nil {
		name := e.Table
		bar = p.bars.AddBar(0, mpb.BarRemoveOnComplete(), mpb.PrependDecorators(decor.Name(name, decor.WCSyncSpaceR), decor.Any(func(decor.Statistics) string {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.phase[name]
		}, decor.WCSyncSpaceR)), mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f"), decor.Name(" "), decor.EwmaETA(decor.ET_STYLE_GO, 30)))
		p.byTable[e.Table] = bar
	}
	if e.Phase != "" {
		p.phase[e.Table] = e.Phase
	}
	if e.Total > 0 {
		bar.SetTotal(e.Total, false)
		bar.SetCurrent(e.Done)
	}
	if e.Finished {
		bar.SetTotal(-1, true)
	}
}

// done ends the bars; nothing is left of them on the screen.
func (p *progress) done() {
	p.mu.Lock()
	bars := p.byTable
	all := p.bars
	p.silent = true
	p.mu.Unlock()
	for _, b := range bars {
		b.Abort(true)
	}
	if all != nil {
		all.Wait()
	}
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
	wait := 5 * time.Second
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
	fmt.Fprintf(c.w, "%s%6.1f s  %s rows, %s, %s/s%s", start, took.Seconds(), grouped(rows), bytes(written), bytes(int64(float64(written)/took.Seconds())), end)
}

// done removes a line that was redrawn.
func (c *counter) done() {
	if c.redraw && c.shown != c.started {
		fmt.Fprint(c.w, "\r\x1b[K")
	}
}
