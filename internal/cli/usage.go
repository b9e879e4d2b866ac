package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tarn/internal/diag"
	"tarn/internal/project"
)

// usageError is a mistake in the command line itself.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// misspelt is a mistake in the command line with what was most likely meant.
func misspelt(message, hint string) error { return diag.WithHint(errors.New(message), hint) }

// oneOf asks for exactly one argument, and says where its name is found.
func oneOf(what, hint string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return misspelt(cmd.CommandPath()+" needs "+what, hint)
		case len(args) > 1:
			return misspelt(cmd.CommandPath()+" takes one "+what+", not "+strings.Join(args, " "), hint)
		}
		return nil
	}
}

// unknownCommand refuses words that are no command.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	known := []string{}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			known = append(known, c.Name())
		}
	}
	hint := "`tarn --help` lists the commands"
	if n := diag.Nearest(args[0], known); n != "" {
		hint = "did you mean `tarn " + n + "`?"
	}
	return &usageError{misspelt(fmt.Sprintf("no command %q", args[0]), hint)}
}

// wrongArguments says which arguments a command takes; err is what cobra, or a command of its own, says about those given.
func wrongArguments(cmd *cobra.Command, args []string, err error) error {
	for _, counted := range []string{"accepts ", "requires ", "unknown command "} {
		if strings.HasPrefix(err.Error(), counted) {
			message := "an argument is missing"
			if len(args) > 0 { // no command needs more than one
				message = "too many arguments: " + strings.Join(args, " ")
			}
			return &usageError{misspelt(message, "the form is `"+strings.TrimSuffix(cmd.UseLine(), " [flags]")+"`")}
		}
	}
	return &usageError{err}
}

// flagError explains a mistake in flags.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || len(unknown.GetSpecifiedName()) < 2 {
		return &usageError{err}
	}
	known := []string{}
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	hint := "`" + cmd.CommandPath() + " --help` lists the flags"
	if n := diag.Nearest(unknown.GetSpecifiedName(), known); n != "" {
		hint = "did you mean --" + n + "?"
	}
	return &usageError{misspelt("no flag --"+unknown.GetSpecifiedName(), hint)}
}

// settle looks at the global flags before any command runs.
func (a *app) settle(*cobra.Command, []string) error {
	if a.memory != "" {
		if _, err := project.ParseMemory(a.memory); err != nil {
			return &usageError{fmt.Errorf("--memory: %w", err)}
		}
	}
	if a.threads < 0 {
		return &usageError{fmt.Errorf("--threads %d: write a number of threads, or 0 for one per core", a.threads)}
	}
	return nil
}

// wantsJSON finds --json in a command line that could not be read.
func wantsJSON(args []string) bool {
	for _, arg := range args {
		if arg == "--" {
			return false
		}
		if value, ok := strings.CutPrefix(arg, "--json"); ok && (value == "" || value == "=true") {
			return true
		}
	}
	return false
}
