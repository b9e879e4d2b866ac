// Package local runs Spark on this machine, by spark-submit.
//
// The job is in a session of its own and outlives the process that started it. That it is alive shows by a lock on a file of
// the run's folder, which all its processes hold open: the system lets go of it when the last of them ends, however that is.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"tarn/internal/engine/spark"
	"tarn/internal/filelock"
)

// Options says which Spark it is.
type Options struct {
	// Submit is the program spark-submit; "" is the one in $SPARK_HOME/bin, or else of the path.
	Submit string
	// Master is such as local[4]; "" is all cores of this machine.
	Master string
	// Jars are files that Spark loads, such as Iceberg's runtime, where its own folder has none.
	Jars []string
	// Conf are settings of Spark.
	Conf map[string]string
	// Env are variables of the environment, such as AWS_PROFILE=x, beside those of this process.
	Env []string
	// Folder is a folder of this machine for what belongs to one job: its lock and its log.
	Folder string
}

// Launcher starts spark-submit. It is a [spark.Launcher].
type Launcher struct {
	o     Options
	fetch func(ctx context.Context, location string) ([]byte, error)
}

// New makes the launcher; fetch reads the runner's script from where it lies.
func New(o Options, fetch func(ctx context.Context, location string) ([]byte, error)) *Launcher {
	return &Launcher{o: o, fetch: fetch}
}

const kind = "local"

// defaults are settings that suit one machine; [Options.Conf] goes over them.
func (l *Launcher) defaults() map[string]string {
	return map[string]string{
		"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.ui.enabled": "false",
		"spark.sql.shuffle.partitions": "8",
	}
}

func (l *Launcher) dir(j spark.Job) string { return filepath.Join(l.o.Folder, j.Run) }

// Ready implements [spark.Launcher].
func (l *Launcher) Ready(context.Context) (string, error) {
	submit, err := l.submit()
	if err != nil {
		return "", noSubmit(err)
	}
	for _, jar := range l.o.Jars {
		if _, err := os.Stat(jar); err != nil && !strings.Contains(jar, "://") {
			return "", spark.NotStarted(kind, err, "see jars: of the target's engine")
		}
	}
	if java := os.Getenv("JAVA_HOME"); java == "" {
		if _, err := exec.LookPath("java"); err != nil {
			return "", spark.NotStarted(kind, err, "install Java 17, or set JAVA_HOME")
		}
	}
	return submit, nil
}

func noSubmit(err error) error {
	return spark.NotStarted(kind, err, "install Spark 3.5 (such as `pip install pyspark==3.5.4`) and Java 17, and set SPARK_HOME, or engine: {spark: local, submit: /path/to/spark-submit}")
}

// Start implements [spark.Launcher]. The id is the number of the process, which leads a session of its own.
func (l *Launcher) Start(ctx context.Context, j spark.Job) (string, error) {
	submit, err := l.submit()
	if err != nil {
		return "", noSubmit(err)
	}
	dir := l.dir(j)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	script := filepath.Join(dir, "runner.py")
	text, err := l.fetch(ctx, j.Script)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(script, text, 0o644); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return "", spark.NotStarted(kind, fmt.Errorf("the job of run %s is running already: %w", j.Run, err), "")
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return "", err
	}
	defer log.Close()
	master := l.o.Master
	if master == "" {
		master = "local[*]"
	}
	args := []string{"--master", master}
	if len(l.o.Jars) > 0 {
		args = append(args, "--jars", strings.Join(l.o.Jars, ","))
	}
	conf := l.defaults()
	maps.Copy(conf, l.o.Conf)
	for _, key := range slices.Sorted(maps.Keys(conf)) {
		args = append(args, "--conf", key+"="+conf[key])
	}
	args = append(append(args, script), j.Args()...)
	// The shell notes its own number before it becomes spark-submit, so that there is no moment in which a job runs
	// and nobody could find it.
	cmd := exec.Command("/bin/sh", append([]string{"-c", `echo $$ >pid.new && mv pid.new pid && exec "$@"`, "sh", submit}, args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = dir, log, log, []*os.File{lock}
	cmd.Env = append(os.Environ(), l.o.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return "", spark.NotStarted(kind, err, "")
	}
	go func() {
		// How it ended says the result; this only lets the system forget the process.
		_ = cmd.Wait()
	}()
	return strconv.Itoa(cmd.Process.Pid), nil
}

// submit finds the program.
func (l *Launcher) submit() (string, error) {
	if l.o.Submit != "" {
		return exec.LookPath(l.o.Submit)
	}
	if home := os.Getenv("SPARK_HOME"); home != "" {
		return exec.LookPath(filepath.Join(home, "bin", "spark-submit"))
	}
	return exec.LookPath("spark-submit")
}

// Find implements [spark.Launcher]. A job that has ended is found as well.
func (l *Launcher) Find(ctx context.Context, j spark.Job) ([]string, error) {
	for {
		// In this order: a job that begins notes its number while it holds the lock.
		alive, err := l.alive(j)
		if err != nil {
			return nil, err
		}
		raw, err := os.ReadFile(filepath.Join(l.dir(j), "pid"))
		if err == nil {
			return []string{strings.TrimSpace(string(raw))}, nil
		}
		if !errors.Is(err, os.ErrNotExist) || !alive {
			return nil, ignoring(err, os.ErrNotExist)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// ignoring gives nil in place of one error.
func ignoring(err, one error) error {
	if errors.Is(err, one) {
		return nil
	}
	return err
}

// alive reports whether a process of the job is there.
func (l *Launcher) alive(j spark.Job) (bool, error) {
	f, err := filelock.Take(filepath.Join(l.dir(j), "lock"), os.O_RDWR, unix.LOCK_SH|unix.LOCK_NB)
	switch {
	case err == nil:
		return false, f.Close()
	case errors.Is(err, unix.EWOULDBLOCK):
		return true, nil
	}
	return false, ignoring(err, os.ErrNotExist)
}

// State implements [spark.Launcher]. Whether a job that has ended did its work says the result.
func (l *Launcher) State(_ context.Context, j spark.Job, id string) (spark.State, error) {
	if _, err := os.Stat(l.dir(j)); errors.Is(err, os.ErrNotExist) {
		return spark.State{Phase: spark.Failed, Message: "it was started on another machine, or its folder was removed"}, nil
	}
	alive, err := l.alive(j)
	if err != nil {
		return spark.State{}, err
	}
	if alive {
		return spark.State{Phase: spark.Running, Message: "process " + id}, nil
	}
	if _, err := os.Stat(filepath.Join(l.dir(j), "cancelled")); err == nil {
		return spark.State{Phase: spark.Stopped}, nil
	}
	return spark.State{Phase: spark.Failed, Logs: l.tail(j)}, nil
}

// tail gives the end of the log, without what Spark says of its daily work.
func (l *Launcher) tail(j spark.Job) string {
	const most = 64 << 10
	f, err := os.Open(filepath.Join(l.dir(j), "log"))
	if err != nil {
		return ""
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > most {
		if _, err := f.Seek(-most, io.SeekEnd); err != nil {
			return ""
		}
	}
	raw, err := io.ReadAll(f)
	if err != nil {
		return ""
	}
	return spark.LogTail(raw)
}

// patience is how long a job may take to end by itself before it is killed.
const patience = 5 * time.Second

// Cancel implements [spark.Launcher].
func (l *Launcher) Cancel(ctx context.Context, j spark.Job, id string) error {
	alive, err := l.alive(j)
	if err != nil || !alive {
		return err
	}
	// As the lock is held, the number is still the job's.
	pid, err := strconv.Atoi(id)
	if err != nil {
		return fmt.Errorf("%q is no process", id)
	}
	if err := os.WriteFile(filepath.Join(l.dir(j), "cancelled"), nil, 0o644); err != nil {
		return err
	}
	begin := time.Now()
	for sig := syscall.SIGTERM; ; {
		if err := syscall.Kill(-pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
		for range 20 {
			if alive, err := l.alive(j); err != nil || !alive {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(50 * time.Millisecond):
			}
		}
		if time.Since(begin) > patience {
			sig = syscall.SIGKILL
		}
	}
}
