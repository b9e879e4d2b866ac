// Package jobtest is a stand-in for the APIs that start Spark jobs: job runs of AWS Glue and of EMR Serverless, over HTTP. What
// a run does is up to the test, which can let it be a real spark-submit. Signatures are not checked.
package jobtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Run is one start of a job.
type Run struct {
	ID string
	// Job is the name of the Glue job, or the id of the EMR application.
	Job string
	// Script is the runner's location, and Args its arguments.
	Script string
	Args   []string
	// Conf are Spark's settings as they were given, each as key=value.
	Conf []string

	token, name string
	arguments   map[string]string
	state       string
	message     string
	cancel      context.CancelFunc
	ended       chan struct{}
}

// Server answers for both services. It is an [http.Handler].
type Server struct {
	// Do is what a run does; an error makes the run fail. When the context ends, the run was stopped.
	Do func(ctx context.Context, r Run) error
	// Else answers what is no call about jobs, such as a stand-in for Glue's catalog; nil refuses.
	Else http.Handler
	// Jobs are the Glue jobs that there are, and applications of EMR.
	Jobs map[string]bool
	// MoreRuns is how many runs of one Glue job there may be at a time beside one: MaxConcurrentRuns less one.
	MoreRuns int
	// Refuse, if not nil, is asked before each call, and refuses it with the error's text where it gives one.
	Refuse func(op string) error

	mu     sync.Mutex
	runs   []*Run
	counts map[string]int
}

// Counts gives how often each operation has arrived.
func (s *Server) Counts(op string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[op]
}

// Runs gives the runs that were started.
func (s *Server) Runs() []Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Run, len(s.runs))
	for i, r := range s.runs {
		out[i] = *r
	}
	return out
}

// Ended returns when a run has ended.
func (s *Server) Ended(id string) {
	s.mu.Lock()
	i := slices.IndexFunc(s.runs, func(r *Run) bool { return r.ID == id })
	s.mu.Unlock()
	if i >= 0 {
		<-s.runs[i].ended
	}
}

// Close stops all runs and waits for them.
func (s *Server) Close() {
	s.mu.Lock()
	runs := append([]*Run{}, s.runs...)
	s.mu.Unlock()
	for _, r := range runs {
		r.cancel()
		<-r.ended
	}
}

type object = map[string]any

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op, isGlue := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AWSGlue.")
	_, known := glueCalls[op]
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	isEMR := len(parts) >= 2 && parts[0] == "applications" && (len(parts) == 2 || parts[2] == "jobruns")
	if !(isGlue && known) && !isEMR {
		if s.Else == nil {
			http.Error(w, "this is a stand-in for jobs", http.StatusNotFound)
			return
		}
		s.Else.ServeHTTP(w, r)
		return
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	in := object{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	var call func() (object, *refusal)
	if isEMR {
		op, call = s.emr(r.Method, parts, in)
	} else {
		call = func() (object, *refusal) { return glueCalls[op](s, in) }
	}
	s.mu.Lock()
	if s.counts == nil {
		s.counts = map[string]int{}
	}
	s.counts[op]++
	s.mu.Unlock()
	var out object
	var no *refusal
	if s.Refuse != nil {
		if err := s.Refuse(op); err != nil {
			no = &refusal{"AccessDeniedException", err.Error()}
		}
	}
	if no == nil {
		out, no = call()
	}
	w.Header().Set("Content-Type", "application/json")
	if no != nil {
		w.Header().Set("X-Amzn-Errortype", no.code)
		w.WriteHeader(http.StatusBadRequest)
		out = object{"__type": no.code, "message": no.message, "Message": no.message}
	}
	_ = json.NewEncoder(w).Encode(out)
}

type refusal struct{ code, message string }

// start begins a run, or gives the one that was started with the same token.
func (s *Server) start(r *Run) *Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, have := range s.runs {
		if r.token != "" && have.token == r.token {
			return have
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.ID, r.state, r.cancel, r.ended = fmt.Sprintf("jr_%04d", len(s.runs)+1), "RUNNING", cancel, make(chan struct{})
	s.runs = append(s.runs, r)
	copied := *r
	go func() {
		defer close(r.ended)
		err := s.Do(ctx, copied)
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case ctx.Err() != nil:
			r.state = "STOPPED"
		case err != nil:
			r.state, r.message = "FAILED", err.Error()
		default:
			r.state = "SUCCEEDED"
		}
	}()
	return r
}

func (s *Server) find(job, id string) (*Run, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.runs {
		if r.Job == job && r.ID == id {
			return r, nil
		}
	}
	return nil, &refusal{"EntityNotFoundException", "no run " + id + " of " + job}
}

func (s *Server) there(job string) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Jobs[job] {
		return nil
	}
	return &refusal{"EntityNotFoundException", "there is no job " + job}
}

func text(o object, key string) string {
	v, _ := o[key].(string)
	return v
}
