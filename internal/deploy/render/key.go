package render

import (
	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
)

// key is the ARN of the key that encrypts, or nil where the services' own do.
func (r *renderer) key() any {
	switch {
	case r.KMSKey != "":
		return r.KMSKey
	case r.Settings.OwnKey:
		return cfn.GetAtt("Key.Arn")
	}
	return nil
}

// ownKey is the stack's own key. Whoever the account's policies let may use it; services only for what this stack has.
func (r *renderer) ownKey() {
	if r.KMSKey != "" || !r.Settings.OwnKey {
		return
	}
	r.t.Add(kept(cfn.Resource{ID: "Key", Type: "AWS::KMS::Key",
		Comment: "Without this key nothing in the bucket can be read, so it stays when the stack goes.",
		Properties: cfn.Map{
			"Description":       "The lake " + r.Lake + about(r.Target),
			"EnableKeyRotation": true,
			"KeyPolicy":         policy(append([]cfn.Map{account()}, KeyStatements(r.n)...)...),
			"Tags":              r.tags(),
		}}))
	r.t.Add(kept(cfn.Resource{ID: "KeyAlias", Type: "AWS::KMS::Alias", Properties: cfn.Map{"AliasName": "alias/tarn/" + r.n.Base, "TargetKeyId": cfn.Ref("Key")}}))
}

// account lets the account's own policies decide.
func account() cfn.Map {
	return cfn.Map{"Sid": "ByPoliciesOfTheAccount", "Effect": "Allow", "Principal": cfn.Map{"AWS": cfn.Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")}, "Action": "kms:*", "Resource": "*"}
}

// KeyStatements are what the policy of a key has to allow services for the stack; a key that was there before needs them too.
func KeyStatements(n deploy.Names) []cfn.Map {
	use := []string{"kms:Decrypt", "kms:GenerateDataKey*"}
	from := func(sid, service string, actions []string, operator, key string, arns ...any) cfn.Map {
		return cfn.Map{"Sid": sid, "Effect": "Allow", "Principal": cfn.Map{"Service": service}, "Action": actions, "Resource": "*",
			"Condition": cfn.Map{operator: cfn.Map{key: cfn.List(arns)}, "StringEquals": cfn.Map{"aws:SourceAccount": cfn.Ref("AWS::AccountId")}}}
	}
	logs := cfn.Map{"Sid": "Logs", "Effect": "Allow", "Principal": cfn.Map{"Service": cfn.Sub("logs.${AWS::Region}.${AWS::URLSuffix}")},
		"Action": []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"}, "Resource": "*",
		"Condition": cfn.Map{"ArnLike": cfn.Map{"kms:EncryptionContext:aws:logs:arn": cfn.List{
			cfn.Sub(deploy.ARN("logs", "log-group:"+n.FunctionLogs)), cfn.Sub(deploy.ARN("logs", "log-group:"+n.MachineLogs)), cfn.Sub(deploy.ARN("logs", "log-group:"+n.JobLogs+"*"))}}}}
	return []cfn.Map{
		from("EventsIntoTheQueue", "events.amazonaws.com", use, "ArnLike", "aws:SourceArn", cfn.Sub(deploy.ARN("events", "rule/"+n.Rule+"*"))),
		from("AlarmsIntoTheTopic", "cloudwatch.amazonaws.com", use, "ArnLike", "aws:SourceArn", cfn.Sub(deploy.ARN("cloudwatch", "alarm:"+n.Base+"-*"))),
		logs,
	}
}
