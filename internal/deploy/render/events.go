package render

import (
	"fmt"
	"time"

	"tarn/internal/deploy"
	"tarn/internal/deploy/cfn"
	"tarn/internal/deployconf"
)

const (
	attempts    = 5
	twoWeeks    = 14 * 24 * 3600
	mostPattern = 1500 // of the 2,048 characters of an event pattern, for keys
)

// events brings news of files into the function: rule, queue, and the mapping that reads the queue.
func (r *renderer) events() {
	r.schedule()
	if r.Settings.Events.Off {
		return
	}
	r.queues()
	n := 0
	for _, bucket := range r.Buckets() {
		for _, places := range portions(r.Arrivals(bucket)) {
			n++
			r.rule(n, bucket, places)
		}
	}
	r.t.Add(cfn.Resource{ID: "QueueToFunction", Type: "AWS::Lambda::EventSourceMapping",
		Comment: "A hundred files that land together make a few calls of the function. Messages that it could not take in come again, alone.",
		Properties: cfn.Map{
			"EventSourceArn":                 cfn.GetAtt("Queue.Arn"),
			"FunctionName":                   cfn.Ref("Function"),
			"BatchSize":                      deployconf.QueueBatch,
			"MaximumBatchingWindowInSeconds": int(deployconf.QueueWindow.Seconds()),
			"FunctionResponseTypes":          cfn.List{"ReportBatchItemFailures"},
			"ScalingConfig":                  cfn.Map{"MaximumConcurrency": 2},
			"Tags":                           r.tags(),
		}})
}

// portions cuts places into what fits into one rule each.
func portions(places []deploy.Place) [][]deploy.Place {
	var out [][]deploy.Place
	size := mostPattern
	for _, p := range places {
		length := len(p.Prefix) + len(`{"prefix":""},`)
		if size+length > mostPattern {
			out, size = append(out, nil), 0
		}
		out[len(out)-1] = append(out[len(out)-1], p)
		size += length
	}
	return out
}

// rule matches the landing places alone: what runs write raises events too.
func (r *renderer) rule(n int, bucket string, places []deploy.Place) {
	var keys cfn.List
	for _, p := range places {
		keys = append(keys, cfn.Map{"prefix": p.Prefix})
	}
	detail := cfn.Map{"bucket": cfn.Map{"name": cfn.List{bucket}}}
	if len(places) > 1 || places[0].Prefix != "" {
		detail["object"] = cfn.Map{"key": keys}
	}
	id, name := "Rule", r.n.Rule
	if n > 1 {
		id, name = fmt.Sprintf("Rule%d", n), fmt.Sprintf("%s-%d", r.n.Rule, n)
	}
	r.t.Add(cfn.Resource{ID: id, Type: "AWS::Events::Rule", Properties: cfn.Map{
		"Name":         name,
		"Description":  "New files of the lake " + r.Lake + about(r.Target),
		"State":        "ENABLED",
		"EventPattern": cfn.Map{"source": cfn.List{"aws.s3"}, "detail-type": cfn.List{"Object Created"}, "detail": detail},
		"Targets": cfn.List{cfn.Map{"Id": "queue", "Arn": cfn.GetAtt("Queue.Arn"),
			"DeadLetterConfig": cfn.Map{"Arn": cfn.GetAtt("DeadLetters.Arn")}}},
		"Tags": r.tags(),
	}})
}

// queues are the queue of what has landed, and that of messages which nobody could read.
func (r *renderer) queues() {
	encrypted := func(props cfn.Map) cfn.Map {
		if key := r.key(); key != nil {
			props["KmsMasterKeyId"] = key
			props["KmsDataKeyReusePeriodSeconds"] = 3600
		} else {
			props["SqsManagedSseEnabled"] = true
		}
		props["Tags"] = r.tags()
		return props
	}
	// Less than the function's time SQS does not take here; the longer it is, the later a message comes again.
	visibility := int((r.Settings.Function.Timeout + deployconf.QueueWindow + time.Minute).Seconds())
	r.t.Add(
		accept(passing(cfn.Resource{ID: "Queue", Type: "AWS::SQS::Queue", Properties: encrypted(cfn.Map{
			"QueueName": r.n.Queue, "VisibilityTimeout": visibility, "MessageRetentionPeriod": twoWeeks,
			"RedrivePolicy": cfn.Map{"deadLetterTargetArn": cfn.GetAtt("DeadLetters.Arn"), "maxReceiveCount": attempts},
		})}), r.unkeyed(noQueueKey)...),
		accept(passing(cfn.Resource{ID: "DeadLetters", Type: "AWS::SQS::Queue", Comment: "Messages that could not be read. Files are not lost by it: a listing finds them.",
			Properties: encrypted(cfn.Map{"QueueName": r.n.DeadLetters, "MessageRetentionPeriod": twoWeeks})}), r.unkeyed(noQueueKey)...),
		r.queuePolicy("Queue"), r.queuePolicy("DeadLetters"),
	)
}

// queuePolicy lets the rules of this stack in, and nobody unencrypted.
func (r *renderer) queuePolicy(queue string) cfn.Resource {
	arn := cfn.GetAtt(queue + ".Arn")
	return cfn.Resource{ID: queue + "Policy", Type: "AWS::SQS::QueuePolicy", Properties: cfn.Map{
		"Queues": cfn.List{cfn.Ref(queue)},
		"PolicyDocument": policy(
			cfn.Map{"Sid": "EventsOfLandedFiles", "Effect": "Allow", "Principal": cfn.Map{"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
				"Condition": cfn.Map{"ArnLike": cfn.Map{"aws:SourceArn": cfn.Sub(deploy.ARN("events", "rule/"+r.n.Rule+"*"))}}},
			overTLS("sqs:*", arn)),
	}}
}

// schedule starts a run that catches up and cleans up.
func (r *renderer) schedule() {
	when := r.Settings.Events.Schedule
	if when == "" {
		return
	}
	target := cfn.Map{"Arn": cfn.Ref("StateMachine"), "RoleArn": r.role("pipeline"), "Input": `{"reason": "schedule"}`}
	if !r.Settings.Events.Off {
		target["DeadLetterConfig"] = cfn.Map{"Arn": cfn.GetAtt("DeadLetters.Arn")}
	}
	r.t.Add(cfn.Resource{ID: "Schedule", Type: "AWS::Scheduler::Schedule",
		Comment: "Catches up with files whose events were lost, finishes what was left half done, and removes what nobody needs.",
		Properties: cfn.Map{
			"Name":               r.n.Schedule,
			"Description":        "Catch-up run of the lake " + r.Lake + about(r.Target),
			"ScheduleExpression": when,
			"FlexibleTimeWindow": cfn.Map{"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
			"State":              "ENABLED",
			"Target":             target,
		}})
}
