// Package cli is the command line of tarn. [Run] is the whole program: results go to stdout, progress and diagnostics to
// stderr, and the number that it gives back is the exit code (see exitCodes).
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"tarn/internal/catalog"
	"tarn/internal/project"
	"tarn/internal/run"
)

// Run executes one command line, without the program's name, and gives the exit code.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	out := &answers{Writer: stdout}
	a := &app{stdin: stdin, stdout: out, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	var usage *usageError
	if errors.As(err, &usage) {
		a.json = a.json || wantsJSON(args)
	}
	a.command = cmd.CommandPath()
	if err == nil {
		err = out.err
	}
	return a.finish(ctx, err)
}

// answers is stdout, which remembers the first failure: a command whose results could not be written has not done its work.
type answers struct {
	io.Writer
	err error
}

func (r *answers) Write(p []byte) (int, error) {
	n, err := r.Writer.Write(p)
	if r.err == nil {
		r.err = err
	}
	return n, err
}

// fileOf gives the file behind a stream, or nil.
func fileOf(w any) *os.File {
	if r, ok := w.(*answers); ok {
		w = r.Writer
	}
	f, _ := w.(*os.File)
	return f
}

// app holds what all commands share: the streams and the global flags.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	dir     string
	target  string
	memory  string
	threads int
	json    bool
	quiet   bool
	// publishes says that the command shows new tables to readers when it ends well.
	publishes bool
	// command is what was called, such as "tarn run".
	command string
}

// errTold says that the command failed and has already said why.
var errTold = errors.New("told")

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "tarn",
		Short: "A data lake that fits on a laptop and grows into AWS unchanged",
		Long: `tarn takes raw files in a landing zone and keeps trusted and curated tables right, as open Apache Iceberg tables.

A lake is a folder with tarn.yaml, landing tables (Athena DDL) and models (one SELECT each). ` + "`tarn run`" + ` brings all tables
up to date and shows them to readers in one step; ` + "`tarn query`" + ` asks them.`,
		Example: `  tarn demo              see everything at work in a minute
  tarn init mylake       start a lake of your own
  tarn run               bring all tables up to date
  tarn run --target aws  the same in a bucket: tarn.yaml says how under targets:
  tarn query "SELECT * FROM machine_learning_curated LIMIT 10"`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,

		PersistentPreRunE: a.settle,
	}
	root.SetFlagErrorFunc(flagError)
	// cobra's own way to print a version is a template, and a program with templates keeps every method of every type.
	version := root.Flags().Bool("version", false, "print the version of tarn")
	root.RunE = func(cmd *cobra.Command, _ []string) error {
		if *version {
			a.say("tarn %s", versions().Version)
			return nil
		}
		return cmd.Help()
	}
	f := root.PersistentFlags()
	f.StringVarP(&a.dir, "dir", "C", "", "the lake's `folder`, or one inside it (default: search upwards from here)")
	f.StringVar(&a.target, "target", "", "use the settings of this `target` in tarn.yaml, such as aws (default: those at its top)")
	f.StringVar(&a.memory, "memory", "", "most memory for the engine, a `size` such as 512MB (default: tarn.yaml, or "+run.DefaultMemory+")")
	f.IntVar(&a.threads, "threads", 0, "worker threads of the engine, a `number` (default: one per core)")
	f.BoolVar(&a.json, "json", false, "print one JSON object on stdout; see docs/json.md")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "no progress on stderr")
	offer(root, "target", a.completeTargets)
	root.AddGroup(&cobra.Group{ID: "start", Title: "Start:"}, &cobra.Group{ID: "work", Title: "Work:"}, &cobra.Group{ID: "care", Title: "Look after it:"})
	for _, c := range []struct {
		group string
		make  func(*app) *cobra.Command
	}{
		{"start", demoCommand}, {"start", initCommand}, {"start", crawlCommand}, {"start", importCommand}, {"start", sampleCommand},
		{"work", validateCommand}, {"work", planCommand}, {"work", runCommand}, {"work", queryCommand}, {"work", compareCommand}, {"work", checkCommand}, {"work", compileCommand}, {"work", deployCommand}, {"work", connectCommand},
		{"care", quarantineCommand}, {"care", runsCommand}, {"care", rollbackCommand}, {"care", dropCommand}, {"care", gcCommand}, {"care", holdsCommand}, {"care", recoverCommand}, {"care", doctorCommand}, {"care", versionCommand}, {"care", workerCommand}, {"care", lambdaCommand}, {"care", costCommand},
	} {
		cmd := c.make(a)
		cmd.GroupID = c.group
		for _, cmd := range append([]*cobra.Command{cmd}, cmd.Commands()...) {
			explainArguments(cmd)
		}
		root.AddCommand(cmd)
	}
	return root
}

// explainArguments has a command say which arguments it takes where those given are wrong.
func explainArguments(cmd *cobra.Command) {
	check := cmd.Args
	if check == nil {
		return
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return wrongArguments(cmd, args, err)
		}
		return nil
	}
}

// lakeDir finds the lake that the command is about.
func (a *app) lakeDir() (string, error) {
	if a.dir == "" {
		return project.Find(".")
	}
	info, err := os.Stat(a.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// A folder above may well be a lake, but not the one that was asked for.
		return "", fmt.Errorf("-C: %w: %w", errMissing, err)
	case err != nil:
		return "", fmt.Errorf("-C: %w", err)
	case !info.IsDir():
		return project.Find(filepath.Dir(a.dir))
	}
	return project.Find(a.dir)
}

// open opens the lake that the command is about.
func (a *app) open(ctx context.Context) (*run.Workspace, error) {
	return a.openFor(ctx, catalog.Owner{})
}

// openFor opens it for an owner of its lock.
func (a *app) openFor(ctx context.Context, o catalog.Owner) (*run.Workspace, error) {
	dir, err := a.lakeDir()
	if err != nil {
		return nil, err
	}
	return run.Open(ctx, dir, run.Options{Target: a.target, Memory: a.memory, Threads: a.threads, Owner: o})
}

// print writes the one JSON object of --json.
func (a *app) print(v any) error {
	e := json.NewEncoder(a.stdout)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// say writes a line to stdout.
func (a *app) say(format string, args ...any) { fmt.Fprintf(a.stdout, format+"\n", args...) }

// tell writes a line to stderr.
func (a *app) tell(format string, args ...any) { fmt.Fprintf(a.stderr, format+"\n", args...) }

// alike gives the command line of another command on the same lake and target.
func (a *app) alike(command string) string {
	line := "tarn " + command
	if a.dir != "" {
		line += " -C " + shellWord(a.dir)
	}
	if a.target != "" {
		line += " --target " + a.target
	}
	return line
}

// inLake gives the command line of a command on the lake in dir.
func inLake(command, dir string) string {
	if dir = here(dir); dir != "." {
		command += " -C " + shellWord(dir)
	}
	return "tarn " + command
}

// here shows a path relative to the working directory where that is shorter.
func here(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(wd, path); err == nil && len(rel) < len(path) {
		return rel
	}
	return path
}
