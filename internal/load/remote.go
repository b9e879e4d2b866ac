package load

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"tarn/internal/cache"
	"tarn/internal/store"
)

// batchShare is the part of the disk's bound that one batch of files may take: while one is read the next one comes, and
// tables need room too.
const batchShare = 8

// delivery is a batch of files on its way to this machine.
type delivery struct {
	files   []File
	err     error
	release func()
	// gone are files that are not there any more as they were listed.
	gone []File
}

// remote reads files that are elsewhere, some of them at a time: the next ones come while the present ones are read. A
// copy cannot change any more, so none is read twice.
func (l *Loader) remote(ctx context.Context, t Table, files []File, dir, fieldIDs string, q *Quarantine) (*Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	parts := batches(files, l.Cache.Limit()/batchShare)
	coming := make(chan *delivery)
	freed := make(chan struct{}, len(parts))
	var fetching sync.WaitGroup
	defer fetching.Wait()
	fetching.Go(func() {
		defer close(coming)
		unread := 0 // batches that were handed over and take room
		for _, part := range parts {
			b := l.fetch(ctx, part)
			for full := (*cache.FullError)(nil); errors.As(b.err, &full) && unread > 0; b = l.fetch(ctx, part) {
				b.release()
				select {
				case <-freed:
					unread--
				case <-ctx.Done():
					return
				}
			}
			select {
			case coming <- b:
				unread++
			case <-ctx.Done():
				b.release()
				return
			}
			if b.err != nil {
				return
			}
		}
	})
	res, m := &Result{}, l.meter(t.Name, files)
	n, told := 0, 0
	for b := range coming {
		if b.err != nil {
			return nil, b.err
		}
		res.Growing = append(res.Growing, b.gone...)
		err := l.readable(ctx, b, t.Location, func(together []File) error {
			n++
			return l.load(ctx, t, together, filepath.Join(dir, fmt.Sprint(n)), fieldIDs, q, m, res)
		})
		b.release()
		freed <- struct{}{}
		if err == nil && l.Written != nil {
			err = l.Written(res.Written[told:])
			told = len(res.Written)
		}
		if err != nil {
			// What is on its way is let go of.
			cancel()
			for b := range coming {
				b.release()
			}
			return nil, err
		}
	}
	return res, ctx.Err()
}

// batches cuts files into parts of at most so many bytes, or of one file.
func batches(files []File, most int64) (out [][]File) {
	var sum int64
	for _, f := range files {
		if len(out) == 0 || sum+f.Size > most {
			out, sum = append(out, nil), 0
		}
		out[len(out)-1] = append(out[len(out)-1], f)
		sum += f.Size
	}
	return out
}

// fetch brings files here. Those that have changed since they were listed are left for the next run.
func (l *Loader) fetch(ctx context.Context, files []File) *delivery {
	b := &delivery{}
	var releases []func()
	b.release = sync.OnceFunc(func() {
		for _, r := range releases {
			r()
		}
	})
	paths := make([]string, len(files))
	held := make([]func(), len(files))
	b.err = each(ctx, len(files), func(i int) error {
		path, release, err := l.Cache.Fetch(ctx, cache.File{Location: files[i].Location, Size: files[i].Size, ETag: files[i].ETag})
		if errors.Is(err, store.ErrCondition) || errors.Is(err, store.ErrNotFound) {
			return nil
		}
		paths[i], held[i] = path, release
		return err
	})
	for i, f := range files {
		if held[i] == nil {
			b.gone = append(b.gone, f)
			continue
		}
		releases = append(releases, held[i])
		f.Path = paths[i]
		b.files = append(b.files, f)
	}
	return b
}

// readable gives the files of a batch the names that they have below the table's location, as readers tell by them where a
// row comes from, and hands them on: those whose names this machine cannot have one by one.
func (l *Loader) readable(ctx context.Context, b *delivery, location string, read func([]File) error) error {
	if len(b.files) == 0 {
		return nil
	}
	base := strings.TrimSuffix(location, "/") + "/"
	paths, names := make([]string, len(b.files)), make([]string, len(b.files))
	for i, f := range b.files {
		paths[i], names[i] = f.Path, strings.TrimPrefix(f.Name, base)
	}
	arranged, plain, release, err := l.Cache.Arrange(paths, names)
	if err != nil {
		return err
	}
	defer release()
	var together []File
	var alone [][]File
	for i, f := range b.files {
		f.Path = arranged[i]
		if plain[i] {
			together = append(together, f)
		} else {
			alone = append(alone, []File{f})
		}
	}
	if len(together) > 0 {
		alone = append([][]File{together}, alone...)
	}
	for _, files := range alone {
		if err := read(files); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}
