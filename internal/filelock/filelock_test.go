package filelock_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"tarn/internal/filelock"
)

func open(t *testing.T, path string) *filelock.File {
	t.Helper()
	f, err := filelock.Open(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestClose keeps the file open a second time, as a process does that was forked and does not run its program yet.
func TestClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, second := open(t, path), open(t, path)
	if err := first.Lock(unix.LOCK_EX | unix.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	forked, err := unix.FcntlInt(first.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(forked)
	if err := second.Lock(unix.LOCK_SH | unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
		t.Fatalf("the lock is held, and another one says %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := second.Lock(unix.LOCK_EX | unix.LOCK_NB); err != nil {
		t.Errorf("the lock was let go of: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

// TestTake finds no file, the lock held, and the lock free.
func TestTake(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	const exclusive = unix.LOCK_EX | unix.LOCK_NB
	if f, err := filelock.Take(path, os.O_RDWR, exclusive); !errors.Is(err, os.ErrNotExist) || f != nil {
		t.Errorf("a file that is not there: %v, %v", f, err)
	}
	first, err := filelock.Take(path, os.O_RDWR|os.O_CREATE, exclusive)
	if err != nil {
		t.Fatal(err)
	}
	var where *os.PathError
	if f, err := filelock.Take(path, os.O_RDWR, exclusive); !errors.Is(err, unix.EWOULDBLOCK) || !errors.As(err, &where) || where.Path != path || f != nil {
		t.Errorf("the lock is held: %v, %v", f, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := filelock.Take(path, os.O_RDWR, exclusive)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}
