package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	tmtypes "github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"tarn/internal/store"
)

// bodyRetries is how often a body that breaks off is taken up again.
const bodyRetries = 5

// Open implements [store.Store].
func (s *Store) Open(ctx context.Context, key, etag string, offset, length int64) (io.ReadCloser, error) {
	if length == 0 {
		// A range of no bytes cannot be asked for.
		if o, err := s.Stat(ctx, key); err != nil {
			return nil, err
		} else if etag != "" && o.ETag != etag {
			return nil, s.Failed(opRead, key, store.ErrCondition)
		}
		return io.NopCloser(strings.NewReader("")), nil
	}
	r := &reader{store: s, ctx: ctx, key: key, etag: etag, at: offset, end: -1}
	if length > 0 {
		r.end = offset + length
	}
	if err := r.ask(); err != nil {
		return nil, err
	}
	return r, nil
}

// Get implements [store.Store].
func (s *Store) Get(ctx context.Context, key string) ([]byte, store.Object, error) {
	r := &reader{store: s, ctx: ctx, key: key, end: -1}
	if err := r.ask(); err != nil {
		return nil, store.Object{}, err
	}
	o := store.Object{Key: key, ETag: r.etag, Modified: r.modified}
	raw, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, store.Object{}, err
	}
	o.Size = int64(len(raw))
	return raw, o, nil
}

// reader reads an object, and asks for the rest of it where the connection breaks.
type reader struct {
	store     *Store
	ctx       context.Context
	key, etag string
	modified  time.Time
	at, end   int64 // what is still to be read; end is -1 for all
	body      io.ReadCloser
	broken    int
}

func (r *reader) ask() error {
	in := &s3.GetObjectInput{Bucket: &r.store.bucket, Key: &r.key, IfMatch: quotedETag(r.etag), ExpectedBucketOwner: r.store.owner()}
	switch {
	case r.end >= 0:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-%d", r.at, r.end-1))
	case r.at > 0:
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", r.at))
	}
	out, err := r.store.client.GetObject(r.ctx, in)
	if err != nil {
		err = r.store.Failed(opRead, r.key, err)
		var e *Error
		if errors.As(err, &e) && e.Code == "InvalidRange" {
			// Reading from the end on gives nothing, as it does of a file.
			r.body = io.NopCloser(strings.NewReader(""))
			return nil
		}
		return err
	}
	r.body, r.etag, r.modified = out.Body, plainETag(out.ETag), aws.ToTime(out.LastModified)
	return nil
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	r.at += int64(n)
	if n > 0 {
		r.broken = 0
	}
	if err == nil || err == io.EOF && (r.end < 0 || r.at >= r.end) {
		return n, err
	}
	if err == io.EOF {
		// The object ends before the range does.
		return n, err
	}
	if r.ctx.Err() != nil {
		return n, r.ctx.Err()
	}
	if r.broken++; r.broken > bodyRetries {
		return n, r.store.Failed(opRead, r.key, err)
	}
	_ = r.body.Close()
	if err := pause(r.ctx, r.broken); err != nil {
		return n, err
	}
	return n, r.ask()
}

func (r *reader) Close() error { return r.body.Close() }

// pause waits a random time that grows with each attempt.
func pause(ctx context.Context, attempt int) error {
	most := min(50*time.Millisecond<<attempt, 5*time.Second)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rand.N(most)):
		return nil
	}
}

// Download implements [store.Store].
func (s *Store) Download(ctx context.Context, o store.Object, to io.WriterAt) error {
	if o.Size <= 2*partSize {
		r, err := s.Open(ctx, o.Key, o.ETag, 0, -1)
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = io.Copy(io.NewOffsetWriter(to, 0), r)
		return err
	}
	_, err := s.transfer.DownloadObject(ctx, &transfermanager.DownloadObjectInput{Bucket: &s.bucket, Key: &o.Key,
		IfMatch: quotedETag(o.ETag), ExpectedBucketOwner: s.owner(), WriterAt: to},
		func(t *transfermanager.Options) { t.GetObjectType = tmtypes.GetObjectRanges })
	if err != nil {
		return s.Failed(opRead, o.Key, err)
	}
	return nil
}
