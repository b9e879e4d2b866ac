package stack_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"tarn/internal/deploy/stack"
	"tarn/internal/deploy/stack/stacktest"
)

// gone refuses everything after some requests, as when the credentials expire: so nothing can be tidied up either, as after kill -9.
func gone(server *stacktest.Server, after int) {
	server.Refuse(stacktest.Refusal{Operation: "*", Code: "ExpiredToken", Message: "The security token included in the request is expired", After: after})
}

// A deployment, and taking it away, can end at any request, and the same call goes on.
func TestEndsAnywhere(t *testing.T) {
	server := stacktest.New(t)
	server.SetPace(100)
	server.Late = true
	a := newAccount(t)
	s := spec(t, "anywhere-lake", "")
	ended := func(err error, n int) bool {
		t.Helper()
		if err == nil {
			return false
		}
		if !strings.Contains(hint(err), "aws sso login") {
			t.Fatalf("after %d requests: %v\nhint: %s", n, err, hint(err))
		}
		server.Allow()
		return true
	}
	deploys, destroys := 0, 0
	for n, more := 0, true; more; n += 4 { // each of them takes a minute under the race detector
		st := a.open(s, nil)
		gone(server, n)
		_, err := st.Apply(t.Context())
		if more = ended(err, n); more {
			deploys++
			a.apply(s, nil)
		}
		server.Allow()
		if r := a.apply(s, nil); r.Changed || r.Status != "UPDATE_COMPLETE" {
			t.Fatalf("after %d requests: %+v", n, r)
		}
		st = a.open(s, nil)
		gone(server, n)
		if _, err := st.Destroy(t.Context(), true); ended(err, n) {
			destroys++
			if _, err := a.open(s, nil).Destroy(t.Context(), true); err != nil {
				t.Fatalf("after %d requests: %v", n, err)
			}
		}
		server.Allow()
		var missing *stack.MissingError
		if _, err := a.open(s, nil).Status(t.Context()); !errors.As(err, &missing) {
			t.Fatalf("after %d requests: %v", n, err)
		}
		if hasBucket(t, "anywhere-lake") {
			t.Fatalf("after %d requests: the bucket is still there", n)
		}
	}
	if deploys < 6 || destroys < 6 {
		t.Errorf("%d deployments and %d removals were ended", deploys, destroys)
	}
	if !slices.Contains(server.Operations(), "cloudformation:ExecuteChangeSet") {
		t.Error(server.Operations())
	}
}
