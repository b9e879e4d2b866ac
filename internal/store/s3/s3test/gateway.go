// Package s3test runs an S3 server for tests: VersityGW, which keeps conditions on writes and checks signatures.
//
// The server works in a process of its own, as it changes its working directory and can be there only once. That process
// is the test binary again: see init.
package s3test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"

	"tarn/internal/awsconf"
	store "tarn/internal/store/s3"
)

// Credentials of the server. They are no secret.
const (
	AccessKey = "tarn-test"
	Secret    = "tarn-test-secret"
	Region    = "us-east-1"
)

// serving, in the environment, makes a process the server.
const serving = "TARN_S3TEST_SERVING"

// init turns a process that was started to be the server into that. It ends, and takes its files with it, when the
// process that has started it does, however that happens.
func init() {
	if os.Getenv(serving) == "" {
		return
	}
	dir, err := os.MkdirTemp("", "tarn-s3-*")
	if err == nil {
		var url string
		if url, err = serve(dir); err == nil {
			fmt.Println(url)
			_, err = io.Copy(io.Discard, os.Stdin)
		}
	}
	if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// process is a server that was started.
type process struct {
	url string
	// lifeline is never closed: the server sees its end when this process ends. It is kept here, as a pipe that nobody knows
	// any more is closed.
	lifeline io.Closer
}

// gateway is the one server that this process has started.
var gateway = sync.OnceValues(start)

func start() (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), serving+"=1")
	cmd.Stderr = os.Stderr
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		// The server has things to say of its own.
		if strings.HasPrefix(lines.Text(), "http://") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return &process{lines.Text(), lifeline}, nil
		}
	}
	return nil, fmt.Errorf("the S3 server did not start: %w", errors.Join(lines.Err(), cmd.Wait()))
}

// serve starts the server in this process.
func serve(dir string) (string, error) {
	data, side, versions := filepath.Join(dir, "data"), filepath.Join(dir, "meta"), filepath.Join(dir, "versions")
	for _, d := range []string{data, side, versions} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return "", err
		}
	}
	// With extended attributes an object and its ETag appear at once; with files beside it there is a moment between, in
	// which conditional writes are not safe.
	opts := posix.PosixOpts{Concurrency: 64, VersioningDir: versions}
	var m meta.MetadataStorer = meta.XattrMeta{}
	if err := (meta.XattrMeta{}).Test(data); err != nil {
		if m, err = meta.NewSideCar(side); err != nil {
			return "", err
		}
		opts.SideCarDir = side
	}
	be, err := posix.New(data, m, opts)
	if err != nil {
		return "", err
	}
	port, err := FreePort()
	if err != nil {
		return "", err
	}
	addr := net.JoinHostPort("127.0.0.1", port)
	failed := make(chan error, 1)
	go func() {
		failed <- embedgw.RunVersityGW(context.Background(), be, &embedgw.Config{RootUserAccess: AccessKey, RootUserSecret: Secret, Region: Region,
			Ports: []string{addr}, MaxConnections: 4096, MaxRequests: 2048, MultipartMaxParts: 10000, Quiet: true, KeepAlive: true, HealthPath: "/healthz"})
	}()
	for range 4800 {
		select {
		case err := <-failed:
			return "", fmt.Errorf("S3 server: %w", err)
		case <-time.After(25 * time.Millisecond):
		}
		if r, err := http.Get("http://" + addr + "/healthz"); err == nil {
			return "http://" + addr, r.Body.Close()
		}
	}
	return "", fmt.Errorf("the S3 server did not start at %s", addr)
}

// environment leads every AWS tool to a server.
func environment(url string) []string {
	return []string{"AWS_ACCESS_KEY_ID=" + AccessKey, "AWS_SECRET_ACCESS_KEY=" + Secret, "AWS_REGION=" + Region, "AWS_ENDPOINT_URL=" + url,
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true"}
}

// Server starts the process's S3 server, if it does not run yet, points the environment of the test to it, and gives its
// URL. The test cannot be parallel.
func Server(t testing.TB) string {
	t.Helper()
	p, err := gateway()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range environment(p.url) {
		k, v, _ := strings.Cut(e, "=")
		t.Setenv(k, v)
	}
	return p.url
}

// Environment gives the variables that lead to the process's S3 server, as KEY=value, for other processes.
func Environment() ([]string, error) {
	p, err := gateway()
	if err != nil {
		return nil, err
	}
	return environment(p.url), nil
}

// Serve starts the process's S3 server with some buckets, and gives the variables that lead to it. The process's own
// environment leads to it as well then.
func Serve(ctx context.Context, buckets ...string) ([]string, error) {
	env, err := Environment()
	if err != nil {
		return nil, err
	}
	for _, e := range env {
		k, v, _ := strings.Cut(e, "=")
		if err := os.Setenv(k, v); err != nil {
			return nil, err
		}
	}
	// It would go before AWS_ENDPOINT_URL, and may lead to another server.
	if err := os.Unsetenv("AWS_ENDPOINT_URL_S3"); err != nil {
		return nil, err
	}
	for _, b := range buckets {
		if err := makeBucket(ctx, b); err != nil {
			return nil, err
		}
	}
	return env, nil
}

func makeBucket(ctx context.Context, name string) error {
	b, err := store.Open(ctx, name, awsconf.Settings{})
	if err != nil {
		return err
	}
	_, err = b.Client().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name})
	return err
}

// Removed removes a bucket with all that is in it at the end of the test, if it is there then: one whose name is always the same would
// be in the way of the same test, run once more. It is in the server that the environment points to.
func Removed(t testing.TB, bucket string) {
	t.Cleanup(func() {
		if err := removeBucket(context.Background(), bucket); err != nil {
			t.Error(err)
		}
	})
}

func removeBucket(ctx context.Context, name string) error {
	b, err := store.Open(ctx, name, awsconf.Settings{})
	if err != nil {
		return err
	}
	for ids, err := range b.Versions(ctx, "") {
		if e := (smithy.APIError)(nil); errors.As(err, &e) && e.ErrorCode() == "NoSuchBucket" {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := b.Client().DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &name, Delete: &types.Delete{Objects: ids}}); err != nil {
			return err
		}
	}
	_, err = b.Client().DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name})
	return err
}

// Bucket makes a new bucket, named after the test, in the server that the environment points to.
func Bucket(t testing.TB) string {
	t.Helper()
	name := bucketName(t.Name())
	if err := makeBucket(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return name
}

var (
	buckets   int
	bucketsMu sync.Mutex
)

func bucketName(test string) string {
	bucketsMu.Lock()
	defer bucketsMu.Unlock()
	buckets++
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, test)
	return fmt.Sprintf("t%d-%s", buckets, strings.Trim(clean[:min(len(clean), 50)], "-"))
}
