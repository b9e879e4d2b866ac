package run_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tarn/internal/awsconf"
	"tarn/internal/cache"
	"tarn/internal/check"
	"tarn/internal/engine/spark"
	"tarn/internal/exetest"
	"tarn/internal/ledger"
	"tarn/internal/run"
	"tarn/internal/store"
	"tarn/internal/store/registry"
)

const (
	// asSpark lets the test binary be a spark-submit that shares batches out and knows no SQL.
	asSpark = "TARN_TEST_AS_SPARK"
	// attempts says how it does a batch: see [sparkStandIn].
	attempts = "TARN_TEST_ATTEMPTS"
)

// sparkStandIn does the batches of a plan as Spark would, each by a process. With attempts=killed, the first process of each
// batch is killed at some instant; with attempts=twice, two do it at once, as with speculation; with attempts=failing, the last
// batch fails, and with attempts=waiting it takes a minute.
func sparkStandIn(args []string) int {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	location := ""
	for i, a := range args {
		if a == "--tarn-plan" {
			location = args[i+1]
		}
	}
	raw, err := fetch(context.Background(), location)
	if err != nil {
		return fail(err)
	}
	var p spark.Plan
	if err := json.Unmarshal(raw, &p); err != nil {
		return fail(err)
	}
	if p.Load == nil || len(p.Steps) > 0 {
		return fail(fmt.Errorf("the stand-in for Spark cannot run models"))
	}
	result := spark.Result{Run: p.Run, Spark: "stand-in"}
	for i, b := range p.Load.Batches {
		worker := func(kill time.Duration) error {
			cmd := exec.Command(p.Load.Worker, append(append([]string{"worker", "--attached"}, p.Load.Args...), b.Location)...)
			var told bytes.Buffer
			cmd.Stderr = &told
			cmd.Env = append(os.Environ(), asSpark+"=", asTarn+"=1")
			in, err := cmd.StdinPipe()
			if err == nil {
				err = cmd.Start()
			}
			if err != nil {
				return err
			}
			if kill > 0 {
				time.AfterFunc(kill, func() { _ = cmd.Process.Signal(syscall.SIGKILL) })
			}
			err = cmd.Wait()
			_ = in.Close()
			if err != nil {
				return fmt.Errorf("%w: %s", err, told.String())
			}
			return nil
		}
		err := error(nil)
		switch os.Getenv(attempts) {
		case "killed":
			_ = worker(time.Duration(i+1) * 17 * time.Millisecond)
			err = worker(0)
		case "twice":
			var wg sync.WaitGroup
			var other error
			wg.Go(func() { other = worker(0) })
			if err = worker(0); err == nil {
				wg.Wait()
				err = other
			}
		case "waiting":
			if err = worker(0); i == len(p.Load.Batches)-1 {
				time.Sleep(10 * time.Minute) // it is ended by what the test does
			}
		case "failing":
			if i == len(p.Load.Batches)-1 {
				err = fmt.Errorf("error: no space left")
				break
			}
			fallthrough
		default:
			err = worker(0)
		}
		if err != nil {
			result.Error = &spark.StepError{Table: b.Table, What: "load", Message: err.Error(), Start: -1, End: -1}
			break
		}
	}
	raw, err = json.Marshal(result)
	if err == nil {
		err = putRaw(p.Place+"result.json", raw)
	}
	if err != nil {
		return fail(err)
	}
	if result.Error != nil {
		return 1
	}
	return 0
}

// loading gives a lake without models a target whose landing files are read by the stand-in for Spark.
func (l *testLake) loading(load, attempt string) *testLake {
	l.t.Helper()
	submit := filepath.Join(l.t.TempDir(), "submit")
	script := fmt.Sprintf("#!/bin/sh\n%s= %s=1 %s=%s exec '%s' \"$@\"\n", asTarn, asSpark, attempts, attempt, os.Args[0])
	if err := exetest.WriteFile(submit, []byte(script)); err != nil {
		l.t.Fatal(err)
	}
	raw, err := os.ReadFile(l.path("tarn.yaml"))
	if err != nil {
		l.t.Fatal(err)
	}
	l.write("tarn.yaml", string(raw)+fmt.Sprintf("targets: {spark: {engine: {spark: local, submit: %q, load: %s}}}\n", submit, load))
	l.target = "spark"
	return l
}

// landingOnly takes the models out of a lake, and gives its landing tables checks of every kind that can be there without.
func landingOnly(l *testLake) {
	for _, folder := range []string{"trusted", "curated"} {
		l.remove(folder)
	}
	l.write("landing/people_landing.yml", `checks:
  - {name: there, not_null: id}
  - {name: odd, expect: "mod(id, 7) <> 5", on_fail: drop}
  - {name: named, expect: "name <> ' person 11'", on_fail: quarantine}
  - {name: one, unique: id, on_fail: warn}
  - {name: read, references: {column: id, table: readings_landing, to: person}, on_fail: quarantine}
`)
	l.write("landing/notes_landing.sql", "CREATE EXTERNAL TABLE small.notes_landing (id bigint, note string)\n"+
		"ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'\nLOCATION 's3://raw/notes/'\n")
	l.write("landing/notes_landing.yml", "checks: [{name: there, not_null: id, on_fail: warn}]\n")
}

// mess lands files that nobody would want: cut off, several objects in a line, compressed, wrong types, fields too many.
func (l *testLake) mess() {
	l.t.Helper()
	var gz bytes.Buffer
	w := gzip.NewWriter(&gz)
	for i := range 300 {
		fmt.Fprintf(w, "{\"person\": %d, \"ts\": %d, \"v\": 1.5}\n", i%20, 1700000000000+i)
	}
	if err := w.Close(); err != nil {
		l.t.Fatal(err)
	}
	l.land("readings/whole.json.gz", gz.String())
	l.land("readings/cut.json.gz", gz.String()[:gz.Len()*2/3])
	l.land("readings/concatenated.json", `{"person":1,"ts":1,"v":1}{"person":2,"ts":2,"v":2} {"person":3,"ts":"x","v":3}`)
	l.land("readings/cut.json", "{\"person\": 1, \"ts\": 1700000000000, \"v\": 1}\n{\"person\": 2, \"ts\": 17000")
	l.land("people/more.json", "{\"id\": 77, \"name\": \"x\", \"consent\": true, \"shoe\": 44}\n{\"id\": \"seven\"}\n{\"id\": 78, \"consent\": \"maybe\"}\n")
	l.land("people/empty.json", "")
	l.land("people/ü b%20.json", "{\"id\": 79, \"name\": \"ü\", \"consent\": false}\n")
	l.land("notes/a.json", "{\"id\": 1, \"note\": \"a\"}\n{\"id\": 2}\n")
}

// sameRecord compares what two runs have said of the same work.
func sameRecord(t *testing.T, want, got *run.Record) {
	t.Helper()
	diff := cmp.Diff(want, got, cmpopts.IgnoreFields(run.Record{}, "Run", "Started", "Finished", "Seconds", "Versions"),
		cmpopts.IgnoreFields(run.TableRecord{}, "Seconds"), cmpopts.IgnoreFields(run.LoadRecord{}, "Dir", "Swept"),
		cmpopts.IgnoreFields(check.Result{}, "Seconds", "Sample", "Rest"), cmpopts.IgnoreUnexported(check.Result{}), cmpopts.IgnoreUnexported(ledger.Account{}))
	if diff != "" {
		t.Errorf("the record (-here +Spark):\n%s", diff)
	}
}

// TestLandingOnSpark reads landing files here and on the machines of a stand-in for Spark, whose processes are killed and
// repeated: tables, quarantine, account and record have to be the same, for new, changed and pruned files and a changed
// definition.
func TestLandingOnSpark(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lake    func(t *testing.T) *testLake
		attempt string
	}{
		"disk":                         {newLake, ""},
		"bucket":                       {func(t *testing.T) *testLake { return newLake(t).inBucket(true) }, ""},
		"bucket, processes are killed": {func(t *testing.T) *testLake { return newLake(t).inBucket(true) }, "killed"},
		"bucket, done twice":           {func(t *testing.T) *testLake { return newLake(t).inBucket(true) }, "twice"},
		"disk, processes are killed":   {newLake, "killed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			here, l := newLake(t), c.lake(t).loading("spark", c.attempt)
			both := func(do func(l *testLake)) {
				do(here)
				do(l)
			}
			same := func(o run.RunOptions) {
				t.Helper()
				want, err := here.attemptWith(o)
				if err != nil {
					t.Fatal(err)
				}
				got, err := l.attemptWith(o)
				if err != nil {
					t.Fatal(err)
				}
				sameRecord(t, want, got)
				rows, _ := here.tables()
				have, _ := l.tables()
				if diff := cmp.Diff(rows, have); diff != "" {
					t.Errorf("the tables (-here +Spark):\n%s", diff)
				}
				if left := l.jobFolder(); len(left) > 0 {
					t.Errorf("of the job there is still %v", left)
				}
			}
			both(landingOnly)
			both(func(l *testLake) {
				l.batch(0)
				l.batch(1)
				l.mess()
			})
			same(run.RunOptions{})
			if left := l.garbage(); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			both(func(l *testLake) {
				l.batch(2)
				l.land("readings/001.json", "{\"person\": 5, \"ts\": 5, \"v\": 5}\n")
				l.land("notes/b.json", "{\"id\": 3, \"note\": \"b\"}\n")
			})
			same(run.RunOptions{})
			both(func(l *testLake) {
				l.replace("landing/readings_landing.sql", "v double", "v double, w bigint")
				l.replace("landing/people_landing.yml", "person 11", "person 12")
			})
			same(run.RunOptions{Selection: run.Selection{Prune: true}})
		})
	}
}

// TestSparkLoadFails lets a batch fail: the run fails with its message, readers see what they saw, and nothing is left.
func TestSparkLoadFails(t *testing.T) {
	t.Parallel()
	l := newLake(t).inBucket(true).loading("spark", "failing")
	landingOnly(l)
	l.batch(0)
	_, err := l.attempt()
	if err == nil || !strings.Contains(err.Error(), "load readings_landing on Spark: error: no space left") {
		t.Errorf("the run says %v", err)
	}
	if rows, _ := l.tables(); len(rows) > 0 {
		t.Errorf("readers see %v", rows)
	}
	if left := l.garbage(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestInterruptEndsTheLoad presses Ctrl-C while Spark reads landing files: the job ends, and nothing of it is left.
func TestInterruptEndsTheLoad(t *testing.T) {
	t.Parallel()
	l := newLake(t).inBucket(true).loading("spark", "waiting")
	landingOnly(l)
	l.batch(0)
	cmd := l.tarn("run", "-q")
	cmd.Env = append(cmd.Env, signalAt+"=job noted", fmt.Sprintf("%s=%d", signalIs, syscall.SIGINT))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Fatalf("%v, want exit code 130\n%s", err, out)
	}
	if left := l.jobFolder(); len(left) > 0 {
		t.Errorf("of the job there is still %v", left)
	}
	if left := l.garbage(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestSparkLoadOutlivesItsTerminal kills tarn at each step of a run whose landing files Spark reads. The next run goes on with
// the job where there is one, and comes to the tables of a lake that was never disturbed.
func TestSparkLoadOutlivesItsTerminal(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"job prepared", "job started", "job noted", "landing taken", "staged"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			here, l := newLake(t), newLake(t).inBucket(true).loading("spark", "")
			for _, l := range []*testLake{here, l} {
				landingOnly(l)
				l.batch(0)
				l.mess()
			}
			cmd := l.tarn("run", "-q")
			cmd.Env = append(cmd.Env, signalAt+"="+step, fmt.Sprintf("%s=%d", signalIs, syscall.SIGKILL))
			if out, err := cmd.CombinedOutput(); err == nil {
				t.Fatalf("the run went on\n%s", out)
			}
			told := ""
			rec, err := l.attemptWith(run.RunOptions{Resuming: func(run, _ string) { told = run }, Wait: true})
			if err != nil || rec.Run != told {
				t.Fatalf("run %s, went on with %q: %v", rec.Run, told, err)
			}
			sameRecord(t, here.run(), rec)
			want, _ := here.tables()
			got, id := l.tables()
			if diff := cmp.Diff(want, got); diff != "" || id != told {
				t.Errorf("the tables of run %s (-here +Spark):\n%s", id, diff)
			}
			if left := l.jobFolder(); len(left) > 0 {
				t.Errorf("of the job there is still %v", left)
			}
			if rec := l.run(); rec.Status != run.NothingToDo {
				t.Errorf("the run after says %s", rec.Status)
			}
		})
	}
}

// TestSparkLoadNeedsNoDisk loads more than the disk may take: rows that nothing here has to see stay where they are.
func TestSparkLoadNeedsNoDisk(t *testing.T) {
	t.Parallel()
	l := newLake(t).inBucket(true).loading("spark", "")
	landingOnly(l)
	for _, name := range []string{"people_landing", "notes_landing"} {
		l.remove("landing/" + name + ".sql")
		l.remove("landing/" + name + ".yml")
	}
	raw, err := os.ReadFile(l.path("tarn.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	l.write("tarn.yaml", "disk: 1MB\n"+string(raw))
	r := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	for range 120_000 {
		fmt.Fprintf(&text, "{\"person\": %d, \"ts\": %d, \"v\": %v}\n", r.Int64N(1<<50), r.Int64N(1<<50), r.Float64())
	}
	l.land("readings/big.json", text.String())
	copied := func() int64 {
		w := l.open(run.Options{})
		defer w.Close()
		p, err := w.Plan(t.Context(), run.Selection{})
		if err != nil {
			t.Fatal(err)
		}
		return p.Estimate.CopiedBytes
	}
	if n := copied(); n != 0 {
		t.Errorf("the plan copies %d bytes to this machine", n)
	}
	l.replace("tarn.yaml", "load: spark", "load: here")
	if n := copied(); n != int64(text.Len()) {
		t.Errorf("the plan copies %d of %d bytes", n, text.Len())
	}
	if _, err := l.attempt(); !errors.As(err, new(*cache.FullError)) {
		t.Fatalf("the disk is too large for the test: %v", err)
	}
	l.replace("tarn.yaml", "load: here", "load: spark")
	rec := l.run()
	if len(rec.Load) != 1 || rec.Load[0].Loaded != 120_000 {
		t.Errorf("%+v", rec.Load)
	}
	l.write("landing/readings_landing.yml", "checks: [{name: one, unique: ts}]\n")
	l.land("readings/one.json", "{\"person\": 1, \"ts\": 1, \"v\": 1}\n")
	if _, err := l.attempt(); err == nil || !strings.Contains(err.Error(), "load readings_landing: its rows are needed on this machine, as its checks have to see them: ") {
		t.Errorf("a check that has to see more rows than the disk takes: %v", err)
	}
}

// TestWhoLoads chooses who reads landing files, by the setting, by how much there is, and by where the files are.
func TestWhoLoads(t *testing.T) {
	t.Parallel()
	const little, much = 1 << 30, 11 << 30 // of each of two tables
	cluster := "engine: {spark: emr-serverless, application: app, role: 'arn:aws:iam::123456789012:role/spark', worker: %s, load: %s}"
	here := "engine: {spark: local, load: %s}"
	linux, other := os.Args[0], "tarn.yaml"
	for name, c := range map[string]struct {
		bucket, raw bool
		engine      string
		bytes       int64
		want        int
		says        string
	}{
		"little":               {engine: fmt.Sprintf(here, "auto"), bytes: little},
		"much":                 {engine: fmt.Sprintf(here, "auto"), bytes: much, want: 2},
		"much, but here":       {engine: fmt.Sprintf(here, "here"), bytes: much},
		"little, but on Spark": {engine: fmt.Sprintf(here, "spark"), bytes: little, want: 2},
		"nothing said":         {engine: "engine: {spark: local}", bytes: much, want: 2},
		"Spark elsewhere": {engine: "engine: {spark: local, master: 'spark://host:7077'}", bytes: much,
			says: "people_landing, readings_landing: 24 GB of landing files are read on this machine and not by Spark, as they are on it, where Spark's machines cannot read them"},
		"much in a bucket":                     {bucket: true, raw: true, engine: fmt.Sprintf(cluster, linux, "auto"), bytes: much, want: 2},
		"much here, cluster":                   {bucket: true, engine: fmt.Sprintf(cluster, linux, "auto"), bytes: much, says: "as they are on it, where Spark's machines"},
		"much here, cluster, but here":         {bucket: true, engine: fmt.Sprintf(cluster, linux, "here"), bytes: much},
		"much, no program for the cluster":     {bucket: true, raw: true, engine: fmt.Sprintf(cluster, other, "auto"), bytes: much, says: "the machines of a Spark cluster run programs for Linux on x86-64 (name a tarn for Linux"},
		"on Spark, no program for the cluster": {bucket: true, raw: true, engine: fmt.Sprintf(cluster, other, "spark"), bytes: little, want: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLake(t)
			l.remove("trusted")
			l.remove("curated")
			if c.bucket {
				l.inBucket(c.raw)
			}
			raw, err := os.ReadFile(l.path("tarn.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			l.write("tarn.yaml", string(raw)+"targets: {spark: {"+c.engine+"}}\n")
			l.target = "spark"
			w := l.open(run.Options{})
			defer w.Close()
			got, why := w.ToLoad(c.bytes)
			if said := strings.Join(why, "\n"); len(got) != c.want || (c.says == "") != (said == "") || !strings.Contains(said, c.says) {
				t.Errorf("Spark reads %v; said: %s", got, said)
			}
			if !strings.HasPrefix(name, "on Spark, no program") {
				return
			}
			l.batch(0)
			var wrong *spark.WorkerError
			if _, err := w.Run(t.Context(), run.RunOptions{}); !errors.As(err, &wrong) || !errors.Is(err, spark.ErrWorker) || wrong.Path != l.path("tarn.yaml") {
				t.Errorf("the run says %v", err)
			}
		})
	}
}

// TestLandingOutOfReach refuses files of this machine that a cluster shall read.
func TestLandingOutOfReach(t *testing.T) {
	t.Parallel()
	l := newLake(t).inBucket(false)
	raw, err := os.ReadFile(l.path("tarn.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	l.write("tarn.yaml", string(raw)+"targets: {spark: {engine: {spark: emr-serverless, application: app, role: 'arn:aws:iam::123456789012:role/spark', load: spark}}}\n")
	l.target = "spark"
	code, out, stderr := l.cli("validate")
	if code != 4 || !strings.Contains(out, "landing/people_landing.sql:1:1: the files of people_landing are on this machine, in ") || !strings.Contains(out, "read them here with load: auto") {
		t.Errorf("exit code %d\n%s%s", code, out, stderr)
	}
}

// putRaw writes a file to where it lies, in a process that is no test.
func putRaw(location string, content []byte) error {
	ctx := context.Background()
	s, key, err := registry.New(awsconf.Settings{}).Locate(ctx, location)
	if err == nil {
		_, err = s.Put(ctx, key, bytes.NewReader(content), store.Condition{})
	}
	return err
}
