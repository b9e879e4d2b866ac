package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// lambdaStand runs the program as AWS Lambda would.
const lambdaStand = "./internal/lambda/lambdatest/cmd"

// functionMemory is what the function has, in MiB.
const functionMemory = "1024"

// cold are the figures of one invocation of a function that has no process yet, in seconds since that was started.
type cold struct {
	asked, publishing, answered float64
	peak                        int // MiB
}

// coldStarts lets a function of 1,024 MiB, or of -memory, run the lake of the real files, each time in a new process on new tables, with the
// share of a processor that such a function has, slow servers, and a program that is in no cache.
func coldStarts(ctx context.Context, o options, work string, data map[string]dataset) error {
	s3Server, env, err := serve(ctx, o.running, work, s3Stand, "-buckets", bucket)
	if err != nil {
		return err
	}
	glueServer, _, err := serve(ctx, o.running, work, glueStand)
	if err != nil {
		return err
	}
	client, err := lead(ctx, append(env, "AWS_ENDPOINT_URL_S3="+s3Server))
	if err != nil {
		return err
	}
	for name, d := range data {
		if err := upload(ctx, client, name+"/", d); err != nil {
			return err
		}
	}
	for name, server := range map[string]struct {
		url   string
		delay time.Duration
	}{"AWS_ENDPOINT_URL_S3": {s3Server, farS3}, "AWS_ENDPOINT_URL_GLUE": {glueServer, farGlue}} {
		s, err := before(server.url, func(*http.Request) { time.Sleep(server.delay) })
		if err != nil {
			return err
		}
		defer s.Close()
		if err := os.Setenv(name, s.URL); err != nil {
			return err
		}
	}
	code := filepath.Join(work, "code")
	if err := makeCode(ctx, o.tarn, code); err != nil {
		return err
	}
	stand := filepath.Join(work, "function")
	if err := quietly(ctx, "go", "build", "-o", stand, lambdaStand); err != nil {
		return err
	}
	fmt.Printf("%-34s %10s %10s %10s %10s\n", "s since the process was started", "first ask", "publishing", "answered", "peak MiB")
	for name := range strings.SplitSeq(o.data, ",") {
		var asked, publishing, answered series
		for i := range o.runs + 1 {
			c, err := coldStart(ctx, stand, code, cmp.Or(o.memory, functionMemory), name, i)
			if err != nil {
				return err
			}
			if i > 0 { // the first warms up the servers
				asked, publishing, answered = append(asked, figures{wall: c.asked}), append(publishing, figures{wall: c.publishing}), append(answered, figures{wall: c.answered, peak: float64(c.peak)})
			}
		}
		fmt.Printf("%-34s %10.2f %10.2f %10.2f %10.0f\n", fmt.Sprintf("%s, median of %d", name, o.runs), asked.median().wall, publishing.median().wall, answered.median().wall, answered.median().peak)
	}
	return nil
}

// makeCode writes what is in the function's zip.
func makeCode(ctx context.Context, tarn, code string) error {
	lake := filepath.Join(code, "lake")
	if err := quietly(ctx, tarn, "init", lake, "--template", "stedi"); err != nil {
		return err
	}
	text := "name: stedi\ntargets:\n  bench:\n    warehouse: s3://" + bucket + "/cold-${ROUND}/\n    catalog: glue\n    database: cold_${ROUND}\n    locations: {\"s3://stedi-lake/\": \"s3://" + bucket + "/${DATA}/landing/\"}\n"
	return errors.Join(os.WriteFile(filepath.Join(lake, "tarn.yaml"), []byte(text), 0o644), os.WriteFile(filepath.Join(code, "bootstrap"), []byte("#!/bin/sh\nexec ./tarn lambda\n"), 0o755),
		quietly(ctx, "cp", tarn, filepath.Join(code, "tarn")))
}

var reported = regexp.MustCompile(`Max Memory Used: (\d+) MB\tInit Duration: ([0-9.]+) ms`)

// coldStart invokes a new function once.
func coldStart(ctx context.Context, stand, code, memory, data string, round int) (c cold, err error) {
	if err := forgetFile(filepath.Join(code, "tarn")); err != nil {
		return c, err
	}
	args := []string{"-code", code, "-bounded", "-memory", memory, "-disk", "512", "-env", "TARN_TARGET=bench", "-env", "DATA=" + data, "-env", fmt.Sprintf("ROUND=%s_%d", strings.ToLower(data), round)}
	for _, e := range os.Environ() {
		if strings.HasPrefix(e, "AWS_") {
			args = append(args, "-env", e)
		}
	}
	cmd := exec.CommandContext(ctx, stand, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		return c, err
	}
	logs, err := cmd.StderrPipe()
	if err != nil {
		return c, err
	}
	if err := cmd.Start(); err != nil {
		return c, err
	}
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait() // it was told to end
	}()
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return c, err
	}
	began := time.Now()
	var said strings.Builder
	read := make(chan error, 1)
	go func() {
		lines := bufio.NewScanner(logs)
		for lines.Scan() {
			line := lines.Text()
			said.WriteString(line + "\n")
			if strings.Contains(line, `"msg":"publishing"`) {
				c.publishing = time.Since(began).Seconds()
			}
			if m := reported.FindStringSubmatch(line); m != nil {
				c.peak, _ = strconv.Atoi(m[1])
				ms, _ := strconv.ParseFloat(m[2], 64)
				c.asked = ms / 1000
				break
			}
		}
		read <- lines.Err()
	}()
	res, err := http.Post(strings.TrimSpace(address)+"/2015-03-31/functions/tarn/invocations", "application/json", strings.NewReader(`{"run": {}}`))
	if err != nil {
		return c, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	c.answered = time.Since(began).Seconds()
	if err = errors.Join(err, <-read); err != nil {
		return c, err
	}
	var answer struct{ Published int }
	if json.Unmarshal(raw, &answer) != nil || answer.Published != 8 || c.publishing == 0 {
		return c, fmt.Errorf("the function answered %s\n%s", raw, said.String())
	}
	return c, nil
}

// forgetFile takes a file out of the machine's cache, as far as nobody uses it.
func forgetFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return errors.Join(unix.Fdatasync(int(f.Fd())), unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED))
}
