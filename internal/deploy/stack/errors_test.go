package stack_test

import (
	"strings"
	"testing"

	"tarn/internal/deploy/stack"
)

// Reasons as AWS words them, and what is said about each.
func TestReasonsInPlainWords(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]struct{ says, hint string }{
		`Resource handler returned message: "User: u is not authorized to perform: s3:CreateBucket with an explicit deny in a service control policy (Service: S3, Status Code: 403)" (RequestToken: 1, HandlerErrorCode: AccessDenied)`: {"with an explicit deny in a service control policy", "service control policy of your organisation"},
		"User: u is not authorized to perform: iam:CreateRole because no permissions boundary allows the iam:CreateRole action":                                                                                                          {"iam:CreateRole", "roles: boundary:"},
		"API: lambda:CreateFunction User: u is not authorized to perform: iam:PassRole on resource: r":                                                                                                                                   {"iam:PassRole", "iam:PassRole on the stack's roles"},
		"API: iam:CreateRole User: u is not authorized to perform: iam:CreateRole on resource: r":                                                                                                                                        {"iam:CreateRole", "may make no roles"},
		"Requires capabilities : [CAPABILITY_NAMED_IAM]":                                                        {"CAPABILITY_NAMED_IAM", "CAPABILITY_NAMED_IAM"},
		"The unspecified location constraint is incompatible for the region specific endpoint this was sent to": {"location constraint", "us-east-1 is made without a LocationConstraint"},
		"my-bucket already exists":                             {"my-bucket already exists", "give the stack another name"},
		"Limit exceeded for resource: role":                    {"Limit exceeded", "has reached a quota"},
		"Maximum number of functions: LimitExceededException":  {"LimitExceededException", "has reached a quota"},
		"User: u is not authorized to perform: glue:CreateJob": {"glue:CreateJob", "docs/rights.md has the policy of the deployer"},
		"Something of which nothing is known":                  {"Something of which nothing is known", "mend that"},
	} {
		e := &stack.FailedError{Stack: "s", Status: "UPDATE_ROLLBACK_COMPLETE", Resource: "Thing", Type: "AWS::Lambda::Function", Reason: reason, Sound: true}
		if !strings.HasPrefix(e.Error(), "Lambda function Thing could not be made: ") || !strings.Contains(e.Error(), want.says) || strings.Contains(e.Error(), "RequestToken") || strings.Contains(e.Error(), "Status Code") {
			t.Errorf("%s\n%v", reason, e)
		}
		if !strings.Contains(e.Hint(), want.hint) || !strings.Contains(e.Hint(), "call `tarn deploy` again") {
			t.Errorf("%s\nhint: %s", reason, e.Hint())
		}
	}
}
