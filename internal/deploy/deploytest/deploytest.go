// Package deploytest gives tests the spec of a lake's stack as tarn deploy would have it.
package deploytest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tarn/internal/deploy"
	"tarn/internal/engine/duckdb"
	"tarn/internal/model"
	"tarn/internal/project"
	"tarn/internal/template"
)

// Bucket is the bucket of [Stedi]'s target.
const Bucket = "my-bucket"

// target is the one that is deployed.
const target = `name: stedi
targets:
  aws:
    warehouse: s3://${BUCKET}/warehouse/
    locations: {"s3://stedi-lake/": "s3://${BUCKET}/landing/"}
    catalog: glue
`

// Stedi gives the spec of the lake that tarn init makes, for a target aws in a bucket. The keys are lines of the target as in
// tarn.yaml, such as "deploy: {versioned: true}"; files are more files of the lake, by path.
func Stedi(t testing.TB, keys string, files map[string]string) deploy.Spec {
	t.Helper()
	dir := t.TempDir()
	if _, err := template.Write(dir, "stedi", template.Options{}); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{project.ConfigFile: target}
	for _, line := range strings.Split(strings.TrimSpace(keys), "\n") {
		if line != "" {
			all[project.ConfigFile] += "    " + line + "\n"
		}
	}
	for name, text := range files {
		all[name] = text
	}
	for name, text := range all {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return Lake(t, dir, "aws", map[string]string{"BUCKET": Bucket})
}

// Lake gives the spec of the lake in dir for a target, with these variables of the environment.
func Lake(t testing.TB, dir, target string, env map[string]string) deploy.Spec {
	t.Helper()
	ctx := context.Background()
	lake, err := project.LoadWith(dir, project.Options{Target: target, LookupEnv: func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}})
	if err == nil {
		err = lake.Diagnostics.Err()
	}
	if err != nil {
		t.Fatal(err)
	}
	e, err := duckdb.Open(ctx, duckdb.Options{Memory: "128MB", Threads: 1, Database: lake.Config.Database, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }() // of a test
	graph, list, err := model.Compile(ctx, e, lake)
	if err == nil {
		err = list.Err()
	}
	if err != nil {
		t.Fatal(err)
	}
	spec, err := deploy.New(lake, graph)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}
