package classic

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tarn/internal/exetest"
	"tarn/internal/template"
)

// fakeAWS stands in for the AWS CLI: it notes its arguments and answers as the CLI does with --output text. Queries and jobs run for
// one look and end at the next; $FAIL, a query's text or a job's name, ends as $END.
const fakeAWS = `#!/bin/sh
printf '%s\0' "$#" "$@" >>"$CALLS"
ends() {
	if [ ! -e "$CALLS.$1" ]; then touch "$CALLS.$1"; echo RUNNING; return; fi
	rm "$CALLS.$1"
	if [ "$2" = "$FAIL" ]; then echo "$END"; else echo SUCCEEDED; fi
}
case "$1 $2" in
"athena start-query-execution") printf '%s' "${3#--query-string=}" >"$CALLS.query"; echo query-1 ;;
"athena get-query-execution") ends athena "$(cat "$CALLS.query")" ;;
"glue start-job-run") echo "run of ${3#--job-name=}" ;;
"glue get-job-run") ends glue "${3#--job-name=}" ;;
"glue delete-job" | "glue create-job" | "s3 cp") ;;
*) echo "aws $1 $2: not foreseen" >&2; exit 2 ;;
esac
`

// scripts is a written project with a stand-in for the AWS CLI.
type scripts struct {
	t   *testing.T
	dir string
	bin string
}

func newScripts(t *testing.T, lakeDir string) *scripts {
	t.Helper()
	s := &scripts{t: t, dir: filepath.Join(t.TempDir(), "a project"), bin: t.TempDir()}
	lake, g := compiled(t, lakeDir)
	if _, err := Write(s.dir, lake, g); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"aws": fakeAWS, "sleep": "#!/bin/sh\n"} {
		if err := exetest.WriteFile(filepath.Join(s.bin, name), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// run runs a script from another folder and gives the calls of the CLI. fail ends as end.
func (s *scripts) run(script, fail, end string) (calls [][]string, out string, err error) {
	s.t.Helper()
	noted := filepath.Join(s.t.TempDir(), "calls")
	cmd := exec.Command(filepath.Join(s.dir, script))
	cmd.Dir = s.t.TempDir()
	cmd.Env = append(os.Environ(), "PATH="+s.bin+":"+os.Getenv("PATH"), "CALLS="+noted, "FAIL="+fail, "END="+end,
		"BUCKET=my-bucket", "ROLE=arn:aws:iam::123456789012:role/glue")
	raw, err := cmd.CombinedOutput()
	text, readErr := os.ReadFile(noted)
	if readErr != nil {
		s.t.Fatalf("%v: %v\n%s", readErr, err, raw)
	}
	words := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
	for len(words) > 0 {
		n, err := strconv.Atoi(words[0])
		if err != nil {
			s.t.Fatal(err)
		}
		calls, words = append(calls, words[1:n+1]), words[n+1:]
	}
	return calls, string(raw), err
}

// option gives the value of an option of a call, written with = or as the next word.
func option(call []string, name string) string {
	for i, w := range call {
		if value, ok := strings.CutPrefix(w, name+"="); ok {
			return value
		}
		if w == name && i+1 < len(call) {
			return call[i+1]
		}
	}
	return ""
}

// of gives an option of the calls of one kind, in their order.
func of(calls [][]string, service, does, name string) (out []string) {
	for _, c := range calls {
		if c[0] == service && c[1] == does {
			out = append(out, option(c, name))
		}
	}
	return out
}

var stediJobs = []string{"Customer Trusted", "Accelerometer Trusted", "Customer Curated", "Step Trainer Trusted", "ML Aggregation"}

func stediScripts(t *testing.T) *scripts {
	t.Helper()
	lakeDir := t.TempDir()
	if _, err := template.Write(lakeDir, "stedi", template.Options{Name: "stedi"}); err != nil {
		t.Fatal(err)
	}
	return newScripts(t, lakeDir)
}

// TestDeploy makes database, tables and jobs in this order, each with what it needs.
func TestDeploy(t *testing.T) {
	t.Parallel()
	s := stediScripts(t)
	calls, out, err := s.run("deploy.sh", "", "")
	if err != nil {
		t.Fatal(err, out)
	}
	queries := of(calls, "athena", "start-query-execution", "--query-string")
	if len(queries) != 9 || queries[0] != "CREATE DATABASE IF NOT EXISTS `stedi`" {
		t.Fatalf("%d queries: %q", len(queries), queries)
	}
	for _, q := range queries[1:] {
		if !strings.HasPrefix(q, "CREATE EXTERNAL TABLE IF NOT EXISTS `stedi`.") || strings.Contains(q, "s3://BUCKET") {
			t.Errorf("query %s", q)
		}
	}
	if last := queries[8]; !strings.Contains(last, "LOCATION 's3://my-bucket/curated/machine_learning_curated/'") {
		t.Errorf("the last table is %s", last)
	}
	if looks := of(calls, "athena", "get-query-execution", "--query-execution-id"); len(looks) != 18 || looks[0] != "query-1" {
		t.Errorf("it has looked %d times: %q", len(looks), looks)
	}
	if at := of(calls, "athena", "start-query-execution", "--result-configuration"); at[0] != "OutputLocation=s3://my-bucket/athena/" {
		t.Errorf("results go to %s", at[0])
	}
	if got := of(calls, "glue", "create-job", "--name"); !slices.Equal(got, stediJobs) {
		t.Errorf("jobs %q", got)
	}
	// Nothing is made before the tables are there and the scripts are up, and no job before its old one is gone.
	does := make([]string, len(calls))
	for i, c := range calls {
		does[i] = c[0] + " " + c[1]
	}
	upload := slices.Index(does, "s3 cp")
	if slices.Index(does, "glue delete-job") != upload+1 || slices.Index(does, "glue create-job") != upload+2 || slices.Contains(does[upload:], "athena start-query-execution") {
		t.Errorf("in this order: %q", does)
	}
	if want := []string{"s3", "cp", "jobs/", "s3://my-bucket/jobs/", "--recursive", "--exclude", "*", "--include", "*.py"}; !slices.Equal(calls[upload], want) {
		t.Errorf("uploaded by %q", calls[upload])
	}
	for _, c := range calls {
		if c[1] != "create-job" {
			continue
		}
		var defaults map[string]string
		if err := json.Unmarshal([]byte(option(c, "--default-arguments")), &defaults); err != nil || defaults["--tables"] != "s3://my-bucket" {
			t.Errorf("%q: %v", c, err)
		}
		_, script, _ := strings.Cut(option(c, "--command"), "ScriptLocation=s3://my-bucket/")
		text, err := os.ReadFile(filepath.Join(s.dir, script))
		if err != nil || !bytes.HasPrefix(text, []byte(`"""`+option(c, "--name")+": "+option(c, "--description"))) {
			t.Errorf("%q: %v", c, err)
		}
		for name, want := range map[string]string{"--role": "arn:aws:iam::123456789012:role/glue", "--glue-version": "5.0"} {
			if got := option(c, name); got != want {
				t.Errorf("%s is %q in %q", name, got, c)
			}
		}
		// Each landing table that the script asks for comes with the job.
		for name, at := range defaults {
			if name != "--tables" && (!strings.Contains(string(text), `args["`+name[2:]+`"]`) || !strings.HasPrefix(at, "s3://stedi-lake/")) {
				t.Errorf("%s of %q: %s", name, option(c, "--name"), at)
			}
		}
	}
	// A table that cannot be made ends it before there are jobs.
	calls, out, err = s.run("deploy.sh", queries[4], "FAILED")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(out, "query query-1 has FAILED") || len(of(calls, "athena", "start-query-execution", "--query-string")) != 5 ||
		len(of(calls, "glue", "create-job", "--name")) > 0 {
		t.Errorf("a query that fails: %v\n%s%q", err, out, calls)
	}
}

// TestRunScript starts each job when the one before has ended, and none after one that has failed, however that is called.
func TestRunScript(t *testing.T) {
	t.Parallel()
	s := stediScripts(t)
	calls, out, err := s.run("run.sh", "", "")
	if err != nil || out != strings.Join(stediJobs, "\n")+"\n" {
		t.Fatal(err, out)
	}
	var want [][]string
	for _, job := range stediJobs {
		want = append(want, []string{"glue", "start-job-run", "--job-name=" + job, "--query", "JobRunId", "--output", "text"})
		look := []string{"glue", "get-job-run", "--job-name=" + job, "--run-id", "run of " + job, "--query", "JobRun.JobRunState", "--output", "text"}
		want = append(want, look, look)
	}
	if !slices.EqualFunc(calls, want, slices.Equal) {
		t.Errorf("%q\nexpected %q", calls, want)
	}
	for _, end := range []string{"FAILED", "ERROR", "TIMEOUT", "STOPPED", "EXPIRED"} {
		calls, out, err := s.run("run.sh", "Customer Curated", end)
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(out, "Customer Curated: run run of Customer Curated has "+end) ||
			len(of(calls, "glue", "start-job-run", "--job-name")) != 3 {
			t.Errorf("%s: %v\n%s%q", end, err, out, calls)
		}
	}
}

// TestNamesInScripts gives the CLI names and descriptions as they are, whatever is in them.
func TestNamesInScripts(t *testing.T) {
	t.Parallel()
	const name, about = "--It's \"a\" $HOME job & `more`", `of 100 % \n ü $(reboot)`
	lakeDir := t.TempDir()
	for path, text := range map[string]string{
		"tarn.yaml":               "name: l\nlocations: {\"s3://l/\": data/}\n",
		"landing/raw_landing.sql": "CREATE EXTERNAL TABLE raw_landing (id bigint) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://l/it''s/'",
		"trusted/raw_trusted.sql": "/* @tarn\ndescription: |-\n  " + name + ": " + about + "\n*/\nSELECT r.id FROM raw_landing r\n",
	} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(lakeDir, path)), 0o755), os.WriteFile(filepath.Join(lakeDir, path), []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	s := newScripts(t, lakeDir)
	calls, out, err := s.run("deploy.sh", "", "")
	if err != nil {
		t.Fatal(err, out)
	}
	var defaults map[string]string
	err = json.Unmarshal([]byte(of(calls, "glue", "create-job", "--default-arguments")[0]), &defaults)
	if got := of(calls, "glue", "create-job", "--name"); err != nil || got[0] != name || of(calls, "glue", "create-job", "--description")[0] != about || defaults["--raw_landing"] != "s3://l/it's/" {
		t.Errorf("%q: %v\n%v", calls[len(calls)-1], err, defaults)
	}
	if calls, out, err = s.run("run.sh", "", ""); err != nil || of(calls, "glue", "start-job-run", "--job-name")[0] != name {
		t.Errorf("%q %s %v", calls, out, err)
	}
}
