// Package s3 is a bucket of Amazon S3, or of any server that speaks its protocol, as a store.
//
// Transfers of many megabytes go in parts side by side. Requests are tried again with growing, random pauses while the
// budget of the AWS SDK's standard retryer lasts; a body that is cut off is taken up again where it broke. Every upload
// carries a checksum that S3 verifies, and every download is held to the checksum that S3 has.
package s3

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"tarn/internal/awsconf"
	"tarn/internal/store"
)

// Store is one bucket.
type Store struct {
	bucket   string
	client   *s3.Client
	transfer *transfermanager.Client
	settings awsconf.Settings
	seen     atomic.Bool // that the bucket is there
}

var _ store.Store = (*Store)(nil)

const (
	// partSize is how much of a large object goes in one request.
	partSize = 16 << 20
	// partsAtOnce bounds the memory of a transfer to partsAtOnce × partSize.
	partsAtOnce = 4
)

// New gives a bucket of the account that cfg leads to; it makes no request.
func New(bucket string, cfg aws.Config, settings awsconf.Settings) *Store {
	client := s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = settings.PathStyle || o.BaseEndpoint != nil && awsconf.ByAddress(*o.BaseEndpoint)
		// Servers other than AWS's often have no checksum to give; that is no news to log for each object.
		o.DisableLogOutputChecksumValidationSkipped = true
	})
	return &Store{bucket: bucket, client: client, settings: settings,
		transfer: transfermanager.New(client, func(o *transfermanager.Options) {
			o.PartSizeBytes, o.MultipartUploadThreshold, o.Concurrency = partSize, 2*partSize, partsAtOnce
			o.PartBodyMaxRetries = bodyRetries
		})}
}

// Open gives the bucket of a location's host.
func Open(ctx context.Context, bucket string, settings awsconf.Settings) (*Store, error) {
	cfg, err := awsconf.Load(ctx, settings)
	if err != nil {
		return nil, fmt.Errorf("s3://%s: %w", bucket, err)
	}
	return New(bucket, cfg, settings), nil
}

// Root implements [store.Store].
func (s *Store) Root() string { return "s3://" + s.bucket + "/" }

// Client is the bucket's client, for questions that are not about objects.
func (s *Store) Client() *s3.Client { return s.client }

func (s *Store) owner() *string {
	if s.settings.BucketOwner == "" {
		return nil
	}
	return &s.settings.BucketOwner
}

// Stat implements [store.Store].
func (s *Store) Stat(ctx context.Context, key string) (store.Object, error) {
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: &key, ExpectedBucketOwner: s.owner()})
	if err != nil {
		return store.Object{}, s.why(ctx, key, s.Failed(opLook, key, err))
	}
	s.seen.Store(true)
	return store.Object{Key: key, Size: aws.ToInt64(out.ContentLength), ETag: plainETag(out.ETag), Modified: aws.ToTime(out.LastModified)}, nil
}

// plainETag takes the quotes off, which some servers write and some do not.
func plainETag(etag *string) string { return strings.Trim(aws.ToString(etag), `"`) }

func quotedETag(etag string) *string {
	if etag == "" {
		return nil
	}
	return aws.String(`"` + etag + `"`)
}

// Delete implements [store.Store].
func (s *Store) Delete(ctx context.Context, keys ...string) error {
	const most = 1000 // AWS: "DeleteObjects"
	for len(keys) > 0 {
		batch := keys[:min(most, len(keys))]
		keys = keys[len(batch):]
		if len(batch) == 1 {
			if _, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: &batch[0], ExpectedBucketOwner: s.owner()}); err != nil {
				return s.Failed(opDelete, batch[0], err)
			}
			continue
		}
		ids := make([]types.ObjectIdentifier, len(batch))
		for i := range batch {
			ids[i] = types.ObjectIdentifier{Key: &batch[i]}
		}
		out, err := s.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &s.bucket, ExpectedBucketOwner: s.owner(),
			Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)}})
		if err != nil {
			return s.Failed(opDelete, batch[0], err)
		}
		for _, e := range out.Errors {
			if aws.ToString(e.Code) != "NoSuchKey" {
				return &Error{Op: opDelete, Location: s.Root() + aws.ToString(e.Key), Code: aws.ToString(e.Code), Err: fmt.Errorf("%s", aws.ToString(e.Message))}
			}
		}
	}
	return nil
}
