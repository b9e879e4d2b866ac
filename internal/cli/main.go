package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"tarn/internal/run"
)

// Main is [Run] with the process's own arguments, streams and signals; it gives the exit code.
func Main() int {
	ctx, stop := Signals(context.Background())
	defer stop()
	return Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}

// Signals gives a context that ends with the first Ctrl-C, SIGTERM or SIGHUP, so that the command ends in order; a second
// one ends the process at once. Those that the process was started to ignore, as by nohup, stay ignored.
func Signals(parent context.Context) (context.Context, context.CancelFunc) {
	// A reader that has seen enough, such as head, closes the pipe: the write that fails ends the command in order, where
	// the signal would leave temporary files behind.
	signal.Ignore(syscall.SIGPIPE)
	var caught []os.Signal
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			caught = append(caught, s)
		}
	}
	ctx, cancel := context.WithCancelCause(parent)
	if len(caught) == 0 {
		// To Notify no signal means all.
		return ctx, func() { cancel(nil) }
	}
	came := make(chan os.Signal, 1)
	signal.Notify(came, caught...)
	stop := context.AfterFunc(ctx, func() { signal.Stop(came) })
	go func() {
		select {
		case s := <-came:
			if s == syscall.SIGHUP {
				cancel(run.ErrTerminalGone)
			} else {
				cancel(context.Canceled)
			}
		case <-ctx.Done():
		}
	}()
	return ctx, func() { stop(); signal.Stop(came); cancel(nil) }
}
