package render

import (
	"tarn/internal/deploy/cfn"
	"tarn/internal/lambda/task"
)

// alarms are on what somebody has to look at. The numbers are those that services count anyway, and one of the function.
func (r *renderer) alarms() {
	if !r.Settings.Alarms {
		return
	}
	alarm := func(id, name, text string, more cfn.Map) {
		props := cfn.Map{"AlarmName": r.n.Base + "-" + name, "AlarmDescription": text, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 0,
			"EvaluationPeriods": 1, "TreatMissingData": "notBreaching", "AlarmActions": cfn.List{cfn.Ref("Topic")}, "Tags": r.tags()}
		for k, v := range more {
			props[k] = v
		}
		r.t.Add(cfn.Resource{ID: id, Type: "AWS::CloudWatch::Alarm", Properties: props})
	}
	states := func(id, metric string) cfn.Map {
		return cfn.Map{"Id": id, "ReturnData": false, "MetricStat": cfn.Map{"Stat": "Sum", "Period": 300, "Metric": cfn.Map{"Namespace": "AWS/States", "MetricName": metric,
			"Dimensions": cfn.List{cfn.Map{"Name": "StateMachineArn", "Value": cfn.Ref("StateMachine")}}}}}
	}
	alarm("RunFailed", "run-failed", "A run has failed: readers still have the tables of the last good one. tarn deploy logs says why.", cfn.Map{"Metrics": cfn.List{
		states("failed", "ExecutionsFailed"), states("late", "ExecutionsTimedOut"),
		cfn.Map{"Id": "either", "Expression": "FILL(failed, 0) + FILL(late, 0)", "Label": "runs that failed", "ReturnData": true}}})
	queue := func(metric, name string) cfn.Map {
		return cfn.Map{"Namespace": "AWS/SQS", "MetricName": metric, "Statistic": "Maximum", "Period": 300, "Dimensions": cfn.List{cfn.Map{"Name": "QueueName", "Value": cfn.GetAtt(name + ".QueueName")}}}
	}
	if !r.Settings.Events.Off {
		old := queue("ApproximateAgeOfOldestMessage", "Queue")
		old["Threshold"] = 3600
		alarm("EventsWait", "events-wait", "News of a file has waited for an hour: the function takes nothing in. Its log says why.", old)
		alarm("EventsDead", "dead-letters", "A message could not be read and lies in the dead-letter queue.", queue("ApproximateNumberOfMessagesVisible", "DeadLetters"))
	}
	alarm("QuarantineGrows", "quarantine-grows", "A run has put rows aside that could not be read or failed a check: tarn quarantine shows them.",
		cfn.Map{"Namespace": task.Namespace, "MetricName": task.RowsQuarantined, "Statistic": "Sum", "Period": 300, "Dimensions": cfn.List{
			cfn.Map{"Name": task.LakeDimension, "Value": r.Lake}, cfn.Map{"Name": task.TargetDimension, "Value": r.Target}}})
}
