package peers

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Wrangler is the Python with the clients of Athena and what the notebook needs, as notebook.sh installs it.
func Wrangler(t testing.TB) string {
	t.Helper()
	python := os.Getenv("TARN_NOTEBOOK_PYTHON")
	if python == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("CI has to run test/peers/notebook.sh install and set TARN_NOTEBOOK_PYTHON")
		}
		t.Skip("TARN_NOTEBOOK_PYTHON is not set; test/peers/notebook.sh installs what it names")
	}
	return python
}

// Notebook executes the notebook for SageMaker in a folder, as `tarn connect sagemaker --notebook` writes it, with a stand-in for
// Athena at a URL: it fails where a cell does, or where the notebook finds another number of rows than machine_learning_curated of
// the real files has, or other scores than are known for them.
func Notebook(t testing.TB, folder, athena string, rows int) {
	t.Helper()
	scratch := t.TempDir()
	cmd := exec.Command(Wrangler(t), "../peers/notebook.py", folder, fmt.Sprint(rows), "stedi")
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "AWS_ENDPOINT_URL_ATHENA") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, "TARN_ATHENA_ENDPOINT="+athena, "IPYTHONDIR="+scratch, "JUPYTER_RUNTIME_DIR="+scratch, "JUPYTER_CONFIG_DIR="+scratch, "MPLCONFIGDIR="+scratch)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
