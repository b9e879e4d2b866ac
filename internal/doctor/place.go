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

	"tarn/internal/lake"
	"tarn/internal/load"
	"tarn/internal/project"
	"tarn/internal/store"
	s3store "tarn/internal/store/s3"
	"tarn/internal/words"
)

// warehouse tries what a run does with the place of the tables.
// It reports whether the place can be reached.
func (x *examination) warehouse(ctx context.Context, p *project.Lake, stores store.Locator) (there bool) {
	place := p.Config.Warehouse
	s, key, err := stores.Locate(ctx, place+"/"+lake.OwnFolder(p.Config.Stored)+"/doctor-"+rand.Text())
	if err != nil {
		x.failed("warehouse", err)
		return false
	}
	if b, ok := s.(*s3store.Store); ok {
		// Who reads some zones may list these alone.
		if _, err := b.Look(ctx); errors.Is(err, store.ErrDenied) {
			x.reader = true
			return false
		}
	}
	if !x.bucket(ctx, s, func(err error) error { return err }) {
		x.untried("warehouse", "bucket")
		return false
	}
	err = try(ctx, s, key)
	// Whatever went wrong, nothing is to be left, neither of the folders on this disk.
	_ = s.Delete(context.WithoutCancel(ctx), key)
	if disk, ok := s.(store.OnDisk); ok {
		own := filepath.Dir(disk.Path(key))
		_, _ = os.Remove(own), os.Remove(filepath.Dir(own))
	}
	if err != nil {
		f := failure("warehouse", err)
		var refused *s3store.Error
		if errors.As(err, &refused) && refused.Code == "AccessDenied" {
			f.Fix += "; for queries alone that is not needed"
		}
		x.add(f)
		return true
	}
	if s, ok := s.(*s3store.Store); ok {
		if err := s.TryParts(ctx, key); err != nil {
			x.failed("warehouse", err)
			return true
		}
		x.good("warehouse", "%s: written, read, listed and removed, a large upload begun and given up, and conditions on writes are kept", place)
		return true
	}
	x.good("warehouse", "%s: written, read, listed and removed, and conditions on writes are kept", place)
	return true
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

// bucket looks at the bucket of a place, if it is one and was not looked at before; false says that there is no use in
// going on there. explained adds to an error what is known of the place.
func (x *examination) bucket(ctx context.Context, place store.Store, explained func(error) error) bool {
	s, ok := place.(*s3store.Store)
	if !ok {
		return true
	}
	if good, ok := x.buckets[s.Root()]; ok {
		return good
	}
	out, err := s.Look(ctx)
	x.buckets[s.Root()] = err == nil
	if err != nil {
		x.failed("bucket", explained(err))
		return false
	}
	name := strings.TrimSuffix(strings.TrimPrefix(s.Root(), "s3://"), "/")
	region, ours := aws.ToString(out.BucketRegion), s.Client().Options().Region
	if region != "" && region != ours {
		x.add(Finding{What: "bucket", State: Bad, Text: fmt.Sprintf("%s is in %s, and the target is in %s", name, region, ours), Fix: "write region: " + region + " into the target"})
	} else {
		x.good("bucket", "%s in %s", name, ours)
	}
	if there, ok := awsmiddleware.GetServerTime(out.ResultMetadata); ok && !x.clocked {
		x.clocked = true
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

// landing lists the beginning of every landing place.
func (x *examination) landing(ctx context.Context, p *project.Lake, stores store.Locator) {
	for _, t := range p.Landing {
		is := t.Name + ": "
		if t.Dir == "" {
			x.add(Finding{What: "landing", State: Bad, Text: is + "nothing tells where " + t.Location + " is", Fix: "write it under locations: in tarn.yaml", Err: p.Diagnostics.Err()})
			continue
		}
		s, key, err := stores.Locate(ctx, t.Dir+"/")
		if err != nil {
			x.failed("landing", err)
			continue
		}
		if !x.bucket(ctx, s, func(err error) error { return load.Unlisted(t.Dir, t.Location, err) }) {
			x.untried("landing", "bucket")
			continue
		}
		n, one := 0, ""
		for o, e := range s.List(ctx, key, store.ListOptions{}) {
			if n++; e != nil || n > some {
				err = e
				break
			}
			one = o.Key
		}
		if err == nil && n > 0 {
			err = readable(ctx, s, one)
		}
		switch {
		case err != nil:
			x.failed("landing", load.Unlisted(t.Dir, t.Location, err))
		case n == 0:
			x.add(Finding{What: "landing", State: Poor, Text: is + "no files in " + t.Dir, Fix: bring(t.Dir)})
		case n > some:
			x.good("landing", "%smore than %d files in %s", is, some, t.Dir)
		default:
			x.good("landing", "%s%s in %s", is, words.Count(int64(n), "file"), t.Dir)
		}
	}
}

// readable reads the first byte of a file: who may list may not have the right to read.
func readable(ctx context.Context, s store.Store, key string) error {
	r, err := s.Open(ctx, key, "", 0, 1)
	if errors.Is(err, store.ErrNotFound) {
		return nil // it is gone by now
	}
	if err != nil {
		return err
	}
	return r.Close()
}

// some is how many files are counted: a listing has a thousand a request.
const some = 999

// bring says how raw files come to a place.
func bring(dir string) string {
	if project.Remote(dir) {
		return "until there are some the table is empty; a folder of them comes there with `aws s3 cp FOLDER " + dir + "/ --recursive`"
	}
	return "put raw files there; until then the table is empty"
}
