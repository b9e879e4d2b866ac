package lambdatest

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
)

// runtimeAPI is the API that one process asks for events: it has an address of its own, so that it is known who asks.
type runtimeAPI struct {
	listener net.Listener
	server   *http.Server
	arn      string

	// events has what the process gets next.
	events chan *invocation
	// asked is closed when the process has asked for an event for the first time since it was made anew.
	mu      sync.Mutex
	asked   chan struct{}
	current *invocation
	// began says that the process has asked once: until then, it is being initialised.
	began bool
	// failed is the error that it has told of its start.
	failed *Error
}

const apiVersion = "/2018-06-01/runtime/"

func newRuntimeAPI(arn string) (*runtimeAPI, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &runtimeAPI{listener: l, arn: arn, events: make(chan *invocation), asked: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+apiVersion+"invocation/next", r.next)
	mux.HandleFunc("POST "+apiVersion+"invocation/{id}/response", r.response)
	mux.HandleFunc("POST "+apiVersion+"invocation/{id}/error", r.failure)
	mux.HandleFunc("POST "+apiVersion+"init/error", r.initError)
	r.server = &http.Server{Handler: mux}
	go func() { _ = r.server.Serve(l) }() // it ends with the listener
	return r, nil
}

func (r *runtimeAPI) address() string { return r.listener.Addr().String() }

// ready gives a channel that is closed when the process waits for an event.
func (r *runtimeAPI) ready() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

func (r *runtimeAPI) next(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	r.began, r.current = true, nil
	select {
	case <-r.asked:
	default:
		close(r.asked)
	}
	r.mu.Unlock()
	select {
	case <-q.Context().Done():
	case in := <-r.events:
		r.mu.Lock()
		r.current, r.asked = in, make(chan struct{})
		r.mu.Unlock()
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", in.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(in.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", r.arn)
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0")
		_, _ = w.Write(in.payload) // one that is not read any more belongs to a process that has ended
	}
}

// mine gives the invocation of a request, or answers that there is none.
func (r *runtimeAPI) mine(w http.ResponseWriter, q *http.Request) *invocation {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current == nil || r.current.id != q.PathValue("id") {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return nil
	}
	return r.current
}

func (r *runtimeAPI) response(w http.ResponseWriter, q *http.Request) {
	in := r.mine(w, q)
	if in == nil {
		return
	}
	body, err := io.ReadAll(io.LimitReader(q.Body, MaxPayload+1))
	switch {
	case err != nil:
		refuse(w, http.StatusBadRequest, "InvalidRequest", err.Error())
	case len(body) > MaxPayload:
		text := fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", MaxPayload)
		in.fail(&Error{"Function.ResponseSizeTooLarge", text}, nil)
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", text)
	default:
		in.succeed(body)
		accepted(w)
	}
}

func (r *runtimeAPI) failure(w http.ResponseWriter, q *http.Request) {
	in := r.mine(w, q)
	if in == nil {
		return
	}
	body, e := told(q)
	in.fail(e, body)
	accepted(w)
}

func (r *runtimeAPI) initError(w http.ResponseWriter, q *http.Request) {
	_, e := told(q)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.began {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "the function was initialised before")
		return
	}
	r.failed = e
	accepted(w)
}

// initFailure is what the process has told of its start, or nil.
func (r *runtimeAPI) initFailure() *Error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// told reads what a process says of its error.
func told(q *http.Request) ([]byte, *Error) {
	e := &Error{Type: q.Header.Get("Lambda-Runtime-Function-Error-Type")}
	body, err := io.ReadAll(io.LimitReader(q.Body, MaxPayload))
	var said Error
	if err == nil && json.Unmarshal(body, &said) == nil && said.Type+said.Message != "" {
		return body, &said
	}
	if e.Type == "" {
		e.Type = "Runtime.UnknownReason"
	}
	return nil, e
}

func accepted(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`+"\n")
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Error{kind, message}) // to a connection that may be gone
}
