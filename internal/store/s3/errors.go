package s3

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path"
	"regexp"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"tarn/internal/awsconf"
	"tarn/internal/store"
)

// What a request was for.
const (
	opList   = "list"
	opLook   = "look at"
	opRead   = "read"
	opWrite  = "write"
	opDelete = "delete"
	opGiveUp = "give up a large upload of"
)

// Error is a request that S3 has refused, or that never reached it. It holds nothing of the request but its location:
// no credentials, no signature.
type Error struct {
	// Op is what was to be done: list, look at, read, write, delete, give up a large upload of.
	Op       string
	Location string
	// Code is S3's own, such as AccessDenied, or says why no answer came.
	Code string
	// Status is the HTTP status of the answer, or 0.
	Status int
	// Region is where the bucket is, if the answer says so.
	Region string
	Err    error
}

func (e *Error) Error() string { return e.Op + " " + e.Location + ": " + e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// Is makes a refusal for want of rights a [store.ErrDenied].
func (e *Error) Is(target error) bool { return target == store.ErrDenied && e.denied() }

func (e *Error) denied() bool {
	return e.Code == "AccessDenied" || e.Code == "Forbidden" || e.Code == "AllAccessDisabled"
}

// Codes: S3's own, and three for what never got as far as S3.
const (
	noBucket      = "NoSuchBucket"
	noServer      = "unreachable"
	noName        = "unknown host"
	noCredentials = "no credentials"
)

// Missing reports whether the bucket is not there.
func (e *Error) Missing() bool { return e.Code == noBucket }

// Hint says what most likely helps, or "".
func (e *Error) Hint() string {
	if e.denied() {
		if strings.Contains(e.Err.Error(), "kms:") {
			return "the credentials, and the policy of the key, have to allow kms:GenerateDataKey and kms:Decrypt on the key: see kms_key: of the target"
		}
		return "the credentials may not " + e.Op + " this, or the bucket is somebody else's: they need " + e.right() + "; docs/rights.md has a policy for each role"
	}
	switch e.Code {
	case noBucket:
		return "is this its name? `aws s3 mb s3://" + e.bucket() + "` makes it, in the account of these credentials"
	case "InvalidBucketName":
		return "a bucket's name has 3 to 63 small letters, digits, hyphens and dots"
	case noName:
		return "where a server is not Amazon's, the bucket is often not part of its name: write path_style: true in the target"
	case noServer:
		return "nothing answers there: look at the network, and at endpoint: of the target or AWS_ENDPOINT_URL"
	case noCredentials:
		return awsconf.SignIn
	case "ExpiredToken", "ExpiredTokenException", "RequestExpired":
		return "the credentials have expired: sign in again, for example with `aws sso login`"
	case "RequestTimeTooSkewed":
		return "the clock of this machine is off: set it, for example with `timedatectl set-ntp true`"
	case "InvalidAccessKeyId", "SignatureDoesNotMatch":
		return "the access key or its secret is wrong: `tarn doctor --target …` says where they come from"
	case "InvalidToken":
		return "the session token does not belong to the access key: AWS_SESSION_TOKEN has to be set with temporary credentials, and unset with others"
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
		if e.Region == "" {
			return "the bucket is in another region: `aws s3api get-bucket-location --bucket " + e.bucket() + "` says which; write it as region: into the target"
		}
		return "the bucket is in another region: write region: " + e.Region + " into the target"
	case "SlowDown", "ServiceUnavailable", "InternalError", "InternalServerError":
		return "the server has too much to do, or is broken: try again in a minute"
	}
	return ""
}

func (e *Error) bucket() string {
	name, _, _ := strings.Cut(strings.TrimPrefix(e.Location, "s3://"), "/")
	return name
}

// right names what IAM has to allow. A key that is not there looks forbidden to who may not list (Amazon S3 API Reference,
// "HeadObject", Permissions).
func (e *Error) right() string {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(e.Location, "s3://"), "/")
	arn := "arn:aws:s3:::" + bucket
	if e.Op == opList || key == "" {
		return "s3:ListBucket on " + arn
	}
	folder, file := path.Split(key)
	reads := e.Op == opLook || e.Op == opRead
	for _, below := range []string{"/metadata/", "/data/"} {
		// Who reads one file of a table needs all of them.
		if i := strings.Index(folder, below); reads && i >= 0 {
			folder = folder[:i+1]
			break
		}
	}
	// What a lake has for itself is not for whoever reads one object of it.
	if key = folder + "*"; folder == "" || reads && strings.HasSuffix(folder, "/_tarn/") {
		key = folder + file
	}
	action := map[string]string{opLook: "s3:GetObject", opRead: "s3:GetObject", opWrite: "s3:PutObject", opDelete: "s3:DeleteObject", opGiveUp: "s3:AbortMultipartUpload"}[e.Op]
	if action == "s3:GetObject" {
		return action + " on " + arn + "/" + key + " and s3:ListBucket on " + arn
	}
	return action + " on " + arn + "/" + key
}

// Failed says what went wrong, in the words of package store where it has any.
func (s *Store) Failed(op, key string, err error) error {
	e := &Error{Op: op, Location: s.Root() + key, Err: err}
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		e.Status = response.HTTPStatusCode()
		e.Region = response.Response.Header.Get("x-amz-bucket-region")
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		e.Code = api.ErrorCode()
		e.Err = errors.New(text(api))
		if m := expecting.FindStringSubmatch(api.ErrorMessage()); m != nil && e.Region == "" {
			e.Region = m[1]
		}
	}
	if key == "" && op == opLook && e.Status == http.StatusNotFound {
		// An answer to HEAD has no text to say so.
		e.Code, e.Err = noBucket, errors.New("no such bucket")
	}
	var unreachable *net.OpError
	var unheard *awsconf.UnheardError
	var unknown *net.DNSError
	nobody, unidentified := awsconf.Unidentified(err)
	switch {
	case unidentified:
		e.Code, e.Err = noCredentials, nobody
	case errors.As(err, &unknown) && strings.HasPrefix(unknown.Name, s.bucket+".") && !strings.Contains(unknown.Name, ".amazonaws."):
		e.Code, e.Err = noName, unknown
	case errors.As(err, &unheard):
		e.Code, e.Err = noServer, unheard
	case errors.As(err, &unreachable) && unreachable.Timeout():
		e.Code, e.Err = noServer, unreachable // which is a context.DeadlineExceeded as well
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		// Whoever stopped it knows why.
		return err
	case errors.As(err, &unreachable):
		// Without the SDK's chain of what it was doing.
		e.Code, e.Err = noServer, unreachable
	case e.Code == noBucket:
		// Otherwise it would look as if only the key was missing.
		e.Err = s.absent()
	case e.Status == http.StatusNotFound, e.Code == "NoSuchKey":
		e.Err = store.ErrNotFound
		if e.Code == "NoSuchKey" {
			s.seen.Store(true) // else it would be the bucket
		}
	case e.Status == http.StatusPreconditionFailed, e.Code == "ConditionalRequestConflict", e.Code == "PreconditionFailed":
		e.Err = store.ErrCondition
	}
	return e
}

// expecting finds the bucket's region in the message of AuthorizationHeaderMalformed, where no header has it.
var expecting = regexp.MustCompile(`expecting ["']([a-z0-9-]+)["']`)

func text(api smithy.APIError) string {
	if api.ErrorMessage() == "" {
		return api.ErrorCode()
	}
	return api.ErrorCode() + ": " + api.ErrorMessage()
}
