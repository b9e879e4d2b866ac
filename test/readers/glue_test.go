package readers

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/athena/athenatest"
	"tarn/internal/awsconf"
	"tarn/internal/catalog/glue/gluetest"
	"tarn/internal/store"
	"tarn/internal/store/registry"
	"tarn/internal/store/s3/s3test"
	"tarn/test/peers"
)

const glueTarget = `
  cloud:
    warehouse: s3://%[1]s/warehouse/
    catalog: glue
    locations: {"s3://stedi-lake/": "s3://%[1]s/landing/"}
`

// The lake in a bucket and in the Glue Data Catalog, on the stand-ins of the tests: PyIceberg and Trino find its tables there.
func TestOtherProgramsSeeTheSameRowsInGlue(t *testing.T) {
	python := python(t)
	bucket := standIns(t)
	dir := filepath.Join(t.TempDir(), "lake")
	newLake(t, dir)
	addTarget(t, dir, bucket)
	upload(t, filepath.Join(dir, "data"), "s3://"+bucket+"/landing/")
	tarn(t, "run", "-C", dir, "--target", "cloud")
	exports := export(t, tables, "-C", dir, "--target", "cloud")

	t.Run("PyIceberg", func(t *testing.T) { compare(t, len(tables), python, "readers.py", "glue", "stedi", exports) })
	t.Run("Trino", func(t *testing.T) { compare(t, len(tables), python, "trino.py", trino(t), "lake", "stedi", exports) })
	// What tarn compare prints for Athena.
	t.Run("Trino compares", func(t *testing.T) {
		engine := athenatest.Trino{URL: trino(t), Catalog: "lake"}
		lake := athenatest.Lake{Dir: dir, Target: "cloud"}
		for _, pair := range [][]string{{"customer_trusted", "customers_curated"}, {"kinds", "kinds"}, {"accelerometer_trusted", "machine_learning_curated"}} {
			for _, form := range [][]string{{"--sql"}, {"--sql", "--rows", "3"}} {
				sql := told(t, append(append(append([]string{"compare"}, pair...), form...), "-C", dir, "--target", "cloud")...)
				got, err := engine.Query(t.Context(), "stedi", sql)
				if err != nil {
					t.Fatalf("%v: %v\n%s", pair, err, sql)
				}
				want, err := lake.Query(t.Context(), "stedi", sql)
				if err != nil {
					t.Fatal(err)
				}
				// Which of the rows that differ are shown first is for the engine to say where several are alike.
				if len(form) == 1 && !cmp.Equal(got.Rows, want.Rows) || len(got.Rows) != len(want.Rows) {
					t.Errorf("%v: %s\n%s", pair, cmp.Diff(want.Rows, got.Rows), sql)
				}
			}
		}
	})
	for _, version := range icebergs {
		t.Run("Spark with Iceberg "+version, func(t *testing.T) {
			python, jars := sparkPython(t)
			compare(t, len(tables), python, "spark.py", filepath.Join(jars, version), "stedi", exports)
		})
	}
}

// standIns leads the environment to an S3 server with one bucket and to a Glue Data Catalog, both of this test alone.
func standIns(t *testing.T) (bucket string) {
	t.Helper()
	bucket = "readers-" + strings.ToLower(strings.ReplaceAll(t.Name(), "_", "-"))
	env, err := s3test.Serve(t.Context(), bucket)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range env {
		k, v, _ := strings.Cut(e, "=")
		t.Setenv(k, v)
	}
	s3test.Removed(t, bucket)
	gluetest.Start(t)
	return bucket
}

// addTarget adds the target "cloud" to a lake.
func addTarget(t *testing.T, dir, bucket string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "tarn.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = fmt.Fprintf(f, glueTarget, bucket)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// icebergs are the libraries that other engines read with: that of Athena, of Glue 5.0, and of Glue 5.1.
var icebergs = []string{"1.4.2", "1.7.1", "1.10.0"}

// sparkPython is the one that has PySpark, and jars the folder with the Iceberg libraries, as test/peers/spark.sh installs them.
func sparkPython(t *testing.T) (python, jars string) {
	t.Helper()
	python, jars = os.Getenv("TARN_SPARK_PYTHON"), os.Getenv("TARN_SPARK_JARS")
	if python == "" || jars == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("CI has to run test/peers/spark.sh install and set TARN_SPARK_PYTHON and TARN_SPARK_JARS")
		}
		t.Skip("TARN_SPARK_PYTHON and TARN_SPARK_JARS are not set; test/peers/spark.sh installs Spark")
	}
	return python, jars
}

// upload copies the files of a folder into a bucket.
func upload(t *testing.T, folder, to string) {
	t.Helper()
	s, prefix, err := registry.New(awsconf.Settings{}).Locate(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		_, err = s.Put(t.Context(), prefix+strings.TrimPrefix(filepath.ToSlash(strings.TrimPrefix(path, folder)), "/"), strings.NewReader(string(raw)), store.Condition{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// trino lets Trino serve the catalog and the bucket that the environment leads to, and gives its address.
func trino(t *testing.T) string { return peers.Trino(t) }

// trinoServing lets Trino serve the catalogs of files of its folder etc, and gives its address.
func trinoServing(t *testing.T, files map[string]string) string { return peers.TrinoServing(t, files) }
