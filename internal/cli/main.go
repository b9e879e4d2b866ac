package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Main is [Run] with the process's own arguments, streams and signals; it gives the exit code. The first Ctrl-C or SIGTERM
// ends the command in order; a second one ends the process at once.
func Main() int {
	// A reader that has seen enough, such as head, closes the pipe: the write that fails ends the command in order, where
	// the signal would leave temporary files behind.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}
