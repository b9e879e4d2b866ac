package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"tarn/internal/awsconf"
	"tarn/internal/lake"
	"tarn/internal/project"
	"tarn/internal/store"
	s3store "tarn/internal/store/s3"
)

// account says who this process is for AWS, and where its credentials come from. Servers of one's own have no STS to ask.
func (x *examination) account(ctx context.Context, p *project.Lake) {
	cfg, err := awsconf.Load(ctx, p.Config.AWS)
	if err != nil {
		x.failed("account", err)
		return
	}
	c, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		x.add(Finding{What: "account", State: Bad, Text: "no AWS credentials were found, or they cannot be renewed",
			Fix: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile: in the target, or sign in with `aws sso login`"})
		return
	}
	from := "credentials from " + c.Source
	if c.CanExpire {
		from += ", good until " + c.Expires.UTC().Format("15:04 UTC")
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	who, err := sts.NewFromConfig(cfg, func(o *sts.Options) { o.RetryMaxAttempts = 2 }).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		x.good("account", "%s; who that is could not be asked, which does no harm", from)
		return
	}
	x.good("account", "%s, %s", aws.ToString(who.Arn), from)
}

// warehouse tries what a run does with the place of the tables.
func (x *examination) warehouse(ctx context.Context, p *project.Lake, stores store.Locator) {
	place := p.Config.Warehouse
	s, key, err := stores.Locate(ctx, place+"/"+lake.OwnFolder(p.Config.Stored)+"/doctor-"+rand.Text())
	if err != nil {
		x.failed("warehouse", err)
		return
	}
	if bucket, ok := s.(*s3store.Store); ok && !x.bucket(ctx, bucket, p.Config.AWS) {
		return
	}
	err = try(ctx, s, key)
	// Whatever went wrong, nothing is to be left, neither of the folders on this disk.
	_ = s.Delete(context.WithoutCancel(ctx), key)
	if disk, ok := s.(store.OnDisk); ok {
		own := filepath.Dir(disk.Path(key))
		_, _ = os.Remove(own), os.Remove(filepath.Dir(own))
	}
	if err != nil {
		x.failed("warehouse", err)
		return
	}
	x.good("warehouse", "%s: written, read, listed and removed, and conditions on writes are kept", place)
}

// try does with one object what runs do.
func try(ctx context.Context, s store.Store, key string) error {
	put := func(text string, c store.Condition) (store.Object, error) {
		return s.Put(ctx, key, strings.NewReader(text), c)
	}
	first, err := put("tarn doctor, one", store.Condition{Absent: true})
	if err != nil {
		return err
	}
	if _, err := put("tarn doctor, two", store.Condition{Absent: true}); !errors.Is(err, store.ErrCondition) {
		return ignored("If-None-Match", err)
	}
	second, err := put("tarn doctor, three", store.Condition{ETag: first.ETag})
	if err != nil {
		return err
	}
	if _, err := put("tarn doctor, four", store.Condition{ETag: first.ETag}); !errors.Is(err, store.ErrCondition) {
		return ignored("If-Match", err)
	}
	raw, err := store.Read(ctx, s, key, second.ETag)
	if err != nil {
		return err
	}
	if string(raw) != "tarn doctor, three" {
		return fmt.Errorf("%s: what was written is not what is read", store.Location(s, key))
	}
	listed := false
	for o, err := range s.List(ctx, key, store.ListOptions{}) {
		if err != nil {
			return err
		}
		listed = listed || o.Key == key
	}
	if !listed {
		return fmt.Errorf("%s: what was written is not listed", store.Location(s, key))
	}
	return s.Delete(ctx, key)
}

// ignored says that a store writes without looking at a condition, or how else it failed.
func ignored(header string, err error) error {
	if err != nil {
		return err
	}
	return &conditionError{header}
}

type conditionError struct{ header string }

func (e *conditionError) Error() string {
	return "this store ignores " + e.header + ": two machines could overwrite each other's tables"
}

// Hint says what to do about it.
func (e *conditionError) Hint() string {
	return "let only one machine write here, or take a store that keeps conditions, as Amazon S3 does"
}

// bucket looks at the bucket itself; false says that there is no use in going on.
func (x *examination) bucket(ctx context.Context, s *s3store.Store, settings awsconf.Settings) bool {
	name := strings.TrimSuffix(strings.TrimPrefix(s.Root(), "s3://"), "/")
	in := &s3.HeadBucketInput{Bucket: &name}
	if settings.BucketOwner != "" {
		in.ExpectedBucketOwner = &settings.BucketOwner
	}
	out, err := s.Client().HeadBucket(ctx, in)
	if err != nil {
		x.failed("bucket", s.Failed("look at", "", err))
		return false
	}
	region, ours := aws.ToString(out.BucketRegion), s.Client().Options().Region
	if region != "" && region != ours {
		x.add(Finding{What: "bucket", State: Bad, Text: fmt.Sprintf("%s is in %s, and the target is in %s", name, region, ours), Fix: "write region: " + region})
	} else {
		x.good("bucket", "%s in %s", name, ours)
	}
	if there, ok := awsmiddleware.GetServerTime(out.ResultMetadata); ok {
		x.clock(time.Since(there))
	}
	return true
}

// clock holds the clock of this machine against that of the server. AWS refuses signatures that are off by more than 15
// minutes (Amazon S3 API Reference, "RequestTimeTooSkewed").
func (x *examination) clock(off time.Duration) {
	off = off.Round(time.Second)
	switch {
	case off.Abs() > 15*time.Minute:
		x.add(Finding{What: "clock", State: Bad, Text: "off by " + off.String(), Fix: "set the clock: AWS refuses requests that are off by 15 minutes"})
	case off.Abs() > time.Minute:
		x.add(Finding{What: "clock", State: Poor, Text: "off by " + off.String(), Fix: "set the clock"})
	default:
		x.good("clock", "with the server's")
	}
}
