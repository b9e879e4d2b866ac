package run_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/engine/spark/jobtest"
	"tarn/internal/exetest"
	"tarn/internal/run"
	"tarn/internal/stedi"
	"tarn/internal/template"
)

// manyFiles lands the real files as many, of all kinds and with mess in some.
func manyFiles(t *testing.T, l *testLake) {
	t.Helper()
	raw := stedi.Files(t)
	for _, table := range []string{"customer", "accelerometer", "step_trainer"} {
		found, err := filepath.Glob(filepath.Join(raw, table, "landing", "*"))
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, path := range found {
			lines = append(lines, strings.Split(strings.TrimSpace(string(stedi.Text(t, path))), "\n")...)
		}
		const files = 24
		for i := range files {
			part := lines[len(lines)*i/files : len(lines)*(i+1)/files]
			name := fmt.Sprintf("%s/landing/%s-%03d.json", table, table, i)
			switch i % 6 {
			case 0: // all objects in one line
				l.land(name, strings.Join(part, ""))
			case 1, 2: // compressed, the second one cut off
				var gz bytes.Buffer
				z := gzip.NewWriter(&gz)
				_, _ = io.WriteString(z, strings.Join(part, "\n"))
				_ = z.Close()
				l.land(name+".gz", gz.String()[:gz.Len()*(5-2*(i%6-1))/5])
			case 3: // a line of nonsense, one cut off, one of another type
				l.land(name, strings.Join(part[1:], "\n")+"\nnonsense\n"+part[0][:len(part[0])/2]+"\n{\"timestamp\": \"x\", \"sensorReadingTime\": \"x\", \"registrationDate\": \"x\"}\n")
			default:
				l.land(name, strings.Join(part, "\n")+"\n")
			}
		}
	}
}

// stediLake makes a small lake one of the template, where it is, with raw files.
func stediLake(t *testing.T, l *testLake, land func(*testing.T, *testLake)) *testLake {
	t.Helper()
	config, err := os.ReadFile(l.path("tarn.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"landing", "trusted", "curated", "tarn.yaml"} {
		l.remove(name)
	}
	if _, err := template.Write(l.dir, "stedi", template.Options{Name: "stedi"}); err != nil {
		t.Fatal(err)
	}
	l.remove("data")
	text := strings.NewReplacer("name: small", "name: stedi", "database: small", "database: stedi", "s3://raw/", "s3://stedi-lake/").Replace(string(config))
	l.write("tarn.yaml", text)
	land(t, l)
	return l
}

// TestStediLandingOnSpark reads the real files, as many and with mess, on real Spark, where models are made too: in place on this
// machine, and by a program that is brought to the tasks of a Spark of its own. Tables, quarantine, account and record are those of
// DuckDB.
func TestStediLandingOnSpark(t *testing.T) {
	own := needSpark(t)
	s := own.shared(t)
	compare := func(t *testing.T, l *testLake, engine map[string]any, tables ...string) {
		t.Helper()
		here := stediLake(t, newLake(t), manyFiles)
		want := here.run(tables...)
		rows, _ := here.tables()
		if want.Tables[0].Quarantined == 0 || len(rows["tarn__quarantine"]) == 0 {
			t.Error("there is no mess in the files")
		}
		raw, err := json.Marshal(engine)
		if err != nil {
			t.Fatal(err)
		}
		config, err := os.ReadFile(l.path("tarn.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		l.write("tarn.yaml", string(config)+"targets: {spark: {engine: "+string(raw)+"}}\n")
		l.target = "spark"
		loaded := map[string]bool{}
		got, err := l.attemptWith(run.RunOptions{Selection: run.Selection{Tables: tables}, Progress: func(e run.Event) {
			if e.Phase == "load" && e.Done > 0 && e.Done <= e.Total {
				loaded[e.Table] = true
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if len(loaded) == 0 {
			t.Error("no progress was told")
		}
		sameRecord(t, want, got)
		have, _ := l.tables()
		if diff := cmp.Diff(rows, have); diff != "" {
			t.Errorf("the tables (-DuckDB +Spark):\n%s", diff)
		}
		if left := l.garbage(); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
	t.Run("in place", func(t *testing.T) {
		worker := filepath.Join(t.TempDir(), "worker")
		if err := exetest.WriteFile(worker, fmt.Appendf(nil, "#!/bin/sh\n%s=1 exec '%s' \"$@\"\n", asTarn, os.Args[0])); err != nil {
			t.Fatal(err)
		}
		compare(t, stediLake(t, newLake(t), manyFiles), map[string]any{"spark": "local", "submit": s.submit, "master": master, "jars": s.jars, "conf": s.conf(), "load": "spark", "worker": worker},
			"customer_landing", "accelerometer_landing", "step_trainer_landing")
	})
	t.Run("brought to the tasks", func(t *testing.T) {
		// The program that is brought to the tasks is the one of the tests, which is tarn if told so.
		t.Setenv(asTarn, "1")
		var jobs atomic.Int32
		server := &jobtest.Server{Do: func(ctx context.Context, r jobtest.Run) error {
			if jobs.Add(1) == 1 {
				return own.do(ctx, r)
			}
			return s.do(ctx, r)
		}, Jobs: map[string]bool{"spark": true}}
		h := httptest.NewServer(server)
		t.Cleanup(func() { server.Close(); h.Close() })
		t.Setenv("AWS_ENDPOINT_URL_EMR_SERVERLESS", h.URL)
		compare(t, stediLake(t, newLake(t).inBucket(true), manyFiles), map[string]any{"spark": "emr-serverless", "application": "spark", "role": "arn:aws:iam::123456789012:role/spark", "conf": s.conf(),
			"load": "spark", "worker": os.Args[0]})
		if n := len(server.Runs()); n != 2 {
			t.Errorf("%d jobs were run, want one that loads and one that makes the models", n)
		}
	})
}

// TestSparkRepeatsBatches lets workers fail on real Spark: each one once, which is mended by trying again, and then always, which
// is told in the worker's own words.
func TestSparkRepeatsBatches(t *testing.T) {
	s := needSpark(t).shared(t)
	dir := t.TempDir()
	worker := filepath.Join(dir, "worker")
	// The last argument is the batch. Its process dies in the middle, or says why it cannot.
	script := `#!/bin/sh
for batch; do :; done
if [ -e %[1]s/never ]; then echo "error: the disk is full" >&2; exit 1; fi
seen=%[1]s/$(echo "$batch" | tr '/:' '__')
if mkdir "$seen" 2>/dev/null; then
	%[2]s=1 timeout -s KILL 0.05 '%[3]s' "$@"
	exit 137
fi
%[2]s=1 exec '%[3]s' "$@"
`
	if err := exetest.WriteFile(worker, fmt.Appendf(nil, script, dir, asTarn, os.Args[0])); err != nil {
		t.Fatal(err)
	}
	engine, err := json.Marshal(map[string]any{"spark": "local", "submit": s.submit, "master": master, "jars": s.jars, "conf": s.conf(), "load": "spark", "worker": worker})
	if err != nil {
		t.Fatal(err)
	}
	here, l := newLake(t), newLake(t)
	for _, l := range []*testLake{here, l} {
		landingOnly(l)
		l.batch(0)
		l.mess()
	}
	l.onSpark(string(engine))
	if err := os.WriteFile(filepath.Join(dir, "never"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := l.attempt(); err == nil || !strings.Contains(err.Error(), "_landing on Spark: error: the disk is full") {
		t.Errorf("a worker that always fails: %v", err)
	}
	if rows, _ := l.tables(); len(rows) > 0 {
		t.Errorf("readers see %v", rows)
	}
	if err := os.Remove(filepath.Join(dir, "never")); err != nil {
		t.Fatal(err)
	}
	sameRecord(t, here.run(), l.run())
	want, _ := here.tables()
	got, _ := l.tables()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the tables (-here +Spark):\n%s", diff)
	}
	if left := l.garbage(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
