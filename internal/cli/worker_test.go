package cli

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// TestWorkerEndsWithItsStarter closes the standard input of a worker, as happens when whoever has started it dies.
func TestWorkerEndsWithItsStarter(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	ctx, stop := whileOpen(t.Context(), r)
	defer stop()
	if _, err := w.Write([]byte("still here")); err != nil || ctx.Err() != nil {
		t.Fatal(err, ctx.Err())
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	if !errors.Is(context.Cause(ctx), errDetached) {
		t.Errorf("it ended because %v", context.Cause(ctx))
	}
}

// TestWorkerWithoutBatch names the batch that is not there, and is no command for people.
func TestWorkerWithoutBatch(t *testing.T) {
	t.Parallel()
	var out, errs strings.Builder
	code := Run(t.Context(), []string{"worker", "file:///nowhere/batch.json"}, strings.NewReader(""), &out, &errs)
	if code == 0 || out.Len() > 0 || !strings.Contains(errs.String(), "batch file:///nowhere/batch.json: ") {
		t.Errorf("exit code %d\n%s%s", code, out.String(), errs.String())
	}
	out.Reset()
	if code := Run(t.Context(), []string{"--help"}, strings.NewReader(""), &out, &errs); code != 0 || strings.Contains(out.String(), "\n  worker ") {
		t.Errorf("exit code %d\n%s", code, out.String())
	}
}
