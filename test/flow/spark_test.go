package flow

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tarn/internal/awsconf"
	"tarn/internal/deploy/render"
	"tarn/internal/engine/spark/jobtest"
	"tarn/internal/rights"
	"tarn/internal/store/registry"
)

// icebergOfGlue is the version of Iceberg that AWS Glue 5.0 has.
const icebergOfGlue = "1.7.1"

// sparkJobs lets job runs be real Spark on this machine, with the settings that the template's job has and those of the run; for what
// this machine is other than Glue, there are settings besides.
func (w *world) sparkJobs() {
	w.t.Helper()
	python, jars := os.Getenv("TARN_SPARK_PYTHON"), os.Getenv("TARN_SPARK_JARS")
	if python == "" || jars == "" {
		if os.Getenv("CI") != "" {
			w.t.Fatal("CI has to run test/peers/spark.sh install and set TARN_SPARK_PYTHON and TARN_SPARK_JARS")
		}
		w.t.Skip("TARN_SPARK_PYTHON and TARN_SPARK_JARS are not set; test/peers/spark.sh installs Spark")
	}
	home, err := exec.Command(python, "-c", "import os, pyspark; print(os.path.dirname(pyspark.__file__))").Output()
	if err != nil {
		w.t.Fatal(err)
	}
	libraries, err := filepath.Glob(filepath.Join(jars, icebergOfGlue, "*.jar"))
	if err != nil || len(libraries) == 0 {
		w.t.Fatalf("there are no jars in %s: %v", jars, err)
	}
	arguments := render.JobArguments(w.spec)
	w.jobs.Do = func(ctx context.Context, r jobtest.Run) error {
		conf := r.Conf
		if len(conf) == 0 {
			// The job's own argument counts where the run has none of that name.
			conf = strings.Split(arguments["--conf"], " --conf ")
		}
		dir, err := os.MkdirTemp("", "tarn-flow")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		script := filepath.Join(dir, "runner.py")
		if err := fetch(ctx, r.Script, script); err != nil {
			return err
		}
		args := []string{"--master", "local[2]", "--jars", strings.Join(libraries, ","), "--conf", "spark.pyspark.python=" + python, "--conf", "spark.driver.memory=900m",
			"--conf", "spark.sql.shuffle.partitions=2", "--conf", "spark.ui.enabled=false", "--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.driver.bindAddress=127.0.0.1"}
		for _, c := range conf {
			args = append(args, "--conf", c)
		}
		cmd := exec.Command(filepath.Join(strings.TrimSpace(string(home)), "bin", "spark-submit"), append(append(args, script), r.Args...)...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "AWS_ACCESS_KEY_ID="+string(rights.Job))
		return jobtest.Command(ctx, cmd)
	}
}

// fetch brings an object to a file of this machine.
func fetch(ctx context.Context, from, to string) error {
	s, key, err := registry.New(awsconf.Settings{}).Locate(ctx, from)
	if err != nil {
		return err
	}
	raw, _, err := s.Get(ctx, key)
	if err != nil {
		return err
	}
	return os.WriteFile(to, raw, 0o644)
}

// A run on Glue: real Spark with the settings of the template's job, one run of it for all models or one for each, and the same
// tables in the end as when the function makes them.
func TestGlue(t *testing.T) {
	for _, states := range []string{"one", "models"} {
		t.Run(states, func(t *testing.T) {
			if states == "models" && os.Getenv("TARN_LONG") == "" {
				t.Skip("TARN_LONG is not set: it starts Spark five times")
			}
			needReference(t)
			w := newWorld(t, config{keys: "deploy: {engine: glue, job: {states: " + states + "}}"})
			w.jobs.MoreRuns = 2
			w.sparkJobs()
			// The function is killed in each of its states.
			kills := map[string]func(){}
			for _, action := range []string{"prepare", "publish"} {
				kills[action] = once(func() { w.killAt(9) })
			}
			w.before = func(event string) {
				for action, kill := range kills {
					if strings.Contains(event, `"action":"`+action+`"`) {
						kill()
					}
				}
			}
			w.throttled.Store(2)
			w.whole()
			w.allSucceeded()
			w.same()
			way := steps(w.last())
			want := map[string][]string{"one": {"Prepare, Prepare, Is there a job?, All models, All models, All models, Publish, Publish, Is it published?, Done"},
				"models": {"Customer Trusted", "Accelerometer Trusted", "Step Trainer Trusted", "Customer Curated", "ML Aggregation", "Publish, Publish, Is it published?, Done"}}[states]
			for _, part := range want {
				if !strings.Contains(way, part) {
					t.Errorf("its way is %s", way)
				}
			}
			if n := len(w.jobs.Runs()); states == "one" && n != 1 || states == "models" && n < 5 {
				t.Errorf("%d job runs", n)
			}
			t.Log(way, slices.Sorted(maps.Keys(w.tables())))
		})
	}
}
