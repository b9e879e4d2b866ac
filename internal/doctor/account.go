package doctor

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"tarn/internal/awsconf"
	"tarn/internal/project"
)

// account says who this process is for AWS, and where its credentials come from; false says that there is no use in going on.
func (x *examination) account(ctx context.Context, p *project.Lake) bool {
	cfg, err := awsconf.Load(ctx, p.Config.AWS)
	if err != nil {
		x.failed("account", err)
		return false
	}
	c, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		x.add(Finding{What: "account", State: Bad, Text: awsconf.NoCredentials(err).Error(), Fix: awsconf.SignIn, Err: errNoCredentials})
		return false
	}
	from := "credentials from " + source(c.Source)
	if c.CanExpire {
		from += ", good until " + c.Expires.UTC().Format("15:04 UTC")
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	client := sts.NewFromConfig(cfg, func(o *sts.Options) { o.RetryMaxAttempts = 2 })
	who, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err == nil {
		x.who = aws.ToString(who.Arn)
		x.good("account", "%s, %s", x.who, from)
		return true
	}
	// Servers of one's own have no STS to ask, or one that knows other credentials.
	if fix := refused(err); fix != "" && client.Options().BaseEndpoint == nil {
		x.add(Finding{What: "account", State: Bad, Text: "AWS refuses the " + from + ": " + code(err), Fix: fix, Err: errNoCredentials})
		return false
	}
	why := code(err)
	if why == "" {
		why = "no answer"
	}
	x.good("account", "%s; who that is could not be asked (%s), which alone does no harm", from, why)
	return true
}

// errNoCredentials says that there is no account to work with.
var errNoCredentials = errors.New("no usable AWS credentials")

// source says in which place the SDK has found credentials.
func source(name string) string {
	switch name {
	case "EnvConfigCredentials":
		return "the environment (AWS_ACCESS_KEY_ID)"
	case "":
		return "the settings"
	}
	if file, ok := strings.CutPrefix(name, "SharedConfigCredentials: "); ok {
		return file
	}
	return name
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// refused says what to do about credentials that STS does not take, or "" where that was not it (IAM User Guide, "Error
// messages of AWS STS").
func refused(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return ""
	}
	switch api.ErrorCode() {
	case "InvalidClientTokenId", "UnrecognizedClientException":
		return "the access key is wrong or was taken back; with temporary credentials AWS_SESSION_TOKEN has to be set too"
	case "SignatureDoesNotMatch":
		if strings.Contains(api.ErrorMessage(), "Signature expired") || strings.Contains(api.ErrorMessage(), "not yet current") {
			return "the clock of this machine is off: set it, for example with `timedatectl set-ntp true`"
		}
		return "the secret does not belong to the access key: set AWS_SECRET_ACCESS_KEY again"
	case "ExpiredToken", "ExpiredTokenException":
		return "the credentials have expired: sign in again, for example with `aws sso login`"
	}
	return ""
}
