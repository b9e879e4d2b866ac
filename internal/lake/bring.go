package lake

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"tarn/internal/cache"
	"tarn/internal/store"
)

// uploads is how many data files go to a remote warehouse at a time; large ones go in parts on top of that.
const uploads = 4

// bring gets new data files, given by their paths, to where the table has them, and gives their locations. On this disk
// they are there already, and are made durable while other tables are still being made.
func (d *Draft) bring(ctx context.Context, files []string) ([]string, error) {
	out := make([]string, len(files))
	for i, f := range files {
		var err error
		if out[i], err = d.locationOf(f); err != nil {
			return nil, err
		}
	}
	if err := d.Settle(); err != nil {
		return nil, err
	}
	if !d.remote {
		if err := os.MkdirAll(filepath.Join(d.local, "metadata"), 0o755); err != nil {
			return nil, err
		}
		d.startSync(files)
		return out, nil
	}
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(uploads)
	for i, f := range files {
		if d.copyOf(out[i]) == "" {
			g.Go(func() error { return d.upload(within, f, out[i]) })
		}
	}
	return out, g.Wait()
}

// locationOf is where a new data file belongs.
func (d *Draft) locationOf(file string) (string, error) {
	rel, err := filepath.Rel(d.local, file)
	return d.at + "/" + filepath.ToSlash(rel), err
}

// Ahead begins to bring data files to a remote warehouse that will be given to [Draft.Replace] or [Draft.Swap], while others
// are still being made. They may not change any more. Whoever does not get so far has to call [Draft.Settle].
func (d *Draft) Ahead(ctx context.Context, files []string) error {
	if !d.remote {
		return nil
	}
	for _, f := range files {
		location, err := d.locationOf(f)
		if err != nil {
			return err
		}
		// Where as many are under way as may be, the work waits: the line is slower than it.
		d.ahead.Go(func() error { return d.upload(ctx, f, location) })
	}
	return nil
}

// Settle waits for the files that were begun to be brought ahead.
func (d *Draft) Settle() error { return d.ahead.Wait() }

func (d *Draft) upload(ctx context.Context, path, location string) error {
	s, key, err := d.lake.stores.Locate(ctx, location)
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if _, err := s.Put(ctx, key, io.NewSectionReader(f, 0, info.Size()), store.Condition{}); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.copies[location] = path
	return nil
}

// copyOf gives the path of a data file that this draft has brought to a location, or "".
func (d *Draft) copyOf(location string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.copies[location]
}

// Adopt turns the data files of a draft that were brought to a remote warehouse into the copies that readers find, and
// gives their new paths. On this disk they stay where they are: moved is false then.
func (r *Reader) Adopt(d *Draft, files []string) (paths []string, moved bool, err error) {
	if !d.remote {
		return files, false, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	locations := make(map[string]string, len(d.copies))
	for location, path := range d.copies {
		locations[path] = location
	}
	out := make([]string, len(files))
	for i, f := range files {
		location, ok := locations[f]
		if !ok {
			// A file that was in the table before.
			out[i] = f
			continue
		}
		info, err := os.Stat(f)
		if err != nil {
			return nil, false, err
		}
		path, release, err := d.lake.cache.Adopt(cache.File{Location: location, Size: info.Size()}, f)
		if err != nil {
			return nil, false, fmt.Errorf("table %s: %w", d.name, err)
		}
		r.hold(release)
		out[i], d.copies[location] = path, path
	}
	return out, true, nil
}

// ClearStaging removes what is left in the folder for data files on their way. Only the one writer may ask for it.
func (l *Lake) ClearStaging() error {
	if l.staging == "" {
		return nil
	}
	return os.RemoveAll(l.staging)
}
