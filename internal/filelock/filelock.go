// Package filelock locks files between processes of one machine, with flock(2).
package filelock

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// A File is an open file or folder that may hold a lock of the system. The lock ends with Close, or with the process in
// whatever way that ends.
type File struct{ *os.File }

// Open opens a file, or a folder, without a lock; flag is as for [os.OpenFile], whose errors it gives.
func Open(path string, flag int) (*File, error) {
	f, err := os.OpenFile(path, flag, 0o644)
	if err != nil {
		return nil, err
	}
	return &File{f}, nil
}

// Take opens a file, or a folder, and locks it as [File.Lock] does. Its errors are those of both, with the path; with either nothing
// stays open.
func Take(path string, flag, how int) (*File, error) {
	f, err := Open(path, flag)
	if err != nil {
		return nil, err
	}
	if err := f.Lock(how); err != nil {
		return nil, errors.Join(&os.PathError{Op: "lock", Path: path, Err: err}, f.Close())
	}
	return f, nil
}

// Lock sets the lock to unix.LOCK_EX, unix.LOCK_SH or unix.LOCK_UN. With unix.LOCK_NB it does not wait, and gives
// unix.EWOULDBLOCK where another process, or another File of this one, holds the lock.
func (f *File) Lock(how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// Close lets go of the lock, and closes the file. Closing alone does not let go while a program is being started: between
// fork and exec the new process has every file of this one open, and with it the lock.
func (f *File) Close() error { return errors.Join(f.Lock(unix.LOCK_UN), f.File.Close()) }
