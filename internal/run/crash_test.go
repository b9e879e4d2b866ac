package run_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestKilledAtRandom kills tarn at random instants. After each a reader has to see one run, whole: the one before or the
// new one. The next run has to end where a lake is that was never disturbed.
func TestKilledAtRandom(t *testing.T) { everywhere(t, killedAtRandom) }

func killedAtRandom(t *testing.T, newLake func(t *testing.T) *testLake) {
	kills, compare := 12, 4
	if os.Getenv("CI") != "" {
		kills, compare = 30, 10
	}
	l, calm := newLake(t), newLake(t)
	if l.bucket {
		// Requests take their time.
		kills /= 3
	}
	l.batch(0)
	calm.batch(0)
	start := time.Now()
	if out, err := l.tarn("run").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	usual := time.Since(start)
	before, _ := l.tables()
	killed, late := 0, 0
	// On a machine with other things to do, chance may let all of a few go by.
	for n := 1; n <= kills || killed < kills/4 && n <= 4*kills; n++ {
		l.batch(n)
		calm.batch(n)
		cmd := l.tarn("run", "-q")
		start := time.Now()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// The test is about the moment that chance gives, not about waiting for anything.
		time.Sleep(rand.N(usual * 5 / 4))
		if err := cmd.Process.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		err := cmd.Wait()
		var exit *exec.ExitError
		switch {
		case errors.As(err, &exit) && exit.ExitCode() == -1:
			killed++
		case err != nil:
			t.Fatalf("kill %d: tarn failed by itself: %v", n, err)
		default:
			late++
			usual = (usual + time.Since(start)) / 2
		}
		seen, _ := l.tables()
		if out, err := l.tarn("run", "-q").CombinedOutput(); err != nil {
			t.Fatalf("after kill %d: %v\n%s", n, err, out)
		}
		after, _ := l.tables()
		if !cmp.Equal(seen, before) && !cmp.Equal(seen, after) {
			t.Fatalf("after kill %d readers saw neither the run before nor the new one: %s", n, cmp.Diff(before, seen))
		}
		if n%compare == 0 {
			calm.run()
			want, _ := calm.tables()
			if diff := cmp.Diff(want, after); diff != "" {
				t.Fatalf("after kill %d and another run (-undisturbed +killed):\n%s", n, diff)
			}
		}
		before = after
	}
	t.Logf("%d killed, %d had finished", killed, late)
	if killed < kills/4 {
		t.Errorf("only %d of %d were killed in time: the test proves little", killed, kills)
	}
	if code, _, stderr := l.cli("gc", "--older-than", "0", "--over-half"); code != 0 {
		t.Fatalf("gc: %d %s", code, stderr)
	}
	if left := l.garbage(); len(left) > 0 {
		t.Errorf("gc left %v", left)
	}
	if after, _ := l.tables(); !cmp.Equal(before, after) {
		t.Errorf("gc has changed the tables: %s", cmp.Diff(before, after))
	}
}

func TestKilledAtEachStep(t *testing.T) { everywhere(t, killedAtEachStep) }

func killedAtEachStep(t *testing.T, newLake func(t *testing.T) *testLake) {
	for step, visible := range map[string]bool{"built": false, "staged": false, "published": true} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			l, calm := newLake(t), newLake(t)
			for _, l := range []*testLake{l, calm} {
				l.batch(0)
				l.run()
				l.batch(1)
			}
			_, first := l.tables()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), killAt+"="+step, lakeDir+"="+l.dir, lakeTarget+"="+l.target)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != -1 {
				t.Fatalf("the process was not killed: %v\n%s", err, out)
			}
			if _, now := l.tables(); (now != first) != visible {
				t.Errorf("killed when %s: readers see run %s, before it was %s", step, now, first)
			}
			rec := l.run()
			if nothing := rec.Status == "nothing_to_do"; nothing != visible {
				t.Errorf("the next run says %s", rec.Status)
			}
			calm.run()
			got, _ := l.tables()
			want, _ := calm.tables()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-undisturbed +killed:\n%s", diff)
			}
			// What the killed run had staged is gone with the next run: only what any two runs leave for gc is there.
			if diff := cmp.Diff(kinds(calm.garbage()), kinds(l.garbage())); diff != "" {
				t.Errorf("garbage (-undisturbed +killed):\n%s", diff)
			}
		})
	}
}

// kinds counts files by folder and what is the same in the names of one kind. How many data files a table has is up to
// the engine's threads, so those of one folder count once.
func kinds(files []string) map[string]int {
	random := regexp.MustCompile(`[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+`)
	out, folders := map[string]int{}, map[string]bool{}
	for _, f := range files {
		if dir := path.Dir(f); path.Ext(f) == ".parquet" {
			if folders[dir] {
				continue
			}
			folders[dir] = true
		}
		out[random.ReplaceAllString(f, "*")]++
	}
	return out
}

// TestInterrupted sends the signals that end a program at each step of a run.
func TestInterrupted(t *testing.T) { everywhere(t, interrupted) }

func interrupted(t *testing.T, newLake func(t *testing.T) *testLake) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		for _, step := range []string{"built", "staged"} {
			t.Run(sig.String()+" when "+step, func(t *testing.T) {
				t.Parallel()
				l := newLake(t)
				l.batch(0)
				l.run()
				l.batch(1)
				before, first := l.tables()
				garbage := l.garbage()
				cmd := l.tarn("run", "-q")
				cmd.Env = append(cmd.Env, signalAt+"="+step, signalIs+"="+strconv.Itoa(int(sig)))
				out, err := cmd.CombinedOutput()
				var exit *exec.ExitError
				if !errors.As(err, &exit) || exit.ExitCode() != 130 {
					t.Fatalf("%v, want exit code 130\n%s", err, out)
				}
				if !strings.Contains(string(out), "interrupted: nothing was published") {
					t.Errorf("tarn says %q", out)
				}
				if after, now := l.tables(); now != first || !cmp.Equal(before, after) {
					t.Errorf("readers see run %s after an interrupt, before it was %s", now, first)
				}
				if diff := cmp.Diff(garbage, l.garbage()); diff != "" {
					t.Errorf("an interrupted run left (-before +after):\n%s", diff)
				}
			})
		}
	}
}

// TestInterruptedAtRandom interrupts tarn at random instants. It either has published and says so, or has not.
func TestInterruptedAtRandom(t *testing.T) {
	t.Parallel()
	l := newLake(t)
	l.batch(0)
	l.run()
	interrupted := 0
	for n := 1; n <= 12; n++ {
		l.batch(n)
		_, first := l.tables()
		cmd := l.tarn("run", "-q")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(300 * time.Millisecond))
		if err := cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		err := cmd.Wait()
		var exit *exec.ExitError
		code := 0
		if errors.As(err, &exit) {
			code = exit.ExitCode()
		}
		// -1: the signal came before tarn listened.
		if code != 0 && code != -1 && code != 130 {
			t.Fatalf("interrupt %d: %v", n, err)
		}
		if code == 130 {
			interrupted++
		}
		if _, now := l.tables(); (now != first) != (code == 0) {
			t.Errorf("interrupt %d: exit code %d, and readers see run %s, before it was %s", n, code, now, first)
		}
	}
	t.Logf("%d interrupted in the middle", interrupted)
}
