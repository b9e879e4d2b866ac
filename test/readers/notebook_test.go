package readers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tarn/internal/athena/athenatest"
	"tarn/internal/awsconf"
	"tarn/internal/stedi"
	"tarn/internal/store/registry"
)

// TestNotebook runs the notebook as `tarn connect sagemaker --notebook` writes it, on the real files in a bucket and in Glue: by
// its documented switch it asks the stand-in for Athena. Where Trino is there, that executes the statements, else DuckDB.
func TestNotebook(t *testing.T) {
	python := wrangler(t)
	files := stedi.Files(t)
	bucket := standIns(t)
	dir, folder := filepath.Join(t.TempDir(), "lake"), filepath.Join(t.TempDir(), "notebook")
	tarn(t, "init", dir)
	addTarget(t, dir, bucket)
	upload(t, files, "s3://"+bucket+"/landing/")
	args := []string{"-C", dir, "--target", "cloud"}
	tarn(t, append([]string{"run"}, args...)...)
	tarn(t, append([]string{"connect", "sagemaker", "--workgroup", "scientist", "--notebook", folder}, args...)...)
	// Of another table, with columns that are named.
	other := filepath.Join(t.TempDir(), "notebook")
	tarn(t, append([]string{"connect", "sagemaker", "accelerometer_trusted", "--workgroup", "scientist", "--notebook", other, "--person", "user", "--predict", "z"}, args...)...)
	engines := map[string]athenatest.Engine{"DuckDB": athenatest.Lake{Dir: dir, Target: "cloud"}}
	if os.Getenv("TARN_TRINO") != "" {
		engines["Trino"] = athenatest.Trino{URL: trino(t), Catalog: "lake"}
	}
	run := func(t *testing.T, engine athenatest.Engine, folder string, arguments ...string) {
		server, url := athenatest.Start(t, engine, registry.New(awsconf.Settings{}), groups(bucket))
		scratch := t.TempDir()
		cmd := exec.Command(python, append([]string{filepath.Join("cells", "notebook.py"), folder}, arguments...)...)
		for _, e := range os.Environ() {
			if !strings.HasPrefix(e, "AWS_ENDPOINT_URL_ATHENA") {
				cmd.Env = append(cmd.Env, e)
			}
		}
		cmd.Env = append(cmd.Env, "TARN_ATHENA_ENDPOINT="+url, "IPYTHONDIR="+scratch, "JUPYTER_RUNTIME_DIR="+scratch, "JUPYTER_CONFIG_DIR="+scratch, "MPLCONFIGDIR="+scratch)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Logf("%s", out)
		if n := server.Counts()["StartQueryExecution"]; n != 1 {
			t.Errorf("it has asked %d statements, want one", n)
		}
	}
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) { run(t, engine, folder, fmt.Sprint(stediRows), "stedi") })
	}
	t.Run("another table", func(t *testing.T) { run(t, engines["DuckDB"], other, fmt.Sprint(stediRows)) })
}

// stediRows are those of machine_learning_curated of the real files, and of accelerometer_trusted.
const stediRows = 40981
