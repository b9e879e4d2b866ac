package spark

import (
	"bytes"
	"context"
	"strings"
	"time"
)

// Launcher starts the runner somewhere. Its methods may be called by another process than the one that started the job.
type Launcher interface {
	// Ready tells what the place is, for people, or why no job could be started there: a [StartError].
	Ready(ctx context.Context) (string, error)
	// Start starts a job and gives the id by which it is found again.
	Start(ctx context.Context, j Job) (id string, err error)
	// Find gives the ids of jobs that were started for the plan already, the newest first. It is for a process that died between
	// starting a job and noting its id, and for jobs that somebody else starts.
	Find(ctx context.Context, j Job) (ids []string, err error)
	// State asks how a job is.
	State(ctx context.Context, j Job, id string) (State, error)
	// Cancel ends a job and returns when it can write no more. One that has ended already is no error.
	Cancel(ctx context.Context, j Job, id string) error
}

// Job is one start of the runner.
type Job struct {
	// Run is the id of tarn's run.
	Run string
	// Script and Plan are locations.
	Script, Plan string
	// Folder is the location of the run's own folder, with a slash at its end.
	Folder string
	// IO are properties of Iceberg's file access that the runner needs beside what the environment has.
	IO map[string]string
}

// Args are the runner's arguments.
func (j Job) Args() []string {
	args := []string{"--tarn-plan", j.Plan}
	if len(j.IO) > 0 {
		args = append(args, "--tarn-io", j.FileAccess())
	}
	return args
}

// Arguments are [Job.Args] by name.
func (j Job) Arguments() map[string]string {
	out, args := map[string]string{}, j.Args()
	for i := 0; i+1 < len(args); i += 2 {
		out[args[i]] = args[i+1]
	}
	return out
}

// FileAccess writes IO as the runner takes it in one argument.
func (j Job) FileAccess() string {
	parts := make([]string, 0, len(j.IO))
	for _, key := range sorted(j.IO) {
		parts = append(parts, key+"="+j.IO[key])
	}
	return strings.Join(parts, ",")
}

// Phase is where a job stands.
type Phase string

// The phases of a job. The last three are final.
const (
	Waiting   Phase = "waiting" // for machines
	Running   Phase = "running"
	Succeeded Phase = "succeeded"
	Failed    Phase = "failed"
	Stopped   Phase = "stopped" // on request
)

// Ended reports whether a job can write no more.
func (p Phase) Ended() bool { return p == Succeeded || p == Failed || p == Stopped }

// State is how a job is.
type State struct {
	Phase Phase
	// Message is what the service says, for people.
	Message string
	// Logs are the last lines of the driver's log, or where they are; only of a job that failed.
	Logs string
}

// LogTail gives the last lines of a driver's log, without what Spark says of its daily work.
func LogTail(log []byte) string {
	const most = 25
	var out []string
	for line := range bytes.Lines(log) {
		text := string(bytes.TrimRight(line, "\n"))
		if !strings.Contains(text, " INFO ") && strings.TrimSpace(text) != "" {
			out = append(out, text)
		}
	}
	return strings.Join(out[max(0, len(out)-most):], "\n")
}

// UntilEnded asks a launcher again and again how a job is, until that has ended.
func UntilEnded(ctx context.Context, l Launcher, j Job, id string, poll time.Duration) error {
	for {
		s, err := l.State(ctx, j, id)
		if err != nil || s.Phase.Ended() {
			return err
		}
		if err := pause(ctx, poll); err != nil {
			return err
		}
	}
}
