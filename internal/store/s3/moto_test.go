package s3_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"tarn/internal/awsconf"
	"tarn/internal/store"
	"tarn/internal/store/s3"
	"tarn/internal/store/storetest"
)

// TestMoto tests the store on another server than the one that all other tests have: moto, in Python, which TARN_MOTO has.
func TestMoto(t *testing.T) {
	python := os.Getenv("TARN_MOTO")
	if python == "" {
		t.Skip("TARN_MOTO does not name a Python that has moto[server]: see test/peers/moto.sh")
	}
	t.Setenv("AWS_ENDPOINT_URL", startMoto(t, python))
	for k, v := range map[string]string{"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1", "AWS_CONFIG_FILE": "/dev/null",
		"AWS_SHARED_CREDENTIALS_FILE": "/dev/null"} {
		t.Setenv(k, v)
	}
	buckets := 0
	storetest.Run(t, func(t *testing.T) (store.Store, string) {
		buckets++
		name := fmt.Sprintf("bucket-%d", buckets)
		s, err := s3.Open(t.Context(), name, awsconf.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.(*s3.Store).Client().CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: &name}); err != nil {
			t.Fatal(err)
		}
		return s, "some/prefix/"
	})
}

// startMoto starts a server for the length of the test, and gives its URL.
func startMoto(t *testing.T, python string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err == nil {
		err = l.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", "from moto.server import main; main()", "-H", host, "-p", port)
	cmd.Env = append(os.Environ(), "PYTHONUNBUFFERED=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	})
	url := "http://" + net.JoinHostPort(host, port)
	for range 600 {
		if r, err := http.Get(url + "/moto-api/"); err == nil {
			_ = r.Body.Close()
			return url
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("moto did not start")
	return ""
}
