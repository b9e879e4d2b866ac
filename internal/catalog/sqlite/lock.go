package sqlite

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

	"tarn/internal/catalog"
	"tarn/internal/filelock"
	"tarn/internal/store/local"
)

// writer holds the lock file. The operating system lets go of it when the process ends, in whatever way.
type writer struct {
	catalog    *Catalog
	f          *filelock.File
	unfinished string
	execution  string
	lost       chan struct{}
}

// Lock implements [catalog.Catalog].
func (c *Catalog) Lock(ctx context.Context, o catalog.LockOptions) (catalog.Writer, error) {
	if err := os.MkdirAll(filepath.Dir(c.lock), 0o755); err != nil && !local.DeniesWriting(err) {
		return nil, err
	}
	f, err := filelock.Open(c.lock, os.O_RDWR|os.O_CREATE)
	if err != nil && local.DeniesWriting(err) {
		return nil, fmt.Errorf("%w: %w", catalog.ErrReadOnly, err)
	}
	if err != nil {
		return nil, err
	}
	if err := c.seize(ctx, f, unix.LOCK_EX, o); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	w := &writer{catalog: c, f: f, unfinished: holder(f).Run, execution: o.Owner.Execution, lost: make(chan struct{})}
	if err := w.sign(catalog.Self(o)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return w, nil
}

// seize gets the lock of the system for the file, when it is also nobody's whose execution goes on without a process.
func (c *Catalog) seize(ctx context.Context, f *filelock.File, how int, o catalog.LockOptions) error {
	told := false
	for tries := 0; ; tries++ {
		err := f.Lock(how | unix.LOCK_NB)
		h, pause := holder(f), soon
		switch {
		case err == nil && h.Execution == "":
			return nil
		case err == nil:
			if mine, err := o.Owner.MayTake(ctx, h); mine || err != nil {
				return err
			}
			pause = seldom
			if err := f.Lock(unix.LOCK_UN); err != nil {
				return fmt.Errorf("lock %s: %w", c.lock, err)
			}
		case !errors.Is(err, unix.EWOULDBLOCK):
			return fmt.Errorf("lock %s: %w", c.lock, err)
		}
		// Without a name in it, the lock is held by somebody who only looks, or who is about to write the name.
		if !o.Wait && (h.Run != "" || tries > 10) {
			return catalog.Busy(h)
		}
		if !told && o.Waiting != nil && h.Run != "" {
			o.Waiting(h)
			told = true
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// soon is how long to wait for another try, and seldom that where somebody else has to be asked.
const soon, seldom = 50 * time.Millisecond, 2 * time.Second

// holder reads what the lock file says, for people and for the next run.
func holder(f io.ReaderAt) catalog.Holder {
	var h catalog.Holder
	raw, err := io.ReadAll(io.NewSectionReader(f, 0, 4096))
	if err == nil {
		// A torn or empty file names no holder.
		_ = json.Unmarshal(raw, &h)
	}
	return h
}

func (w *writer) sign(h catalog.Holder) error {
	raw, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := w.f.Truncate(0); err != nil {
		return err
	}
	_, err = w.f.WriteAt(raw, 0)
	return err
}

// Unfinished implements [catalog.Writer].
func (w *writer) Unfinished() string { return w.unfinished }

// Lost implements [catalog.Writer]: this lock is never lost.
func (w *writer) Lost() <-chan struct{} { return w.lost }

// Publish implements [catalog.Writer].
func (w *writer) Publish(ctx context.Context, moves []catalog.Move) error {
	if w.f == nil {
		return fmt.Errorf("publish: %w", catalog.ErrLockLost)
	}
	if w.catalog.readOnly {
		return fmt.Errorf("publish: %w: %s", catalog.ErrReadOnly, w.catalog.path)
	}
	return w.catalog.publish(ctx, moves)
}

// Release empties the file, which says that nothing was left behind, and lets go.
func (w *writer) Release(context.Context) error {
	f := w.f
	w.f = nil
	return errors.Join(f.Truncate(0), f.Close())
}

// Keep leaves the name in the file.
func (w *writer) Keep(ctx context.Context) error {
	if w.execution == "" {
		return w.Release(ctx)
	}
	f := w.f
	w.f = nil
	return f.Close()
}

// Idle implements [catalog.Catalog].
func (c *Catalog) Idle(ctx context.Context, o catalog.LockOptions) (unfinished string, err error) {
	f, err := filelock.Open(c.lock, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	if err := c.seize(ctx, f, unix.LOCK_SH, o); err != nil {
		return "", err
	}
	return holder(f).Run, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
