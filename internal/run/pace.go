package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"tarn/internal/lake"
	"tarn/internal/plan"
	"tarn/internal/words"
)

// A process can have less time than its run needs: a function of AWS Lambda ends after fifteen minutes. Then it begins no step that
// would not come to its end, writes down what is done, and the next process goes on. A step that is cut short is lost, and nothing else.

const (
	// savingShare is the part of a process's time that is kept for writing down what is done, at most mostSaving.
	savingShare, mostSaving = 10, 15 * time.Second
	// publishing and publishingEach are what a publish takes at most times, and for each table: a call of a catalog, and three
	// requests of a store.
	publishing, publishingEach = 2 * time.Second, 400 * time.Millisecond
	// mostCuts is how many processes may have no time left in the middle of one step, and nothing else done.
	mostCuts = 3
	// slower is how much longer a step may take than it did before.
	slower = 1.3
)

// errOutOfTime is the cause of a context that ended because the process's time is over.
var errOutOfTime = errors.New("there is no time left")

// ContinueError says that a run is not done, and that another process goes on with it: a run of the same lake, definitions and
// selection, and of the same owner if it has one, which still holds the lock then.
type ContinueError struct {
	// Run is the id under which it goes on.
	Run string
	// Done and Steps count the tables that are made, and all that there are to make.
	Done, Steps int
	// Read and ToRead count landing files of tables that are read in batches.
	Read, ToRead int
}

func (e *ContinueError) Error() string {
	read := ""
	if e.ToRead > 0 {
		read = fmt.Sprintf(", %s of %s landing files are read", words.Grouped(int64(e.Read)), words.Grouped(int64(e.ToRead)))
	}
	return fmt.Sprintf("run %s is not done: %d of %d tables are made%s, and the next process goes on", e.Run, e.Done, e.Steps, read)
}

// TooLongError says that a step takes longer than a process has time, so that going on would never come to an end.
type TooLongError struct {
	// Table is what is not made, and "" where a process does not even get to that.
	Table string
	// Time is what the process had.
	Time time.Duration
}

func (e *TooLongError) Error() string {
	if e.Table == "" {
		return fmt.Sprintf("no step of the run is begun within %s, %d times in a row: a run's process has no more time", e.Time.Round(time.Second), mostCuts)
	}
	return fmt.Sprintf("table %s is not made within %s, %d times in a row: a run's process has no more time", e.Table, e.Time.Round(time.Second), mostCuts)
}

// Hint says what to do about it.
func (e *TooLongError) Hint() string {
	return "give the function more memory, which gives it more of a processor, or let Spark do it: engine of the target, or deploy: {engine: glue}"
}

// pace knows how much time a process has left, and what steps take.
type pace struct {
	// begun is when the process began, deadline when it ends, and until when work has to stop; zero is no bound.
	begun, deadline, until time.Time
	// past is what steps took in earlier runs, by table.
	past map[string]took

	mu   sync.Mutex
	stop context.CancelCauseFunc
	// running are the steps that are under way, put those that were not begun for want of time.
	running, put map[string]bool
	ended        int
	// cut counts how often a step was cut short with nothing else done, in earlier processes of the run too.
	cut map[string]int
	// spent and worked are the seconds and the sizes of the steps that this process has done: of models, and of landing tables.
	spent, worked map[bool]float64
}

// amount is how much there is to do for a step: rows that a model reads, or files to be loaded. They don't compare.
type amount struct {
	n     float64
	files bool
}

// took is what a step took, and how much there was to do: rows that a model has read, files that were loaded.
type took struct{ seconds, size float64 }

func newPace(deadline time.Time) *pace {
	p := &pace{begun: time.Now(), deadline: deadline, running: map[string]bool{}, put: map[string]bool{}, cut: map[string]int{},
		spent: map[bool]float64{}, worked: map[bool]float64{}}
	if !deadline.IsZero() {
		p.until = deadline.Add(-min(mostSaving, deadline.Sub(p.begun)/savingShare))
	}
	return p
}

// bound gives a context that ends when work has to stop.
func (p *pace) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.until.IsZero() {
		return ctx, func() {}
	}
	ctx, p.stop = context.WithCancelCause(ctx)
	left := time.Until(p.until)
	if left <= 0 {
		p.over()
	}
	timer := time.AfterFunc(left, p.over)
	return ctx, func() {
		timer.Stop()
		p.stop(nil)
	}
}

// over ends the time for work.
func (p *pace) over() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); now.Before(p.until) {
		p.until = now
	}
	p.stop(errOutOfTime)
}

// begin reports whether a step of some size may begin. The first one always may: otherwise nothing would ever be done.
func (p *pace) begin(table string, size amount) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.until.IsZero() && p.ended+len(p.running) > 0 && time.Now().Add(p.expected(table, size)).After(p.until) {
		p.put[table] = true
		return false
	}
	p.running[table] = true
	return true
}

// expected is what a step will take: what it took in the last run, or what others have taken in this one.
func (p *pace) expected(table string, size amount) time.Duration {
	seconds := 0.0
	if was, ok := p.past[table]; ok {
		if seconds = was.seconds; was.size > 0 && size.n > 0 {
			seconds *= size.n / was.size
		}
	} else if worked := p.worked[size.files]; worked > 0 {
		seconds = p.spent[size.files] * size.n / worked
	}
	return time.Duration(slower * seconds * float64(time.Second))
}

// end notes that a step is done.
func (p *pace) end(table string, size amount, seconds float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.running, table)
	p.ended++
	p.worked[size.files] += size.n
	p.spent[size.files] += seconds
}

// putOff reports whether a table was not begun for want of time; with a name that is none it puts that off as well.
func (p *pace) putOff(tables ...string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(tables, func(t string) bool { return p.put[t] })
}

// wait puts a table off because one that it reads was.
func (p *pace) wait(table string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.put[table] = true
}

// any reports whether some step was put off.
func (p *pace) any() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.put) > 0
}

// publishes reports whether there is time to publish some tables. A process that has done nothing else tries in any case.
func (p *pace) publishes(tables int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.deadline.IsZero() || p.ended == 0 || time.Now().Add(publishing+time.Duration(tables)*publishingEach).Before(p.deadline)
}

// hasCut counts the steps that were under way when the time was over, and gives one that never comes to its end. A process that
// has done another step counts none: the run gets on, and the step that was cut had only a part of the time.
func (p *pace) hasCut() (table string, never bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended > 0 {
		return "", false
	}
	for _, t := range slices.Sorted(maps.Keys(p.running)) {
		if p.cut[t]++; p.cut[t] >= mostCuts {
			table, never = t, true
		}
	}
	return table, never
}

// size is how much there is to do for a step.
func (x *execution) size(s plan.Step) amount {
	if s.Table.Landing != nil {
		return amount{float64(len(s.Work.Read())), true}
	}
	var n float64
	for _, in := range s.Table.Inputs {
		if st := x.state(x.w.Graph.Table(in).Name); st != nil {
			n += float64(st.rows)
		}
	}
	return amount{n: n}
}

// done reports whether a step's table is made.
func (x *execution) done(s plan.Step) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.finished[s.Table.Name]
}

// tookBefore reads what the steps of the last runs took, which the engine in the process has done.
func (w *Workspace) tookBefore(ctx context.Context, v *lake.View) (map[string]took, error) {
	out := map[string]took{}
	err := w.pastRecords(ctx, v, func(_ string, _ float64, r Record) {
		rows, loaded := map[string]int64{}, map[string]int{}
		for _, t := range r.Tables {
			rows[t.Name] = t.Rows
		}
		for _, l := range r.Load {
			loaded[l.Table] = l.New + l.Changed + l.Reloaded
		}
		for _, t := range r.Tables {
			g := w.Graph.Table(t.Name)
			if _, known := out[t.Name]; known || g == nil || t.Action != plan.Load && t.Action != plan.Rebuild {
				continue
			}
			k := took{seconds: t.Seconds, size: float64(loaded[t.Name])}
			for _, in := range g.Inputs {
				k.size += float64(rows[w.Graph.Table(in).Name])
			}
			out[t.Name] = k
		}
	})
	return out, err
}

// pastRecords gives the last runs whose models the engine in the process has made, the newest first, with the seconds that each took.
func (w *Workspace) pastRecords(ctx context.Context, v *lake.View, each func(run string, seconds float64, r Record)) error {
	const last = 20
	query := fmt.Sprintf("SELECT run_id, record, epoch(finished_at) - epoch(started_at) FROM %%s WHERE kind = 'run' ORDER BY finished_at DESC, run_id DESC LIMIT %d", last)
	return w.scan(ctx, v, RunsTable, query, func(next func(...any) error) error {
		var id, record string
		var seconds float64
		if err := next(&id, &record, &seconds); err != nil {
			return err
		}
		var r Record
		if json.Unmarshal([]byte(record), &r) == nil && !madeElsewhere(r) {
			each(id, seconds, r)
		}
		return nil
	})
}

// timed does work within the time that there is. The error is errOutOfTime where that was too short.
func (x *execution) timed(ctx context.Context, do func(context.Context) error) error {
	within, stop := x.pace.bound(ctx)
	defer stop()
	err := do(within)
	switch {
	case err == nil && x.pace.any():
		return errOutOfTime
	case err != nil && ctx.Err() == nil && errors.Is(context.Cause(within), errOutOfTime):
		return errOutOfTime
	}
	return err
}

// pause writes down what is done of a run whose time is over, and gives the error that it ends with.
func (x *execution) pause(ctx context.Context) error {
	e := &ContinueError{Run: x.id, Read: x.read, ToRead: x.toRead}
	if !x.begun {
		return x.unbegun(ctx, e)
	}
	x.tidyCut()
	delete(x.pace.cut, "")
	landing := true
	for _, s := range x.plan.Steps {
		if !s.Works() {
			continue
		}
		e.Steps++
		if x.done(s) {
			e.Done++
		} else {
			landing = landing && s.Table.Landing == nil
			if err := x.quarantine.Forget(ctx, s.Table.Name); err != nil {
				return err
			}
		}
	}
	if table, never := x.pace.hasCut(); never {
		return &TooLongError{Table: table, Time: x.pace.until.Sub(x.pace.begun)}
	}
	if job := x.w.leaving.job; job != nil && (job.Run == x.id || !landing) {
		// Its note has all that is done.
		return e
	}
	if _, err := x.save(ctx, nil, false); err != nil {
		return err
	}
	x.w.reached("saved")
	return e
}

// unbegun is [execution.pause] where the time was over before the first step. What others have done of the run stays as it is.
func (x *execution) unbegun(ctx context.Context, e *ContinueError) error {
	late := &TooLongError{Time: x.pace.until.Sub(x.pace.begun)}
	if x.left == nil {
		return fmt.Errorf("%w: the run has not begun within %s", context.DeadlineExceeded, late.Time.Round(time.Millisecond))
	}
	if x.left.Cut == nil {
		x.left.Cut = map[string]int{}
	}
	if x.left.Cut[late.Table]++; x.left.Cut[late.Table] >= mostCuts {
		return late
	}
	for _, s := range x.left.Steps {
		if s.Action != plan.None && s.Action != plan.Hold {
			e.Steps++
		}
	}
	e.Done = len(x.left.Done)
	if err := x.w.note(ctx, x.left); err != nil {
		return err
	}
	return e
}

// tidyCut forgets what steps have noted that did not come to their end.
func (x *execution) tidyCut() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, s := range x.plan.Steps {
		if name := s.Table.Name; !x.finished[name] {
			delete(x.reread, name)
			delete(x.again, name)
			delete(x.rebuilt, name)
		}
	}
}
