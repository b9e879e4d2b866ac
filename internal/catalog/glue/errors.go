package glue

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/smithy-go"

	"tarn/internal/awsconf"
	"tarn/internal/diag"
)

// Error is a request that Glue has refused, or that never reached it. It holds nothing of the request: no credentials, no
// signature.
type Error struct {
	// Op is Glue's own name of what was asked for, such as UpdateTable.
	Op string
	// What it was about, such as "table db.name".
	What string
	// Code is Glue's own, such as AccessDeniedException, or says why no answer came.
	Code string
	Err  error
}

func (e *Error) Error() string { return "Glue " + e.Op + " " + e.What + ": " + e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// Codes for what never got as far as Glue.
const (
	noServer      = "unreachable"
	noCredentials = "no credentials"
)

// Missing reports whether the database or table is not there.
func (e *Error) Missing() bool { return e.Code == "EntityNotFoundException" }

// Hint says what most likely helps, or "".
func (e *Error) Hint() string {
	text := e.Err.Error()
	var dns *net.DNSError
	if h := diag.Hint(e.Err); h != "" {
		return h
	}
	switch {
	case strings.Contains(text, "Lake Formation"):
		return "Lake Formation guards this: an administrator has to grant the role rights on " + e.What + ", or the default for IAM-only access back to the database"
	case e.Code == "AccessDeniedException", e.Code == "AccessDenied":
		return "the role needs glue:" + e.Op + " on the catalog, the database and its tables"
	case e.Code == "EntityNotFoundException" && strings.HasPrefix(e.What, "database "), strings.HasPrefix(text, "EntityNotFoundException: Database"):
		return "there is no such database in this account and region: `aws glue get-databases` lists those that are there; see database:, catalog_id: and region: of the target, or --region of init"
	case e.Code == "ExpiredTokenException", e.Code == "ExpiredToken", e.Code == "RequestExpired":
		return "the credentials have expired: sign in again, for example with `aws sso login`"
	case e.Code == "UnrecognizedClientException", e.Code == "InvalidSignatureException", e.Code == "IncompleteSignatureException":
		return "the access key or its secret is wrong, or this machine's clock is off: `tarn doctor --target …` says where they come from"
	case e.Code == "GlueEncryptionException":
		return "the catalog is encrypted: the role needs kms:Decrypt and kms:GenerateDataKey on its key"
	case e.Code == "ResourceNumberLimitExceededException":
		return "a quota of the account is reached: Service Quotas, AWS Glue"
	case e.Code == "ThrottlingException", e.Code == "ThrottledException":
		return "too many requests in this account at the moment: try again"
	case errors.As(e.Err, &dns):
		return "is there an AWS region of this name? See region: of the target"
	case e.Code == noServer:
		return "nothing answers there: look at the network, and at endpoint: of the target or AWS_ENDPOINT_URL_GLUE"
	case e.Code == noCredentials:
		return awsconf.SignIn
	}
	return ""
}

// Errors that callers tell apart, beside those of package catalog.
var (
	// ErrNotOurs says that a table of this name exists and is none of this lake.
	ErrNotOurs = errors.New("exists and is not of this lake")
	// ErrOtherLake says that the head object is that of another lake, database or account.
	ErrOtherLake = errors.New("it is another lake's")
)

// PendingError says that a publish has happened, and that Glue does not show all of it yet: readers through tarn see it,
// and the next one to lock the catalog finishes it.
type PendingError struct {
	Run string
	Err error
}

func (e *PendingError) Error() string {
	return fmt.Sprintf("run %s is published, but not all of its tables are shown by Glue yet (the next run goes on with it): %v", e.Run, e.Err)
}

func (e *PendingError) Unwrap() error { return e.Err }

// ContestedError says that a publish has happened, but for the tables that others have changed at that moment. Their
// version stays.
type ContestedError struct{ Tables []Contested }

func (e *ContestedError) Error() string {
	lines := make([]string, len(e.Tables))
	for i, t := range e.Tables {
		lines[i] = "table " + t.Table + ": " + t.Why
	}
	return "published, but for tables that changed at that moment: " + strings.Join(lines, "; ")
}

// Hint says what helps.
func (e *ContestedError) Hint() string {
	return "their commit was kept: rebuild these tables with `tarn run --full-refresh`"
}

func failed(op, what string, err error) error {
	if nobody, ok := awsconf.Unidentified(err); ok {
		return &Error{Op: op, What: what, Code: noCredentials, Err: nobody}
	}
	var unheard *awsconf.UnheardError
	if errors.As(err, &unheard) {
		return &Error{Op: op, What: what, Code: noServer, Err: unheard}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err // whoever stopped it knows why
	}
	e := &Error{Op: op, What: what, Err: err}
	var api smithy.APIError
	var unreachable *net.OpError
	switch {
	case errors.As(err, &unreachable):
		// Without the SDK's chain of what it was doing.
		e.Code, e.Err = noServer, unreachable
	case errors.As(err, &api):
		e.Code = api.ErrorCode()
		e.Err = fmt.Errorf("%s: %s", e.Code, api.ErrorMessage())
	}
	return e
}

// code is Glue's own name of an error, or "".
func code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// denied reports whether it is a right that is missing.
func denied(err error) bool {
	return code(err) == "AccessDeniedException" || code(err) == "AccessDenied"
}

func notFound(err error) bool {
	var e *types.EntityNotFoundException
	return errors.As(err, &e)
}

func alreadyExists(err error) bool {
	var e *types.AlreadyExistsException
	return errors.As(err, &e)
}
