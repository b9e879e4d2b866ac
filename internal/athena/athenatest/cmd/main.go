// Command cmd serves the stand-in for Athena over a lake, for trying clients by hand: AWS_ENDPOINT_URL_ATHENA leads them to it.
//
//	go run ./internal/athena/athenatest/cmd -C LAKE -target aws -output s3://my-bucket/results/ -listen 127.0.0.1:5433 [-trino http://localhost:8080]
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"

	"tarn/internal/athena/athenatest"
	"tarn/internal/project"
	"tarn/internal/store/registry"
)

func main() {
	dir := flag.String("C", ".", "the lake's folder")
	target := flag.String("target", "", "target of tarn.yaml")
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	output := flag.String("output", "", "location of results")
	group := flag.String("workgroup", "primary", "name of the workgroup that has that location")
	trino := flag.String("trino", "", "URL of a Trino server that executes the statements, in place of DuckDB")
	catalog := flag.String("catalog", "lake", "the lake's catalog in Trino")
	flag.Parse()
	if err := serve(*dir, *target, *listen, *output, *group, *trino, *catalog); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func serve(dir, target, listen, output, group, trino, catalog string) error {
	p, err := project.Load(dir, target)
	if err == nil {
		err = p.Diagnostics.Err()
	}
	if err != nil {
		return err
	}
	var engine athenatest.Engine = athenatest.Lake{Dir: dir, Target: target}
	if trino != "" {
		engine = athenatest.Trino{URL: trino, Catalog: catalog}
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Println("http://" + l.Addr().String())
	return http.Serve(l, athenatest.New(engine, registry.New(p.Config.AWS), map[string]athenatest.WorkGroup{group: {Output: output}}))
}
