// Package peers starts other programs for tests: those that the scripts beside it install.
package peers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tarn/internal/athena/athenatest"
	"tarn/internal/store/s3/s3test"
)

// Trino lets Trino serve the catalog and the bucket that the environment leads to, while the test lasts, and gives its address: tables
// are in its catalog lake, raw files in raw.
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

// server is the one Trino of this process: it takes longer to start than what it is asked for.
var server struct {
	sync.Mutex
	url   string
	dir   string
	cmd   *exec.Cmd
	ended chan struct{}
}

// TrinoServing lets Trino serve the catalogs of some files catalog/NAME.properties while the test lasts, and gives its address. The first
// ones are there as these files when it starts, and later ones are made by statements. Whoever calls it calls [End] before the
// process ends.
func TrinoServing(t testing.TB, files map[string]string) string {
	t.Helper()
	if os.Getenv("TARN_TRINO") == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("CI has to run test/peers/trino.sh install and set TARN_TRINO")
		}
		t.Skip("TARN_TRINO is not set; test/peers/trino.sh installs Trino and sets it")
	}
	server.Lock()
	defer server.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	started := server.url == ""
	if started {
		if err := start(ctx, files); err != nil {
			stop()
			t.Fatal(err)
		}
	}
	trino := athenatest.Trino{URL: server.url}
	for name, text := range files {
		catalog := strings.TrimSuffix(filepath.Base(name), ".properties")
		if !started {
			if _, err := trino.Query(ctx, "", createCatalog(catalog, text)); err != nil {
				t.Fatal(err)
			}
		}
		t.Cleanup(func() {
			if _, err := trino.Query(context.WithoutCancel(ctx), "", "DROP CATALOG "+quoted(catalog, `"`)); err != nil {
				t.Error(err)
			}
		})
	}
	return server.url
}

// start starts Trino with the files of its folder etc.
func start(ctx context.Context, files map[string]string) error {
	etc, err := os.MkdirTemp("", "tarn-trino")
	if err != nil {
		return err
	}
	for name, text := range files {
		path := filepath.Join(etc, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			return err
		}
	}
	port, err := s3test.FreePort()
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(etc, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command("../peers/trino.sh", "serve", etc, port)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	var how error
	go func() {
		how = cmd.Wait()
		close(ended)
	}()
	server.dir, server.cmd, server.ended = etc, cmd, ended
	url := "http://127.0.0.1:" + port
	for {
		raw, _ := os.ReadFile(log.Name())
		if strings.Contains(string(raw), "SERVER STARTED") {
			// On a busy machine it takes a moment more until it knows of itself as a node.
			if _, err := (athenatest.Trino{URL: url}).Query(ctx, "", "SELECT 1"); err != nil {
				return fmt.Errorf("Trino does not answer: %w\n%s", err, raw)
			}
			server.url = url
			return nil
		}
		select {
		case <-ended:
			return fmt.Errorf("Trino ended: %w\n%s", how, raw)
		case <-ctx.Done():
			return fmt.Errorf("Trino does not start:\n%s", raw)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// End ends what this process has started. Its TestMain calls it last.
func End() {
	server.Lock()
	defer server.Unlock()
	stop()
}

func stop() {
	if server.cmd == nil {
		return
	}
	_ = syscall.Kill(-server.cmd.Process.Pid, syscall.SIGKILL) // it may have ended
	<-server.ended
	_ = os.RemoveAll(server.dir)
	server.cmd, server.url = nil, ""
}

// property is a line of a file of properties, and escape a character in it that is written as its number.
var (
	property = regexp.MustCompile(`(?m)^([^#\s=]+)=(.*)$`)
	escape   = regexp.MustCompile(`\\(?:u([0-9a-fA-F]{4})|(.))`)
)

// createCatalog is the statement that makes the catalog of a file of properties.
func createCatalog(name, text string) string {
	connector, with := "", []string{}
	for _, m := range property.FindAllStringSubmatch(text, -1) {
		value := escape.ReplaceAllStringFunc(m[2], func(e string) string {
			if n, err := strconv.ParseUint(e[2:], 16, 16); e[1] == 'u' && err == nil {
				return string(rune(n))
			}
			return e[1:]
		})
		if m[1] == "connector.name" {
			connector = value
			continue
		}
		with = append(with, quoted(m[1], `"`)+" = "+quoted(value, "'"))
	}
	return "CREATE CATALOG " + quoted(name, `"`) + " USING " + connector + " WITH (" + strings.Join(with, ", ") + ")"
}

func quoted(text, mark string) string { return mark + strings.ReplaceAll(text, mark, mark+mark) + mark }
