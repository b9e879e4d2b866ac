// Command cmd runs a Lambda function on this machine and answers the Invoke API for it, so that the AWS command line can call
// it: `aws lambda invoke --endpoint-url URL --function-name tarn …` with the address that it prints. What the function writes goes
// to stderr, and so does how each invocation went. It gets the variables that -env names, KEY or KEY=value.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"tarn/internal/lambda/lambdatest"
)

func main() {
	c := lambdatest.Config{Log: os.Stderr}
	addr := flag.String("addr", "127.0.0.1:0", "where to listen")
	flag.StringVar(&c.Code, "code", "", "`folder` with bootstrap")
	flag.StringVar(&c.Name, "name", "tarn", "the function's name")
	flag.IntVar(&c.Memory, "memory", 1024, "MiB")
	flag.IntVar(&c.Disk, "disk", 512, "MiB of /tmp")
	flag.DurationVar(&c.Timeout, "timeout", 15*time.Minute, "time limit of an invocation")
	flag.BoolVar(&c.Bounded, "bounded", false, "hold it to its memory and its share of the processor")
	flag.Func("env", "`KEY` of this process's environment, or KEY=value; can be given more than once", func(s string) error {
		if !strings.Contains(s, "=") {
			s += "=" + os.Getenv(s)
		}
		c.Env = append(c.Env, s)
		return nil
	})
	flag.Parse()
	if err := serve(*addr, c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(addr string, c lambdatest.Config) error {
	f, err := lambdatest.New(c)
	if err != nil {
		return err
	}
	defer f.Close()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", l.Addr())
	failed := make(chan error, 1)
	go func() { failed <- http.Serve(l, f) }()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	select {
	case err := <-failed:
		return err
	case <-stop:
		return nil
	}
}
