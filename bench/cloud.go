package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// withCloud starts the stand-ins for S3 and Glue that the tests use, as processes of their own, puts the raw files of a
// data set into the bucket, and lets the pipeline run there and on the disk of this machine. They last as long as ctx.
func withCloud(ctx context.Context, o options, d dataset, work string) (contest, error) {
	server, env, err := serve(ctx, o.running, work, s3Stand, "-buckets", bucket)
	if err != nil {
		return contest{}, err
	}
	glue, _, err := serve(ctx, o.running, work, glueStand)
	if err != nil {
		return contest{}, err
	}
	client, err := lead(ctx, append(env, "AWS_ENDPOINT_URL_S3="+server, "AWS_ENDPOINT_URL_GLUE="+glue))
	if err != nil {
		return contest{}, err
	}
	if err := upload(ctx, client, "", d); err != nil {
		return contest{}, err
	}
	here, there := filepath.Join(work, "here"), filepath.Join(work, "there")
	round := 0
	return contest{
		ours:   command{name: "tarn, S3 and Glue", args: []string{o.tarn, "run", "-q", "-C", there, "--target", "bench"}},
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
			return rightCounts(ctx, d.want, command{args: []string{o.tarn, "query", "-C", there, "--target", "bench"}})
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

// upload puts the raw files where the template's landing tables look for them, below a prefix.
func upload(ctx context.Context, client *s3.Client, prefix string, d dataset) error {
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
			_, err = client.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(prefix + "landing/" + t + "/landing/" + filepath.Base(name)), Body: f})
			f.Close()
			if err != nil {
				return err
			}
		}
	}
	return nil
}
