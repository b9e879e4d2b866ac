package render

import (
	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
)

// reports is the topic of failed runs and alarms.
func (r *renderer) reports() {
	props := cfn.Map{"TopicName": r.n.Topic, "DisplayName": cut("tarn "+r.n.Base, 100), "KmsMasterKeyId": r.key(), "Tags": r.tags()}
	arn := cfn.Ref("Topic")
	r.t.Add(accept(cfn.Resource{ID: "Topic", Type: "AWS::SNS::Topic", Comment: "Reports of failed runs, and alarms. Whoever wants them subscribes.", Properties: props}, r.unkeyed(noTopicKey)...),
		cfn.Resource{ID: "TopicPolicy", Type: "AWS::SNS::TopicPolicy", Properties: cfn.Map{
			"Topics": cfn.List{arn},
			"PolicyDocument": policy(
				cfn.Map{"Sid": "Alarms", "Effect": "Allow", "Principal": cfn.Map{"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish", "Resource": arn,
					"Condition": cfn.Map{"ArnLike": cfn.Map{"aws:SourceArn": cfn.Sub(deploy.ARN("cloudwatch", "alarm:"+r.n.Base+"-*"))}, "StringEquals": cfn.Map{"aws:SourceAccount": cfn.Ref("AWS::AccountId")}}},
				overTLS("sns:Publish", arn)),
		}})
	if email := r.Settings.Events.Email; email != "" {
		r.t.Add(cfn.Resource{ID: "Mail", Type: "AWS::SNS::Subscription", Properties: cfn.Map{"TopicArn": arn, "Protocol": "email", "Endpoint": email}})
	}
}
