package awsconf

import (
	"context"
	"errors"
	"strings"
)

// SignIn says what to do where there are no credentials.
const SignIn = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile: in the target, or sign in with `aws sso login`"

// NoCredentials is the error of a failed look for credentials, without all that each place had to say that was looked at. What a
// place said that the settings name is kept: a role, a token's file, a program.
func NoCredentials(err error) error {
	text := "no AWS credentials were found, or they cannot be renewed"
	cause := err.Error()
	for _, before := range []string{"get identity: ", "get credentials: ", "failed to refresh cached credentials, "} {
		if _, after, ok := strings.Cut(cause, before); ok {
			cause = after
		}
	}
	const most = 300
	if !strings.Contains(cause, "EC2 IMDS") && len(cause) <= most {
		text += ": " + cause
	}
	return errors.New(text)
}

// Unidentified reports whether a request failed because there were no credentials for it, and gives that error.
func Unidentified(err error) (error, bool) {
	if !strings.Contains(err.Error(), "get identity: ") || errors.Is(err, context.Canceled) {
		return nil, false
	}
	return NoCredentials(err), true
}
