package notebook

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"tarn/internal/exetest"
)

func TestNotebook(t *testing.T) {
	raw := JSON(Plain)
	if !bytes.Equal(raw, JSON(Plain)) {
		t.Error("it is another one at each call")
	}
	var n struct {
		Cells []struct {
			Type   string `json:"cell_type"`
			ID     string
			Source []string
		}
		Format int `json:"nbformat"`
	}
	if err := json.Unmarshal(raw, &n); err != nil || n.Format != 4 {
		t.Fatal(err, n.Format)
	}
	ids, code := map[string]bool{}, 0
	for _, c := range n.Cells {
		text := strings.Join(c.Source, "")
		if ids[c.ID] || c.ID == "" || strings.TrimSpace(text) == "" {
			t.Errorf("cell %q has an id that is there twice, or no text: %q", c.ID, text)
		}
		ids[c.ID] = true
		if c.Type == "code" {
			code++
		} else if strings.HasPrefix(text, "#  ") || !strings.Contains(text, "\n") && !strings.HasPrefix(text, "## ") {
			t.Errorf("a comment has stayed one: %q", text)
		}
	}
	if code < 5 || len(n.Cells)-code < 5 {
		t.Errorf("%d cells, %d of them code", len(n.Cells), code)
	}
	requirements, err := os.ReadFile("../../test/peers/notebook.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []string{"awswrangler==" + WranglerVersion, "scikit-learn==" + ScikitVersion, "matplotlib==" + MatplotlibVersion} {
		if !strings.Contains(string(requirements), r+"\n") {
			t.Errorf("CI does not run the notebook with %s", r)
		}
	}
}

// The script is run by a real shell, with a home of its own: sudo and Anaconda are made for it.
func TestLifecycle(t *testing.T) {
	config := Config{Database: "stedi_prod", Table: "machine_learning_curated", WorkGroup: "stedi-prod-scientist", Person: "serialnumber", LearnFrom: []string{"x", "ü"}}
	script, err := Lifecycle(config)
	if err != nil {
		t.Fatal(err)
	}
	if n := base64.StdEncoding.EncodedLen(len(script)); n > longestScript*3/4 {
		t.Errorf("%d characters in base64 are near the limit of %d", n, longestScript)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	home, bin, installs := filepath.Join(t.TempDir(), "home"), t.TempDir(), filepath.Join(t.TempDir(), "go")
	for path, text := range map[string]string{
		filepath.Join(bin, "sudo"):                          "#!/bin/bash\n[ \"$1 $3\" = '-u -i' ] || exit 9\nshift 3\nexec \"$@\"\n",
		filepath.Join(bin, "pip"):                           "#!/bin/bash\nuntil [ -e '" + installs + "' ]; do sleep 0.05; done\necho installed \"$@\"\n",
		filepath.Join(home, "anaconda3", "bin", "activate"): "[ \"$1\" = python3 ] || exit 9\n",
		filepath.Join(home, "about.json"):                   `{"ResourceArn": "arn:aws:sagemaker:eu-central-1:123456789012:notebook-instance/stedi-prod", "ResourceName": "stedi-prod"}`,
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := exetest.WriteFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	run := func() {
		cmd := exec.Command("bash", "-c", script)
		cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "TARN_HOME=" + home, "TARN_USER=" + me.Username, "TARN_ABOUT=" + filepath.Join(home, "about.json"), "HOME=/nonexistent"}
		// Not waiting for pip is the point: its output goes to a file, so the pipe of ours closes when the script ends.
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	read := func(path string) string {
		raw, err := os.ReadFile(filepath.Join(home, path))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	run()
	if log := read("SageMaker/tarn/install.log"); strings.Contains(log, "ready") {
		t.Error("the script has waited for what it installs")
	}
	if got := read("SageMaker/tarn/" + File); got != string(JSON(Instance)) || !strings.Contains(got, `"name": "conda_python3"`) {
		t.Error("the notebook is another one")
	}
	var got Config
	if err := json.Unmarshal([]byte(read("SageMaker/tarn/"+ConfigFile)), &got); err != nil || !reflect.DeepEqual(got, config) {
		t.Errorf("%v: %+v, want %+v", err, got, config)
	}
	if got := read(".aws/config"); got != "[default]\nregion = eu-central-1\n" {
		t.Error(got)
	}
	ready := func() {
		if err := os.WriteFile(installs, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		for until := time.Now().Add(5 * time.Minute); !strings.Contains(read("SageMaker/tarn/install.log"), "ready"); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(until) {
				t.Fatal(read("SageMaker/tarn/install.log"))
			}
		}
	}
	ready()
	if log := read("SageMaker/tarn/install.log"); !strings.Contains(log, "installed install --quiet awswrangler=="+WranglerVersion) {
		t.Error(log)
	}
	// What somebody has worked on stays.
	if err := os.WriteFile(filepath.Join(home, "SageMaker", "tarn", File), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "SageMaker", "tarn", ConfigFile), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "SageMaker", "tarn", "install.log"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	run()
	if read("SageMaker/tarn/"+File) != "mine" || read("SageMaker/tarn/"+ConfigFile) != "{}" {
		t.Error("the second start has written over somebody's work")
	}
	ready() // until then the second pip goes on in this home
}
