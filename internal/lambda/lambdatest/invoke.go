package lambdatest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// ServeHTTP answers the Invoke API (AWS Lambda API Reference, "Invoke"), so that the AWS command line and SDKs can call the
// function: `aws lambda invoke --endpoint-url`. Signatures are not checked.
func (f *Function) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2015-03-31/functions/{name}/invocations", f.serve)
	mux.ServeHTTP(w, r)
}

func (f *Function) serve(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("name") != f.c.Name {
		problem(w, http.StatusNotFound, "ResourceNotFoundException", "Function not found: "+r.PathValue("name"))
		return
	}
	payload, err := io.ReadAll(io.LimitReader(r.Body, MaxPayload+1))
	if err != nil {
		problem(w, http.StatusBadRequest, "InvalidRequestContentException", err.Error())
		return
	}
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	if r.Header.Get("X-Amz-Invocation-Type") == "Event" {
		w.WriteHeader(http.StatusAccepted)
		go func() { _, _ = f.Invoke(context.WithoutCancel(r.Context()), payload) }() // nobody asks how it ends
		return
	}
	result, err := f.Invoke(r.Context(), payload)
	switch {
	case errors.Is(err, ErrTooLarge):
		problem(w, http.StatusRequestEntityTooLarge, "RequestTooLargeException", err.Error())
		return
	case errors.Is(err, ErrNotJSON):
		problem(w, http.StatusBadRequest, "InvalidRequestContentException", err.Error())
		return
	case err != nil:
		problem(w, http.StatusInternalServerError, "ServiceException", err.Error())
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Amz-Executed-Version", "$LATEST")
	h.Set("X-Amzn-Requestid", result.Request)
	if result.Err != nil {
		h.Set("X-Amz-Function-Error", "Unhandled")
	}
	_, _ = w.Write(result.Payload) // to a connection that may be gone
}

func problem(w http.ResponseWriter, status int, kind, message string) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Amzn-Errortype", kind)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"Type": "User", "Message": message}) // to a connection that may be gone
}
