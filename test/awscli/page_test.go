// Package awscli runs the commands of the pages for people who know the AWS CLI: docs/aws.md and docs/classic.md, with the real CLI,
// against servers that stand in for AWS.
package awscli

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tarn/internal/athena/athenatest"
	"tarn/test/account"
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

// blocks gives the lines of a page's blocks of code that are marked so.
func blocks(t *testing.T, page, mark string) (out []string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	inside := false
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "```"+mark:
			inside = true
		case line == "```":
			inside = false
		case inside:
			out = append(out, line)
		}
	}
	if len(out) == 0 {
		t.Fatalf("%s has no blocks of %s", page, mark)
	}
	return out
}

// commands gives the shell commands of a page: its blocks that are marked sh, in their order. The stand-ins are in another region.
func commands(t *testing.T, page string) string {
	t.Helper()
	return strings.ReplaceAll(strings.Join(blocks(t, page, "sh"), "\n")+"\n", "eu-central-1", region)
}

// region is where the stand-ins are.
const region = "us-east-1"

// shell runs commands in an account of stand-ins, with the programs that the pages call.
type shell struct {
	t    *testing.T
	dir  string
	path string
	env  []string
}

// newAccount starts the stand-ins: package account has all of them. Athena asks the lake of that name.
func newAccount(t *testing.T, lake string) *shell {
	t.Helper()
	bin := tools(t)
	a := &shell{t: t, dir: t.TempDir(), path: t.TempDir()}
	program := filepath.Join(a.path, "tarn")
	if out, err := exec.Command("go", "build", "-tags", "grpcnotrace,lambda.norpc", "-o", program, "../../cmd/tarn").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	a.path += ":" + bin + ":" + os.Getenv("PATH")
	log := &strings.Builder{}
	served, err := account.Serve(athenatest.Lake{Dir: filepath.Join(a.dir, lake), Target: "aws"}, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		served.Close()
		if t.Failed() {
			t.Log(log)
		}
	})
	// The stand-in for Athena reads the lake as tarn does, in this process.
	for _, e := range served.Env {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
	t.Setenv("BUCKET", "my-lake-4711")
	t.Setenv("AWS_DEFAULT_REGION", region)
	a.env = append(served.Env, "AWS_PAGER=", "AWS_DEFAULT_REGION="+region)
	return a
}

// prelude leads the CLI's commands for SQS to the stand-in, as version 1 of the CLI goes by no variable there.
const prelude = "aws() { if [ \"$1\" = sqs ]; then command aws --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"; else command aws \"$@\"; fi; }\n"

// run runs shell commands in the account and gives what they print.
func (a *shell) run(script string) string {
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

// changing is what is another one each time in what a page shows: runs, moments, seconds, identifiers.
var changing = regexp.MustCompile(`\d{8}T\d{6}Z(-[0-9a-f]{8})?|\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?|\b\d+(\.\d+)? s\b|\b\d\.\d\d$`)

// shown holds every line of output that a page shows to what its commands have printed.
func (a *shell) shown(page, out string) {
	a.t.Helper()
	alike := func(line string) string {
		line = changing.ReplaceAllString(strings.ReplaceAll(line, "eu-central-1", region), "#")
		return strings.Join(strings.FieldsFunc(line, func(r rune) bool { return r == ' ' }), " ")
	}
	printed := map[string]bool{}
	for line := range strings.Lines(out) {
		printed[alike(strings.TrimRight(line, "\n"))] = true
	}
	lines := blocks(a.t, page, "text")
	if len(lines) < 10 {
		a.t.Errorf("%s shows %d lines of output", page, len(lines))
	}
	for _, line := range lines {
		if line != "…" && line != "" && !printed[alike(line)] {
			a.t.Errorf("%s shows a line that was not printed: %s", page, line)
		}
	}
}

// TestPageOfAWS runs docs/aws.md from its first command to its last.
func TestPageOfAWS(t *testing.T) {
	a := newAccount(t, "mylake")
	out := a.run(commands(t, "aws.md"))
	a.shown("aws.md", out)
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

// classicTables lists the tables and files of the old project.
const classicTables = "aws glue get-tables --database-name stedi_classic; aws s3 ls --recursive s3://$BUCKET | grep -v ' tarn/' | grep -v artefacts"

// TestPageOfClassic runs docs/classic.md beside a project as Glue jobs leave it, which has to be as it was at the end.
func TestPageOfClassic(t *testing.T) {
	a := newAccount(t, "newlake")
	project, err := os.ReadFile(filepath.Join("testdata", "classic.sh"))
	if err != nil {
		t.Fatal(err)
	}
	a.run(string(project))
	before := a.run(classicTables)
	out := a.run(commands(t, "classic.md"))
	a.shown("classic.md", out)
	if after := a.run(classicTables); after != before || !strings.Contains(before, "machine_learning_curated") {
		t.Errorf("the old project was\n%s\nand is\n%s", before, after)
	}
	if t.Failed() || testing.Verbose() {
		t.Log(out)
	}
}
