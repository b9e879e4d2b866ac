package cli_test

import (
	"context"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"

	"tarn/internal/awsconf"
	"tarn/internal/catalog/glue/gluetest"
	"tarn/internal/deploy/stack/stacktest"
	"tarn/internal/store"
	"tarn/internal/store/registry"
	"tarn/internal/store/s3/s3test"
)

var buckets atomic.Int32

// bucketCmd makes a bucket in an S3 server of the test process, names it in a variable, and leads the script's programs
// to the server.
func bucketCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: bucket NAME")
	}
	name := fmt.Sprintf("script-%d", buckets.Add(1))
	env, err := s3test.Serve(context.Background(), name)
	ts.Check(err)
	for _, e := range env {
		k, v, _ := strings.Cut(e, "=")
		ts.Setenv(k, v)
	}
	ts.Setenv(args[0], name)
}

// glueCmd leads the script's programs to a Glue Data Catalog of their own.
func glueCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: glue")
	}
	s := httptest.NewServer(gluetest.New())
	ts.Defer(s.Close)
	ts.Setenv("AWS_ENDPOINT_URL_GLUE", s.URL)
}

// accountCmd leads the script's programs to an account of their own, in which Lake Formation governs databases or leaves them to IAM.
func accountCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 || len(args) == 1 && args[0] != "governed" {
		ts.Fatalf("usage: account [governed]")
	}
	server, env, stop, err := stacktest.Serve()
	ts.Check(err)
	server.Glue.Governed = len(args) == 1
	ts.Defer(stop)
	for _, e := range env {
		k, v, _ := strings.Cut(e, "=")
		ts.Setenv(k, v)
	}
	dir := ts.MkAbs("program")
	ts.Check(os.MkdirAll(dir, 0o755))
	path, err := program(dir)
	ts.Check(err)
	ts.Setenv("PROGRAM", path)
}

// program makes a small program in a folder, as tests are larger than what Lambda takes.
func program(dir string) (string, error) {
	path := filepath.Join(dir, "tarn")
	if err := os.WriteFile(path+".c", []byte("int main(void) { return 0; }\n"), 0o644); err != nil {
		return "", err
	}
	if out, err := exec.Command("cc", "-o", path, path+".c").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
}

// locate finds a place in a bucket of the test process's server.
func locate(ts *testscript.TestScript, location string) (store.Store, string) {
	s, key, err := registry.New(awsconf.Settings{}).Locate(context.Background(), location)
	ts.Check(err)
	return s, key
}

// uploadCmd copies a file, or the files of a folder, into a bucket.
func uploadCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: upload PATH s3://BUCKET/KEY")
	}
	s, key := locate(ts, args[1])
	root := ts.MkAbs(args[0])
	ts.Check(filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		_, err = s.Put(context.Background(), path.Join(key, filepath.ToSlash(rel)), strings.NewReader(string(raw)), store.Condition{})
		return err
	}))
}

// removeCmd removes an object of a bucket.
func removeCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: remove s3://BUCKET/KEY")
	}
	s, key := locate(ts, args[0])
	ts.Check(s.Delete(context.Background(), key))
}

// objectsCmd lists the keys below a place of a bucket to stdout's file objects.txt.
func objectsCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: objects s3://BUCKET/PREFIX")
	}
	s, prefix := locate(ts, args[0])
	var out strings.Builder
	for o, err := range s.List(context.Background(), prefix, store.ListOptions{}) {
		ts.Check(err)
		out.WriteString(strings.TrimPrefix(o.Key, prefix) + "\n")
	}
	ts.Check(os.WriteFile(ts.MkAbs("objects.txt"), []byte(out.String()), 0o644))
}
