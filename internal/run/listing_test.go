package run_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tarn/internal/awsconf"
	"tarn/internal/events"
	"tarn/internal/run"
	"tarn/internal/store/s3/s3test"
)

// wideLake is a lake over a bucket with very many files in folders of days. Requests are counted where they arrive.
type wideLake struct {
	*testLake
	landing  *s3test.Landing
	requests atomic.Int64
	now      time.Time
}

// perDay is how many files a day has.
const perDay = 100

func newWideLake(t *testing.T, files int) *wideLake {
	t.Helper()
	l := &wideLake{testLake: &testLake{t: t, dir: t.TempDir()}, now: time.Date(2025, 11, 25, 22, 0, 0, 0, time.UTC)}
	l.number = buckets.Add(1)
	first := l.now.AddDate(0, 0, 1-files/perDay).Truncate(24 * time.Hour)
	l.landing = &s3test.Landing{Bucket: fmt.Sprintf("wide-%d", l.number), N: files, Key: s3test.Days(files, perDay, l.now)}
	warehouse := fmt.Sprintf("lake-%d", l.number)
	proxy := before(t, func(server http.Handler) http.Handler {
		answers := l.landing.Handler(server)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			l.requests.Add(1)
			answers.ServeHTTP(w, r)
		})
	}, warehouse)
	l.write("tarn.yaml", fmt.Sprintf("name: wide\nwarehouse: s3://%s/warehouse/\nendpoint: %s\nlocations: {\"s3://raw/\": \"s3://%s/raw/\"}\n", warehouse, proxy, l.landing.Bucket))
	l.write("landing/wide_landing.sql", "CREATE EXTERNAL TABLE wide.wide_landing (id bigint)\nROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'\nLOCATION 's3://raw/'\n")
	l.write("trusted/wide.sql", "SELECT id FROM wide_landing\n")
	// Nothing is there while the table is made; then all files are there, and known.
	l.landing.N = 0
	l.begin(run.RunOptions{})
	l.landing.N = files
	w := l.open(run.Options{Now: l.clock})
	defer w.Close()
	err := w.Remember(t.Context(), fmt.Sprintf(`SELECT 'wide_landing' AS table_name, format('s3://raw/{}/{:04d}.json', strftime(DATE '%s' + (i // %d)::INT, '%%Y/%%m/%%d'), i %% %[2]d) AS file,
		0::BIGINT AS size, '%s' AS etag, '%s' AS definition, 0::BIGINT AS objects, 0::BIGINT AS loaded, 0::BIGINT AS quarantined, 'r' AS run_id, TIMESTAMP '2024-01-01' AS loaded_at FROM range(%d) t(i)`,
		first.Format("2006-01-02"), perDay, l.landing.ETag(""), w.Graph.Table("wide_landing").Hash, files))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// before puts a handler before the S3 server of the tests, in which it makes buckets, and gives its URL.
func before(t *testing.T, handler func(server http.Handler) http.Handler, buckets ...string) string {
	t.Helper()
	env, err := s3test.Serve(t.Context(), buckets...)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(env, func(e string) bool { return strings.HasPrefix(e, "AWS_ENDPOINT_URL=") })
	server, err := url.Parse(strings.TrimPrefix(env[i], "AWS_ENDPOINT_URL="))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(handler(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		// Signatures cover the host that the client has asked for, so it stays.
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = server.Scheme, server.Host, r.In.Host
	}}))
	t.Cleanup(proxy.Close)
	return proxy.URL
}

func (l *wideLake) clock() time.Time { return l.now }

// begin runs the lake, and counts the requests that arrive.
func (l *wideLake) begin(o run.RunOptions) (*run.Record, int64) {
	l.t.Helper()
	l.requests.Store(0)
	l.now = l.now.Add(time.Minute)
	var counter awsconf.Counter
	w := l.open(run.Options{Now: l.clock, Requests: &counter})
	rec, err := w.Run(context.Background(), o)
	if e := w.Close(); err != nil || e != nil {
		l.t.Fatal(err, e)
	}
	n := l.requests.Load()
	if c := counter.Total("s3"); int64(c) != n {
		l.t.Errorf("%d requests were counted on their way, and %d where they arrived", c, n)
	}
	if w := rec.Warnings; len(w) > 0 {
		l.t.Errorf("warnings: %q", w)
	}
	return rec, n
}

// expect runs the lake and holds it to what it should have found, with at most so many requests.
func (l *wideLake) expect(what string, o run.RunOptions, fresh int, swept bool, most int64) *run.Record {
	l.t.Helper()
	started := time.Now()
	rec, n := l.begin(o)
	r := rec.Load[0]
	l.t.Logf("%s: %d requests, %v (%s)", what, n, time.Since(started).Round(time.Millisecond), rec.Status)
	if n > most {
		l.t.Errorf("%s: %d requests, at most %d", what, n, most)
	}
	if r.New != fresh || (r.Since == nil) != swept || r.Swept == nil || (rec.Status == run.NothingToDo) != (fresh == 0) {
		l.t.Errorf("%s: %s, %d new of %d, since %v, swept %v", what, rec.Status, r.New, fresh, r.Since, r.Swept)
	}
	if all := l.landing.N + l.landing.Added(); swept && r.Files != all {
		l.t.Errorf("%s: %d files, there are %d", what, r.Files, all)
	}
	return rec
}

func named(names ...string) run.RunOptions {
	return run.RunOptions{Selection: run.Selection{Events: &events.Batch{Objects: names}}}
}

// TestListingIsBounded is about a lake with 100,000 landing files.
func TestListingIsBounded(t *testing.T) {
	t.Parallel()
	l := newWideLake(t, 100_000)
	in := func(key string) string { return "s3://" + l.landing.Bucket + "/" + key }
	none := run.RunOptions{}
	l.expect("all is listed once", none, 0, true, 150)
	l.expect("nothing new", none, 0, false, 60)
	l.now = l.now.Add(time.Hour)
	l.landing.Add("raw/2025/11/25/23/new.json", `{"id": 1}`)
	l.landing.Add("raw/2024/02/29/00/late ä+b%.json", `{"id": 2}`)
	l.landing.Add("raw/2024/02/29/00/later.json", `{"id": 3}`)
	l.expect("one new file, and two of an old date", none, 1, false, 100)
	l.now = l.now.Add(time.Minute) // which run is the last one is told by its time
	rec := l.expect("one is named", named(in("raw/2024/02/29/00/late ä+b%.json"), in("raw/2024/02/29/00/none.json"), in("raw/2025/11/25/23/new.json"), "s3://other/x"), 1, false, 100)
	if e := rec.Events; e == nil || e.Objects != 4 || e.Elsewhere != 1 {
		t.Errorf("events: %+v", e)
	}
	l.expect("named again", named(in("raw/2024/02/29/00/late ä+b%.json"), in("raw/2023/03/05/0020.json")), 0, false, 60)
	if rows, _ := l.tables(); !slices.Equal(rows["wide"], []string{"{'id': 1}", "{'id': 2}"}) {
		t.Errorf("rows: %q", rows["wide"])
	}
}

// TestSweeps is about what makes a run list everything, and about what it finds then.
func TestSweeps(t *testing.T) {
	t.Parallel()
	l := newWideLake(t, 20_000)
	none := run.RunOptions{}
	l.expect("all is listed once", none, 0, true, 30)
	l.landing.Add("raw/2025/11/25/23/new.json", `{"id": 1}`)
	l.landing.Add("raw/2025/06/30/00/late.json", `{"id": 2}`)
	first := l.expect("one new file, and one of an old date", none, 1, false, 100)
	l.now = l.now.Add(23 * time.Hour)
	l.expect("before a day is over", none, 0, false, 60)
	l.now = l.now.Add(time.Hour)
	l.expect("a day later", none, 1, true, 150)
	l.expect("and again", none, 0, false, 60)
	// Another machine.
	if err := os.RemoveAll(l.path(".tarn")); err != nil {
		t.Fatal(err)
	}
	l.expect("nothing new, elsewhere", none, 0, false, 60)
	l.landing.Add("raw/2025/06/30/00/again.json", `{"id": 3}`)
	l.expect("relist", run.RunOptions{Selection: run.Selection{Relist: true}}, 1, true, 150)
	// What was taken back is found again, wherever it is.
	w := l.open(run.Options{Now: l.clock})
	if _, _, err := w.Rollback(t.Context(), first.Run, false); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l.expect("after a rollback", none, 2, true, 150)
	l.expect("and again", none, 0, false, 60)
	l.replace("landing/wide_landing.sql", "id bigint", "id bigint, more string")
	w = l.open(run.Options{Now: l.clock})
	p, err := w.Plan(t.Context(), none.Selection)
	if err != nil {
		t.Fatal(err)
	}
	if work := p.Steps[0].Work; !work.Listing.Since.IsZero() || len(work.Reload) != l.landing.N+l.landing.Added() {
		t.Errorf("under another definition %d files would be read again, since %v", len(work.Reload), work.Listing.Since)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l.replace("landing/wide_landing.sql", "id bigint, more string", "id bigint")
	// Vanished files are seen where one has looked.
	l.landing.N -= 10
	if rec := l.expect("recent files have vanished", none, 0, false, 60); len(rec.Load[0].Vanished) != 10 {
		t.Errorf("%d files have vanished", len(rec.Load[0].Vanished))
	}
}

// TestMillionFiles needs half a minute, so it is not for every day.
func TestMillionFiles(t *testing.T) {
	if os.Getenv("TARN_LONG") == "" {
		t.Skip("TARN_LONG is not set")
	}
	l := newWideLake(t, 1_000_000)
	l.expect("all is listed once", run.RunOptions{}, 0, true, 1100)
	l.expect("nothing new", run.RunOptions{}, 0, false, 60)
	l.landing.Add("raw/2025/11/25/23/new.json", `{"id": 1}`)
	l.expect("one new file", run.RunOptions{}, 1, false, 100)
	l.expect("nothing new again", run.RunOptions{}, 0, false, 60)
	if err := os.RemoveAll(l.path(".tarn")); err != nil {
		t.Fatal(err)
	}
	l.expect("nothing new, elsewhere", run.RunOptions{}, 0, false, 60)
}
