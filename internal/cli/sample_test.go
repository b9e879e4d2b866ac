package cli

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/internal/sample"
)

func TestSampleIntoALake(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "lake")
	data := filepath.Join(dir, "data")
	mustCall(t, "init", dir)
	flags := []string{"sample", data, "--people", "50", "--days", "2", "--seconds", "20", "--seed", "11", "--mess", "0.01", "--start", "2030-05-01"}
	text := mustCall(t, flags...)
	for _, want := range []string{"wrote 3 files (", "customer ", "belong in quarantine", "must load all the same", "next: `tarn run -C "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	var s struct {
		Dir     string
		Late    bool
		Seconds float64
		sample.Summary
	}
	again := mustCall(t, append(flags, "--replace", "--json")...)
	if err := json.Unmarshal([]byte(again), &s); err != nil {
		t.Fatal(err)
	}
	if s.Dir != data || s.Late || s.Seconds <= 0 || s.BrokenTotal == 0 || s.Odd == 0 {
		t.Errorf("%+v", s)
	}
	mustCall(t, "run", "-C", dir)
	have := counts(t, dir)
	want := map[string]int64{"customer_landing": s.Customers, "accelerometer_landing": s.Accelerometer, "step_trainer_landing": s.StepTrainer,
		"customer_trusted": s.Expected.CustomerTrusted, "accelerometer_trusted": s.Expected.AccelerometerTrusted, "customers_curated": s.Expected.CustomersCurated,
		"step_trainer_trusted": s.Expected.StepTrainerTrusted, "machine_learning_curated": s.Expected.MachineLearningCurated}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("what the command promised (-) and the lake (+):\n%s", diff)
	}
	if n := numbers(t, dir, "SELECT count(*) AS n FROM accelerometer_trusted WHERE timestamp < '2030-05-01' OR timestamp >= '2030-05-03'")["n"]; n != 0 {
		t.Errorf("%d readings are not of the two days", n)
	}
	late := mustCall(t, append(flags, "--late", "--json")...)
	if err := json.Unmarshal([]byte(late), &s); err != nil {
		t.Fatal(err)
	}
	mustCall(t, "run", "-C", dir)
	if got := counts(t, dir)["machine_learning_curated"] - want["machine_learning_curated"]; got != s.Expected.MachineLearningCurated || got == 0 {
		t.Errorf("the late day added %d rows, the command promised %d", got, s.Expected.MachineLearningCurated)
	}
	// Two of twenty people train later, and on some days none does.
	if text := mustCall(t, "sample", filepath.Join(t.TempDir(), "few"), "--people", "20", "--days", "2", "--late"); !strings.HasPrefix(text, "wrote no files: ") {
		t.Errorf("nobody trains, and it says\n%s", text)
	}
}

func TestSampleRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mustCall(t, "sample", filepath.Join(dir, "there"), "--people", "5", "--days", "1", "--seconds", "5")
	real := filepath.Join(dir, "real", "customer", "landing")
	if err := os.MkdirAll(real, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(real, "customer-1691348231425.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, says string }{
		{"sample", "an argument is missing\nhint: the form is `tarn sample DIR`"},
		{"sample new there", "too many arguments"},
		{"sample new --start 0001-01-01", "too early"},
		{"sample there", "hint: --replace replaces them"},
		{"sample real", "hint: take a folder of its own"},
		{"sample real --replace", "customer-1691348231425.json"},
		{"sample new --people 0", "--people must be at least 1"},
		{"sample new --days -2", "days must be from 1 to 3660"},
		{"sample new --mess 2", "mess must be from 0 to 1"},
		{"sample new --mess 0.1 --broken 3", "exclude each other"},
		{"sample new --start tomorrow", "write 2026-01-31"},
		{"sample new --file-size huge", "write 512KB"},
		{"sample new --peopel 3", "no flag --peopel"},
		{"sample new -C there", "-C is for commands on a lake"},
	} {
		args := strings.Fields(c.args)
		for i, a := range args {
			if a == "there" || a == "real" || a == "new" {
				args[i] = filepath.Join(dir, a)
			}
		}
		got := call(context.Background(), args...)
		if got.code != exitUsage || got.stdout != "" || !strings.Contains(got.stderr, c.says) || !strings.Contains(got.stderr, "hint: ") {
			t.Errorf("tarn %s: exit code %d, does not say %q:\n%s%s", c.args, got.code, c.says, got.stdout, got.stderr)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "new")); err == nil {
		t.Error("a refused command made its folder")
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"1": 1, "512KB": 512 << 10, "32MB": 32 << 20, "32 mib": 32 << 20, "2g": 2 << 30, "0": 0, "-1MB": 0, "MB": 0, "1TB": 1 << 40, "1PB": 0, "1.5MB": 0, "KB1": 0, "1KBKB": 0} {
		if got, err := size(text); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
}
