package stack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"tarn/internal/store"
	"tarn/internal/store/s3"
)

// folder is where the lake's artefacts are in the bucket for them; several lakes can share a bucket.
func (s *Stack) folder() string { return s.o.Spec.Artefacts.Prefix + s.o.Spec.Names().Base + "/" }

// key is where the function's code is.
func (s *Stack) key() string { return s.folder() + s.o.Bundle.Name() }

// upload brings the function's code and the template into the bucket, unless they are there, and gives the template's URL.
func (x *deployment) upload(ctx context.Context) (url string, err error) {
	s := x.s
	b := s.bucket(s.o.Spec.Artefacts.Bucket)
	x.result.Artefact = store.Location(b, s.key())
	if _, err := b.Stat(ctx, s.key()); errors.Is(err, store.ErrNotFound) {
		if err := s.zip(ctx, b); err != nil {
			return "", err
		}
	} else if err != nil {
		return "", err
	}
	x.read, url, err = s.putTemplate(ctx, b, x.found.raw)
	return url, err
}

// putTemplate brings a template into a bucket, and gives its key and its URL.
func (s *Stack) putTemplate(ctx context.Context, b *s3.Store, raw []byte) (key, url string, err error) {
	sum := sha256.Sum256(raw)
	key = s.folder() + "template-" + hex.EncodeToString(sum[:12]) + ".yaml"
	if _, err := b.Put(ctx, key, bytes.NewReader(raw), store.Condition{}); err != nil {
		return "", "", err
	}
	return key, s.url(b.Root(), key), nil
}

// zip writes the function's code to this machine's disk, as the parts of an upload are read side by side, and uploads it.
func (s *Stack) zip(ctx context.Context, to store.Store) (err error) {
	f, err := os.CreateTemp("", "tarn-*.zip")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	told := func(doing string, total int64) func(int64) {
		return func(done int64) { s.o.Talk.Moved(doing, done, total) }
	}
	if err := s.o.Bundle.Write(interruptible{ctx, f}, told("packing the function's code", s.o.Bundle.Size)); err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	body := &telling{SectionReader: io.NewSectionReader(f, 0, info.Size()), tell: told("uploading the function's code", info.Size())}
	_, err = to.Put(ctx, s.key(), body, store.Condition{})
	return err
}

// interruptible ends a writing when its context does.
type interruptible struct {
	ctx context.Context
	io.Writer
}

func (w interruptible) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.Writer.Write(p)
}

// telling tells how much of a body has been read. What is read twice, for a checksum or another attempt, is not counted beyond its size.
type telling struct {
	*io.SectionReader
	done atomic.Int64
	tell func(done int64)
}

func (t *telling) ReadAt(p []byte, off int64) (int, error) {
	n, err := t.SectionReader.ReadAt(p, off)
	t.tell(min(t.done.Add(int64(n)), t.Size()))
	return n, err
}

// url is where CloudFormation reads an object of a bucket (Amazon S3 User Guide, "Virtual hosting of buckets").
func (s *Stack) url(root, key string) string {
	name := strings.TrimSuffix(strings.TrimPrefix(root, "s3://"), "/")
	if endpoint := s.bucket(name).Client().Options().BaseEndpoint; endpoint != nil {
		return strings.TrimSuffix(*endpoint, "/") + "/" + name + "/" + key
	}
	domain := "amazonaws.com"
	if strings.HasPrefix(s.region, "cn-") {
		domain += ".cn"
	}
	if strings.Contains(name, ".") { // a certificate of S3 covers one name before its domain
		return fmt.Sprintf("https://s3.%s.%s/%s/%s", s.region, domain, name, key)
	}
	return fmt.Sprintf("https://%s.s3.%s.%s/%s", name, s.region, domain, key)
}

// ours are names of files that we put into the folder of artefacts.
var ours = regexp.MustCompile(`^(tarn-[0-9a-f]{24}\.zip|template-[0-9a-f]{24}\.yaml)$`)

// tidy removes code of deployments before the last one, and templates, which CloudFormation reads once. Code of the last one stays, as it
// is needed on a way back.
func (x *deployment) tidy(ctx context.Context) error {
	s, keep := x.s, []string{x.s.key(), x.read}
	if x.stack != nil {
		keep = append(keep, parameter(x.stack, "ArtefactKey"))
	}
	b := s.bucket(s.o.Spec.Artefacts.Bucket)
	var old []string
	for o, err := range b.List(ctx, s.folder(), store.ListOptions{}) {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(o.Key, s.folder())
		if ours.MatchString(name) && !slices.Contains(keep, o.Key) {
			old = append(old, o.Key)
		}
	}
	if len(old) == 0 {
		return nil
	}
	return b.Delete(ctx, old...)
}
