// Command cmd serves the stand-in for an AWS account in which everybody has the rights of one actor of a lake and no others: the access
// key is the actor's name. It prints the variables that lead to it, as a shell takes them, and each call that was refused.
//
//	go run ./internal/rights/rightstest/cmd LAKE TARGET
//
// Stacks are made with AWS_ACCESS_KEY_ID=deployer, raw files brought with AWS_ACCESS_KEY_ID=uploader. It forgets everything when it ends.
package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"time"

	"tarn/internal/deploy"
	"tarn/internal/deploy/render"
	"tarn/internal/deploy/stack/stacktest"
	"tarn/internal/rights"
	"tarn/internal/rights/rightstest"
	"tarn/internal/run"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: cmd LAKE TARGET")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := serve(ctx, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, dir, target string) error {
	lake, graph, err := run.Definitions(ctx, dir, run.Options{Target: target})
	if err != nil {
		return err
	}
	spec, err := deploy.New(lake, graph)
	if err != nil {
		return err
	}
	guard, err := rightstest.Of(render.Places(spec))
	if err != nil {
		return err
	}
	account, env, stop, err := stacktest.Serve()
	if err != nil {
		return err
	}
	defer stop()
	account.Glue.Governed = spec.Settings.LakeFormation
	server, err := url.Parse(account.URL)
	if err != nil {
		return err
	}
	h := httptest.NewServer(guard.Account(server))
	defer h.Close()
	for _, e := range env {
		if !strings.HasPrefix(e, "AWS_ENDPOINT_URL=") && !strings.HasPrefix(e, "AWS_ACCESS_KEY_ID=") {
			fmt.Println("export " + e)
		}
	}
	fmt.Println("export AWS_ENDPOINT_URL=" + h.URL)
	fmt.Println("export AWS_ACCESS_KEY_ID=" + string(rights.Laptop))
	told := map[string]bool{}
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
		for _, e := range guard.Entries() {
			if text := e.String(); e.Verdict != rightstest.Allowed && !told[text] {
				told[text] = true
				fmt.Fprintln(os.Stderr, text)
			}
		}
		for _, err := range guard.Err() {
			if !told[err.Error()] {
				told[err.Error()] = true
				fmt.Fprintln(os.Stderr, err)
			}
		}
	}
	return nil
}
