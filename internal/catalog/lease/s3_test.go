package lease

import (
	"errors"
	"testing"

	"tarn/internal/awsconf"
	"tarn/internal/catalog"
	"tarn/internal/store/s3"
	"tarn/internal/store/s3/s3test"
)

// The lease in a real S3 protocol: any one request of taking it, committing and letting go meets a fault, and nothing of it
// shows but time.
func TestFaultsOfS3(t *testing.T) {
	url := s3test.Server(t)
	bucket := s3test.Bucket(t)
	p := s3test.NewProxy(t, url)
	t.Setenv("AWS_ENDPOINT_URL", p.URL)
	s, err := s3.Open(t.Context(), bucket, awsconf.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for name, fault := range map[string]s3test.Fault{"lost answer": s3test.LostAnswer, "reset": s3test.Reset, "slow down": s3test.SlowDown} {
		for at := range 6 {
			l := open(s)
			script := make([]s3test.Fault, at, at+1)
			p.Script(append(script, fault)...)
			h, err := l.Take(t.Context(), catalog.LockOptions{Run: "run"})
			if err != nil {
				t.Fatalf("%s of request %d: take: %v", name, at, err)
			}
			n++
			if err := errors.Join(update(t, h, number(n)), h.Release(t.Context())); err != nil {
				t.Errorf("%s of request %d: %v", name, at, err)
			}
			p.Do(nil)
			d, err := l.Read(t.Context())
			if err != nil || d.Owner != nil || string(d.Payload) != string(number(n)) || d.Token != int64(n) || d.Updates != int64(n) {
				t.Errorf("%s of request %d: %+v, %v", name, at, d, err)
			}
		}
	}
}
