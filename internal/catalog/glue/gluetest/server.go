// Package gluetest is a stand-in for the Glue Data Catalog's API: databases, tables, partitions, in memory, over HTTP.
//
// It answers as Glue does where that matters to programs that commit tables: a stale VersionId is a
// ConcurrentModificationException, names are kept in lower case, comments have a longest length, pages hold 100 tables, a
// batch at most 100 partitions. And it does to requests what a test tells it: see [Server.Do]. Signatures are not checked.
package gluetest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Account is the catalog's id.
const Account = "123456789012"

// object is a JSON object of the protocol. Members that the stand-in does not know are kept as they are.
type object = map[string]any

// Fault is what happens to one request.
type Fault struct {
	// Delay is how long the request waits before anything else.
	Delay time.Duration
	// Error, if not empty, is answered in place of the server, with Message: ThrottlingException, AccessDeniedException …
	Error, Message string
	// LostAnswer applies the request and breaks the connection.
	LostAnswer bool
	// Reset breaks the connection and applies nothing.
	Reset bool
	// Before is called once the request has arrived and before it is applied.
	Before func()
}

// Server is a stand-in. It is an [http.Handler]; the zero value is not ready: see [New].
type Server struct {
	// Governed says that Lake Formation governs new databases, by the account's settings.
	Governed bool

	mu        sync.Mutex
	databases map[string]*database
	counts    map[string]int
	archived  int
	fault     func(op string) Fault
	log       func(line string)
}

type database struct {
	about  object
	tables map[string]*table
}

type table struct {
	about    object
	version  int
	archived []object
	// partitions are kept by their values, joined by zero bytes.
	partitions map[string]object
}

// New gives a catalog without databases.
func New() *Server {
	return &Server{databases: map[string]*database{}, counts: map[string]int{}}
}

// Start serves a new catalog for the length of a test, and points the environment's Glue clients to it. The test cannot be
// parallel.
func Start(t testing.TB) *Server {
	t.Helper()
	s := New()
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	for k, v := range map[string]string{"AWS_ACCESS_KEY_ID": "tarn-test", "AWS_SECRET_ACCESS_KEY": "tarn-test-secret", "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_GLUE": h.URL,
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true"} {
		t.Setenv(k, v)
	}
	return s
}

// Do sets what happens to each request from now on, by its operation; nil lets all through.
func (s *Server) Do(fault func(op string) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

// Log has every request and the code of its answer written.
func (s *Server) Log(line func(string)) { s.log = line }

// Counts gives how often each operation has arrived.
func (s *Server) Counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

// Archived is how many old versions of tables are kept: what SkipArchive avoids.
func (s *Server) Archived() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.archived
}

// problem is an error of the API.
type problem struct{ code, message string }

func (p *problem) Error() string { return p.code + ": " + p.message }

func failure(code, format string, args ...any) error {
	return &problem{code, fmt.Sprintf(format, args...)}
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op, isGlue := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AWSGlue.")
	raw, err := io.ReadAll(r.Body)
	if err != nil || !isGlue {
		s.answer(w, r.URL.Path, nil, failure("UnknownOperationException", "this is a stand-in for AWS Glue"))
		return
	}
	s.mu.Lock()
	s.counts[op]++
	fault := s.fault
	s.mu.Unlock()
	var f Fault
	if fault != nil {
		f = fault(op)
	}
	if f.Before != nil {
		f.Before()
	}
	time.Sleep(f.Delay)
	if f.Reset {
		panic(http.ErrAbortHandler)
	}
	if f.Error != "" {
		s.answer(w, op, nil, failure(f.Error, "%s", f.Message))
		return
	}
	out, err := s.call(op, raw)
	if f.LostAnswer {
		panic(http.ErrAbortHandler)
	}
	s.answer(w, op, out, err)
}

func (s *Server) call(op string, raw []byte) (object, error) {
	do, ok := operations[op]
	if !ok {
		return nil, failure("UnknownOperationException", "the stand-in has no %s", op)
	}
	in := object{}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, failure("SerializationException", "%v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out, err := do(s, in)
	if err != nil || out == nil {
		return object{}, err
	}
	// Answers must not change any more once the lock is given back.
	text, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	copied := object{}
	return copied, json.Unmarshal(text, &copied)
}

func (s *Server) answer(w http.ResponseWriter, op string, out object, err error) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	status, code := http.StatusOK, "ok"
	if p, ok := err.(*problem); ok {
		status, code = http.StatusBadRequest, p.code
		if strings.HasPrefix(p.code, "Internal") {
			status = http.StatusInternalServerError
		}
		out = object{"__type": p.code, "Message": p.message, "message": p.message}
		w.Header().Set("X-Amzn-Errortype", p.code)
	} else if err != nil {
		status, code, out = http.StatusInternalServerError, "InternalServiceException", object{"__type": "InternalServiceException", "Message": err.Error()}
	}
	if s.log != nil {
		s.log(op + " " + code)
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(out)
}

func now() float64 { return float64(time.Now().UnixMilli()) / 1000 }

// text is a string member of an object, or "".
func text(o object, member string) string {
	v, _ := o[member].(string)
	return v
}

// part is an object member of an object, or nil.
func part(o object, member string) object {
	v, _ := o[member].(object)
	return v
}

func list(o object, member string) []any {
	v, _ := o[member].([]any)
	return v
}
