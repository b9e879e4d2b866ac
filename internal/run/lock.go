package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// ErrBusy says that another process is writing to the lake.
var ErrBusy = errors.New("another run is writing to this lake")

// lock is held by the one process that writes to a lake. The operating system lets go of it when the process ends, in
// whatever way. Readers never take it.
type lock struct{ f *os.File }

// holder is what the lock file says for people and for the next run.
type holder struct {
	Run  string    `json:"run"`
	PID  int       `json:"pid"`
	From time.Time `json:"since"`
}

// acquire takes the lock, waiting for it if wait is set. unfinished is the run that held it last without letting go
// properly, or "".
func acquire(ctx context.Context, path, runID string, wait bool, waiting func(holder)) (_ *lock, unfinished string, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, "", err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS) {
		return nil, "", fmt.Errorf("the lake can only be read from here: %w", err)
	}
	if err != nil {
		return nil, "", err
	}
	told := false
	for tries := 0; ; tries++ {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, "", errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
		}
		h := read(f)
		// Without a name in it, the lock is held by somebody who only looks, or who is about to write the name.
		if !wait && (h.Run != "" || tries > 10) {
			return nil, "", errors.Join(busy(h), f.Close())
		}
		if !told && waiting != nil && h.Run != "" {
			waiting(h)
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, "", errors.Join(ctx.Err(), f.Close())
		case <-time.After(50 * time.Millisecond):
		}
	}
	unfinished = read(f).Run
	l := &lock{f: f}
	if err := l.write(holder{Run: runID, PID: os.Getpid(), From: time.Now().UTC()}); err != nil {
		return nil, "", errors.Join(err, f.Close())
	}
	return l, unfinished, nil
}

func read(f *os.File) holder {
	var h holder
	raw, err := io.ReadAll(io.NewSectionReader(f, 0, 4096))
	if err == nil {
		// A torn or empty file names no holder.
		_ = json.Unmarshal(raw, &h)
	}
	return h
}

func (l *lock) write(h holder) error {
	raw, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err = l.f.WriteAt(raw, 0)
	return err
}

// quiet makes sure that nobody is writing at this moment, waiting for that if wait is set, and gives the run that held the
// lock last without letting go properly, or "". It needs no right to write.
func quiet(ctx context.Context, path string, wait bool) (unfinished string, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
		if err == nil {
			return read(f).Run, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return "", fmt.Errorf("lock %s: %w", path, err)
		}
		if !wait {
			return "", busy(read(f))
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func busy(h holder) error {
	return fmt.Errorf("%w: run %s, process %d, since %s", ErrBusy, h.Run, h.PID, h.From.Format(time.RFC3339))
}

// release empties the file, which says that nothing was left behind, and lets go.
func (l *lock) release() error {
	return errors.Join(l.f.Truncate(0), l.f.Close())
}

func (w *Workspace) readersPath() string { return filepath.Join(w.Project.StateDir(), "readers") }

// Reading tells gc to leave all files alone until the closer is closed. It never waits for a run; only while gc removes
// files, for a moment, for that. Whoever may only read the lake can hold it too.
func (w *Workspace) Reading() (io.Closer, error) {
	path := w.readersPath()
	f, err := flock(path, unix.LOCK_SH)
	if err == nil {
		return f, nil
	}
	if !errors.Is(err, fs.ErrPermission) && !errors.Is(err, unix.EROFS) {
		return nil, err
	}
	f, err = os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		// Every writing command makes the file, so nothing was ever written here.
		return io.NopCloser(nil), nil
	}
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_SH); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// flock opens a file for writing, made where it is not there, and locks it until it is closed.
func flock(path string, how int) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), how); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
