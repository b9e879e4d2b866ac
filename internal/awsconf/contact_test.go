package awsconf

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// roundTrip is a server.
type roundTrip func(r *http.Request) (*http.Response, error)

func (f roundTrip) Do(r *http.Request) (*http.Response, error) { return f(r) }

func ask(ctx context.Context, t *testing.T, c *contact) error {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://lake.test/", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(r)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

func TestServersThatNeverAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := true
		c := &contact{next: roundTrip(func(r *http.Request) (*http.Response, error) {
			if silent {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return &http.Response{Body: http.NoBody}, nil
		})}
		var unheard *UnheardError
		begin := time.Now()
		if err := ask(t.Context(), t, c); !errors.As(err, &unheard) || !strings.Contains(err.Error(), "lake.test") || time.Since(begin) != firstAnswer {
			t.Errorf("a silent server: %v after %v", err, time.Since(begin))
		}
		silent = false
		if err := ask(t.Context(), t, c); err != nil {
			t.Error(err)
		}
		// Whoever has answered once is waited for, until the caller has enough of it.
		silent = true
		ctx, cancel := context.WithTimeout(t.Context(), 3*firstAnswer)
		defer cancel()
		if err := ask(ctx, t, c); !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &unheard) {
			t.Errorf("a server that was heard: %v", err)
		}
	})
}

// Where nobody listens one attempt has to do, and a server that ends later is tried again.
func TestNobodyListens(t *testing.T) {
	for k, v := range map[string]string{"AWS_ACCESS_KEY_ID": "tarn-test", "AWS_SECRET_ACCESS_KEY": "tarn-test-secret", "AWS_REGION": "us-east-1",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"} {
		t.Setenv(k, v)
	}
	var n Counter
	cfg, err := Load(t.Context(), Settings{Endpoint: "http://127.0.0.1:1", Requests: &n})
	if err != nil {
		t.Fatal(err)
	}
	_, err = sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
	var unheard *UnheardError
	if !errors.As(err, &unheard) || !strings.HasPrefix(unheard.Error(), "dial tcp 127.0.0.1:1: ") || n.Total("sts") != 1 {
		t.Errorf("%v after %v", err, n.Counts())
	}

	answered := false
	c := &contact{next: roundTrip(func(*http.Request) (*http.Response, error) {
		if !answered {
			answered = true
			return &http.Response{Body: http.NoBody}, nil
		}
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	})}
	if err := ask(t.Context(), t, c); err != nil {
		t.Error(err)
	}
	if err := ask(t.Context(), t, c); err == nil || errors.As(err, &unheard) {
		t.Errorf("a server that was heard: %v", err)
	}
}

func TestProfilesThatAreNotThere(t *testing.T) {
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	_, err := Load(t.Context(), Settings{Profile: "team"})
	var settings *SettingsError
	if !errors.As(err, &settings) || !strings.Contains(err.Error(), "no profile team") || !strings.Contains(settings.Hint(), "aws configure list-profiles") {
		t.Errorf("%v", err)
	}
}

func TestNoCredentialsKeepsOneCause(t *testing.T) {
	t.Parallel()
	const before = "operation error S3: HeadObject, get identity: get credentials: failed to refresh cached credentials, "
	for cause, want := range map[string]string{
		"no EC2 IMDS role found, operation error ec2imds: GetMetadata, canceled, context deadline exceeded": "",
		"process provider error: error in credential_process: exit status 1":                                ": process provider error: error in credential_process: exit status 1",
	} {
		err, ok := Unidentified(errors.New(before + cause))
		if !ok || err.Error() != "no AWS credentials were found, or they cannot be renewed"+want {
			t.Errorf("%v", err)
		}
	}
	if _, ok := Unidentified(errors.New("operation error S3: HeadObject, StatusCode: 403")); ok {
		t.Error("another failure was taken for missing credentials")
	}
}
