package readers

import (
	"os"
	"path/filepath"
	"testing"

	"tarn/internal/athena/athenatest"
	"tarn/internal/awsconf"
	"tarn/internal/stedi"
	"tarn/internal/store/registry"
	"tarn/test/peers"
)

// TestNotebook runs the notebook as `tarn connect sagemaker --notebook` writes it, on the real files in a bucket and in Glue: by
// its documented switch it asks the stand-in for Athena. Where Trino is there, that executes the statements, else DuckDB.
func TestNotebook(t *testing.T) {
	peers.Wrangler(t)
	files := stedi.Files(t)
	bucket := standIns(t)
	dir, folder := filepath.Join(t.TempDir(), "lake"), filepath.Join(t.TempDir(), "notebook")
	tarn(t, "init", dir)
	addTarget(t, dir, bucket)
	upload(t, files, "s3://"+bucket+"/landing/")
	args := []string{"-C", dir, "--target", "cloud"}
	tarn(t, append([]string{"run"}, args...)...)
	tarn(t, append([]string{"connect", "sagemaker", "--workgroup", "scientist", "--notebook", folder}, args...)...)
	engines := map[string]athenatest.Engine{"DuckDB": athenatest.Lake{Dir: dir, Target: "cloud"}}
	if os.Getenv("TARN_TRINO") != "" {
		engines["Trino"] = athenatest.Trino{URL: trino(t), Catalog: "lake"}
	}
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			server, url := athenatest.Start(t, engine, registry.New(awsconf.Settings{}), groups(bucket))
			peers.Notebook(t, folder, url, stediRows)
			if n := server.Counts()["StartQueryExecution"]; n != 1 {
				t.Errorf("it has asked %d statements, want one", n)
			}
		})
	}
}

// stediRows are those of machine_learning_curated of the real files.
const stediRows = 40981
