package readers

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"tarn/internal/athena/athenatest"
	"tarn/internal/awsconf"
	"tarn/internal/cli"
	"tarn/internal/connect"
	"tarn/internal/store/registry"
	"tarn/test/peers"
)

// asked is a lake of invented people in a bucket and in Glue, that an Athena answers about. args are those that lead tarn to it.
func asked(t *testing.T) (args []string, bucket string) {
	t.Helper()
	bucket = standIns(t)
	dir := filepath.Join(t.TempDir(), "lake")
	newLake(t, dir)
	addTarget(t, dir, bucket)
	upload(t, filepath.Join(dir, "data"), "s3://"+bucket+"/landing/")
	args = []string{"-C", dir, "--target", "cloud"}
	tarn(t, append([]string{"run"}, args...)...)
	athenatest.Start(t, athenatest.Lake{Dir: dir, Target: "cloud"}, registry.New(awsconf.Settings{}), groups(bucket))
	return args, bucket
}

func groups(bucket string) map[string]athenatest.WorkGroup {
	return map[string]athenatest.WorkGroup{"scientist": {Output: "s3://" + bucket + "/results/scientist/", Enforce: true}}
}

func TestClientsAskAthena(t *testing.T) {
	python := peers.Wrangler(t)
	args, bucket := asked(t)
	exports := export(t, []string{connect.DefaultTable}, args...)
	compare(t, 6, python, "athena.py", "stedi", "scientist", "s3://"+bucket+"/results/mine/", filepath.Join(exports, connect.DefaultTable+".parquet"))
}

// TestInputsOfJobs pins a table for the jobs of SageMaker, lets a run and gc go by, and looks at what the jobs would get.
func TestInputsOfJobs(t *testing.T) {
	python := peers.Wrangler(t)
	args, _ := asked(t)
	dir := args[1]
	exports := export(t, []string{connect.DefaultTable}, args...)
	var files []string
	for _, kind := range []string{"--processing", "--training"} {
		var out, messages bytes.Buffer
		command := append([]string{"connect", "sagemaker", kind, "--keep", "1d", "--workgroup", "scientist", "--json"}, args...)
		if code := cli.Run(t.Context(), command, strings.NewReader(""), &out, &messages); code != 0 {
			t.Fatalf("%v: %d\n%s", command, code, messages.String())
		}
		files = append(files, filepath.Join(t.TempDir(), kind+".json"))
		write(t, files[len(files)-1], out.String())
	}
	write(t, filepath.Join(dir, "curated", connect.DefaultTable+".sql"), "SELECT a.x, a.y FROM accelerometer_trusted a\n")
	tarn(t, append([]string{"run"}, args...)...)
	tarn(t, append([]string{"gc", "--older-than", "0", "--over-half"}, args...)...)
	compare(t, 1, python, filepath.Join("cells", "jobs.py"), files[0], files[1], "scientist", filepath.Join(exports, connect.DefaultTable+".parquet"))
}

// TestCellsAskAthena runs the cells for Athena and SageMaker exactly as printed.
func TestCellsAskAthena(t *testing.T) {
	python := peers.Wrangler(t)
	args, _ := asked(t)
	exports := export(t, []string{connect.DefaultTable}, args...)
	for _, peer := range []string{"athena", "sagemaker"} {
		t.Run(peer, func(t *testing.T) {
			runCell(t, python, peer, exports, append([]string{"--workgroup", "scientist"}, args...)...)
		})
	}
}
