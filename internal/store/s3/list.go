package s3

import (
	"context"
	"iter"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"tarn/internal/store"
)

// List implements [store.Store]: one request for each thousand keys.
func (s *Store) List(ctx context.Context, prefix string, o store.ListOptions) iter.Seq2[store.Object, error] {
	in := &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &prefix, ExpectedBucketOwner: s.owner(), EncodingType: types.EncodingTypeUrl}
	if o.Folders {
		in.Delimiter = aws.String("/")
	}
	if o.After != "" {
		in.StartAfter = &o.After
	}
	return func(yield func(store.Object, error) bool) {
		for p := s3.NewListObjectsV2Paginator(s.client, in); p.HasMorePages(); {
			page, err := p.NextPage(ctx)
			if err != nil {
				yield(store.Object{}, s.Failed(opList, prefix, err))
				return
			}
			entries, err := s.entries(page)
			if err != nil {
				yield(store.Object{}, s.Failed(opList, prefix, err))
				return
			}
			for _, e := range entries {
				// Some servers repeat the folder that a listing is to start after.
				if e.Key <= o.After {
					continue
				}
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// Versions lists all versions of objects whose keys begin with a prefix, and what marks them as deleted, in groups as they can be deleted
// together. An error is that of the request.
func (s *Store) Versions(ctx context.Context, prefix string) iter.Seq2[[]types.ObjectIdentifier, error] {
	in := &s3.ListObjectVersionsInput{Bucket: &s.bucket, Prefix: &prefix, ExpectedBucketOwner: s.owner()}
	return func(yield func([]types.ObjectIdentifier, error) bool) {
		for p := s3.NewListObjectVersionsPaginator(s.client, in); p.HasMorePages(); {
			page, err := p.NextPage(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			var ids []types.ObjectIdentifier
			for _, v := range page.Versions {
				ids = append(ids, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
			}
			for _, m := range page.DeleteMarkers {
				ids = append(ids, types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
			}
			if len(ids) > 0 && !yield(ids, nil) {
				return
			}
		}
	}
}

// entries merges a page's keys and folders.
func (s *Store) entries(page *s3.ListObjectsV2Output) ([]store.Object, error) {
	out := make([]store.Object, 0, len(page.Contents)+len(page.CommonPrefixes))
	for _, o := range page.Contents {
		key, err := decoded(page, o.Key)
		if err != nil {
			return nil, err
		}
		if strings.HasSuffix(key, "/") && aws.ToInt64(o.Size) == 0 {
			// The console's way to show an empty folder.
			continue
		}
		out = append(out, store.Object{Key: key, Size: aws.ToInt64(o.Size), ETag: plainETag(o.ETag), Modified: aws.ToTime(o.LastModified)})
	}
	for _, f := range page.CommonPrefixes {
		key, err := decoded(page, f.Prefix)
		if err != nil {
			return nil, err
		}
		out = append(out, store.Object{Key: key})
	}
	slices.SortFunc(out, func(a, b store.Object) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

// decoded undoes the encoding that was asked for, as XML cannot hold every key; a server may have ignored it.
func decoded(page *s3.ListObjectsV2Output, key *string) (string, error) {
	if page.EncodingType != types.EncodingTypeUrl {
		return aws.ToString(key), nil
	}
	return url.QueryUnescape(aws.ToString(key))
}
