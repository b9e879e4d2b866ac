package stacktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/aws/smithy-go/encoding/cbor"

	"tarn/internal/store/s3/s3test"
)

// Refusal answers requests with an error.
type Refusal struct {
	// Operation is that of AWS's API, such as cloudformation:CreateChangeSet; * is any.
	Operation string
	// Code and Message are the error's, such as AccessDenied.
	Code, Message string
	// After is how many requests go through before.
	After int
	// Times is how many requests are refused, 0 for all from then on.
	Times int
	// Before is called first, such as to end a program there; the request goes on to be answered as it is where Code is "".
	Before func()
}

// Refuse has requests refused from now on. The first refusal that fits a request counts.
func (s *Server) Refuse(r Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals = append(s.refusals, &r)
}

// Allow forgets all refusals.
func (s *Server) Allow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals = nil
}

// Operations are those that clients have asked for, each once, such as s3:HeadBucket. CloudFormation's own are not among them.
func (s *Server) Operations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []string{}
	for op := range s.asked {
		out = append(out, op)
	}
	slices.Sort(out)
	return out
}

// services are those of targets and paths, as the SDKs call them.
var services = map[string]string{"AWSGlue": "glue", "AWSStepFunctions": "states", "TrentService": "kms", "AmazonSQS": "sqs", "Logs_20140328": "logs", "GraniteServiceVersion20100801": "cloudwatch"}

// operation names what a request asks for. The body stays to be read.
func operation(r *http.Request) (string, error) {
	target := r.Header.Get("X-Amz-Target")
	switch {
	case target != "":
		service, op, _ := strings.Cut(target, ".")
		return services[service] + ":" + op, nil
	case r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor":
		return "cloudwatch:" + path.Base(r.URL.Path), nil
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return "", err
		}
		r.Body = io.NopCloser(bytes.NewReader(raw))
		form, err := url.ParseQuery(string(raw))
		if err != nil {
			return "", err
		}
		if op := form.Get("Action"); op != "GetCallerIdentity" {
			return "cloudformation:" + op, nil
		}
		return "sts:GetCallerIdentity", nil
	}
	return "s3:" + s3test.Operation(r), nil
}

// refused writes down what is asked for, and answers it where it is to be refused.
func (s *Server) refused(w http.ResponseWriter, r *http.Request) bool {
	op, err := operation(r)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	s.mu.Lock()
	s.asked[op] = true
	var found *Refusal
	for _, f := range s.refusals {
		if f.Operation != "*" && f.Operation != op || f.Times < 0 {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				f.Times = -1
			}
		}
		found = f
		break
	}
	s.mu.Unlock()
	if found == nil {
		return false
	}
	if found.Before != nil {
		found.Before()
	}
	if found.Code == "" {
		return false
	}
	_, _ = io.Copy(io.Discard, r.Body)
	found.write(w, r, op)
	return true
}

// write answers as the service's protocol has errors.
func (f *Refusal) write(w http.ResponseWriter, r *http.Request, op string) {
	service, _, _ := strings.Cut(op, ":")
	status := http.StatusBadRequest
	if strings.Contains(f.Code, "Denied") || f.Code == "InvalidClientTokenId" || f.Code == "InvalidAccessKeyId" || f.Code == "SignatureDoesNotMatch" {
		status = http.StatusForbidden
	}
	switch service {
	case "s3":
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", f.Code, f.Message)
		}
	case "cloudformation", "sts":
		var b strings.Builder
		within("ErrorResponse", within("Error", leaf("Type", "Sender"), leaf("Code", f.Code), leaf("Message", f.Message)), leaf("RequestId", "r")).write(&b)
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, b.String())
	case "cloudwatch":
		w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		w.Header().Set("Content-Type", "application/cbor")
		w.WriteHeader(status)
		_, _ = w.Write(cbor.Encode(cbor.Map{"__type": cbor.String(f.Code), "message": cbor.String(f.Message)}))
	default:
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.Header().Set("X-Amzn-Errortype", f.Code)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": f.Code, "message": f.Message})
	}
}

// Put brings a stack into a state, as if that had happened to it.
func (s *Server) Put(name, status, reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.find(name)
	if err != nil {
		return err
	}
	st.work = nil
	st.tell(st.self(), status, reason)
	return nil
}

// SetPace changes [Server.Pace] while the stand-in answers.
func (s *Server) SetPace(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Pace = n
}
