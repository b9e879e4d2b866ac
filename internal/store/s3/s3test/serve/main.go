// Command serve runs the tests' S3 server for trying things by hand, and prints the environment that leads to it.
//
//	go run ./internal/store/s3/s3test/serve -buckets lake,landing
//	go run ./internal/store/s3/s3test/serve -wide 100000
//
// With -wide there is also a bucket of that name with so many small JSON files in folders of days, raw/2024/01/31/, 100 a
// day up to today. They exist only as they are read, so that a million of them takes no room.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"time"

	"tarn/internal/store/s3/s3test"
)

// perDay is how many files a day of the wide bucket has.
const perDay = 100

func main() {
	buckets := flag.String("buckets", "lake", "buckets to make, with commas between")
	wide := flag.Int("wide", 0, "how many files the bucket wide has; 0 is no such bucket")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	env, err := s3test.Serve(ctx, strings.Split(*buckets, ",")...)
	if err == nil && *wide > 0 {
		env, err = inFront(env, *wide)
	}
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range env {
		fmt.Println("export " + e)
	}
	<-ctx.Done()
}

// inFront puts the wide bucket in front of the server, and leads the environment there.
func inFront(env []string, files int) ([]string, error) {
	const endpoint = "AWS_ENDPOINT_URL="
	l := &s3test.Landing{Bucket: "wide", N: files, Key: s3test.Days(files, perDay, time.Now()), Content: func(key string) string {
		h := fnv.New32a()
		_, _ = h.Write([]byte(key)) // it never fails
		return fmt.Sprintf("{\"id\": %d}\n", h.Sum32())
	}}
	for i, e := range env {
		server, ok := strings.CutPrefix(e, endpoint)
		if !ok {
			continue
		}
		target, err := url.Parse(server)
		if err != nil {
			return nil, err
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		// Signatures cover the host that the client has asked for, so it stays.
		answers := l.Handler(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = target.Scheme, target.Host, r.In.Host
		}})
		go func() { log.Fatal(http.Serve(listener, answers)) }()
		env[i] = endpoint + "http://" + listener.Addr().String()
		return env, nil
	}
	return nil, errors.New("no endpoint in the environment of the server")
}
