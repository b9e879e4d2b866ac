package awscli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tarn/internal/athena/athenatest"
	"tarn/internal/awsconf"
	"tarn/internal/awstest"
	"tarn/internal/store"
	"tarn/internal/store/s3"
	"tarn/internal/store/s3/s3test"
	"tarn/test/account"
)

// TestOnAWS runs a lake in a real account, where TARN_AWS_TEST names a bucket of it; with TARN_AWS_TEST_STACK set too, it also deploys one,
// which makes roles, and takes it away.
func TestOnAWS(t *testing.T) {
	a := awstest.Open(t)
	p := build(t)
	t.Run("lake", func(t *testing.T) { p.lake(t, a) })
	t.Run("stack", func(t *testing.T) {
		if os.Getenv(awstest.StackVariable) == "" {
			t.Skip(awstest.StackVariable + " is not set: it would make a stack, and roles in it")
		}
		p.stack(t, a)
	})
}

// TestOnStandIns does the same where the account is one of stand-ins, so that it is known to do what it should before somebody pays for it.
func TestOnStandIns(t *testing.T) {
	if os.Getenv("TARN_LONG") == "" {
		t.Skip("TARN_LONG is not set: it builds the program and waits for events")
	}
	p := build(t)
	served, err := account.Serve(athenatest.Lake{Dir: filepath.Join(p.dir, "lake"), Target: "real"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(served.Close)
	for _, e := range served.Env {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
	bucket := s3test.Bucket(t)
	t.Setenv(awstest.Variable, bucket)
	a := awstest.Open(t)
	t.Run("lake", func(t *testing.T) { p.lake(t, a) })
	t.Run("stack", func(t *testing.T) { p.stack(t, a) })
	s, err := s3.Open(t.Context(), bucket, awsconf.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	for o, err := range s.List(t.Context(), "", store.ListOptions{}) {
		t.Errorf("left in the bucket: %s, %v", o.Key, err)
	}
}

// program is tarn, in a folder for lakes.
type program struct{ dir, tarn string }

func build(t *testing.T) *program {
	t.Helper()
	p := &program{dir: t.TempDir()}
	p.tarn = filepath.Join(p.dir, "tarn")
	if out, err := exec.Command("go", "build", "-tags", "grpcnotrace,lambda.norpc", "-o", p.tarn, "../../cmd/tarn").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return p
}

// try calls a program and gives what it prints.
func (p *program) try(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = p.dir
	if region := os.Getenv("AWS_REGION"); region != "" {
		cmd.Env = append(os.Environ(), "AWS_DEFAULT_REGION="+region) // which version 1 of the CLI goes by
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), err
}

func (p *program) do(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := p.try(t.Context(), name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// make writes a lake of the template with a sample and a target more, and gives the rows of its last table as they are here.
func (p *program) make(t *testing.T, name, target string) string {
	t.Helper()
	p.do(t, p.tarn, "init", name)
	p.do(t, p.tarn, "sample", name+"/data", "--people", "20", "--days", "2", "--replace")
	f, err := os.OpenFile(filepath.Join(p.dir, name, "tarn.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString("  real:\n    catalog: glue\n" + target)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.do(t, p.tarn, "run", "-q", "-C", name)
	return p.do(t, p.tarn, count(name)...)
}

// count are the arguments that count the rows of a lake's last table.
func count(lake string, more ...string) []string {
	return append([]string{"query", "-q", "-C", lake, "--format", "csv", "SELECT count(*) FROM machine_learning_curated"}, more...)
}

// lake has raw files here, tables in the bucket and names in Glue: it runs twice from this machine, once as from another one, and asks
// Athena, where the AWS CLI is there.
func (p *program) lake(t *testing.T, account awstest.Account) {
	prefix, database := account.Prefix(t), account.Database(t)
	place := "s3://" + account.Bucket + "/" + prefix
	want := p.make(t, "lake", fmt.Sprintf("    warehouse: %stables/\n    database: %s\n    locations: {\"s3://stedi-lake/\": data/}\n", place, database))
	p.do(t, p.tarn, "run", "-q", "-C", "lake", "--target", "real")
	if got := p.do(t, p.tarn, count("lake", "--target", "real")...); got != want || strings.HasSuffix(got, "\n0") {
		t.Errorf("%q in the bucket, %q here", got, want)
	}
	if err := os.RemoveAll(filepath.Join(p.dir, "lake", ".tarn", "targets")); err != nil {
		t.Fatal(err)
	}
	if out := p.do(t, p.tarn, "run", "-C", "lake", "--target", "real"); !strings.Contains(out, "nothing to do") {
		t.Errorf("again, without copies: %s", out)
	}
	if got := p.do(t, p.tarn, count("lake", "--target", "real")...); got != want {
		t.Errorf("%q without copies, %q here", got, want)
	}
	aws, err := exec.LookPath("aws")
	if err != nil {
		return
	}
	id := p.do(t, aws, "athena", "start-query-execution", "--query-string", "SELECT count(*) FROM "+database+".machine_learning_curated", "--result-configuration", "OutputLocation="+place+"results/",
		"--query", "QueryExecutionId", "--output", "text")
	for state := "QUEUED"; state == "QUEUED" || state == "RUNNING"; {
		time.Sleep(time.Second)
		state = p.do(t, aws, "athena", "get-query-execution", "--query-execution-id", id, "--query", "QueryExecution.Status.State", "--output", "text")
	}
	if got := p.do(t, aws, "athena", "get-query-results", "--query-execution-id", id, "--query", "ResultSet.Rows[1].Data[0].VarCharValue", "--output", "text"); !strings.HasSuffix(want, "\n"+got) {
		t.Errorf("Athena counts %q, and here there are %q", got, want)
	}
}

// patience is how long files may take from landing to the last table: settling, a cold start, a run; and min_interval, where another run was just there.
const patience = 10 * time.Minute

// stack deploys a lake into the bucket, lets files land, waits until they are in the last table without anything being started here, and
// destroys it.
func (p *program) stack(t *testing.T, account awstest.Account) {
	prefix, database := account.Prefix(t), account.Database(t)
	place := "s3://" + account.Bucket + "/" + prefix
	// The name of the stack, and of all in it, is one that nobody has.
	lake := "tarn_test_" + strings.TrimPrefix(database, "tarn_test_")
	want := p.make(t, lake, fmt.Sprintf(`    warehouse: %[1]swarehouse/
    database: %[2]s
    locations: {"s3://stedi-lake/": "%[1]slanding/"}
    deploy: {bucket: existing, artefacts: "%[1]sartefacts/"}
`, place, database))
	// Whatever happens, the stack goes before the bucket's prefix and the database do.
	gone := false
	t.Cleanup(func() {
		if gone {
			return
		}
		ctx, stop := context.WithTimeout(context.Background(), patience)
		defer stop()
		if out, err := p.try(ctx, p.tarn, "deploy", "destroy", "-C", lake, "--target", "real", "--yes"); err != nil {
			t.Errorf("the stack tarn-%s-real may be left: %v\n%s", strings.ReplaceAll(lake, "_", "-"), err, out)
		}
	})
	p.do(t, p.tarn, "deploy", "-C", lake, "--target", "real", "--yes", "--no-run")
	s, err := s3.Open(t.Context(), account.Bucket, awsconf.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"customer", "accelerometer", "step_trainer"} {
		raw, err := os.ReadFile(filepath.Join(p.dir, lake, "data", table, "landing", table+"-000.json"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Put(t.Context(), prefix+"landing/"+table+"/landing/"+table+"-000.json", bytes.NewReader(raw), store.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	for got := ""; got != want; {
		if ctx.Err() != nil {
			status, _ := p.try(t.Context(), p.tarn, "deploy", "status", "-C", lake, "--target", "real")
			t.Fatalf("after %s the last table has %q, want %q\n%s", patience, got, want, status)
		}
		time.Sleep(5 * time.Second)
		got, _ = p.try(ctx, p.tarn, count(lake, "--target", "real")...) // until the first run has ended, there is no such table
	}
	p.do(t, p.tarn, "deploy", "destroy", "-C", lake, "--target", "real", "--yes")
	gone = true
	if out, err := p.try(t.Context(), p.tarn, "deploy", "status", "-C", lake, "--target", "real"); err == nil {
		t.Errorf("after it was destroyed: %s", out)
	}
}
