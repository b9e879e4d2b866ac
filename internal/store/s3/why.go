package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"tarn/internal/store"
)

// Look asks after the bucket itself: whether it is there and may be listed, and in which region it is.
func (s *Store) Look(ctx context.Context) (*s3.HeadBucketOutput, error) {
	out, err := s.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &s.bucket, ExpectedBucketOwner: s.owner()})
	if err == nil {
		s.seen.Store(true)
		return out, nil
	}
	err = s.Failed(opLook, "", err)
	if errors.Is(err, store.ErrNotFound) {
		return nil, s.missing()
	}
	if !speechless(err) {
		return nil, err
	}
	in := &s3.ListObjectsV2Input{Bucket: &s.bucket, MaxKeys: aws.Int32(1), ExpectedBucketOwner: s.owner()}
	if _, e := s.client.ListObjectsV2(ctx, in); e != nil {
		return nil, s.Failed(opList, "", e)
	}
	return nil, err
}

// why finds out what the failure err of a look at an object was. Answers to HEAD have no body, so S3 can say neither that
// credentials have expired nor that it is the bucket that is missing (Amazon S3 API Reference, "HeadObject").
func (s *Store) why(ctx context.Context, key string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		if s.seen.Load() {
			return err
		}
		if _, e := s.Look(ctx); e != nil {
			var bucket *Error
			if errors.As(e, &bucket) && bucket.Missing() {
				return e
			}
		}
		s.seen.Store(true) // as far as can be known
		return err
	}
	if !speechless(err) {
		return err
	}
	in := &s3.GetObjectInput{Bucket: &s.bucket, Key: &key, Range: aws.String("bytes=0-0"), ExpectedBucketOwner: s.owner()}
	out, e := s.client.GetObject(ctx, in)
	if e != nil {
		return s.Failed(opLook, key, e)
	}
	_ = out.Body.Close()
	return err
}

// speechless reports whether all that is known of a failure is its status.
func speechless(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Status {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusMovedPermanently, http.StatusTemporaryRedirect:
		return true
	}
	return false
}

func (s *Store) missing() error {
	return &Error{Op: opLook, Location: s.Root(), Code: noBucket, Status: http.StatusNotFound, Err: s.absent()}
}

// absent says that the bucket is not there, and where that is, if not at AWS: it may be the wrong server.
func (s *Store) absent() error {
	if at := s.client.Options().BaseEndpoint; at != nil {
		return fmt.Errorf("there is no bucket %s at %s", s.bucket, *at)
	}
	return fmt.Errorf("there is no bucket %s", s.bucket)
}
