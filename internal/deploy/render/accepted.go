package render

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"tarn/internal/deploy/cfn"
)

// What checkov wants otherwise, with the reason why it is as it is. The reason stands beside the resource in the template, so that
// whoever has to approve it finds it there.
var (
	noAccessLog = accepted{"CKV_AWS_18", "An access log needs a second bucket and costs by request; data events of CloudTrail say more where they are wanted."}
	noVersions  = accepted{"CKV_AWS_21", "versioned: true turns it on. Tables have their own snapshots, and versions would keep what was deleted for good."}
	noDeadCalls = accepted{"CKV_AWS_116", "Nothing calls it asynchronously: the queue has a dead-letter queue, and the state machine sees errors."}
	noReserved  = accepted{"CKV_AWS_115", "Accounts have little concurrency to reserve; the mapping of the queue and the lock of the lake bound it."}
	noVPC       = accepted{"CKV_AWS_117", "It talks to services of AWS alone; in a VPC that takes a NAT gateway, which costs more than all else here."}
	noEnvKey    = accepted{"CKV_AWS_173", "The variables are names of places and no secrets; own_key: true encrypts them with an own key."}
	noLogKey    = accepted{"CKV_AWS_158", "CloudWatch encrypts logs anyway, and these hold no values of rows; own_key: true does it with an own key."}
	noJobKey    = accepted{"CKV_AWS_195", "The bucket encrypts what the job writes; own_key: true adds an own key for it and its logs."}
	noCrawlKey  = accepted{"CKV_AWS_195", "It writes names of tables and a log; own_key: true adds an own key for that."}
	noDiskKey   = accepted{"CKV_AWS_187", "SageMaker encrypts its disk with a key of AWS, and no table has to be kept there; own_key: true takes an own key."}
	noOwnRole   = accepted{"CKV2_AWS_68", "Its role is one that was there before, and has the rights that its owner has given it."}
	noQueueKey  = accepted{"CKV_AWS_27", "SQS encrypts it with its own key (SSE-SQS): the AWS-managed key of KMS admits no EventBridge. own_key: true takes an own key."}
	noTopicKey  = accepted{"CKV_AWS_26", "Reports hold no values of rows, and the AWS-managed key admits no alarms. own_key: true takes an own key."}
)

// accepted is a check that a resource does not pass, and why.
type accepted struct{ id, reason string }

// accept notes what a resource does not pass.
func accept(res cfn.Resource, list ...accepted) cfn.Resource {
	var skip cfn.List
	for _, a := range list {
		skip = append(skip, cfn.Map{"id": a.id, "comment": a.reason})
	}
	if len(skip) > 0 {
		res.Metadata = cfn.Map{"checkov": cfn.Map{"skip": skip}}
	}
	return res
}

// unkeyed is what a resource does not pass where no key is set.
func (r *renderer) unkeyed(a accepted) []accepted {
	if r.key() != nil {
		return nil
	}
	return []accepted{a}
}

// ownTexts marks the resources with texts of people in which a name of the template stands as ${NAME}. CloudFormation fills in nothing
// there, and cfn-lint takes it for a forgotten Fn::Sub.
func (r *renderer) ownTexts() {
	for i, res := range r.t.Resources {
		if res.Type == "AWS::StepFunctions::StateMachine" || !r.named(res.Properties) {
			continue
		}
		metadata := cfn.Map{"cfn-lint": cfn.Map{"config": cfn.Map{"ignore_checks": cfn.List{"E1029"}}}}
		maps.Copy(metadata, res.Metadata)
		r.t.Resources[i].Metadata = metadata
		r.t.Resources[i].Comment = strings.TrimSpace(res.Comment + "\nE1029 of cfn-lint: ${…} belongs to the text, and CloudFormation leaves it alone.")
	}
}

var filled = regexp.MustCompile(`\$\{([A-Za-z0-9:]+)[^}]*\}`)

// named reports whether a plain text among the values has a name of the template in it, written as for Fn::Sub.
func (r *renderer) named(v any) bool {
	switch v := v.(type) {
	case string:
		return slices.ContainsFunc(filled.FindAllStringSubmatch(v, -1), func(m []string) bool {
			return strings.HasPrefix(m[1], "AWS::") || m[1] == ArtefactBucket || m[1] == ArtefactKey || r.t.Has(m[1])
		})
	case cfn.Map:
		for _, item := range v {
			if r.named(item) {
				return true
			}
		}
	case cfn.List:
		return slices.ContainsFunc(v, r.named)
	}
	return false
}
