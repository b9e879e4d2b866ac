package stack

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"

	"tarn/internal/awsconf"
)

// ErrDeclined says that a person did not agree.
var ErrDeclined = errors.New("nothing was changed")

// Error is a request that AWS refused.
type Error struct {
	// Doing is what it was for, such as "make a change set".
	Doing string
	Err   error
}

func (e *Error) Error() string {
	var api smithy.APIError
	var unheard *awsconf.UnheardError
	if errors.As(e.Err, &unheard) { // without what the SDK says around it
		return fmt.Sprintf("%s: %v", e.Doing, unheard)
	}
	if errors.As(e.Err, &api) {
		return fmt.Sprintf("%s: %s: %s", e.Doing, api.ErrorCode(), api.ErrorMessage())
	}
	return fmt.Sprintf("%s: %v", e.Doing, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *Error) Hint() string { return hint(e.Error()) }

// failed wraps what a client says.
func (s *Stack) failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	if unidentified, ok := awsconf.Unidentified(err); ok {
		err = unidentified
	}
	return &Error{doing, err}
}

// TakenError says that something is there which is not of this lake.
type TakenError struct {
	// What is such as "bucket my-bucket", Whose what is known of its owner.
	What, Whose string
	Fix         string
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("%s is there already and %s", e.What, e.Whose)
}

// Hint says how to use it all the same, or another one.
func (e *TakenError) Hint() string { return e.Fix }

// MissingError says that something is not there that was to be used.
type MissingError struct{ What, Fix string }

func (e *MissingError) Error() string { return e.What + " is not there" }

// Hint says what to do.
func (e *MissingError) Hint() string { return e.Fix }

// FailedError says that CloudFormation could not do what it was asked for.
type FailedError struct {
	Stack, Status string
	// Resource is the logical name of what failed first, with its Type; Reason is what AWS says about it.
	Resource, Type, Reason string
	// Sound says that the stack is as it was before, so that the same call can go on.
	Sound bool
}

func (e *FailedError) Error() string {
	what := "the stack " + e.Stack
	if e.Resource != "" && e.Resource != e.Stack {
		what = kindOf(e.Type) + " " + e.Resource
	}
	reason := plain(e.Reason)
	if reason == "" {
		reason = "AWS gives no reason"
	}
	text := fmt.Sprintf("%s could not be made: %s", what, reason)
	switch {
	case e.Sound:
		return text + "; the stack is as it was before"
	case e.Status == "ROLLBACK_COMPLETE":
		return text + "; what was made of it was taken back"
	}
	return text + "; the stack is in state " + e.Status
}

// Hint says what to do about the reason.
func (e *FailedError) Hint() string {
	h := hint(e.Reason)
	if h == "" {
		h = "mend that"
	}
	return h + ", and call `tarn deploy` again: it goes on from here"
}

// GoesOnError says that nobody waits any more for a stack which AWS goes on with.
type GoesOnError struct {
	Stack string
	Err   error
}

func (e *GoesOnError) Error() string {
	return "AWS goes on with the stack " + e.Stack + " without this terminal; `tarn deploy status` shows it, and `tarn deploy` waits for its end and goes on from there"
}

func (e *GoesOnError) Unwrap() error { return e.Err }

// plain takes off what AWS adds to reasons for machines.
func plain(reason string) string {
	for _, cut := range []string{" (Service: ", " (RequestToken: "} {
		if i := strings.Index(reason, cut); i >= 0 {
			reason = reason[:i]
		}
	}
	return strings.Trim(strings.TrimPrefix(reason, "Resource handler returned message: "), `". `)
}

// hints are what to do about words that AWS uses. The first that fits counts.
var hints = []struct {
	words []string
	fix   string
}{
	{[]string{"service control policy"}, "a service control policy of your organisation forbids it: ask whoever looks after AWS Organizations"},
	{[]string{"permissions boundary"}, "a permissions boundary is asked for or forbids it: name it in deploy: roles: boundary: of the target"},
	{[]string{"iam:PassRole"}, "whoever deploys needs iam:PassRole on the stack's roles for the services that get them: docs/rights.md has the policy"},
	{[]string{"iam:CreateRole"}, "whoever deploys may make no roles: name those that are there in deploy: roles: of the target"},
	{[]string{"InsufficientCapabilities", "CAPABILITY_"}, "the template makes roles, which has to be allowed with CAPABILITY_NAMED_IAM"},
	{[]string{"LocationConstraint", "location constraint"}, "a bucket in us-east-1 is made without a LocationConstraint, and one anywhere else with it: see region: of the target"},
	{[]string{"already exists", "AlreadyExists", "BucketAlreadyOwnedByYou"}, "something of this name is there already: take it away, or give the stack another name with deploy: stack: of the target"},
	{[]string{"LimitExceeded", "Limit exceeded", "limit exceeded", "quota", "TooManyBuckets", "ServiceQuotaExceeded"}, "the account has reached a quota: Service Quotas in the console shows it and raises it; `tarn doctor` reads those that matter"},
	{[]string{"AccessDenied", "not authorized", "UnauthorizedOperation", "Access Denied"}, "these credentials lack that right: docs/rights.md has the policy of the deployer, and for status and logs that of the operator; a permissions boundary or service control policy can take it away again"},
	{[]string{"ExpiredToken", "expired", "no AWS credentials", "InvalidClientTokenId"}, awsconf.SignIn},
	{[]string{"dial tcp", "did not answer within"}, "nothing answers there: look at the network, and at region: and endpoint: of the target or AWS_ENDPOINT_URL"},
	{[]string{"Throttling", "Rate exceeded"}, "AWS asks to go slower: wait a minute"},
}

func hint(text string) string {
	for _, h := range hints {
		for _, w := range h.words {
			if strings.Contains(text, w) {
				return h.fix
			}
		}
	}
	return ""
}

// missing reports whether CloudFormation says that there is no such stack or change set.
func missing(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && (api.ErrorCode() == "ValidationError" && strings.Contains(api.ErrorMessage(), "does not exist") ||
		strings.HasSuffix(api.ErrorCode(), "NotFoundException") || strings.HasSuffix(api.ErrorCode(), "NotFound"))
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}
