package render

import (
	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
	"tarn/internal/rights"
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
			"KeyPolicy":         document(rights.Policy{Version: "2012-10-17", Statement: append([]rights.Statement{account()}, KeyStatements(r.n)...)}),
			"Tags":              r.tags(),
		}}))
	r.t.Add(kept(cfn.Resource{ID: "KeyAlias", Type: "AWS::KMS::Alias", Properties: cfn.Map{"AliasName": "alias/tarn/" + r.n.Base, "TargetKeyId": cfn.Ref("Key")}}))
}

// account lets the account's own policies decide.
func account() rights.Statement {
	return rights.Statement{Sid: "ByPoliciesOfTheAccount", Effect: rights.Allow, Principal: map[string]rights.List{"AWS": {"arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}},
		Action: rights.List{"kms:*"}, Resource: rights.List{"*"}}
}

// KeyStatements are what the policy of a key has to allow services for the stack; a key that was there before needs them too.
func KeyStatements(n deploy.Names) []rights.Statement {
	allow := func(sid, service string, actions rights.List, conditions map[string]map[string]rights.List) rights.Statement {
		return rights.Statement{Sid: sid, Effect: rights.Allow, Principal: map[string]rights.List{"Service": {service}}, Action: actions, Resource: rights.List{"*"}, Condition: conditions}
	}
	from := func(source string) map[string]map[string]rights.List {
		return map[string]map[string]rights.List{"ArnLike": {"aws:SourceArn": {source}}, "StringEquals": {"aws:SourceAccount": {"${AWS::AccountId}"}}}
	}
	use := rights.List{"kms:Decrypt", "kms:GenerateDataKey*"}
	logs := map[string]map[string]rights.List{"ArnLike": {"kms:EncryptionContext:aws:logs:arn": {
		deploy.ARN("logs", "log-group:"+n.FunctionLogs), deploy.ARN("logs", "log-group:"+n.MachineLogs), deploy.ARN("logs", "log-group:"+n.JobLogs+"*"),
		deploy.ARN("logs", "log-group:/aws-glue/crawlers*")}}}
	return []rights.Statement{
		allow("EventsIntoTheQueue", "events.amazonaws.com", use, from(deploy.ARN("events", "rule/"+n.Rule+"*"))),
		allow("AlarmsIntoTheTopic", "cloudwatch.amazonaws.com", use, from(deploy.ARN("cloudwatch", "alarm:"+n.Base+"-*"))),
		// What a log group may be encrypted with, CloudWatch tells by the group's ARN (Amazon CloudWatch Logs User Guide, "Encrypt log data").
		allow("Logs", "logs.${AWS::Region}.${AWS::URLSuffix}", rights.List{"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"}, logs),
	}
}
