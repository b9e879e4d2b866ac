// Package exetest writes programs that tests start.
package exetest

import (
	"io/fs"
	"os"
	"syscall"
)

// WriteFile writes a program or a script that can be started at once. While any other program is being started it waits:
// between fork and exec the new process has every file of this one open, and one that is open for writing anywhere cannot
// be started (ETXTBSY, "text file busy").
func WriteFile(path string, content []byte) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(path, content, 0o755)
}

// CopyFS is [os.CopyFS] for folders with programs, which waits like [WriteFile].
func CopyFS(dir string, files fs.FS) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.CopyFS(dir, files)
}
