package local_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tarn/internal/engine/spark"
	"tarn/internal/engine/spark/launchtest"
	"tarn/internal/engine/spark/local"
	"tarn/internal/exetest"
)

// submit is a stand-in for spark-submit: it runs the script with a shell, and writes its own arguments beside it.
const submit = `#!/bin/sh
echo "$@" >submitted
until case $1 in *.py) true ;; *) false ;; esac; do shift; done
script=$1; shift
exec sh "$script" "$@"
`

func open(t *testing.T) (launchtest.Place, string) {
	dir := t.TempDir()
	program := filepath.Join(dir, "spark-submit")
	if err := exetest.WriteFile(program, []byte(submit)); err != nil {
		t.Fatal(err)
	}
	o := local.Options{Submit: program, Folder: filepath.Join(dir, "jobs"), Jars: []string{"s3://jars/a.jar", "s3://jars/b.jar"}, Conf: map[string]string{"spark.ui.enabled": "true"}}
	return launchtest.Place{
		Launcher: func() spark.Launcher {
			return local.New(o, func(_ context.Context, location string) ([]byte, error) { return os.ReadFile(location) })
		},
		Script: func(t *testing.T, text string) string {
			path := filepath.Join(t.TempDir(), "script")
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			return path
		},
	}, dir
}

func TestSuite(t *testing.T) {
	t.Parallel()
	launchtest.Run(t, func(t *testing.T) launchtest.Place { p, _ := open(t); return p })
}

func TestSettings(t *testing.T) {
	t.Parallel()
	p, dir := open(t)
	l := p.Launcher()
	j := spark.Job{Run: "r", Script: p.Script(t, "touch ready"), Plan: "file:///plan.json"}
	if _, err := l.Start(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	for {
		s, err := l.State(t.Context(), j, "")
		if err != nil {
			t.Fatal(err)
		}
		if s.Phase.Ended() {
			break
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, "jobs", "r", "submitted"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"--master local[*]", "--jars s3://jars/a.jar,s3://jars/b.jar", "--conf spark.ui.enabled=true", "--conf spark.driver.host=127.0.0.1", "--tarn-plan file:///plan.json"} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("%q is not in %q", want, raw)
		}
	}
}

func TestNoSpark(t *testing.T) {
	t.Parallel()
	l := local.New(local.Options{Submit: "/nowhere/spark-submit", Folder: t.TempDir()}, nil)
	_, started := l.Start(t.Context(), spark.Job{Run: "r"})
	_, ready := l.Ready(t.Context())
	for _, err := range []error{started, ready} {
		var start *spark.StartError
		if !errors.As(err, &start) || !strings.Contains(start.Hint(), "SPARK_HOME") {
			t.Errorf("%v", err)
		}
	}
}
