// Package peers starts other programs for tests: those that the scripts beside it install.
package peers

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tarn/internal/athena/athenatest"
	"tarn/internal/store/s3/s3test"
)

// Trino starts Trino over the catalog and the bucket that the environment leads to, and gives its address.
func Trino(t testing.TB) string {
	t.Helper()
	glue := "hive.metastore.glue.endpoint-url=" + os.Getenv("AWS_ENDPOINT_URL_GLUE") + "\nhive.metastore.glue.region=us-east-1\n" +
		"hive.metastore.glue.aws-access-key=" + os.Getenv("AWS_ACCESS_KEY_ID") + "\nhive.metastore.glue.aws-secret-key=" + os.Getenv("AWS_SECRET_ACCESS_KEY") + "\n"
	files := "fs.native-s3.enabled=true\ns3.endpoint=" + os.Getenv("AWS_ENDPOINT_URL") + "\ns3.region=us-east-1\ns3.path-style-access=true\n" +
		"s3.aws-access-key=" + os.Getenv("AWS_ACCESS_KEY_ID") + "\ns3.aws-secret-key=" + os.Getenv("AWS_SECRET_ACCESS_KEY") + "\n"
	return TrinoServing(t, map[string]string{
		"catalog/lake.properties": "connector.name=iceberg\niceberg.catalog.type=glue\n" + glue + files,
		"catalog/raw.properties":  "connector.name=hive\nhive.metastore=glue\n" + glue + files,
	})
}

// TrinoServing starts Trino with the files of its folder etc, and gives its address.
func TrinoServing(t testing.TB, files map[string]string) string {
	t.Helper()
	if os.Getenv("TARN_TRINO") == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("CI has to run test/peers/trino.sh install and set TARN_TRINO")
		}
		t.Skip("TARN_TRINO is not set; test/peers/trino.sh installs Trino and sets it")
	}
	etc := t.TempDir()
	for name, text := range files {
		path := filepath.Join(etc, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	port, err := s3test.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(etc, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("../peers/trino.sh", "serve", etc, port)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	var how error
	go func() {
		how = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-ended
	})
	url := "http://127.0.0.1:" + port
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	for {
		raw, _ := os.ReadFile(log.Name())
		if strings.Contains(string(raw), "SERVER STARTED") {
			// On a busy machine it takes a moment more until it knows of itself as a node.
			if _, err := (athenatest.Trino{URL: url}).Query(ctx, "", "SELECT 1"); err != nil {
				t.Fatalf("Trino does not answer: %v\n%s", err, raw)
			}
			return url
		}
		select {
		case <-ended:
			t.Fatalf("Trino ended: %v\n%s", how, raw)
		case <-ctx.Done():
			t.Fatalf("Trino does not start:\n%s", raw)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
