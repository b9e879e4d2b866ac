// Command serve runs the tests' S3 server for trying things by hand, and prints the environment that leads to it.
//
//	go run ./internal/store/s3/s3test/serve -buckets lake,landing
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"

	"tarn/internal/store/s3/s3test"
)

func main() {
	buckets := flag.String("buckets", "lake", "buckets to make, with commas between")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	env, err := s3test.Serve(ctx, strings.Split(*buckets, ",")...)
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range env {
		fmt.Println("export " + e)
	}
	<-ctx.Done()
}
