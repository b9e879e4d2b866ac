package awsconf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	// dialing bounds how long a connection may take to come about.
	dialing = 5 * time.Second
	// firstAnswer bounds the wait for a server that has never answered; one on a busy machine may need more than ten seconds.
	// answering is that of one that has: joining the parts of a large object takes Amazon S3 a while (Amazon S3 API Reference,
	// "CompleteMultipartUpload").
	firstAnswer = 30 * time.Second
	answering   = 2 * time.Minute
)

// UnheardError says that a server which never answered before cannot be reached. It is not worth another attempt: most
// likely its address is wrong or the server does not run.
type UnheardError struct {
	// Err names the server.
	Err error
}

func (e *UnheardError) Error() string { return e.Err.Error() }

func (e *UnheardError) Unwrap() error { return e.Err }

// errSilent says that a server took the connection and said nothing.
var errSilent = errors.New("silent")

// contact remembers which servers have answered, and gives up early on one that never did.
type contact struct {
	next  aws.HTTPClient
	heard sync.Map // of hosts
}

func (c *contact) Do(r *http.Request) (*http.Response, error) {
	host := r.URL.Host
	if _, ok := c.heard.Load(host); ok {
		return c.next.Do(r)
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	late := time.AfterFunc(firstAnswer, func() { cancel(errSilent) })
	res, err := c.next.Do(r.WithContext(ctx))
	late.Stop()
	if err == nil {
		c.heard.Store(host, true)
		res.Body = &answer{res.Body, cancel}
		return res, nil
	}
	cancel(nil)
	var broken *net.OpError
	switch {
	case context.Cause(ctx) == errSilent:
		return nil, &UnheardError{fmt.Errorf("%s took the connection and did not answer within %v", host, firstAnswer)}
	case r.Context().Err() == nil && errors.As(err, &broken) && broken.Op == "dial":
		// Without what the request was.
		return nil, &UnheardError{broken}
	}
	return nil, err
}

// answer is a body that ends its request's context.
type answer struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

func (a *answer) Close() error {
	defer a.cancel(nil)
	return a.ReadCloser.Close()
}
