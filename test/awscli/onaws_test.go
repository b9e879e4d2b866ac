package awscli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tarn/internal/awstest"
)

// TestOnAWS runs a whole lake in a real account, where TARN_AWS_TEST names a bucket of it: raw files and tables in the bucket, names in
// Glue, twice from this machine, once as another one; and asks Athena, where the AWS CLI is there.
func TestOnAWS(t *testing.T) {
	account := awstest.Open(t)
	prefix, database := account.Prefix(t), account.Database(t)
	place := "s3://" + account.Bucket + "/" + prefix
	dir := t.TempDir()
	program := filepath.Join(dir, "tarn")
	do := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		if region := os.Getenv("AWS_REGION"); region != "" {
			cmd.Env = append(os.Environ(), "AWS_DEFAULT_REGION="+region) // which version 1 of the CLI goes by
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	if out, err := exec.Command("go", "build", "-tags", "grpcnotrace", "-o", program, "../../cmd/tarn").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	do(program, "init", "lake")
	do(program, "sample", "lake/data", "--people", "20", "--days", "2", "--replace")
	f, err := os.OpenFile(filepath.Join(dir, "lake", "tarn.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	// The raw files stay here: what is tried is the bucket of the tables, and Glue.
	_, err = fmt.Fprintf(f, "  real:\n    warehouse: %stables/\n    catalog: glue\n    database: %s\n    locations: {\"s3://stedi-lake/\": data/}\n", place, database)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	do(program, "run", "-q", "-C", "lake")
	do(program, "run", "-q", "-C", "lake", "--target", "real")
	count := []string{"query", "-C", "lake", "--format", "csv", "SELECT count(*) FROM machine_learning_curated"}
	want := do(program, count...)
	if got := do(program, append(count, "--target", "real")...); got != want || strings.HasSuffix(got, "\n0") {
		t.Errorf("%q in the bucket, %q here", got, want)
	}
	if err := os.RemoveAll(filepath.Join(dir, "lake", ".tarn", "targets")); err != nil {
		t.Fatal(err)
	}
	if out := do(program, "run", "-C", "lake", "--target", "real"); !strings.Contains(out, "nothing to do") {
		t.Errorf("again, without copies: %s", out)
	}
	if got := do(program, append(count, "--target", "real")...); got != want {
		t.Errorf("%q without copies, %q here", got, want)
	}
	aws, err := exec.LookPath("aws")
	if err != nil {
		return
	}
	id := do(aws, "athena", "start-query-execution", "--query-string", "SELECT count(*) FROM "+database+".machine_learning_curated", "--result-configuration", "OutputLocation="+place+"results/",
		"--query", "QueryExecutionId", "--output", "text")
	for state := "QUEUED"; state == "QUEUED" || state == "RUNNING"; {
		time.Sleep(time.Second)
		state = do(aws, "athena", "get-query-execution", "--query-execution-id", id, "--query", "QueryExecution.Status.State", "--output", "text")
	}
	if got := do(aws, "athena", "get-query-results", "--query-execution-id", id, "--query", "ResultSet.Rows[1].Data[0].VarCharValue", "--output", "text"); !strings.HasSuffix(want, "\n"+got) {
		t.Errorf("Athena counts %q, and here there are %q", got, want)
	}
}
