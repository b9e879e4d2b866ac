// Command cmd serves the stand-in for the Glue Data Catalog, so that Spark, Trino, PyIceberg and the AWS CLI can talk to
// it: point their AWS_ENDPOINT_URL_GLUE to the address that it prints. It forgets everything when it ends.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"

	"tarn/internal/catalog/glue/gluetest"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "where to listen")
	verbose := flag.Bool("v", false, "write each request to stderr")
	flag.Parse()
	if err := serve(*addr, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(addr string, verbose bool) error {
	s := gluetest.New()
	if verbose {
		s.Log(func(line string) { fmt.Fprintln(os.Stderr, line) })
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", l.Addr())
	return http.Serve(l, s)
}
