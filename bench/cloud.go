package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// bucket holds the raw files and the warehouses.
const bucket = "bench"

// withCloud starts the stand-ins for S3 and Glue that the tests use, as processes of their own, puts the raw files of a
// data set into the bucket, and lets the pipeline run there and on the disk of this machine. They last as long as ctx.
func withCloud(ctx context.Context, o options, d dataset, work string) (contest, error) {
	env, err := standIns(ctx, work)
	if err != nil {
		return contest{}, err
	}
	if err := upload(ctx, env, d); err != nil {
		return contest{}, err
	}
	here, there := filepath.Join(work, "here"), filepath.Join(work, "there")
	round := 0
	return contest{
		ours:   command{name: "tarn, S3 and Glue", args: []string{o.tarn, "run", "-q", "-C", there, "--target", "bench"}, env: env},
		theirs: command{name: "tarn, this disk", args: []string{o.tarn, "run", "-q", "-C", here}},
		// In Glue a new round is one that nothing has run in before.
		fresh: func(ctx context.Context) error {
			if err := newLake(ctx, o.tarn, here, d.dir); err != nil {
				return err
			}
			if err := newLake(ctx, o.tarn, there, d.dir); err != nil {
				return err
			}
			round++
			return addTarget(there, fmt.Sprintf(`
  bench:
    warehouse: s3://%[1]s/warehouse-%[2]d/
    catalog: glue
    database: bench_%[2]d
    locations: {"s3://stedi-lake/": "s3://%[1]s/landing/"}
`, bucket, round))
		},
		right: func(ctx context.Context) error {
			if err := rightCounts(ctx, d.want, command{args: []string{o.tarn, "query", "-C", here}}); err != nil {
				return err
			}
			return rightCounts(ctx, d.want, command{args: []string{o.tarn, "query", "-C", there, "--target", "bench"}, env: env})
		},
	}, nil
}

// addTarget writes one more target into a lake's definition.
func addTarget(lake, text string) error {
	f, err := os.OpenFile(filepath.Join(lake, "tarn.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// upload puts the raw files where the template's landing tables look for them.
func upload(ctx context.Context, env []string, d dataset) error {
	get := func(key string) string {
		for _, e := range env {
			if v, ok := strings.CutPrefix(e, key+"="); ok {
				return v
			}
		}
		return ""
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(get("AWS_REGION")), config.WithBaseEndpoint(get("AWS_ENDPOINT_URL")),
		config.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: get("AWS_ACCESS_KEY_ID"), SecretAccessKey: get("AWS_SECRET_ACCESS_KEY")}, nil
		})))
	if err != nil {
		return err
	}
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	for _, t := range landing {
		files, err := filepath.Glob(filepath.Join(d.dir, t, "*"))
		if err != nil {
			return err
		}
		for _, name := range files {
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			_, err = client.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("landing/" + t + "/landing/" + filepath.Base(name)), Body: f})
			f.Close()
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// standIns builds and starts the servers, and gives the environment that leads to them.
func standIns(ctx context.Context, work string) ([]string, error) {
	if err := os.MkdirAll(work, 0o755); err != nil {
		return nil, err
	}
	var env []string
	for _, server := range []struct {
		folder string
		args   []string
		lines  int // printed once it listens
	}{
		{"./internal/store/s3/s3test/serve", []string{"-buckets", bucket}, 7},
		{"./internal/catalog/glue/gluetest/cmd", nil, 1},
	} {
		program := filepath.Join(work, strings.NewReplacer("./", "", "/", "-").Replace(server.folder))
		if err := quietly(ctx, "go", "build", "-o", program, server.folder); err != nil {
			return nil, err
		}
		cmd := exec.CommandContext(ctx, program, server.args...)
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(out)
		for range server.lines {
			if !lines.Scan() {
				return nil, fmt.Errorf("%s ended before it listened: %w", server.folder, io.ErrUnexpectedEOF)
			}
			line := strings.TrimPrefix(lines.Text(), "export ")
			if strings.HasPrefix(line, "http") {
				line = "AWS_ENDPOINT_URL_GLUE=" + line
			}
			env = append(env, line)
		}
	}
	return env, nil
}
