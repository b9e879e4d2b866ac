package run_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tarn/internal/exetest"
)

// stranger starts the program as somebody who may read the lake and write nothing in it.
func (l *testLake) stranger(args ...string) *exec.Cmd {
	l.t.Helper()
	cmd := l.tarn(args...)
	if os.Getuid() != 0 {
		return cmd
	}
	// Permissions are nothing to root: the program has to run as another user, from where that one can start it.
	const nobody = 65534
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	bin := filepath.Join(l.t.TempDir(), "tarn")
	if err := os.Link(os.Args[0], bin); err != nil {
		raw, err := os.ReadFile(os.Args[0])
		if err != nil {
			l.t.Fatal(err)
		}
		if err := exetest.WriteFile(bin, raw); err != nil {
			l.t.Fatal(err)
		}
	}
	for _, dir := range []string{filepath.Dir(bin), filepath.Dir(filepath.Dir(bin))} {
		if err := os.Chmod(dir, 0o755); err != nil {
			l.t.Fatal(err)
		}
	}
	cmd.Path = bin
	return cmd
}

// allow sets what may be done with everything in the lake.
func (l *testLake) allow(write bool) {
	l.t.Helper()
	err := filepath.WalkDir(l.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o444)
		if e.IsDir() {
			mode = 0o555
		}
		if write {
			mode |= 0o200
		}
		return os.Chmod(path, mode)
	})
	if err != nil {
		l.t.Fatal(err)
	}
}

// TestReadOnlyLake reads a lake that may only be read: as a run left it, and with the catalog's log as kill -9 left it.
func TestReadOnlyLake(t *testing.T) {
	t.Parallel()
	for _, killed := range []bool{false, true} {
		l := newLake(t)
		l.batch(0)
		l.run()
		if killed {
			l.batch(1)
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), killAt+"=published", lakeDir+"="+l.dir)
			if err := cmd.Run(); err == nil {
				t.Fatal("the process was not killed")
			}
			if _, err := os.Stat(l.path(".tarn/catalog.db-wal")); err != nil {
				t.Fatalf("the catalog has no log: %v", err)
			}
		}
		l.allow(false)
		t.Cleanup(func() { l.allow(true) })
		var counts []string
		for _, args := range [][]string{
			{"query", "SELECT count(*) FROM readings", "--format", "csv"}, {"query", "--at", "2100-01-01", "SELECT count(*) FROM readings", "--format", "csv"},
			{"plan"}, {"check"}, {"runs"}, {"quarantine"}, {"validate"}, {"compile", "people"},
		} {
			out, err := l.stranger(args...).CombinedOutput()
			if err != nil {
				t.Errorf("killed %t: %v: %v\n%s", killed, args, err, out)
			}
			if args[0] == "query" {
				counts = append(counts, string(out))
			}
		}
		out, err := l.stranger("run").CombinedOutput()
		if err == nil || !strings.Contains(string(out), "the lake can only be read from here") {
			t.Errorf("run: %v\n%s", err, out)
		}
		l.allow(true)
		code, want, stderr := l.cli("query", "SELECT count(*) FROM readings", "--format", "csv")
		if code != 0 || counts[0] != want || counts[1] != want {
			t.Errorf("killed %t: strangers count %q, the owner %q %s", killed, counts, want, stderr)
		}
	}
}
