package enginetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tarn/internal/engine"
)

// failingModel fails at a value, in its second expression.
func failingModel(t *testing.T, w *world) {
	w.standard()
	w.declare("wrong", false, columns("id", "bigint", "n", "bigint"))
	s := w.step("wrong", "SELECT id,\n  CAST(name AS BIGINT) AS n FROM people")
	r, err := w.engine.Build(t.Context(), w.job(s), w)
	if err == nil {
		t.Fatalf("a name was taken for a number: %+v", r)
	}
	var step *engine.StepError
	if !errors.As(err, &step) || step.Table != "wrong" || step.What != "model" {
		t.Fatalf("it does not say which table: %v", err)
	}
	if m := step.Message; !strings.Contains(m, "Ann") && !strings.Contains(m, "li") && !strings.Contains(m, "Zo") {
		t.Errorf("it does not say which value: %v", m)
	}
	upper := strings.ToUpper(s.SQL)
	from, to := strings.Index(upper, "CAST("), strings.LastIndex(upper, "FROM")
	if step.Start >= 0 && (step.Start < from-1 || step.Start > to || step.End <= step.Start) {
		t.Errorf("it is at %d to %d of %s", step.Start, step.End, s.SQL)
	}
}

// interrupted stops a job that would take long.
func interrupted(t *testing.T, w *world) {
	w.has("many", "SELECT i AS id FROM range(3000000) t(i)", columns("id", "bigint"))
	w.declare("product", false, columns("n", "bigint"))
	s := w.step("product", "SELECT count(*) AS n FROM many a JOIN many b ON a.id <> b.id")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	started := make(chan struct{}, 1)
	j := w.job(s)
	j.Note = func(_ context.Context, h engine.Handle) error {
		if h.ID != "" {
			started <- struct{}{}
		}
		return w.note(ctx, h)
	}
	tell := j.Tell
	j.Tell = func(e engine.Event) {
		if w.engine.InProcess() {
			select {
			case started <- struct{}{}:
			default:
			}
		}
		tell(e)
	}
	go func() {
		<-started
		time.Sleep(300 * time.Millisecond)
		cancel()
	}()
	begin := time.Now()
	if r, err := w.engine.Build(ctx, j, w); err == nil {
		t.Fatalf("it went on: %+v", r)
	}
	if took := time.Since(begin); took > 10*time.Minute {
		t.Errorf("it took %s to stop", took)
	}
	l, ok := w.engine.(engine.Lasting)
	if !ok {
		return
	}
	// Elsewhere it goes on until it is cancelled, which returns when it can write no more.
	if err := l.Cancel(t.Context(), w.noted[len(w.noted)-1]); err != nil {
		t.Fatal(err)
	}
	if r, err := l.Resume(t.Context(), w.noted[len(w.noted)-1], w.job(), w); err == nil {
		t.Errorf("a cancelled job has a result: %+v", r)
	}
	if err := l.Remove(t.Context(), theRun); err != nil {
		t.Error(err)
	}
	left, err := l.Leftovers(t.Context(), time.Now().Add(time.Hour))
	for _, f := range left {
		if strings.Contains(f.Location, theRun) {
			t.Errorf("left behind: %s", f.Location)
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// foundAgain lets another process wait for a job.
func foundAgain(t *testing.T, w *world, l engine.Lasting) {
	w.standard()
	w.declare("clean", false, peopleColumns())
	gone := errors.New("the process is gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	j := w.job(w.step("clean", "SELECT * FROM people WHERE id < 2"))
	j.Note = func(ctx context.Context, h engine.Handle) error {
		if h.ID != "" {
			cancel(gone)
		}
		return w.note(ctx, h)
	}
	if _, err := l.Build(ctx, j, w); err == nil {
		t.Fatal("it has not noticed that its process is gone")
	}
	if len(w.noted) != 2 || w.noted[0].ID != "" || w.noted[1].ID == "" || w.noted[0].Run != theRun {
		t.Fatalf("noted: %+v", w.noted)
	}
	again := w.open().(engine.Lasting)
	// The first note is enough, as a process can die before the second.
	r, err := again.Resume(t.Context(), w.noted[0], w.job(), w)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "clean", w.rows(r.Steps[0]), `{"id":1,"name":" Ann ","v":1.5,"seen":"2026-03-01 10:00:00.000001"}`)
	if len(w.noted) > 2 {
		t.Errorf("it was started again: %+v", w.noted)
	}
}

// notStarted lets another process start a job that was only prepared.
func notStarted(t *testing.T, w *world, l engine.Lasting) {
	w.standard()
	w.declare("clean", false, peopleColumns())
	gone := errors.New("the process is gone")
	j := w.job(w.step("clean", "SELECT * FROM people WHERE id < 2"))
	j.Note = func(ctx context.Context, h engine.Handle) error { return errors.Join(w.note(ctx, h), gone) }
	if _, err := l.Build(t.Context(), j, w); !errors.Is(err, gone) {
		t.Fatalf("a job was started that is not noted: %v", err)
	}
	r, err := w.open().(engine.Lasting).Resume(t.Context(), w.noted[0], w.job(), w)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "clean", w.rows(r.Steps[0]), `{"id":1,"name":" Ann ","v":1.5,"seen":"2026-03-01 10:00:00.000001"}`)
	if last := w.noted[len(w.noted)-1]; last.ID == "" {
		t.Error("the job that it has started is not noted")
	}
}
