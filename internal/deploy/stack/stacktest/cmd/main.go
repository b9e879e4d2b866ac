// Command cmd serves the stand-in for an AWS account to which a lake is deployed, so that tarn and the AWS CLI can be tried on it: it
// prints the variables that lead to it, as a shell takes them. It forgets everything when it ends.
package main

import (
	"fmt"
	"os"
	"os/signal"

	"tarn/internal/deploy/stack/stacktest"
)

func main() {
	_, env, stop, err := stacktest.Serve()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer stop()
	for _, e := range env {
		fmt.Println("export " + e)
	}
	over := make(chan os.Signal, 1)
	signal.Notify(over, os.Interrupt)
	<-over
}
