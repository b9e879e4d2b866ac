// Command cmd serves an AWS account on this machine for trying tarn and the AWS CLI by hand, from `tarn deploy` to files that land: see
// package account. It prints the variables that lead to it, as a shell takes them, and writes to stderr what functions say. It forgets
// everything when it ends.
//
//	BUCKET=my-lake-4711 go run ./test/account/cmd -C mylake -target aws
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"tarn/internal/athena/athenatest"
	"tarn/test/account"
)

func main() {
	var lake athenatest.Lake
	flag.StringVar(&lake.Dir, "C", ".", "`folder` of the lake whose tables Athena asks; it can be made later")
	flag.StringVar(&lake.Target, "target", "aws", "`target` of its tarn.yaml")
	flag.Parse()
	a, err := account.Serve(lake, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer a.Close()
	for _, e := range a.Env {
		fmt.Println("export " + e)
		name, value, _ := strings.Cut(e, "=")
		if err := os.Setenv(name, value); err != nil { // Athena asks by what is in this process
			fmt.Fprintln(os.Stderr, err)
		}
	}
	over := make(chan os.Signal, 1)
	signal.Notify(over, os.Interrupt)
	<-over
}
