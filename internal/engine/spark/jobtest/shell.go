package jobtest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Script puts a shell script where [Shell] finds it.
func Script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script.py")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}

// Shell lets a run be its script, read by a shell. What that says on its standard error is the message of a run that fails.
func Shell(ctx context.Context, r Run) error {
	return Command(ctx, exec.Command("sh", append([]string{strings.TrimPrefix(r.Script, "file://")}, r.Args...)...))
}

// Command runs a program until it ends, or ends it with all that it has started.
func Command(ctx context.Context, cmd *exec.Cmd) error {
	var errs bytes.Buffer
	cmd.Stderr, cmd.SysProcAttr = &errs, &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer stop()
	if err := cmd.Wait(); err != nil {
		text := errs.String()
		return fmt.Errorf("%w: %s", err, text[max(0, len(text)-2000):])
	}
	return nil
}
