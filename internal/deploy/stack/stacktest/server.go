// Package stacktest is a stand-in for an AWS account to which a lake is deployed: CloudFormation over the Query protocol, with buckets
// that are really made in the S3 server of package s3test and databases in a catalog of package gluetest, and as much of STS, SQS, Step
// Functions, CloudWatch and its logs as looking after a stack takes.
//
// It does what CloudFormation documents where that matters to who deploys: change sets of three types, states of stacks and what can be
// done in each, ways back, deletion policies, names that are taken, imports, templates in buckets, limits. Every other resource is only
// written down. A stack that is at work comes further with each look at it, so nothing depends on time.
package stacktest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"tarn/internal/catalog/glue/gluetest"
	"tarn/internal/store/s3/s3test"
)

// Account is the account's number.
const Account = gluetest.Account

// Server is the stand-in. All services have one URL.
type Server struct {
	// URL is where it answers.
	URL string
	// Glue is the catalog.
	Glue *gluetest.Server

	// Pace is how many steps a stack at work comes further with each look at it.
	Pace int
	// Late has stacks begin with what they are asked for only after another look at them.
	Late bool

	mu            sync.Mutex
	stacks        []*stack
	faults        []*Fault
	throttled     int
	notifications map[string]string
	policies      map[string]string
	keys          []string
	aliases       map[string]string
	logs          map[string][]LogEvent
	queues        map[string]int
	executions    map[string][]Execution
	alarms        map[string]string
	counts        map[string]int
	refusals      []*Refusal
	asked         map[string]bool
	// returns are ways back that have failed, by the id of the stack.
	returns map[string]func()
	s3      *url.URL
	proxy   *httputil.ReverseProxy
}

// Fault is what goes wrong with a resource.
type Fault struct {
	// Resource is the logical name.
	Resource string
	// On is what fails: PLAN (the change set), CREATE, UPDATE, ROLLBACK (the way back of an update), DELETE or IMPORT.
	On string
	// Reason is what CloudFormation says.
	Reason string
	// Times is how often.
	Times int
}

// New starts a stand-in for the length of a test, and leads the environment's AWS clients to it. The test cannot be parallel.
func New(t testing.TB) *Server {
	t.Helper()
	target, err := url.Parse(s3test.Server(t))
	if err != nil {
		t.Fatal(err)
	}
	s := before(target)
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	s.URL = h.URL
	t.Setenv("AWS_ENDPOINT_URL", h.URL)
	return s
}

// Serve starts a stand-in in this process, for programs that it starts, and gives the variables that lead to it. The
// process's own environment leads to the S3 server then.
func Serve() (s *Server, env []string, stop func(), err error) {
	env, err = s3test.Serve(context.Background())
	if err != nil {
		return nil, nil, nil, err
	}
	address := ""
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "AWS_ENDPOINT_URL="); ok {
			address = v
		}
	}
	target, err := url.Parse(address)
	if err != nil {
		return nil, nil, nil, err
	}
	s = before(target)
	s.Pace = 20 // programs look at it seldom
	h := httptest.NewServer(s)
	s.URL = h.URL
	return s, append(env, "AWS_ENDPOINT_URL="+h.URL), h.Close, nil
}

// before makes the stand-in before an S3 server.
func before(buckets *url.URL) *Server {
	s := &Server{Glue: gluetest.New(), Pace: 1, notifications: map[string]string{}, logs: map[string][]LogEvent{}, queues: map[string]int{}, executions: map[string][]Execution{},
		policies: map[string]string{}, aliases: map[string]string{}, alarms: map[string]string{}, counts: map[string]int{}, asked: map[string]bool{}, returns: map[string]func(){}, s3: buckets}
	s.proxy = &httputil.ReverseProxy{
		// Signatures cover the host that the client has asked for, so it stays.
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = buckets.Scheme, buckets.Host, r.In.Host
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	return s
}

// Fail has resources fail from now on.
func (s *Server) Fail(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		f.Times = max(f.Times, 1)
		s.faults = append(s.faults, &f)
	}
}

// Throttle refuses the next requests to CloudFormation.
func (s *Server) Throttle(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.throttled = n
}

// Counts gives how often each operation of CloudFormation has been asked for, and notifications of buckets were written.
func (s *Server) Counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.refused(w, r) {
		return
	}
	target := r.Header.Get("X-Amz-Target")
	switch {
	case strings.HasPrefix(target, "AWSGlue."):
		s.Glue.ServeHTTP(w, r)
	case target != "":
		s.watch(w, r, target)
	case r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor":
		s.cbor(w, r)
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		s.query(w, r)
	case r.URL.Query().Has("notification"):
		s.notification(w, r)
	case r.URL.Query().Has("policy"):
		s.policy(w, r)
	default:
		s.proxy.ServeHTTP(w, r)
	}
}

// policy answers with a bucket's policy, which the S3 server would take literally.
func (s *Server) policy(w http.ResponseWriter, r *http.Request) {
	bucket, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	code := "NoSuchBucketPolicy"
	if !s.exists(&resource{kind: "AWS::S3::Bucket", physical: bucket}) {
		code = "NoSuchBucket" // its policy went with it
		delete(s.policies, bucket)
	}
	if text := s.policies[bucket]; text != "" {
		_, _ = io.WriteString(w, text)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>There is none</Message></Error>")
}

// notification keeps what buckets notify of, which the S3 server knows nothing of.
func (s *Server) notification(w http.ResponseWriter, r *http.Request) {
	bucket, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodPut {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		s.notifications[bucket] = string(raw)
		s.counts["PutBucketNotificationConfiguration"]++
		return
	}
	text := s.notifications[bucket]
	if text == "" {
		text = `<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></NotificationConfiguration>`
	}
	w.Header().Set("Content-Type", "application/xml")
	_, _ = io.WriteString(w, text)
}

// Notify configures what a bucket notifies of, as XML.
func (s *Server) Notify(bucket, configuration string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notifications[bucket] = configuration
}

// Notifications is what a bucket notifies of, as XML.
func (s *Server) Notifications(bucket string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.notifications[bucket]
}

// refuse answers an error of JSON protocols.
func refuse(w http.ResponseWriter, code, message string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-Errortype", code)
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": message})
}

func arn(service, resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, s3test.Region, Account, resource)
}
