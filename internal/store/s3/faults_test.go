package s3_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"tarn/internal/awsconf"
	"tarn/internal/store"
	"tarn/internal/store/s3"
	"tarn/internal/store/s3/s3test"
	"tarn/internal/store/storetest"
)

// broken gives a bucket behind a proxy that can break requests.
func broken(t *testing.T) (*s3.Store, *s3test.Proxy) {
	t.Helper()
	url := s3test.Server(t)
	bucket := s3test.Bucket(t)
	p := s3test.NewProxy(t, url)
	t.Setenv("AWS_ENDPOINT_URL", p.URL)
	s, err := s3.Open(t.Context(), bucket, awsconf.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	return s, p
}

func TestRequestsAreTriedAgain(t *testing.T) {
	for name, f := range map[string]s3test.Fault{"slow down": s3test.SlowDown, "reset": s3test.Reset, "cut off": s3test.CutOff, "lost answer": s3test.LostAnswer, "slow": s3test.Slow} {
		t.Run(name, func(t *testing.T) {
			s, p := broken(t)
			p.Script(f, f)
			o := storetest.Put(t, s, "a/file", "content")
			p.Script(f, f)
			if got := storetest.Get(t, s, "a/file"); got != "content" {
				t.Errorf("read %q", got)
			}
			p.Script(f, f)
			if got, err := s.Stat(t.Context(), "a/file"); err != nil || got.ETag != o.ETag {
				t.Errorf("stat %+v, %v", got, err)
			}
			p.Script(f, f)
			if got := storetest.Keys(t, s, "", store.ListOptions{}); len(got) != 1 {
				t.Errorf("listed %q", got)
			}
			p.Script(f, f)
			if err := s.Delete(t.Context(), "a/file"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLargeTransfersOverABadLine(t *testing.T) {
	s, p := broken(t)
	data := make([]byte, 40<<20)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(data)
	luck := rand.New(rand.NewPCG(1, 2))
	var turn sync.Mutex // the proxy serves several requests at once
	p.Do(func(*http.Request) s3test.Fault {
		turn.Lock()
		defer turn.Unlock()
		if luck.IntN(3) > 0 {
			return s3test.None
		}
		return []s3test.Fault{s3test.SlowDown, s3test.Reset, s3test.CutOff}[luck.IntN(3)]
	})
	o, err := s.Put(t.Context(), "file", bytes.NewReader(data), store.Condition{})
	if err != nil {
		t.Fatal(err)
	}
	var got buffer = make([]byte, len(data))
	if err := s.Download(t.Context(), o, got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, data) {
		t.Error("the content has changed on the way")
	}
}

type buffer []byte

func (b buffer) WriteAt(p []byte, at int64) (int, error) { return copy(b[at:], p), nil }

func TestReadingGoesOnWhereItBroke(t *testing.T) {
	s, p := broken(t)
	text := strings.Repeat("0123456789", 100_000)
	o := storetest.Put(t, s, "file", text)
	p.Script(s3test.CutOff, s3test.Reset, s3test.CutOff, s3test.SlowDown)
	if got := storetest.Get(t, s, "file"); got != text {
		t.Errorf("read %d of %d bytes", len(got), len(text))
	}
	// What was replaced in between must not be read on from its middle.
	p.Script(s3test.CutOff)
	r, err := s.Open(t.Context(), "file", "", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	storetest.Put(t, s, "file", strings.Repeat("abcdefghij", 100_000))
	var all bytes.Buffer
	if _, err := all.ReadFrom(r); !errors.Is(err, store.ErrCondition) {
		t.Errorf("read on in another content than %s: %v", o.ETag, err)
	}
}

func TestConditionHoldsWhenTheAnswerIsLost(t *testing.T) {
	s, p := broken(t)
	put := func(text string, c store.Condition) (store.Object, error) {
		return s.Put(t.Context(), "lease", strings.NewReader(text), c)
	}
	p.Script(s3test.LostAnswer)
	first, err := put("writer a, 1", store.Condition{Absent: true})
	if err != nil {
		t.Fatalf("created, and the answer lost: %v", err)
	}
	if now, err := s.Stat(t.Context(), "lease"); err != nil || now.ETag != first.ETag {
		t.Errorf("etag %s, but %s, %v", first.ETag, now.ETag, err)
	}
	p.Script(s3test.LostAnswer, s3test.LostAnswer)
	second, err := put("writer a, 2", store.Condition{ETag: first.ETag})
	if err != nil {
		t.Fatalf("replaced, and the answer lost: %v", err)
	}
	p.Script(s3test.LostAnswer)
	if _, err := put("writer b, 3", store.Condition{ETag: first.ETag}); !errors.Is(err, store.ErrCondition) {
		t.Errorf("the object of another writer was taken for the own: %v", err)
	}
	if now, err := s.Stat(t.Context(), "lease"); err != nil || now.ETag != second.ETag {
		t.Errorf("etag %s, but %s, %v", second.ETag, now.ETag, err)
	}
}

func TestErrorsSayWhatHelps(t *testing.T) {
	s, p := broken(t)
	storetest.Put(t, s, "file", "x")
	put := func() error {
		_, err := s.Put(t.Context(), "other", strings.NewReader("x"), store.Condition{})
		return err
	}
	// Answers to HEAD have no body, so the store asks again to learn why.
	look := func() error {
		_, err := s.Stat(t.Context(), "other")
		return err
	}
	for _, c := range []struct {
		fault s3test.Fault
		do    func() error
		want  string
	}{{s3test.Expired, put, "aws sso login"}, {s3test.Denied, put, "s3:PutObject on arn:aws:s3:::"},
		{s3test.Expired, look, "aws sso login"}, {s3test.Denied, look, "s3:GetObject on arn:aws:s3:::"}, {s3test.Elsewhere, look, "write region: eu-south-2 "}} {
		p.Do(func(*http.Request) s3test.Fault { return c.fault })
		err, want := c.do(), c.want
		var refused *s3.Error
		if !errors.As(err, &refused) || !strings.Contains(refused.Hint(), want) || !strings.Contains(err.Error(), s.Root()+"other") {
			t.Errorf("no hint %q with: %v", want, err)
		}
		if err != nil && (strings.Contains(err.Error(), s3test.Secret) || strings.Contains(err.Error(), "Signature")) {
			t.Errorf("a secret in: %v", err)
		}
	}
	p.Do(nil)
	missing, err := s3.Open(t.Context(), "no-such-bucket-here", awsconf.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	_, looked := missing.Stat(t.Context(), "file")
	var listed error
	for _, listed = range missing.List(t.Context(), "", store.ListOptions{}) {
	}
	for _, err := range []error{looked, listed} {
		var refused *s3.Error
		if !errors.As(err, &refused) || errors.Is(err, store.ErrNotFound) || !refused.Missing() || !strings.Contains(refused.Hint(), "aws s3 mb s3://no-such-bucket-here") {
			t.Errorf("a bucket that is not there: %v", err)
		}
	}
	var refused *s3.Error
	_, err = missing.Client().HeadBucket(t.Context(), &awss3.HeadBucketInput{Bucket: aws.String("no-such-bucket-here")})
	if err = missing.Failed("look at", "", err); !errors.As(err, &refused) || !refused.Missing() || refused.Hint() == "" {
		t.Errorf("a look at a bucket that is not there: %v", err)
	}
	if _, _, err := missing.Get(t.Context(), "file"); errors.Is(err, store.ErrNotFound) || err == nil {
		t.Errorf("read in a bucket that is not there: %v", err)
	}
}

func TestUnknownHost(t *testing.T) {
	s, _ := broken(t)
	bucket := strings.TrimSuffix(strings.TrimPrefix(s.Root(), "s3://"), "/")
	for host, want := range map[string]string{"minio.example": "path_style: true", "s3.eu-central-1.amazonaws.com": "look at the network"} {
		err := s.Failed("read", "file", &net.OpError{Op: "dial", Err: &net.DNSError{Name: bucket + "." + host, IsNotFound: true}})
		var refused *s3.Error
		if !errors.As(err, &refused) || !strings.Contains(refused.Hint(), want) {
			t.Errorf("%s: %v, hint %q", host, err, refused.Hint())
		}
	}
}

func TestNobodyThere(t *testing.T) {
	s, _ := broken(t)
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	for _, c := range []struct{ unset, want string }{{"", "nothing answers there"}, {"AWS_ACCESS_KEY_ID", "sign in"}} {
		if c.unset != "" {
			t.Setenv(c.unset, "")
		}
		there, err := s3.Open(t.Context(), "bucket", awsconf.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = there.Stat(t.Context(), "file")
		var refused *s3.Error
		if !errors.As(err, &refused) || !strings.Contains(refused.Hint(), c.want) || strings.Contains(err.Error(), "operation error") {
			t.Errorf("no hint %q with: %v", c.want, err)
		}
	}
	storetest.Put(t, s, "file", "x")
}

func TestRequestsAreCounted(t *testing.T) {
	s3test.Server(t)
	var c awsconf.Counter
	s, err := s3.Open(t.Context(), s3test.Bucket(t), awsconf.Settings{Requests: &c})
	if err != nil {
		t.Fatal(err)
	}
	storetest.Put(t, s, "file", "x")
	storetest.Get(t, s, "file")
	storetest.Keys(t, s, "", store.ListOptions{})
	got := c.Counts()
	if got["s3 PUT"] != 1 || got["s3 GET"] != 1 || got["s3 LIST"] != 1 || c.Total("s3") != 3 {
		t.Errorf("counted %v", got)
	}
}
