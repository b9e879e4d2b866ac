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
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/engine/spark/jobtest"
	"tarn/internal/run"
	"tarn/internal/stedi"
	"tarn/internal/template"
)

// clusterSpark is a Spark of this machine, for a job that is brought what it needs as a cluster is.
type clusterSpark struct {
	python, submit string
	jars           []string
}

// sparkForLoading finds the Spark of TARN_SPARK_PYTHON and TARN_SPARK_JARS, or skips the test. In CI it has to be there.
func sparkForLoading(t *testing.T) clusterSpark {
	t.Helper()
	s := clusterSpark{python: os.Getenv("TARN_SPARK_PYTHON")}
	if s.python == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("CI has to install Spark: see test/peers/spark.sh")
		}
		t.Skip("TARN_SPARK_PYTHON does not name a Python with PySpark: see test/peers/spark.sh")
	}
	home, err := exec.Command(s.python, "-c", "import os, pyspark; print(os.path.dirname(pyspark.__file__))").Output()
	if err != nil {
		t.Fatal(err)
	}
	s.submit = filepath.Join(strings.TrimSpace(string(home)), "bin", "spark-submit")
	for _, below := range []string{"*.jar", "1.7.1/*.jar"} {
		found, err := filepath.Glob(filepath.Join(os.Getenv("TARN_SPARK_JARS"), below))
		if err != nil {
			t.Fatal(err)
		}
		if s.jars = found; len(found) > 0 {
			return s
		}
	}
	t.Fatalf("there are no jars in TARN_SPARK_JARS=%s", os.Getenv("TARN_SPARK_JARS"))
	return s
}

func (s clusterSpark) conf() map[string]string {
	return map[string]string{"spark.pyspark.python": s.python, "spark.driver.memory": "900m", "spark.sql.shuffle.partitions": "2", "spark.ui.enabled": "false",
		"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
}

// do runs a job with executors of its own, each attempt of a task being tried again as on a cluster.
func (s clusterSpark) do(ctx context.Context, r jobtest.Run) error {
	dir, err := os.MkdirTemp("", "tarn-job")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	script, err := fetchRaw(r.Script)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "runner.py")
	if err := os.WriteFile(path, script, 0o644); err != nil {
		return err
	}
	args := []string{"--master", "local[2,3]", "--jars", strings.Join(s.jars, ",")}
	for _, c := range r.Conf {
		args = append(args, "--conf", c)
	}
	cmd := exec.Command(s.submit, append(append(args, path), r.Args...)...)
	var told bytes.Buffer
	// The program that is brought to the tasks is the one of the tests, which is tarn if told so.
	cmd.Dir, cmd.Stderr, cmd.Env, cmd.SysProcAttr = dir, &told, append(os.Environ(), asTarn+"=1"), &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer stop()
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, told.String())
	}
	return nil
}

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
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			z, err := gzip.NewReader(f)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			_ = f.Close()
			lines = append(lines, strings.Split(strings.TrimSpace(string(text)), "\n")...)
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

// stediLake is the template, with everything else as the tests of small lakes have it.
func stediLake(t *testing.T, bucket bool) *testLake {
	t.Helper()
	l := newLake(t)
	if bucket {
		l.inBucket(true)
	}
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
	manyFiles(t, l)
	return l
}

// TestStediLandingOnSpark reads the real files, as many and with mess, on real Spark, where models are made too: in place on this
// machine, and by a program that is brought to the tasks. Tables, quarantine, account and record are those of DuckDB.
func TestStediLandingOnSpark(t *testing.T) {
	s := sparkForLoading(t)
	compare := func(t *testing.T, l *testLake, engine map[string]any, tables ...string) {
		t.Helper()
		here := stediLake(t, false)
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
		if err := os.WriteFile(worker, fmt.Appendf(nil, "#!/bin/sh\n%s=1 exec '%s' \"$@\"\n", asTarn, os.Args[0]), 0o755); err != nil {
			t.Fatal(err)
		}
		compare(t, stediLake(t, false), map[string]any{"spark": "local", "submit": s.submit, "master": "local[2]", "jars": s.jars, "conf": s.conf(), "load": "spark", "worker": worker},
			"customer_landing", "accelerometer_landing", "step_trainer_landing")
	})
	t.Run("brought to the tasks", func(t *testing.T) {
		server := &jobtest.Server{Do: s.do, Jobs: map[string]bool{"spark": true}}
		h := httptest.NewServer(server)
		t.Cleanup(func() { server.Close(); h.Close() })
		t.Setenv("AWS_ENDPOINT_URL_EMR_SERVERLESS", h.URL)
		compare(t, stediLake(t, true), map[string]any{"spark": "emr-serverless", "application": "spark", "role": "arn:aws:iam::123456789012:role/spark", "conf": s.conf(),
			"load": "spark", "worker": os.Args[0]})
		if n := len(server.Runs()); n != 2 {
			t.Errorf("%d jobs were run, want one that loads and one that makes the models", n)
		}
	})
}
