package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	tmtypes "github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"tarn/internal/store"
)

// conflictRetries is how often a conditional write is tried again that S3 could not decide: 409 says that another write
// to the key was under way (Amazon S3 User Guide, "How to prevent object overwrites with conditional writes").
const conflictRetries = 4

// Put implements [store.Store].
func (s *Store) Put(ctx context.Context, key string, body store.Body, c store.Condition) (store.Object, error) {
	for attempt := 1; ; attempt++ {
		o, err := s.put(ctx, key, body, c)
		if err == nil || c == (store.Condition{}) {
			return o, err
		}
		// The answer to our own success can be lost: then the next attempt finds the condition broken, by ourselves.
		if mine, ok := s.holds(ctx, key, body); ok {
			return mine, nil
		}
		var e *Error
		if errors.As(err, &e) && e.Code == "ConditionalRequestConflict" && attempt <= conflictRetries {
			if err := pause(ctx, attempt); err != nil {
				return store.Object{}, err
			}
			continue
		}
		return store.Object{}, err
	}
}

func (s *Store) put(ctx context.Context, key string, body store.Body, c store.Condition) (store.Object, error) {
	in := &transfermanager.UploadObjectInput{Bucket: &s.bucket, Key: &key, Body: io.NewSectionReader(body, 0, body.Size()),
		ExpectedBucketOwner: s.owner(), IfMatch: quotedETag(c.ETag)}
	if c.Absent {
		in.IfNoneMatch = aws.String("*")
	}
	if s.settings.KMSKey != "" {
		in.ServerSideEncryption, in.SSEKMSKeyID = tmtypes.ServerSideEncryptionAwsKms, &s.settings.KMSKey
		in.BucketKeyEnabled = aws.Bool(true)
	}
	out, err := s.transfer.UploadObject(ctx, in)
	if err != nil {
		err = s.Failed(opWrite, key, err)
		if c.ETag != "" && errors.Is(err, store.ErrNotFound) {
			// An object that has to be this one and is not there at all.
			err = s.Failed(opWrite, key, store.ErrCondition)
		}
		return store.Object{}, err
	}
	return store.Object{Key: key, Size: body.Size(), ETag: plainETag(out.ETag), Modified: time.Now().UTC()}, nil
}

// holds reports whether the object has exactly this content.
func (s *Store) holds(ctx context.Context, key string, body store.Body) (store.Object, bool) {
	o, err := s.Stat(ctx, key)
	if err != nil || o.Size != body.Size() {
		return o, false
	}
	r, err := s.Open(ctx, key, o.ETag, 0, -1)
	if err != nil {
		return o, false
	}
	defer r.Close()
	a, b := make([]byte, 64<<10), make([]byte, 64<<10)
	for at := int64(0); at < o.Size; {
		n := min(int64(len(a)), o.Size-at)
		if _, err := io.ReadFull(r, a[:n]); err != nil {
			return o, false
		}
		if _, err := body.ReadAt(b[:n], at); err != nil && !errors.Is(err, io.EOF) || !bytes.Equal(a[:n], b[:n]) {
			return o, false
		}
		at += n
	}
	return o, true
}

// TryParts begins an upload in parts, as large objects go, and gives it up. What can't be given up is paid for until a rule of
// the bucket removes it.
func (s *Store) TryParts(ctx context.Context, key string) error {
	begun, err := s.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &s.bucket, Key: &key, ExpectedBucketOwner: s.owner()})
	if err != nil {
		return s.Failed(opWrite, key, err)
	}
	if _, err := s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.bucket, Key: &key, UploadId: begun.UploadId, ExpectedBucketOwner: s.owner()}); err != nil {
		return s.Failed(opGiveUp, key, err)
	}
	return nil
}
