package glue

import (
	"context"
	"io"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/glue"

	"tarn/internal/diag"
	"tarn/internal/store"
)

type (
	atomicCounter = atomic.Int64
	atomicBool    = atomic.Bool
)

func newClient(o glue.Options) *glue.Client { return glue.New(o) }

// counting counts the requests that a store would make of S3.
type counting struct {
	store.Store
	n atomic.Int64
}

func (s *counting) Stat(ctx context.Context, key string) (store.Object, error) {
	s.n.Add(1)
	return s.Store.Stat(ctx, key)
}

func (s *counting) Open(ctx context.Context, key, etag string, offset, length int64) (io.ReadCloser, error) {
	s.n.Add(1)
	return s.Store.Open(ctx, key, etag, offset, length)
}

func (s *counting) Get(ctx context.Context, key string) ([]byte, store.Object, error) {
	s.n.Add(1)
	return s.Store.Get(ctx, key)
}

func (s *counting) Put(ctx context.Context, key string, body store.Body, c store.Condition) (store.Object, error) {
	s.n.Add(1)
	return s.Store.Put(ctx, key, body, c)
}

// hint is what the CLI shows below an error.
func hint(err error) string { return diag.Hint(err) }
