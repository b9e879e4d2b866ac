package run_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/lake"
	"tarn/internal/query"
	"tarn/internal/run"
)

func TestGC(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	for n := range 3 {
		l.batch(n)
		l.run()
	}
	before, _ := l.tables()
	old, err := l.gc(run.GCOptions{OlderThan: time.Hour, OverHalf: true})
	if err != nil || old.Expired != 0 || len(old.Files) != 0 {
		t.Errorf("nothing is an hour old: %+v %v", old, err)
	}
	dry, err := l.gc(run.GCOptions{OlderThan: -time.Minute, DryRun: true})
	if err != nil || dry.Expired == 0 || len(dry.Files) == 0 {
		t.Fatalf("dry run: %+v %v", dry, err)
	}
	for _, f := range dry.Files {
		if _, err := os.Stat(l.path(".tarn/warehouse/" + f)); err != nil {
			t.Errorf("a dry run removed it: %v", err)
		}
	}
	// A reader keeps everything, in this process or another.
	pinned := l.pin()
	if _, err := l.gc(run.GCOptions{OlderThan: -time.Minute, OverHalf: true}); !errors.Is(err, run.ErrReaders) {
		t.Errorf("with a reader: %v", err)
	}
	if code, _, _ := l.cli("gc", "--older-than", "0"); code != 6 {
		t.Errorf("exit code with a reader: %d", code)
	}
	pinned.check()
	time.AfterFunc(200*time.Millisecond, pinned.close)
	did, err := l.gc(run.GCOptions{OlderThan: -time.Minute, OverHalf: true, Wait: true})
	if diff := cmp.Diff(dry, did); err != nil || diff != "" {
		t.Errorf("gc did not do what the dry run said: %v\n%s", err, diff)
	}
	after, _ := l.tables()
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("gc has changed the tables:\n%s", diff)
	}
	if rec := l.run(); rec.Status != run.NothingToDo {
		t.Errorf("a run after gc: %s", rec.Status)
	}
	l.batch(3)
	l.run()
}

// TestReadersWhileGCRemoves asks slow questions, over and over, while runs publish and gc removes what they leave: six times, and
// until some questions were asked.
func TestReadersWhileGCRemoves(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.batch(0)
	l.run()
	done := make(chan struct{})
	const enough = 5
	var asked atomic.Int32
	go func() {
		defer close(done)
		for n := 1; n <= 6 || asked.Load() < enough && n <= 60; n++ {
			l.batch(n)
			for _, args := range [][]string{{"run", "-q", "--wait"}, {"gc", "--older-than", "0", "--over-half", "--wait"}} {
				if out, err := l.tarn(args...).CombinedOutput(); err != nil {
					t.Errorf("%v: %v\n%s", args, err, out)
				}
			}
		}
	}()
	for {
		select {
		case <-done:
			if n := asked.Load(); n < enough {
				t.Errorf("only %d questions were asked", n)
			}
			return
		default:
		}
		// Two passes over the files, so that the second comes late.
		out, err := l.tarn("query", "SELECT count(*) FROM readings a, readings b WHERE a.v + b.v > (SELECT avg(v) FROM joined)").CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		asked.Add(1)
		// gc gets its moment.
		time.Sleep(50 * time.Millisecond)
	}
}

// TestGCAfterKill looks at what a killed run has left: a dry run says what goes, and changes nothing.
func TestGCAfterKill(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.batch(0)
	l.run()
	l.batch(1)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killAt+"=staged", lakeDir+"="+l.dir)
	if err := cmd.Run(); err == nil {
		t.Fatal("the process was not killed")
	}
	dry, err := l.gc(run.GCOptions{OlderThan: time.Hour, DryRun: true})
	if again, e := l.gc(run.GCOptions{OlderThan: time.Hour, DryRun: true}); err != nil || e != nil || len(dry.Files) < 20 || !cmp.Equal(dry, again) {
		t.Fatalf("dry run: %+v %v, and again: %+v %v", dry, err, again, e)
	}
	did, err := l.gc(run.GCOptions{OlderThan: time.Hour, OverHalf: true})
	if diff := cmp.Diff(dry, did); err != nil || diff != "" {
		t.Errorf("gc did not do what the dry run said: %v\n%s", err, diff)
	}
	if left := l.garbage(); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

// pin opens a query session as tarn query does, and goes on reading from it.
type pin struct {
	t       *testing.T
	session *query.Session
	close   func()
}

func (l *testLake) pin() pin {
	l.t.Helper()
	ctx := context.Background()
	tables, err := run.OpenTables(ctx, l.dir, run.Options{})
	if err != nil {
		l.t.Fatal(err)
	}
	reading, err := tables.Reading()
	if err != nil {
		l.t.Fatal(err)
	}
	v, err := tables.View(ctx, "")
	if err != nil {
		l.t.Fatal(err)
	}
	s, err := query.Open(ctx, tables.Database(), v, query.Options{})
	if err != nil {
		l.t.Fatal(err)
	}
	return pin{l.t, s, func() {
		if err := errors.Join(s.Close(), reading.Close(), tables.Close()); err != nil {
			l.t.Error(err)
		}
	}}
}

func (p pin) check() {
	p.t.Helper()
	rows, err := p.session.Rows(context.Background(), "SELECT r.v, j.v FROM readings r, joined j")
	if err != nil {
		p.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
	}
	if err := rows.Err(); err != nil {
		p.t.Error(err)
	}
}

// TestGCAfterSpark removes what jobs of earlier versions needed, and leaves what this one needs.
func TestGCAfterSpark(t *testing.T) {
	t.Parallel()
	for name, own := range map[string]string{"disk": ".tarn/spark", "bucket": "_tarn/spark"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLake(t)
			if name == "bucket" {
				l.inBucket(false)
			}
			l.batch(0)
			l.run()
			l.onSpark("{spark: local, submit: /bin/false}")
			// One that cannot start leaves the runner of this version.
			l.batch(1)
			if _, err := l.attempt(); err == nil {
				t.Fatal("a run on a Spark that fails")
			}
			w := l.open(run.Options{})
			for _, old := range []string{"runner-0123456789ab.py", "worker-0123456789abcdef01234567", "20200101T000000Z-0000/plan.json"} {
				if err := w.PutOwn(t.Context(), old); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			spark := func(g lake.Garbage) (out []string) {
				for _, f := range g.Files {
					if _, file, ok := strings.Cut(f, own+"/"); ok {
						out = append(out, file)
					}
				}
				return out
			}
			dry, err := l.gc(run.GCOptions{OlderThan: -time.Minute, DryRun: true})
			if err != nil || len(spark(dry)) != 3 {
				t.Errorf("it would remove %v: %v", spark(dry), err)
			}
			did, err := l.gc(run.GCOptions{OlderThan: -time.Minute, OverHalf: true})
			if diff := cmp.Diff(dry, did); err != nil || diff != "" {
				t.Errorf("gc did not do what the dry run said: %v\n%s", err, diff)
			}
			if again, err := l.gc(run.GCOptions{OlderThan: -time.Minute, OverHalf: true}); err != nil || len(spark(again)) > 0 {
				t.Errorf("once more it removes %v: %v", spark(again), err)
			}
		})
	}
}
