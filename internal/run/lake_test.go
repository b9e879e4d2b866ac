package run_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tarn/internal/awsconf"
	"tarn/internal/catalog"
	"tarn/internal/catalog/glue/gluetest"
	"tarn/internal/cli"
	"tarn/internal/query"
	"tarn/internal/run"
	"tarn/internal/store"
	"tarn/internal/store/registry"
	"tarn/internal/store/s3/s3test"
)

// The test binary is tarn itself where a test starts it as a process of its own.
const (
	asTarn  = "TARN_TEST_AS_TARN"
	killAt  = "TARN_TEST_KILL_AT"
	lakeDir = "TARN_TEST_LAKE"
	// lakeTarget is the target to be run.
	lakeTarget = "TARN_TEST_TARGET"
	// overAt is a step at which the process has no time left, and execution the owner of its lock.
	overAt, execution = "TARN_TEST_OVER_AT", "TARN_TEST_EXECUTION"
	// partsOf is how many landing files the process reads before it looks at its time.
	partsOf = "TARN_TEST_PARTS_OF"
	// signalIs is a signal that the program sends itself at the step signalAt.
	signalAt, signalIs = "TARN_TEST_SIGNAL_AT", "TARN_TEST_SIGNAL"
)

func TestMain(m *testing.M) {
	ctx := context.Background()
	switch {
	case os.Getenv(asTarn) != "":
		ctx, stop := cli.Signals(ctx)
		if sig, err := strconv.Atoi(os.Getenv(signalIs)); err == nil {
			run.SetOnStep(func(reached string) {
				if reached == os.Getenv(signalAt) {
					_ = syscall.Kill(os.Getpid(), syscall.Signal(sig))
					<-ctx.Done()
				}
			})
		}
		code := cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
		stop()
		os.Exit(code)
	case os.Getenv(asResident) != "":
		os.Exit(submitToResident(os.Getenv(asResident), os.Args[1:]))
	case os.Getenv(asSpark) != "":
		os.Exit(sparkStandIn(os.Args[1:]))
	case os.Getenv(killAt) != "":
		os.Exit(runUntil(ctx, os.Getenv(lakeDir), os.Getenv(killAt)))
	}
	// Where the tests were started with nohup, the programs that they start would ignore it as well.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	catalog := httptest.NewServer(glueServer)
	_, err := s3test.Serve(ctx)
	if err := errors.Join(err, os.Setenv("AWS_ENDPOINT_URL_GLUE", catalog.URL)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	catalog.Close()
	if err := endResident(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// runUntil runs the lake in this process and kills it, as kill -9 does, at a step.
func runUntil(ctx context.Context, dir, step string) int {
	w, err := run.Open(ctx, dir, run.Options{Target: os.Getenv(lakeTarget), Owner: catalog.Owner{Execution: os.Getenv(execution)}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if n, err := strconv.Atoi(os.Getenv(partsOf)); err == nil {
		w.SetFilesAtOnce(n)
	}
	w.OnStep(func(reached string) {
		if reached == os.Getenv(overAt) {
			w.TimeIsOver()
		}
		if reached == step {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	})
	var o run.RunOptions
	if os.Getenv(overAt) != "" {
		o.Deadline = time.Now().Add(time.Hour)
	}
	if _, err := w.Run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return 1
}

// glueServer is the Glue Data Catalog of all lakes of this process.
var glueServer = gluetest.New()

// tarn starts the program on the lake.
func (l *testLake) tarn(args ...string) *exec.Cmd {
	args = append([]string{"-C", l.dir}, args...)
	if l.target != "" {
		args = append(args, "--target", l.target)
	}
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asTarn+"=1")
	return cmd
}

// testLake is a small lake in a folder of its own: people who agreed or not, and readings of their devices.
type testLake struct {
	t   *testing.T
	dir string
	// raw is where raw files are put if not in the lake's folder: a place in a bucket that ends in a slash.
	raw string
	// target is chosen for every command; "" is none.
	target string
	// number tells its bucket and its database in Glue from others.
	number int32
	// bucket says that the warehouse is in one.
	bucket bool
	// parts is how many landing files a process reads before it looks at its time, where that is not what it is by itself.
	parts int
}

var definitions = map[string]string{
	"tarn.yaml": "name: small\ndatabase: small\nlocations: {\"s3://raw/\": data/}\nmemory: 300MB\n",
	"landing/people_landing.sql": "CREATE EXTERNAL TABLE small.people_landing (id bigint, name string, consent boolean)\n" +
		"ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'\nLOCATION 's3://raw/people/'\n",
	"landing/readings_landing.sql": "CREATE EXTERNAL TABLE small.readings_landing (person bigint, ts bigint, v double)\n" +
		"ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'\nLOCATION 's3://raw/readings/'\n",
	"trusted/people.sql": "SELECT id, trim(name) AS name\nFROM people_landing\nWHERE consent -- drop: no_consent\n",
	"trusted/readings.sql": `/* @tarn
partitioned_by: [day(ts)]
checks: [{not_null: [person, ts]}]
*/
SELECT r.person, timestamp_millis(r.ts) AS ts, r.v
FROM readings_landing r
WHERE EXISTS (SELECT 1 FROM people p WHERE p.id = r.person) -- drop: no_consent
  AND r.v >= 0 -- drop: below_zero
`,
	"curated/daily.sql":  "SELECT r.person, count(*) AS n, max(r.v) AS most\nFROM readings r\nGROUP BY r.person\n",
	"curated/joined.sql": "SELECT p.name, r.ts, r.v\nFROM people p\nJOIN readings r ON r.person = p.id -- drop: no_readings\n",
}

func newLake(t *testing.T) *testLake {
	t.Helper()
	l := &testLake{t: t, dir: t.TempDir()}
	for name, text := range definitions {
		l.write(name, text)
	}
	return l
}

var buckets atomic.Int32

// inBucket moves the lake's warehouse into a new bucket, and its raw files as well if landing is set.
func (l *testLake) inBucket(landing bool) *testLake {
	l.t.Helper()
	l.number = buckets.Add(1)
	bucket := fmt.Sprintf("lake-%d", l.number)
	if _, err := s3test.Serve(l.t.Context(), bucket); err != nil {
		l.t.Fatal(err)
	}
	l.bucket = true
	text := definitions["tarn.yaml"] + "warehouse: s3://" + bucket + "/warehouse/\n"
	if landing {
		l.raw = "s3://" + bucket + "/raw/"
		text = strings.Replace(text, "data/", l.raw, 1)
	}
	l.write("tarn.yaml", text)
	return l
}

// inGlue moves the lake's warehouse into a new bucket, and its tables' names into a database of the Glue Data Catalog.
func (l *testLake) inGlue() *testLake {
	l.t.Helper()
	l.inBucket(true)
	raw, err := os.ReadFile(l.path("tarn.yaml"))
	if err != nil {
		l.t.Fatal(err)
	}
	l.write("tarn.yaml", string(raw)+fmt.Sprintf("catalog: glue\ntargets: {glue: {database: small_%d}}\n", l.number))
	l.target = "glue"
	return l
}

// everywhere runs a test on lakes of this disk, on lakes with a warehouse in a bucket, and on lakes that are in one whole,
// with their names in it or in Glue.
func everywhere(t *testing.T, test func(t *testing.T, newLake func(t *testing.T) *testLake)) {
	for name, make := range map[string]func(t *testing.T) *testLake{
		"disk":              newLake,
		"glue":              func(t *testing.T) *testLake { return newLake(t).inGlue() },
		"bucket":            func(t *testing.T) *testLake { return newLake(t).inBucket(false) },
		"landing in bucket": func(t *testing.T) *testLake { return newLake(t).inBucket(true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, make)
		})
	}
}

func (l *testLake) path(name string) string { return filepath.Join(l.dir, filepath.FromSlash(name)) }

func (l *testLake) write(name, text string) {
	l.t.Helper()
	if err := os.MkdirAll(filepath.Dir(l.path(name)), 0o755); err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(l.path(name), []byte(text), 0o644); err != nil {
		l.t.Fatal(err)
	}
}

func (l *testLake) replace(name, old, with string) {
	l.t.Helper()
	raw, err := os.ReadFile(l.path(name))
	if err != nil {
		l.t.Fatal(err)
	}
	if !strings.Contains(string(raw), old) {
		l.t.Fatalf("%s does not hold %q", name, old)
	}
	l.write(name, strings.Replace(string(raw), old, with, 1))
}

func (l *testLake) remove(name string) {
	l.t.Helper()
	if err := os.RemoveAll(l.path(name)); err != nil {
		l.t.Fatal(err)
	}
}

// batch lands two more files; the same number always gives the same rows. Ten people, two of three with consent, and a
// hundred readings over four days, some of them below zero, of these and of earlier people.
func (l *testLake) batch(n int) {
	l.t.Helper()
	r := rand.New(rand.NewPCG(uint64(n), 7))
	var people, readings strings.Builder
	for i := range 10 {
		id := n*10 + i
		fmt.Fprintf(&people, "{\"id\": %d, \"name\": \" person %d\", \"consent\": %v}\n", id, id, id%3 != 0)
	}
	for range 100 {
		fmt.Fprintf(&readings, "{\"person\": %d, \"ts\": %d, \"v\": %.3f}\n", r.IntN(n*10+10), 1700000000000+r.Int64N(4*86400)*1000, r.Float64()*10-1)
	}
	l.land(fmt.Sprintf("people/%03d.json", n), people.String())
	l.land(fmt.Sprintf("readings/%03d.json", n), readings.String())
}

// land writes a raw file.
func (l *testLake) land(name, text string) {
	l.t.Helper()
	if l.raw == "" {
		l.write("data/"+name, text)
		return
	}
	s, key, err := registry.New(awsconf.Settings{}).Locate(l.t.Context(), l.raw+name)
	if err == nil {
		_, err = s.Put(l.t.Context(), key, strings.NewReader(text), store.Condition{})
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *testLake) open(o run.Options) *run.Workspace {
	l.t.Helper()
	o.Target = l.target
	w, err := run.Open(context.Background(), l.dir, o)
	if err != nil {
		l.t.Fatal(err)
	}
	if l.parts > 0 {
		w.SetFilesAtOnce(l.parts)
	}
	return w
}

// attempt runs the lake in this process.
func (l *testLake) attempt(tables ...string) (*run.Record, error) {
	l.t.Helper()
	return l.attemptWith(run.RunOptions{Selection: run.Selection{Tables: tables}})
}

func (l *testLake) attemptWith(o run.RunOptions) (*run.Record, error) {
	l.t.Helper()
	w := l.open(run.Options{})
	rec, err := w.Run(l.t.Context(), o)
	if e := w.Close(); e != nil {
		l.t.Error(e)
	}
	return rec, err
}

// run runs the lake in this process; it has to go well.
func (l *testLake) run(tables ...string) *run.Record {
	l.t.Helper()
	rec, err := l.attempt(tables...)
	if err != nil {
		l.t.Fatal(err)
	}
	return rec
}

// cli runs a command in this process.
func (l *testLake) cli(args ...string) (code int, stdout, stderr string) {
	l.t.Helper()
	var out, errs bytes.Buffer
	if l.target != "" {
		args = append(args, "--target", l.target)
	}
	code = cli.Run(context.Background(), append([]string{"-C", l.dir}, args...), strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

// told are columns of tarn's own tables that differ from run to run.
var told = map[string]string{
	"tarn__files":      " EXCLUDE (run_id, loaded_at, etag)",
	"tarn__quarantine": " EXCLUDE (id, run_id, \"at\")",
}

// tables reads every row of every table through a reader, sorted, and the run that the tables belong to. All tables
// have to belong to the same run.
func (l *testLake) tables() (rows map[string][]string, runID string) {
	l.t.Helper()
	rows, runID, err := l.readAll(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	return rows, runID
}

func (l *testLake) readAll(ctx context.Context) (rows map[string][]string, runID string, err error) {
	t, err := run.OpenTables(ctx, l.dir, run.Options{Target: l.target})
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	reading, err := t.Reading()
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, reading.Close()) }()
	v, err := t.View(ctx, "")
	if err != nil {
		return nil, "", err
	}
	rows = map[string][]string{}
	if len(v.Names()) == 0 {
		return rows, "", nil
	}
	s, err := query.Open(ctx, t.Database(), v, query.Options{})
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for _, name := range v.Names() {
		if name == run.RunsTable {
			continue
		}
		if rows[name], err = ask(ctx, s, "SELECT t::VARCHAR FROM (SELECT *"+told[name]+" FROM "+name+") t ORDER BY 1"); err != nil {
			return nil, "", err
		}
	}
	last, err := ask(ctx, s, "SELECT run_id || ' ' || state FROM tarn__runs ORDER BY finished_at DESC, run_id DESC LIMIT 1")
	if err != nil {
		return nil, "", err
	}
	id, state, _ := strings.Cut(last[0], " ")
	for _, name := range v.Names() {
		snapshot, ok := v.Table(name).Snapshot()
		if name != run.RunsTable && (!ok || !strings.Contains(state, fmt.Sprintf("%q:%d", name, snapshot.ID))) {
			return nil, "", fmt.Errorf("table %s is not as run %s published it", name, id)
		}
	}
	if n := strings.Count(state, ":"); n != len(v.Names())-1 {
		return nil, "", fmt.Errorf("run %s published %d tables, and readers see %d", id, n, len(v.Names())-1)
	}
	return rows, id, nil
}

// tree lists all files below the lake with size and time.
func (l *testLake) tree() []string {
	l.t.Helper()
	var out []string
	err := filepath.WalkDir(l.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		line := path
		if !e.IsDir() && e.Name() != "lock" {
			line = fmt.Sprint(path, " ", info.Size(), " ", info.ModTime())
		}
		out = append(out, line)
		return nil
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return out
}

// warehouse lists the files in the warehouse that no snapshot needs.
func (l *testLake) garbage() []string {
	l.t.Helper()
	w := l.open(run.Options{})
	defer w.Close()
	g, err := w.GC(l.t.Context(), run.GCOptions{DryRun: true, OlderThan: -1})
	if err != nil {
		l.t.Fatal(err)
	}
	return g.Files
}

func files(rec *run.Record) (names []string) {
	for _, t := range rec.Tables {
		if t.Action != "none" {
			names = append(names, t.Name)
		}
	}
	slices.Sort(names)
	return names
}

// fetch reads a file by its location.
func fetch(ctx context.Context, location string) ([]byte, error) {
	return store.ReadLocation(ctx, registry.New(awsconf.Settings{}), location)
}
