package stack

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"tarn/internal/deployconf"
	"tarn/internal/store"
)

// alone reports whether the bucket or database of a setting is the lake's alone: a stack has made it.
func alone(setting string) bool { return setting == deployconf.New }

// doomed says in words which data would be removed. What is not this lake's is an error.
func (s *Stack) doomed(ctx context.Context) ([]string, error) {
	spec := s.o.Spec
	var out []string
	tags, there, err := s.bucketTags(ctx, spec.Warehouse.Bucket)
	if err != nil {
		return nil, err
	}
	whose := s.whose(tags)
	switch {
	case !there:
	case !alone(spec.Settings.Bucket):
		out = append(out, "everything in "+spec.Warehouse.Location()+" and "+spec.Results.Location()+" is removed; the bucket and its raw files stay")
	case whose != "":
		return nil, &TakenError{"bucket " + spec.Warehouse.Bucket, whose, "remove what is yours of it by hand"}
	default:
		out = append(out, "bucket "+spec.Warehouse.Bucket+" is removed with everything in it: raw files, tables, results")
	}
	marks, there, err := s.databaseMarks(ctx, spec.Database)
	if err != nil {
		return nil, err
	}
	switch whose := s.whose(marks); {
	case !there:
	case !alone(spec.Settings.Database):
		out = append(out, "this lake's tables of database "+spec.Database+" are removed; the database and others' tables stay")
	case whose != "":
		return nil, &TakenError{"database " + spec.Database, whose, "remove what is yours of it by hand"}
	default:
		out = append(out, "database "+spec.Database+" is removed with all its tables")
	}
	return out, nil
}

// erase removes the data: names first, so that nobody finds a table without files.
func (s *Stack) erase(ctx context.Context, out *Destroyed) error {
	if err := s.dropTables(ctx); err != nil {
		return err
	}
	spec := s.o.Spec
	if !alone(spec.Settings.Bucket) {
		for _, p := range []struct{ bucket, prefix string }{{spec.Warehouse.Bucket, spec.Warehouse.Prefix}, {spec.Results.Bucket, spec.Results.Prefix}} {
			n, err := s.empty(ctx, p.bucket, p.prefix)
			if out.Data += n; err != nil {
				return err
			}
		}
		return nil
	}
	const most = 3
	for tries := 1; ; tries++ {
		n, err := s.empty(ctx, spec.Warehouse.Bucket, "")
		if out.Data += n; err != nil {
			return err
		}
		_, err = s.bucket(spec.Warehouse.Bucket).Client().DeleteBucket(ctx, &awss3.DeleteBucketInput{Bucket: &spec.Warehouse.Bucket})
		switch {
		case err == nil, code(err) == "NoSuchBucket":
			return nil
		case code(err) != "BucketNotEmpty" || tries == most: // somebody may have put something there meanwhile
			return s.failed("delete bucket "+spec.Warehouse.Bucket, err)
		}
	}
}

// dropTables removes the lake's tables from the catalog, and the database if that is the lake's.
func (s *Stack) dropTables(ctx context.Context) error {
	database, catalog := s.o.Spec.Database, s.catalog()
	var names []string
	pages := glue.NewGetTablesPaginator(s.glue, &glue.GetTablesInput{DatabaseName: &database, CatalogId: catalog})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if code(err) == "EntityNotFoundException" {
			return nil
		}
		if err != nil {
			return s.failed("list the tables of "+database, err)
		}
		for _, t := range page.TableList {
			if t.Parameters["tarn.lake"] == s.lakeID() || alone(s.o.Spec.Settings.Database) {
				names = append(names, aws.ToString(t.Name))
			}
		}
	}
	for _, name := range names {
		if _, err := s.glue.DeleteTable(ctx, &glue.DeleteTableInput{DatabaseName: &database, CatalogId: catalog, Name: &name}); err != nil && code(err) != "EntityNotFoundException" {
			return s.failed("drop table "+name, err)
		}
	}
	if !alone(s.o.Spec.Settings.Database) {
		return nil
	}
	if _, err := s.glue.DeleteDatabase(ctx, &glue.DeleteDatabaseInput{Name: &database, CatalogId: catalog}); err != nil && code(err) != "EntityNotFoundException" {
		return s.failed("drop database "+database, err)
	}
	return nil
}

// catalog is the account of the catalog, nil for the own one.
func (s *Stack) catalog() *string {
	if s.o.Spec.Catalog == "" {
		return nil
	}
	return &s.o.Spec.Catalog
}

// empty removes everything below a prefix, with all versions, and says how many objects that were. A bucket that is not there is empty.
func (s *Stack) empty(ctx context.Context, bucket, prefix string) (n int, err error) {
	b := s.bucket(bucket)
	versioning, err := b.Client().GetBucketVersioning(ctx, &awss3.GetBucketVersioningInput{Bucket: &bucket})
	switch {
	case code(err) == "NoSuchBucket":
		return 0, nil
	case err != nil && code(err) != "NotImplemented" && !strings.Contains(code(err), "Versioning"):
		return 0, s.failed("ask whether bucket "+bucket+" keeps versions", err)
	case err == nil && versioning.Status != "":
		return s.emptyVersions(ctx, bucket, prefix)
	}
	const most = 1000
	var keys []string
	flush := func() error {
		if len(keys) == 0 {
			return nil
		}
		err := b.Delete(ctx, keys...)
		n, keys = n+len(keys), nil
		return err
	}
	for o, err := range b.List(ctx, prefix, store.ListOptions{}) {
		if err != nil {
			return n, err
		}
		if keys = append(keys, o.Key); len(keys) == most {
			if err := flush(); err != nil {
				return n, err
			}
		}
	}
	return n, flush()
}

func (s *Stack) emptyVersions(ctx context.Context, bucket, prefix string) (n int, err error) {
	b := s.bucket(bucket)
	for ids, err := range b.Versions(ctx, prefix) {
		if err != nil {
			return n, s.failed("list the versions in bucket "+bucket, err)
		}
		out, err := b.Client().DeleteObjects(ctx, &awss3.DeleteObjectsInput{Bucket: &bucket, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)}})
		if err != nil {
			return n, s.failed("empty bucket "+bucket, err)
		}
		for _, e := range out.Errors {
			return n, s.failed("empty bucket "+bucket, fmt.Errorf("%s: %s: %s", aws.ToString(e.Key), aws.ToString(e.Code), aws.ToString(e.Message)))
		}
		n += len(ids)
	}
	return n, nil
}
