// Package awscli runs the commands of the pages for people who know the AWS CLI: docs/aws.md and docs/classic.md, with the real CLI,
// against servers that stand in for AWS.
package awscli

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tarn/internal/athena/athenatest"
	"tarn/internal/awsconf"
	"tarn/internal/deploy/stack/stacktest"
	"tarn/internal/store/registry"
)

// tools are the programs of the pages: a folder with aws and moto_server, as test/peers/awscli.sh installs them.
func tools(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("TARN_AWSCLI")
	if dir == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("CI has to run test/peers/awscli.sh install and set TARN_AWSCLI")
		}
		t.Skip("TARN_AWSCLI is not set; test/peers/awscli.sh installs what it names")
	}
	return dir
}

// commands gives the shell commands of a page: its blocks that are marked sh, in their order.
func commands(t *testing.T, page string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	// The stand-in for S3 is in that region.
	return strings.ReplaceAll(blocks(t, string(raw)), "eu-central-1", region)
}

// blocks gives what is marked sh in a page.
func blocks(t *testing.T, page string) string {
	t.Helper()
	var out strings.Builder
	inside := false
	for line := range strings.Lines(page) {
		switch {
		case line == "```sh\n":
			inside = true
		case line == "```\n":
			inside = false
		case inside:
			out.WriteString(line)
		}
	}
	if out.Len() == 0 {
		t.Fatal("the page has no commands")
	}
	return out.String()
}

// region is where the stand-ins are.
const region = "us-east-1"

// account is an account of stand-ins, with the programs that the pages call.
type account struct {
	t    *testing.T
	dir  string
	path string
	env  []string
}

// newAccount starts the stand-ins: CloudFormation, S3, Glue and STS in one, Athena over the lake of that name, and moto for what is only
// looked at by its form: Step Functions, Lambda and SQS.
func newAccount(t *testing.T, lake string) *account {
	t.Helper()
	bin := tools(t)
	a := &account{t: t, dir: t.TempDir(), path: t.TempDir()}
	program := filepath.Join(a.path, "tarn")
	if out, err := exec.Command("go", "build", "-tags", "grpcnotrace", "-o", program, "../../cmd/tarn").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	a.path += ":" + bin + ":" + os.Getenv("PATH")
	_, env, stop, err := stacktest.Serve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	// The stand-in for Athena reads the lake as tarn does, in this process.
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
	t.Setenv("BUCKET", "my-lake-4711")
	t.Setenv("AWS_DEFAULT_REGION", region)
	groups := map[string]athenatest.WorkGroup{"mylake-aws-analyst": {Output: "s3://my-lake-4711/results/analyst/", Enforce: true}}
	athena := httptest.NewServer(athenatest.New(athenatest.Lake{Dir: filepath.Join(a.dir, lake), Target: "aws"}, registry.New(awsconf.Settings{}), groups))
	t.Cleanup(athena.Close)
	moto := a.moto(bin)
	a.env = append(env, "AWS_ENDPOINT_URL_ATHENA="+athena.URL, "AWS_ENDPOINT_URL_SFN="+moto, "AWS_ENDPOINT_URL_LAMBDA="+moto, "AWS_ENDPOINT_URL_SQS="+moto, "AWS_ENDPOINT_URL_IAM="+moto,
		"AWS_PAGER=", "AWS_DEFAULT_REGION="+region)
	return a
}

// moto starts the server with executions that go on by themselves and a Lambda that runs nothing.
func (a *account) moto(bin string) string {
	a.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		a.t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err == nil {
		err = l.Close()
	}
	if err != nil {
		a.t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(bin, "moto_server"), "-H", host, "-p", port)
	if err := cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	})
	url := "http://" + net.JoinHostPort(host, port)
	const settings = `{"stepfunctions": {"execute_state_machine": true}, "lambda": {"use_docker": false}}`
	for range 600 {
		if r, err := http.Post(url+"/moto-api/config", "application/json", strings.NewReader(settings)); err == nil {
			_ = r.Body.Close()
			return url
		}
		time.Sleep(50 * time.Millisecond)
	}
	a.t.Fatal("moto did not start")
	return ""
}

// prelude leads the CLI's commands for SQS to the stand-in, as the CLI itself goes by no variable there.
const prelude = "aws() { if [ \"$1\" = sqs ]; then command aws --endpoint-url \"$AWS_ENDPOINT_URL_SQS\" \"$@\"; else command aws \"$@\"; fi; }\n"

// run runs shell commands in the account and gives what they print.
func (a *account) run(script string) string {
	a.t.Helper()
	ctx, stop := context.WithTimeout(a.t.Context(), 9*time.Minute)
	defer stop()
	// Names of files are as on the page, and everything that fails ends it.
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", prelude+script)
	cmd.Dir = a.dir
	cmd.Env = append(append(os.Environ(), a.env...), "PATH="+a.path, "HOME="+a.dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		a.t.Fatalf("%v\n%s", err, &out)
	}
	return out.String()
}

// deployed makes what the stand-in for CloudFormation only writes down, so that the CLI finds it under its name.
func (a *account) deployed() {
	a.t.Helper()
	a.run(`
role=$(aws iam create-role --role-name any --assume-role-policy-document '{}' --query Role.Arn --output text)
aws stepfunctions create-state-machine --name mylake-aws --role-arn "$role" --definition '{"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": true}}}'
python3 -c "import zipfile; zipfile.ZipFile('code.zip', 'w').writestr('bootstrap', '')"
aws lambda create-function --function-name mylake-aws --runtime provided.al2023 --handler bootstrap --role "$role" --zip-file fileb://code.zip
aws sqs create-queue --queue-name mylake-aws-dead-letters
aws sqs create-queue --queue-name mylake-aws-landing
rm code.zip
`)
}

// TestPageOfAWS runs docs/aws.md from its first command to its last.
func TestPageOfAWS(t *testing.T) {
	a := newAccount(t, "mylake")
	a.deployed()
	out := a.run(commands(t, "aws.md"))
	for _, want := range []string{
		"123456789012",                       // who one is
		"published",                          // the run from here
		"ICEBERG",                            // a table in Glue
		"metadata_location",                  // asked for by --query, so this may be its value
		"CREATE_COMPLETE",                    // the stack
		"SUCCEEDED",                          // the execution
		"five Glue jobs",                     // what it costs
		"stack tarn-mylake-aws in " + region, // what was taken away
		"remove_bucket: my-lake-4711",        // and the data
	} {
		if want == "metadata_location" {
			want = ".metadata.json"
		}
		if !strings.Contains(out, want) {
			t.Errorf("the page did not print %q", want)
		}
	}
	if t.Failed() || testing.Verbose() {
		t.Log(out)
	}
}

// TestPageOfClassic runs docs/classic.md beside a project that is there: its tables are those of another lake, whose landing tables are
// external tables as the console makes them.
func TestPageOfClassic(t *testing.T) {
	a := newAccount(t, "newlake")
	a.run(`
tarn init old
tarn sample old/data --people 20 --days 2 --replace
sed -i 's|# database: .*|database: stedi_classic|; s|/warehouse/|/old/|' old/tarn.yaml
sed -i "s|s3://stedi-lake/|s3://$BUCKET/landing/|" old/landing/*.sql old/tarn.yaml
aws s3 mb s3://$BUCKET
aws s3 sync old/data/ s3://$BUCKET/landing/
tarn run -q -C old --target aws
`)
	out := a.run(commands(t, "classic.md"))
	for _, table := range []string{"customer_trusted", "accelerometer_trusted", "step_trainer_trusted", "customers_curated", "machine_learning_curated"} {
		was := strings.TrimSpace(a.run("tarn query -C old --target aws --format csv 'SELECT count(*) FROM " + table + "' | tail -n 1"))
		if was == "0" || !strings.Contains(out, table+" "+was+"\n") {
			t.Errorf("%s has %s rows in the old project, and the page printed\n%s", table, was, out)
		}
	}
	// The old project is as it was.
	if left := a.run("aws glue get-tables --database-name stedi_classic --query 'length(TableList)' --output text"); strings.TrimSpace(left) == "0" {
		t.Error("the old tables are gone")
	}
	if t.Failed() || testing.Verbose() {
		t.Log(out)
	}
}
