package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"tarn/internal/lambda/task"
)

// log writes lines of JSON.
type log struct {
	*slog.Logger
	out          io.Writer
	now          func() time.Time
	lake, target string
}

func newLog(out io.Writer, now func() time.Time, lake, target string) *log {
	if out == nil {
		out = io.Discard
	}
	out = &lines{out: out}
	return &log{slog.New(slog.NewJSONHandler(out, nil)).With("lake", lake, "target", target), out, now, lake, target}
}

// lines lets whole lines through one after the other.
type lines struct {
	mu  sync.Mutex
	out io.Writer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(p)
}

// with adds the invocation to every line.
func (l *log) with(ctx context.Context) *log {
	if id := request(ctx); id != "" {
		return l.add("request", id)
	}
	return l
}

func (l *log) add(args ...any) *log {
	out := *l
	out.Logger = l.Logger.With(args...)
	return &out
}

func (l *log) info(text string, args ...any) { l.Info(text, args...) }

func (l *log) warn(text string, args ...any) { l.Warn(text, args...) }

// failed tells of an error that the function ends with.
func (l *log) failed(err error) { l.Error(plainly(err), "type", errorType(err)) }

// panicked tells of a mistake in the program, and gives the error that the function ends with. The process ends too.
func (l *log) panicked(v any) error {
	text := veiled(fmt.Sprint(v))
	l.Error("panic: "+text, "stack", string(debug.Stack()))
	return messages.InvokeResponse_Error{Type: "Panic", Message: text, ShouldExit: true}
}

// loopLog makes lines of JSON of what the loop of aws-lambda-go says, which writes to the standard logger. The errors that the
// function ends with are told by then.
type loopLog struct{ *log }

func (l loopLog) Write(p []byte) (int, error) {
	if !bytes.HasPrefix(p, []byte(`{"errorMessage"`)) {
		l.warn(veiled(strings.TrimSpace(string(p))))
	}
	return len(p), nil
}

// measure writes a count as CloudWatch takes it out of logs for a metric (Amazon CloudWatch User Guide, "Specification: Embedded
// metric format"): one line with the number and what it is.
func (l *log) measure(name string, n int64) {
	line := map[string]any{task.LakeDimension: l.lake, task.TargetDimension: l.target, name: n}
	line["_aws"] = map[string]any{"Timestamp": l.now().UnixMilli(), "CloudWatchMetrics": []any{map[string]any{
		"Namespace": task.Namespace, "Dimensions": [][]string{{task.LakeDimension, task.TargetDimension}}, "Metrics": []any{map[string]string{"Name": name, "Unit": "Count"}}}}}
	raw, err := json.Marshal(line)
	if err != nil {
		return // of numbers and names
	}
	_, _ = l.out.Write(append(raw, '\n')) // a log that cannot be written cannot tell of that
}
