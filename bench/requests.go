package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// counts are requests by what they are for: LIST, GET and so on of S3, and the operations of Glue.
type counts struct {
	mu   sync.Mutex
	s3   map[string]int
	glue map[string]int
	// held counts the requests that are held back at the moment, since is when the first of them came, and waited how long there
	// were some: side by side, they count once.
	held   int
	since  time.Time
	waited time.Duration
	// near lets requests through at once.
	near bool
}

// hold keeps a request waiting for as long as its answer would need from afar.
func (c *counts) hold(r *http.Request) {
	far := farS3
	if r.Header.Get("X-Amz-Target") != "" {
		far = farGlue
	}
	c.mu.Lock()
	if c.near {
		c.mu.Unlock()
		return
	}
	if c.held++; c.held == 1 {
		c.since = time.Now()
	}
	c.mu.Unlock()
	time.Sleep(far)
	c.mu.Lock()
	if c.held--; c.held == 0 {
		c.waited += time.Since(c.since)
	}
	c.mu.Unlock()
}

// take counts a request and keeps it waiting.
func (c *counts) take(r *http.Request) {
	c.add(r)
	c.hold(r)
}

// add counts a request as it arrives, whoever has sent it.
func (c *counts) add(r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		_, op, _ := strings.Cut(target, ".")
		c.glue[op]++
		return
	}
	if r.URL.Query().Has("list-type") {
		c.s3["LIST"]++
		return
	}
	c.s3[r.Method]++
}

func (c *counts) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s3, c.glue, c.waited = map[string]int{}, map[string]int{}, 0
}

func total(m map[string]int) (n int) {
	for _, k := range m {
		n += k
	}
	return n
}

// requests counts what runs ask of S3 and of Glue, where it arrives, and prints a table of it.
type requests struct {
	options
	files int
	counts
	s3   *s3.Client
	rows []counted
}

// counted is a run with what it has asked for: a row of the table, and of the file that costs are reckoned with.
type counted struct {
	Lake string `json:"lake"`
	Run  string `json:"run"`
	// Published counts tables of the lake that the run has changed, Files the raw files that it read, and Objects their rows.
	Published int   `json:"published"`
	Files     int   `json:"files"`
	Objects   int64 `json:"objects"`
	// Requests of S3, by kind; Delete has those of several objects at once.
	List   int `json:"list"`
	Get    int `json:"get"`
	Head   int `json:"head"`
	Put    int `json:"put"`
	Delete int `json:"delete"`
	Glue   int `json:"glue"`
	// CPU is what the process took, and Waited how long at least one request was under way, in seconds, where S3 answers after 30 ms
	// and Glue after 100; but for the first run over very many files, where they answer at once.
	CPU    float64 `json:"cpu"`
	Waited float64 `json:"waited"`
}

// countRequests starts the servers of the tests and runs the real lake and a wide one against them.
func countRequests(ctx context.Context, o options, files int, work string) (err error) {
	r := &requests{options: o, files: files}
	s3Server, env, err := serve(ctx, o.running, work, s3Stand, "-buckets", bucket, "-wide", fmt.Sprint(files))
	if err != nil {
		return err
	}
	glueServer, _, err := serve(ctx, o.running, work, glueStand)
	if err != nil {
		return err
	}
	r.reset()
	for name, server := range map[string]string{"AWS_ENDPOINT_URL_S3": s3Server, "AWS_ENDPOINT_URL_GLUE": glueServer} {
		s, err := before(server, r.take)
		if err != nil {
			return err
		}
		defer s.Close()
		env = append(env, name+"="+s.URL)
	}
	if r.s3, err = lead(ctx, env); err != nil {
		return err
	}
	fmt.Println("| lake | run | tables | S3 | of these LIST, GET, HEAD, PUT, DELETE | Glue | CPU s | waiting s |")
	fmt.Println("|---|---|---:|---:|---|---:|---:|---:|")
	if err := r.real(ctx, filepath.Join(work, "real")); err != nil {
		return err
	}
	if err := r.wide(ctx, filepath.Join(work, "wide")); err != nil || o.out == "" {
		return err
	}
	raw, err := json.MarshalIndent(struct {
		Measured string    `json:"measured"`
		Rows     []counted `json:"runs"`
	}{time.Now().UTC().Format(time.DateOnly), r.rows}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.out, append(raw, '\n'), 0o644)
}

// run runs a lake and prints what it has asked for.
func (r *requests) run(ctx context.Context, lake, name, what string, args ...string) error {
	r.reset()
	f, out, err := measured(ctx, command{args: append([]string{r.tarn, "-C", lake, "run", "-q", "--json", "--target", "aws"}, args...)})
	if err != nil {
		return fmt.Errorf("%s, %s: %w", name, what, err)
	}
	var record struct {
		Published []string `json:"published"`
		Load      []struct {
			New, Changed, Reloaded int
			Objects                int64
		} `json:"load"`
	}
	if err := json.Unmarshal(out, &record); err != nil {
		return fmt.Errorf("%s, %s: %w", name, what, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := counted{Lake: name, Run: what, Published: len(record.Published), List: r.counts.s3["LIST"], Get: r.counts.s3["GET"], Head: r.counts.s3["HEAD"],
		Put: r.counts.s3["PUT"], Delete: r.counts.s3["DELETE"] + r.counts.s3["POST"], Glue: total(r.glue), CPU: hundredths(f.cpu), Waited: hundredths(r.waited.Seconds())}
	for _, l := range record.Load {
		c.Files, c.Objects = c.Files+l.New+l.Changed+l.Reloaded, c.Objects+l.Objects
	}
	r.rows = append(r.rows, c)
	fmt.Printf("| %s | %s | %d | %d | %d, %d, %d, %d, %d | %d | %.2f | %.2f |\n", name, what, c.Published, total(r.counts.s3), c.List, c.Get, c.Head, c.Put, c.Delete,
		c.Glue, c.CPU, c.Waited)
	return nil
}

func hundredths(seconds float64) float64 { return math.Round(seconds*100) / 100 }

// forget takes away what this machine knows of a lake, as if it were another one.
func forget(lake string) error { return os.RemoveAll(filepath.Join(lake, ".tarn")) }

// put writes an object.
func (r *requests) put(ctx context.Context, bucket, key, text string) error {
	_, err := r.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(text)})
	return err
}

// real is the lake of the model case on the real files, with both catalogs.
func (r *requests) real(ctx context.Context, work string) error {
	for _, catalog := range []string{"sqlite", "glue"} {
		lake, name := filepath.Join(work, catalog), "real files, "+catalog
		if err := quietly(ctx, r.tarn, "init", lake, "--template", "stedi"); err != nil {
			return err
		}
		text := fmt.Sprintf("name: stedi\ntargets:\n  aws:\n    warehouse: s3://%s/%s/\n    catalog: %s\n    locations: {\"s3://stedi-lake/\": \"s3://%[1]s/%[2]s-raw/\"}\n", bucket, catalog, catalog)
		if err := os.WriteFile(filepath.Join(lake, "tarn.yaml"), []byte(text), 0o644); err != nil {
			return err
		}
		var customers string
		err := filepath.WalkDir(r.stedi, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			rel, err := filepath.Rel(r.stedi, path)
			if err != nil {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if strings.HasPrefix(rel, "customer") {
				customers = string(raw)
			}
			return r.put(ctx, bucket, catalog+"-raw/"+filepath.ToSlash(rel), string(raw))
		})
		if err != nil {
			return err
		}
		for _, step := range []struct {
			what   string
			before func() error
		}{
			{"the first", func() error { return nil }},
			{"nothing new", func() error { return nil }},
			{"one new file, of customers", func() error {
				return r.put(ctx, bucket, catalog+"-raw/customer/landing/again.json.gz", customers)
			}},
			{"nothing new, on another machine", func() error { return forget(lake) }},
			{"one new file, on another machine", func() error {
				return errors.Join(forget(lake), r.put(ctx, bucket, catalog+"-raw/customer/landing/more.json.gz", customers))
			}},
		} {
			if err := step.before(); err != nil {
				return err
			}
			if err := r.run(ctx, lake, name, step.what); err != nil {
				return err
			}
		}
	}
	return nil
}

// wide is a lake over very many small files in folders of days.
func (r *requests) wide(ctx context.Context, lake string) error {
	name := fmt.Sprintf("%d small files", r.files)
	for file, text := range map[string]string{
		"tarn.yaml":                fmt.Sprintf("name: wide\ntargets:\n  aws:\n    warehouse: s3://%s/wide/\n    locations: {\"s3://raw/\": \"s3://wide/raw/\"}\n", bucket),
		"landing/wide_landing.sql": "CREATE EXTERNAL TABLE wide_landing (id bigint)\nROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'\nLOCATION 's3://raw/'\n",
		"trusted/wide.sql":         "SELECT id FROM wide_landing\n",
	} {
		path := filepath.Join(lake, filepath.FromSlash(file))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			return err
		}
	}
	old := fmt.Sprintf("raw/%s/late.json", time.Now().UTC().AddDate(0, 0, -r.files/200).Format("2006/01/02"))
	event := filepath.Join(lake, "event.json")
	text := fmt.Sprintf(`{"Records": [{"s3": {"bucket": {"name": "wide"}, "object": {"key": %q}}}]}`, old)
	if err := os.WriteFile(event, []byte(text), 0o644); err != nil {
		return err
	}
	// So many files come from afar once, and a thousand of them are enough to say how long one is waited for.
	r.near = true
	for _, step := range []struct {
		what   string
		before func() error
		args   []string
	}{
		{"the first", nil, nil},
		{"nothing new", func() error { r.near = false; return nil }, nil},
		{"1000 new files", func() error {
			for n := range 1000 {
				if err := r.add(ctx, fmt.Sprintf("raw/%s/more-%d.json", time.Now().UTC().Format("2006/01/02"), n), fmt.Sprintf(`{"id": %d}`, n)); err != nil {
					return err
				}
			}
			return nil
		}, nil},
		{"one new file", func() error {
			return r.add(ctx, fmt.Sprintf("raw/%s/new.json", time.Now().UTC().Format("2006/01/02")), `{"id": 1}`)
		}, nil},
		{"one of an old date, named by an event", func() error { return r.add(ctx, old, `{"id": 2}`) }, []string{"--events", event}},
		{"nothing new, on another machine", func() error { return forget(lake) }, nil},
		{"one new file, on another machine", func() error {
			return errors.Join(forget(lake), r.add(ctx, fmt.Sprintf("raw/%s/newer.json", time.Now().UTC().Format("2006/01/02")), `{"id": 3}`))
		}, nil},
		{"nothing new, with --relist", nil, []string{"--relist"}},
	} {
		if step.before != nil {
			if err := step.before(); err != nil {
				return err
			}
		}
		if err := r.run(ctx, lake, name, step.what, step.args...); err != nil {
			return err
		}
	}
	return nil
}

// add puts a file into the wide bucket, which takes plain requests.
func (r *requests) add(ctx context.Context, key, text string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, aws.ToString(r.s3.Options().BaseEndpoint)+"/wide/"+key, strings.NewReader(text))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("put %s: %s: %w", key, res.Status, err)
	}
	return nil
}
