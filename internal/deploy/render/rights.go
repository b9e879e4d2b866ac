package render

import (
	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
)

// rights is the policy of an actor.
func (r *renderer) rights(name string) cfn.Map {
	allow := func(resources cfn.List, actions ...string) cfn.Map {
		return cfn.Map{"Effect": "Allow", "Action": actions, "Resource": resources}
	}
	lake := deploy.Place{Bucket: r.Warehouse.Bucket, Prefix: r.Warehouse.Prefix + r.Database + "/"}
	tables := cfn.List{cfn.Sub(deploy.ARN("glue", "catalog")), cfn.Sub(deploy.ARN("glue", "database/"+r.Database)), cfn.Sub(deploy.ARN("glue", "table/"+r.Database+"/*"))}
	write := []string{"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"}
	switch name {
	case "runner":
		out := []cfn.Map{
			allow(cfn.List{arnOf(lake.Bucket, lake.Prefix+"*")}, write...),
			allow(cfn.List{arnOf(lake.Bucket, "")}, "s3:ListBucket"),
			allow(tables, "glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:CreateTable", "glue:UpdateTable", "glue:DeleteTable", "glue:GetPartitions", "glue:BatchCreatePartition"),
			allow(cfn.List{cfn.Sub(r.n.StateMachineARN())}, "states:StartExecution"),
			allow(cfn.List{cfn.Sub(r.n.ExecutionsARN())}, "states:DescribeExecution"),
			allow(cfn.List{cfn.GetAtt("FunctionLogs.Arn")}, "logs:CreateLogStream", "logs:PutLogEvents"),
		}
		for _, l := range r.Landing {
			out = append(out, allow(cfn.List{arnOf(l.At.Bucket, l.At.Prefix+"*")}, "s3:GetObject"))
		}
		if !r.Settings.Events.Off {
			out = append(out, allow(cfn.List{cfn.GetAtt("Queue.Arn")}, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"))
		}
		return policy(out...)
	case "job":
		return policy(allow(cfn.List{arnOf(lake.Bucket, lake.Prefix+"*")}, write...), allow(cfn.List{arnOf(lake.Bucket, "")}, "s3:ListBucket"))
	case "pipeline":
		return policy(allow(cfn.List{cfn.Sub(r.n.FunctionARN())}, "lambda:InvokeFunction"), allow(cfn.List{cfn.Sub(r.n.StateMachineARN())}, "states:StartExecution"),
			allow(cfn.List{cfn.Ref("Topic")}, "sns:Publish"))
	case "operator":
		return policy(allow(cfn.List{cfn.Sub(r.n.StateMachineARN())}, "states:StartExecution", "states:ListExecutions"))
	}
	return policy(allow(tables, "glue:GetDatabase", "glue:GetTable", "glue:GetTables"))
}
