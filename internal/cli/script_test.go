package cli_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"tarn/internal/cli"
	"tarn/internal/stedi"
)

var update = flag.Bool("update", false, "rewrite golden parts of scripts and generated pages")

func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){"tarn": func() { os.Exit(cli.Main()) }})
}

// tests are what runs unless the program is one of the commands.
type tests struct{ *testing.M }

func (t tests) Run() int {
	// Where the tests were started with nohup, the programs that they start would ignore it as well.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	return t.M.Run()
}

// TestScript tells stories of the command line: one file of testdata/script each, with the real program.
//
// Each script finds a small lake in shop. Beside testscript's own commands there are:
//
//	tarn …                    the program
//	exit CODE [in=FILE] tarn … runs it and compares its exit code; stdout and stderr can be looked at afterwards
//	json PATH [VALUE]         looks into the JSON object of the last stdout: a.b.0, a.len or a.name=x; without VALUE it must be there
//	setenv NAME json PATH     keeps a value of that object in a variable
//	stedi DIR                 copies the real files into a lake's data folder; scripts begin with [!stedi] skip
//	lock DIR                  is another process that writes to the lake, until the script ends
//	bucket NAME               makes a bucket of an S3 server and keeps its name in a variable
//	glue                      leads the script to a Glue Data Catalog of its own
//	account                   leads the script to an AWS account of its own, on a stand-in, and keeps a program for Lambda in $PROGRAM
//	upload PATH s3://B/KEY    copies a file or a folder there; remove s3://B/KEY removes an object
//	elsewhere DIR TABLE WHAT  commits to a table of a lake as another program does: see package laketest
//	objects s3://B/PREFIX     lists the keys below a place into objects.txt
func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                filepath.Join("testdata", "script"),
		UpdateScripts:      *update,
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("NO_COLOR", "1")
			e.Setenv("HOME", e.WorkDir)
			return os.CopyFS(filepath.Join(e.WorkDir, "shop"), os.DirFS(filepath.Join("testdata", "shop")))
		},
		Condition: func(cond string) (bool, error) {
			if cond != "stedi" {
				return false, fmt.Errorf("unknown condition %s", cond)
			}
			if realFiles == "" && os.Getenv("CI") != "" {
				return false, fmt.Errorf("the STEDI files are not there: set TARN_STEDI")
			}
			return realFiles != "", nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exit":   exitCmd,
			"json":   jsonCmd,
			"setenv": setenvCmd,
			"stedi":  stediCmd,
			"lock":   lockCmd,

			"bucket":  bucketCmd,
			"glue":    glueCmd,
			"account": accountCmd,
			"upload":  uploadCmd,
			"remove":  removeCmd,
			"objects": objectsCmd,

			"elsewhere": elsewhereCmd,
		},
	})
}

// exitCmd runs a command and compares its exit code.
func exitCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit CODE tarn ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		var e *exec.ExitError
		if !asExit(err, &e) {
			ts.Fatalf("%v", err)
		}
		got = e.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func asExit(err error, to **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError)
	*to = e
	return ok
}

// jsonCmd looks into the one JSON object that stdout has to be.
func jsonCmd(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: json PATH [VALUE]")
	}
	got, ok := lookup(ts, args[0])
	if len(args) == 1 {
		if ok == neg {
			ts.Fatalf("%s: there is %v", args[0], ok)
		}
		return
	}
	matches, err := regexp.MatchString("^(?:"+args[1]+")$", got)
	ts.Check(err)
	if !ok || matches == neg {
		ts.Fatalf("%s is %s, want %s", args[0], got, args[1])
	}
}

// lookup gives the value at a path of the last stdout, as text.
func lookup(ts *testscript.TestScript, path string) (string, bool) {
	d := json.NewDecoder(bytes.NewReader([]byte(ts.ReadFile("stdout"))))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		ts.Fatalf("stdout is no JSON: %v", err)
	}
	if d.More() {
		ts.Fatalf("stdout has more than one JSON object")
	}
	for _, key := range strings.Split(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			var ok bool
			if v, ok = in[key]; !ok {
				return "", false
			}
		case []any:
			if key == "len" {
				v = len(in)
				continue
			}
			if name, value, ok := strings.Cut(key, "="); ok {
				v = find(in, name, value)
				if v == nil {
					return "", false
				}
				continue
			}
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(in) {
				return "", false
			}
			v = in[i]
		default:
			return "", false
		}
	}
	switch v.(type) {
	case map[string]any, []any:
		raw, err := json.Marshal(v)
		ts.Check(err)
		return string(raw), true
	}
	return fmt.Sprint(v), true
}

// find gives the object of a list that has a value under a name.
func find(list []any, name, value string) any {
	for _, e := range list {
		if m, ok := e.(map[string]any); ok && reflect.DeepEqual(fmt.Sprint(m[name]), value) {
			return m
		}
	}
	return nil
}

func setenvCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 || args[1] != "json" {
		ts.Fatalf("usage: setenv NAME json PATH")
	}
	v, ok := lookup(ts, args[2])
	if !ok {
		ts.Fatalf("nothing at %s", args[2])
	}
	ts.Setenv(args[0], v)
}

// realFiles is the folder of the real files, or empty.
var realFiles = stedi.Find()

func stediCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: stedi DIR")
	}
	ts.Check(os.CopyFS(ts.MkAbs(args[0]), os.DirFS(realFiles)))
}

// lockCmd holds a lake's lock as another process does that writes to it.
func lockCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: lock DIR")
	}
	f, err := os.OpenFile(filepath.Join(ts.MkAbs(args[0]), ".tarn", "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	ts.Check(err)
	ts.Check(unix.Flock(int(f.Fd()), unix.LOCK_EX))
	_, err = fmt.Fprintf(f, `{"run":"20260101T000000Z-00000000","pid":4711,"since":%q}`, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Format(time.RFC3339))
	ts.Check(err)
	ts.Defer(func() { _ = f.Close() })
}
