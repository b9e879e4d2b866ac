package cli

import (
	stdbytes "bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tarn/internal/demo"
	"tarn/internal/diag"
	"tarn/internal/run"
	"tarn/internal/template"
)

func demoCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "demo [DIR]",
		Short: "See a lake at work: invented data, from raw files to curated tables",
		Long: `Writes a lake of the stedi template and a few invented raw files into a folder (tarn-demo, unless you name one), three of
their records broken, runs it, and shows what became of every row. What it leaves is a lake like any other: look into its
files, change them, ask it. A second demo in the same folder keeps them and runs what you changed.`,
		Example: `  tarn demo
  tarn demo /tmp/lake
  tarn demo --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := a.dir
			switch {
			case len(args) == 1 && dir != "":
				return &usageError{errors.New("either DIR or -C, not both")}
			case len(args) == 1:
				dir = args[0]
			case dir == "":
				var err error
				if dir, err = demo.Folder(); err != nil {
					return err
				}
			}
			return a.demo(cmd.Context(), dir)
		},
	}
}

func (a *app) demo(ctx context.Context, dir string) error {
	sampling, running := a.counter(), a.progress()
	r, err := demo.Make(ctx, dir, demo.Options{
		Run:      run.Options{Target: a.target, Memory: a.memory, Threads: a.threads},
		Progress: running.event, Sampling: sampling.count,
	})
	sampling.done()
	running.done()
	if errors.Is(err, template.ErrInTheWay) {
		return diag.WithHint(err, "name a new folder: tarn demo DIR")
	}
	if err != nil {
		return a.demoFailed(ctx, dir, r, err)
	}
	if a.json {
		return a.print(r)
	}
	// The answer that is shown is that of the command which is shown.
	var answer stdbytes.Buffer
	if code := Run(ctx, []string{"query", "-C", dir, r.Query.SQL}, a.stdin, &answer, a.stderr); code != exitDone {
		return told(fmt.Errorf("query of the demo: exit code %d", code))
	}
	a.showDemo(dir, r, answer.String())
	return nil
}

// demoFailed tells of a demo that did not come to its end: it was interrupted, or somebody changed its definitions.
func (a *app) demoFailed(ctx context.Context, dir string, r *demo.Report, err error) error {
	var checks *run.CheckError
	switch {
	case r.Run == nil:
		return err
	case a.json:
		if e := a.print(r); e != nil {
			return e
		}
		return told(err)
	case errors.As(err, &checks):
		a.showRun(r.Run)
		a.showFailed(r.Run)
		return told(err)
	case ctx.Err() != nil && r.Run.Status == run.Published:
		a.tell("interrupted: the tables were published as run %s; tarn demo %s shows them", r.Run.Run, dir)
		return told(err)
	}
	return err
}

// program is how the user can call this program again.
func program() string {
	exe, err := os.Executable()
	if err != nil {
		return "tarn"
	}
	if strings.Contains(filepath.ToSlash(exe), "/go-build") {
		// go run builds into a folder of Go's own.
		if _, err := os.Stat("cmd/tarn/main.go"); err == nil {
			return "go run ./cmd/tarn"
		}
		return "go run tarn/cmd/tarn"
	}
	called := os.Args[0]
	if found, err := exec.LookPath("tarn"); err == nil && strings.ContainsRune(called, os.PathSeparator) && sameFile(found, exe) {
		return "tarn"
	}
	return shellWord(called)
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// shellWord quotes a word for a shell where it needs it.
func shellWord(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+=,", r) || r > 127)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
