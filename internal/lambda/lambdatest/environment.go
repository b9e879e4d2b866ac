package lambdatest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// starting is how long a function may take until it asks for its first event. Lambda gives it 10 seconds, and starts it anew within
// the time of the invocation if that was too little ("Lambda execution environment lifecycle"); a machine that tests share may
// take longer than that.
const starting = 2 * time.Minute

// environment is one process of a function with the place that it works in.
type environment struct {
	api     *runtimeAPI
	cmd     *exec.Cmd
	bounds  *bounds
	timeout time.Duration
	// temp is its /tmp where that is a folder of this machine, which goes with it.
	temp string
	// ended is closed when the process has ended.
	ended  chan struct{}
	frozen bool
	// begun is when it was started, and started how long it took to ask for its first event.
	begun   time.Time
	started time.Duration
}

// isolated reports whether this process can run another one as Lambda does.
func isolated() bool {
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		return false
	}
	for _, tool := range []string{"unshare", "setpriv", "mount"} {
		if _, err := exec.LookPath(tool); err != nil {
			return false
		}
	}
	return exec.Command("unshare", "--mount", "true").Run() == nil
}

// sandbox makes the place of a function and becomes its program: $1 is the code, $2 the size of /tmp in MiB, $3 what to become.
// The user is the one that functions have [V: AWS Lambda Developer Guide does not name it; any without rights does].
const sandbox = `set -e
mount -t tmpfs -o mode=755 tmpfs /var
mkdir /var/task /var/tmp /var/runtime
mount --bind "$1" /var/task
mount -o remount,bind,ro /var/task
mount -t tmpfs -o mode=1777,size="$2"m tmpfs /tmp
mount -o remount,ro /var
mount -o remount,bind,ro /
cd /var/task
ulimit -n 1024
exec setpriv --reuid=993 --regid=990 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs ./bootstrap`

// start starts a process. It runs until [environment.close].
func start(c Config, log *logs) (_ *environment, err error) {
	arn := "arn:aws:lambda:us-east-1:123456789012:function:" + c.Name
	e := &environment{timeout: c.Timeout, ended: make(chan struct{}), begun: time.Now()}
	if e.api, err = newRuntimeAPI(arn); err != nil {
		return nil, err
	}
	code, err := filepath.Abs(c.Code)
	if err != nil {
		return nil, err
	}
	root := "/var/task"
	if !c.Plain && isolated() {
		e.cmd = exec.Command("unshare", "--mount", "sh", "-c", sandbox, "sh", code, strconv.Itoa(c.Disk))
	} else {
		root = code
		if e.temp, err = os.MkdirTemp("", "lambdatest-"); err != nil {
			return nil, err
		}
		e.cmd = exec.Command("sh", "-c", "ulimit -n 1024; exec ./bootstrap")
		e.cmd.Dir = code
	}
	e.cmd.Env = variables(c, root, arn, e.api.address())
	if e.temp != "" {
		e.cmd.Env = append(e.cmd.Env, "TMPDIR="+e.temp)
	}
	e.cmd.Stdout, e.cmd.Stderr = log, log
	// All of it is stopped and killed together.
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if c.Bounded {
		if e.bounds, err = newBounds(c.Memory); err != nil {
			return nil, err
		}
		e.cmd.Args = append([]string{"sh", "-c", e.bounds.enter() + ` exec "$@"`, "sh"}, e.cmd.Args...)
		if e.cmd.Path, err = exec.LookPath("sh"); err != nil {
			return nil, err
		}
	}
	if err := e.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = e.cmd.Wait() // how it ended is in its state
		close(e.ended)
	}()
	return e, nil
}

// variables are those that Lambda sets, and the function's own ("Defined runtime environment variables"). There is no HOME.
func variables(c Config, root, arn, api string) []string {
	env := []string{"AWS_LAMBDA_RUNTIME_API=" + api, "AWS_LAMBDA_FUNCTION_NAME=" + c.Name, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(c.Memory), "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + c.Name, "AWS_LAMBDA_LOG_STREAM_NAME=2025/01/01/[$LATEST]0123456789abcdef0123456789abcdef",
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "LAMBDA_TASK_ROOT=" + root, "LAMBDA_RUNTIME_DIR=/var/runtime", "_HANDLER=bootstrap",
		"TZ=:UTC", "LANG=en_US.UTF-8", "PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"LD_LIBRARY_PATH=/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"}
	return append(env, c.Env...)
}

// invoke gives the process an event and comes back when that has ended and the process waits for the next one, or has ended.
func (e *environment) invoke(ctx context.Context, in *invocation) {
	e.thaw()
	late := time.NewTimer(starting)
	defer late.Stop()
	select {
	case <-e.api.ready():
	case <-e.ended:
		in.fail(e.exit(in.id), nil)
		return
	case <-late.C:
		e.kill()
		in.fail(&Error{TimedOut, fmt.Sprintf("RequestId: %s Error: the function did not start within %v", in.id, starting)}, nil)
		return
	case <-ctx.Done():
		e.kill()
		in.fail(&Error{Exited, ctx.Err().Error()}, nil)
		return
	}
	if e.started == 0 {
		e.started = time.Since(e.begun)
	}
	in.deadline = time.Now().Add(e.timeout)
	out := time.NewTimer(e.timeout)
	defer out.Stop()
	events := e.api.events
	for {
		select {
		case events <- in:
			events = nil
			continue
		case <-in.done:
		case <-e.ended:
			in.fail(e.exit(in.id), nil)
			return
		case <-out.C:
			e.kill()
			in.fail(&Error{TimedOut, fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", in.id, e.timeout.Seconds())}, nil)
			return
		case <-ctx.Done():
			e.kill()
			in.fail(&Error{Exited, ctx.Err().Error()}, nil)
			return
		}
		break
	}
	// Lambda freezes a process when it asks for the next event.
	select {
	case <-e.api.ready():
	case <-e.ended:
	case <-out.C:
		e.kill()
	}
}

// exit says how the process has ended, as Lambda does.
func (e *environment) exit(id string) *Error {
	if f := e.api.initFailure(); f != nil {
		return f
	}
	return &Error{Exited, fmt.Sprintf("RequestId: %s Error: Runtime exited with error: %s", id, e.cmd.ProcessState)}
}

func (e *environment) alive() bool {
	select {
	case <-e.ended:
		return false
	default:
		return true
	}
}

// freeze stops all of the process, as Lambda does between invocations.
func (e *environment) freeze() {
	e.frozen = true
	_ = syscall.Kill(-e.cmd.Process.Pid, syscall.SIGSTOP) // one that has ended needs no stop
}

func (e *environment) thaw() {
	if e.frozen {
		e.frozen = false
		_ = syscall.Kill(-e.cmd.Process.Pid, syscall.SIGCONT) // one that has ended shows by itself
	}
}

func (e *environment) kill() {
	_ = syscall.Kill(-e.cmd.Process.Pid, syscall.SIGKILL) // one that has ended is what is wanted
	<-e.ended
}

// close ends the process and takes away its place.
func (e *environment) close() {
	e.kill()
	_ = e.api.server.Close() // with connections of a process that is gone
	if e.bounds != nil {
		e.bounds.remove()
	}
	if e.temp != "" {
		_ = os.RemoveAll(e.temp) // it is in the system's folder of temporary files
	}
}

// peak is the most memory that the process has had in RAM (proc(5), VmHWM), or 0.
func (e *environment) peak() int64 {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(e.cmd.Process.Pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.SplitSeq(string(raw), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return n << 10
		}
	}
	return 0
}

// errNoBounds says that this machine cannot hold a process to a share.
var errNoBounds = errors.New("this machine has no cgroups (version 1, cpu and memory) that this process may write")
