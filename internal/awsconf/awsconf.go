// Package awsconf finds credentials, region and endpoints as every AWS tool does, for all clients of one target.
package awsconf

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
)

// Settings are what a target says about its account; all may be empty, for what the environment says.
type Settings struct {
	// Region is such as eu-central-1.
	Region string
	// Profile is a section of ~/.aws/config.
	Profile string
	// Endpoint is the URL of another server than AWS's, for all services. AWS_ENDPOINT_URL_S3 and the like go first.
	Endpoint string
	// PathStyle puts the bucket into the path instead of the host name. It is so by itself where the endpoint is an
	// address or localhost.
	PathStyle bool
	// KMSKey encrypts what is written with that key; empty leaves it to the bucket.
	KMSKey string
	// BucketOwner is the account that every bucket has to belong to.
	BucketOwner string
	// Requests counts what is sent, retries included; nil does not.
	Requests *Counter
}

// connections bounds how many requests may be under way to one host.
const connections = 64

// attempts is how often one request is tried, with growing, random pauses between; the retryer's token bucket ends that
// earlier where most requests fail.
const attempts = 8

// retryer is the SDK's standard one, which also tries again when the body of an answer breaks off.
func retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			var unheard *UnheardError
			if errors.As(err, &unheard) {
				return aws.FalseTernary
			}
			return aws.UnknownTernary
		})}, o.Retryables...)
		o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return aws.TrueTernary
			}
			return aws.UnknownTernary
		}))
	})
}

// Load finds out how to reach AWS. It makes no request: credentials are looked up when they are first needed.
func Load(ctx context.Context, s Settings) (aws.Config, error) {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxConnsPerHost, t.MaxIdleConnsPerHost = connections, connections
		t.ResponseHeaderTimeout = answering
	}).WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialing })
	o := []func(*config.LoadOptions) error{config.WithHTTPClient(client), config.WithRetryer(retryer), config.WithLogger(logging.Nop{})}
	if s.Region != "" {
		o = append(o, config.WithRegion(s.Region))
	}
	if s.Profile != "" {
		o = append(o, config.WithSharedConfigProfile(s.Profile))
	}
	if s.Endpoint != "" {
		o = append(o, config.WithBaseEndpoint(s.Endpoint))
	}
	cfg, err := config.LoadDefaultConfig(ctx, o...)
	if err != nil {
		return cfg, &SettingsError{err}
	}
	if cfg.Region == "" {
		if s.Endpoint == "" && cfg.BaseEndpoint == nil {
			return cfg, ErrNoRegion
		}
		// A server of one's own wants some region for signatures and does not care which.
		cfg.Region = "us-east-1"
	}
	// Not before: a bundle of certificates that the settings name goes into the client.
	cfg.HTTPClient = &contact{next: cfg.HTTPClient}
	if s.Requests != nil {
		cfg.HTTPClient = &counting{next: cfg.HTTPClient, counter: s.Requests}
	}
	return cfg, nil
}

// ErrNoRegion says that nothing tells the AWS region.
var ErrNoRegion = errors.New("no AWS region: set region: in the target, AWS_REGION, or a profile with a region")

// SettingsError says that the settings of AWS tools on this machine cannot be used: the files in ~/.aws or a variable.
type SettingsError struct{ Err error }

func (e *SettingsError) Error() string {
	var profile config.SharedConfigProfileNotExistError
	if errors.As(e.Err, &profile) {
		return "there is no profile " + profile.Profile + " in ~/.aws/config or ~/.aws/credentials"
	}
	return "AWS settings: " + e.Err.Error()
}

func (e *SettingsError) Unwrap() error { return e.Err }

// Hint says what to do about it.
func (e *SettingsError) Hint() string {
	var profile config.SharedConfigProfileNotExistError
	if errors.As(e.Err, &profile) {
		return "`aws configure list-profiles` lists those that are there: see profile: of the target and AWS_PROFILE"
	}
	return "see ~/.aws/config and the variables AWS_…: `aws sts get-caller-identity` tries them too"
}

// ByAddress reports whether a host name cannot carry a bucket's name in front: it is an address or localhost.
func ByAddress(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	host := u.Hostname()
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host) != nil
}
