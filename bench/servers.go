package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// The programs that stand for AWS, and the bucket that there is in them.
const (
	s3Stand   = "./internal/store/s3/s3test/serve"
	glueStand = "./internal/catalog/glue/gluetest/cmd"
	bucket    = "lake"
)

// serve builds and starts a program of this repository that prints its address, by itself or as AWS_ENDPOINT_URL among other
// variables, which are env. It lasts as long as ctx, and running is done when it has ended.
func serve(ctx context.Context, running *sync.WaitGroup, work, pkg string, args ...string) (address string, env []string, err error) {
	if err := os.MkdirAll(work, 0o755); err != nil {
		return "", nil, err
	}
	program := filepath.Join(work, filepath.Base(filepath.Dir(pkg)))
	if err := quietly(ctx, "go", "build", "-o", program, pkg); err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	defer running.Go(func() { _ = cmd.Wait() }) // that it was told to end is no news
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		line := strings.TrimPrefix(lines.Text(), "export ")
		if strings.HasPrefix(line, "http://") {
			return line, nil, nil
		}
		if server, ok := strings.CutPrefix(line, "AWS_ENDPOINT_URL="); ok {
			address = server
			continue
		}
		if strings.HasPrefix(line, "AWS_") {
			env = append(env, line)
		}
		if strings.HasPrefix(line, "AWS_EC2_METADATA_DISABLED") && address != "" {
			return address, env, nil
		}
	}
	return "", nil, fmt.Errorf("%s did not start: %w", pkg, errors.Join(lines.Err(), errors.New("it printed no address")))
}

// lead sets variables of this process, and so of all that it starts, and gives a client for the bucket that they lead to.
func lead(ctx context.Context, env []string) (*s3.Client, error) {
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }), nil
}

// How long a request is held back before it is answered, as S3 and Glue are further away than servers of this machine.
const (
	farS3   = 30 * time.Millisecond
	farGlue = 100 * time.Millisecond
)

// before is a server that does something with each request and then passes it on to another one.
func before(server string, do func(*http.Request)) (*httptest.Server, error) {
	target, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	next := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = target.Scheme, target.Host, r.In.Host
	}}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		do(r)
		next.ServeHTTP(w, r)
	})), nil
}
