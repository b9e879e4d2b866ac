package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// writable reports whether this process may write the catalog at path: the file and, as SQLite keeps its log beside it,
// the folder.
func writable(path string) bool {
	for _, p := range []string{filepath.Dir(path), path} {
		err := unix.Access(p, unix.W_OK)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
}

// readUnlocked reads a catalog that this process may not write, and so cannot take part in its locking unless whoever
// writes has the log and its index open. Where there is no log, the file holds everything and is read as one that nobody
// changes; if somebody did meanwhile, that look does not count.
func (c *Catalog) readUnlocked(ctx context.Context, database string) (map[string]string, error) {
	var last error
	for range 50 {
		before, err := look(c.path)
		if errors.Is(err, fs.ErrNotExist) {
			return map[string]string{}, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read catalog: %w", err)
		}
		options := "mode=ro&_pragma=busy_timeout(10000)"
		if before.log == 0 {
			options += "&immutable=1"
		}
		found, err := readOnce(ctx, source(c.path, options), database)
		after, again := look(c.path)
		if err == nil && again == nil && (before.log > 0 || after == before) {
			return found, nil
		}
		if last = errors.Join(err, again); last == nil {
			last = fmt.Errorf("read catalog: %s changes all the time", c.path)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil, last
}

func readOnce(ctx context.Context, dsn, database string) (_ map[string]string, err error) {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return readPointers(ctx, db, database)
}

// state is what tells one state of the catalog's files from another.
type state struct {
	size, log int64
	changed   time.Time
}

func look(path string) (state, error) {
	file, err := os.Stat(path)
	if err != nil {
		return state{}, err
	}
	s := state{size: file.Size(), changed: file.ModTime()}
	log, err := os.Stat(path + "-wal")
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.log = log.Size()
	return s, nil
}
