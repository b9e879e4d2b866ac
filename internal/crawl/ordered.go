package crawl

import (
	"context"
	"iter"

	"tarn/internal/store"
)

// workers bounds how many files are read side by side: as many as there are cores to parse them, or, where each answer
// takes its time, more.
const (
	workers       = 4
	remoteWorkers = 16
)

func (c *crawler) workers() int {
	if _, ok := c.store.(store.OnDisk); ok {
		return workers
	}
	return remoteWorkers
}

// inOrder reads files side by side and takes the results in the order of the files. At most 2 × workers results wait.
func inOrder[T any](ctx context.Context, workers int, files iter.Seq2[store.Object, error], work func(ctx context.Context, i int, o store.Object) (T, error), take func(o store.Object, result T) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type outcome struct {
		object store.Object
		result T
		err    error
	}
	queue := make(chan chan outcome, workers)
	go func() {
		defer close(queue)
		slots := make(chan struct{}, workers)
		i := 0
		for o, err := range files {
			one := make(chan outcome, 1)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				one <- outcome{err: err}
			} else {
				n := i
				i++
				slots <- struct{}{}
				go func() {
					defer func() { <-slots }()
					r, err := work(ctx, n, o)
					one <- outcome{o, r, err}
				}()
			}
			select {
			case queue <- one:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	for one := range queue {
		r := <-one
		if r.err != nil {
			return r.err
		}
		if err := take(r.object, r.result); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// listed gives a list of files as a sequence.
func listed(files []store.Object) iter.Seq2[store.Object, error] {
	return func(yield func(store.Object, error) bool) {
		for _, f := range files {
			if !yield(f, nil) {
				return
			}
		}
	}
}
