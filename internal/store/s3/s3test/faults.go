package s3test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Fault is what happens to one request on its way.
type Fault int

// The faults.
const (
	// None lets the request through.
	None Fault = iota
	// SlowDown answers 503 SlowDown in place of the server.
	SlowDown
	// Reset breaks the connection before the server sees the request.
	Reset
	// CutOff lets the request through and breaks the connection in the middle of the answer's body.
	CutOff
	// LostAnswer lets the request through and breaks the connection before any answer: it was applied, and nobody knows.
	LostAnswer
	// Expired answers that the credentials have expired.
	Expired
	// Slow lets the request through after 200 ms.
	Slow
	// Denied answers AccessDenied.
	Denied
	// Elsewhere answers that the bucket is in eu-south-2.
	Elsewhere
)

// Proxy stands between clients and a server and does to requests what it is told.
type Proxy struct {
	// URL is where clients connect to.
	URL string

	mu    sync.Mutex
	fault func(r *http.Request) Fault
}

// NewProxy starts a proxy before a server for the length of a test.
func NewProxy(t testing.TB, server string) *Proxy {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{}
	reverse := &httputil.ReverseProxy{
		// Signatures cover the host that the client has asked for, so it stays.
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = target.Scheme, target.Host, r.In.Host
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { panic(http.ErrAbortHandler) },
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, reverse) }))
	t.Cleanup(s.Close)
	p.URL = s.URL
	return p
}

// Do sets what happens to each request from now on; nil lets all through.
func (p *Proxy) Do(fault func(r *http.Request) Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}

// Script lets the next requests meet these faults in turn, and all after them none.
func (p *Proxy) Script(faults ...Fault) {
	var mu sync.Mutex
	p.Do(func(*http.Request) Fault {
		mu.Lock()
		defer mu.Unlock()
		if len(faults) == 0 {
			return None
		}
		f := faults[0]
		faults = faults[1:]
		return f
	})
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	p.mu.Lock()
	fault := p.fault
	p.mu.Unlock()
	what := None
	if fault != nil {
		what = fault(r)
	}
	switch what {
	case SlowDown:
		refuse(w, r, http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
	case Expired:
		refuse(w, r, http.StatusBadRequest, "ExpiredToken", "The provided token has expired.")
	case Elsewhere:
		w.Header().Set("X-Amz-Bucket-Region", "eu-south-2")
		refuse(w, r, http.StatusMovedPermanently, "PermanentRedirect", "The bucket must be addressed using the specified endpoint.")
	case Denied:
		refuse(w, r, http.StatusForbidden, "AccessDenied", "Access Denied")
	case Reset:
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	case LostAnswer:
		next.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case CutOff:
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		for k, v := range answer.Header() {
			w.Header()[k] = v
		}
		body := answer.Body.Bytes()
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(answer.Code)
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case Slow:
		time.Sleep(200 * time.Millisecond)
		next.ServeHTTP(w, r)
	default:
		next.ServeHTTP(w, r)
	}
}

func refuse(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>`+code+`</Code><Message>`+message+`</Message></Error>`)
	}
}
