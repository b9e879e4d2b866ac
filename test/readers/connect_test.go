package readers

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tarn/internal/cli"
	"tarn/internal/connect"
)

// TestCellsReadTheSameRows runs what `tarn connect` prints for a lake of this machine, exactly as printed.
func TestCellsReadTheSameRows(t *testing.T) {
	python := python(t)
	dir := filepath.Join(t.TempDir(), "a lake ü 'n' \"more\"")
	newLake(t, dir)
	tarn(t, "run", "-C", dir)
	table := []string{connect.DefaultTable}
	exports := export(t, table, "-C", dir)
	for _, peer := range []string{"python", "duckdb", "polars", "pyiceberg"} {
		t.Run(peer, func(t *testing.T) { runCell(t, python, peer, exports, "-C", dir) })
	}
	t.Run("spark", func(t *testing.T) { runCell(t, sparkConfigured(t), "spark", exports, "-C", dir) })
	t.Run("trino", func(t *testing.T) {
		p := printed(t, "trino", "-C", dir).Parts[0]
		url := trinoServing(t, map[string]string{strings.TrimPrefix(p.File, "etc/"): p.Text})
		runCell(t, python, "trino", exports, "-C", dir, "--server", url)
	})
}

// TestCellsReadABucket does the same for a lake whose tables and catalog file are in a bucket.
func TestCellsReadABucket(t *testing.T) {
	python := python(t)
	bucket := standIns(t)
	dir := filepath.Join(t.TempDir(), "lake")
	newLake(t, dir)
	t.Setenv("BUCKET", bucket)
	upload(t, filepath.Join(dir, "data"), "s3://"+bucket+"/landing/")
	args := []string{"-C", dir, "--target", "bucket"}
	tarn(t, append([]string{"run"}, args...)...)
	exports := export(t, []string{connect.DefaultTable}, args...)
	for _, peer := range []string{"python", "duckdb", "polars", "pyiceberg"} {
		t.Run(peer, func(t *testing.T) { runCell(t, python, peer, exports, args...) })
	}
	t.Run("spark", func(t *testing.T) { runCell(t, sparkConfigured(t), "spark", exports, args...) })
}

// TestCellsReadGlue does the same for a lake in a bucket and in the Glue Data Catalog.
func TestCellsReadGlue(t *testing.T) {
	python := python(t)
	bucket := standIns(t)
	dir := filepath.Join(t.TempDir(), "lake")
	newLake(t, dir)
	addTarget(t, dir, bucket)
	upload(t, filepath.Join(dir, "data"), "s3://"+bucket+"/landing/")
	args := []string{"-C", dir, "--target", "cloud"}
	tarn(t, append([]string{"run"}, args...)...)
	exports := export(t, []string{connect.DefaultTable}, args...)
	for _, peer := range []string{"python", "duckdb", "polars", "pyiceberg"} {
		t.Run(peer, func(t *testing.T) { runCell(t, python, peer, exports, args...) })
	}
	t.Run("spark", func(t *testing.T) { runCell(t, sparkConfigured(t), "spark", exports, args...) })
	t.Run("trino", func(t *testing.T) {
		// The keys are all that a server of one's own needs beside what is printed: in AWS it has a role.
		keys := "hive.metastore.glue.aws-access-key=" + os.Getenv("AWS_ACCESS_KEY_ID") + "\nhive.metastore.glue.aws-secret-key=" + os.Getenv("AWS_SECRET_ACCESS_KEY") +
			"\ns3.aws-access-key=" + os.Getenv("AWS_ACCESS_KEY_ID") + "\ns3.aws-secret-key=" + os.Getenv("AWS_SECRET_ACCESS_KEY") + "\n"
		p := printed(t, "trino", args...).Parts[0]
		url := trinoServing(t, map[string]string{strings.TrimPrefix(p.File, "etc/"): p.Text + keys})
		runCell(t, python, "trino", exports, append(slices.Clone(args), "--server", url)...)
	})
}

// printed gives what `tarn connect` says, and makes sure that it prints the same text without --json.
func printed(t *testing.T, peer string, args ...string) connect.Cell {
	t.Helper()
	said := func(more ...string) []byte {
		var out, err bytes.Buffer
		if code := cli.Run(t.Context(), append(append([]string{"connect", peer}, args...), more...), strings.NewReader(""), &out, &err); code != 0 {
			t.Fatalf("tarn connect %s: exit code %d\n%s", peer, code, err.String())
		}
		return out.Bytes()
	}
	var cell connect.Cell
	if err := json.Unmarshal(said("--json"), &cell); err != nil {
		t.Fatal(err)
	}
	if text := string(said()); text != cell.Text() {
		t.Fatalf("tarn connect %s prints\n%s\nbut --json has\n%s", peer, text, cell.Text())
	}
	return cell
}

// runCell runs the Python of a printed cell, in an environment that knows credentials and nothing of endpoints: these have to
// be in the text.
func runCell(t *testing.T, python, peer, exports string, args ...string) {
	t.Helper()
	cell := printed(t, peer, args...)
	parts := slices.DeleteFunc(slices.Clone(cell.Parts), func(p connect.Part) bool { return p.Language != "python" })
	if len(parts) != 1 {
		t.Fatalf("%d parts are Python, want one", len(parts))
	}
	file := filepath.Join(t.TempDir(), "cell.py")
	write(t, file, parts[0].Text)
	cmd := exec.Command(python, filepath.Join("cells", "run.py"), peer, file, filepath.Join(exports, connect.DefaultTable+".parquet"))
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "AWS_ENDPOINT") && !strings.HasPrefix(e, "AWS_REGION") && !strings.HasPrefix(e, "AWS_DEFAULT_REGION") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, "TZ=UTC")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), peer+": ") {
		t.Fatalf("%v\n%s\n%s", err, parts[0].Text, out)
	}
}

// sparkConfigured is the Python with PySpark, led to a session that fits this machine: where packages are kept, no window, little
// memory. What to read and how is the cell's.
func sparkConfigured(t *testing.T) string {
	t.Helper()
	python, jars := sparkPython(t)
	conf := t.TempDir()
	write(t, filepath.Join(conf, "spark-defaults.conf"), "spark.master local[1]\nspark.ui.enabled false\nspark.driver.host 127.0.0.1\nspark.driver.bindAddress 127.0.0.1\n"+
		"spark.driver.memory 900m\nspark.sql.shuffle.partitions 1\nspark.jars.ivy "+filepath.Join(filepath.Dir(jars), "ivy")+"\n")
	t.Setenv("SPARK_CONF_DIR", conf)
	return python
}
