"""Tells what an account has made of a stack, asked service by service and not CloudFormation: moto calls a stack complete whose parts it has
passed over. Prints JSON: facts by logical name, and the kinds of which nothing was made.

usage: look.py STACK TEMPLATE   (TEMPLATE has a line "LOGICAL TYPE" for each resource)
"""
import base64
import json
import sys

import boto3

stack, template = sys.argv[1], sys.argv[2]
made = {}
for page in boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack):
    for r in page["StackResourceSummaries"]:
        if r.get("LogicalResourceId") and r.get("PhysicalResourceId"):
            made[r["LogicalResourceId"]] = r["PhysicalResourceId"]


def role(name):
    r = boto3.client("iam").get_role(RoleName=name)["Role"]
    return {
        "trusts": [s["Principal"] for s in r["AssumeRolePolicyDocument"]["Statement"]],
        "policies": len(boto3.client("iam").list_role_policies(RoleName=name)["PolicyNames"]),
        "arn": r["Arn"],
    }


def queue(url):
    sqs = boto3.client("sqs")
    a = sqs.get_queue_attributes(QueueUrl=sqs.get_queue_url(QueueName=url.split("/")[-1])["QueueUrl"], AttributeNames=["All"])["Attributes"]
    return {k: a.get(k) for k in ("VisibilityTimeout", "MessageRetentionPeriod", "SqsManagedSseEnabled", "RedrivePolicy", "QueueArn", "Policy")}


def rule(name):
    events = boto3.client("events")
    name = name.split("/")[-1]
    r = events.describe_rule(Name=name)
    return {"pattern": json.loads(r["EventPattern"]), "state": r["State"], "targets": [t["Arn"] for t in events.list_targets_by_rule(Rule=name)["Targets"]]}


def function(name):
    c = boto3.client("lambda").get_function_configuration(FunctionName=name)
    return {"variables": c["Environment"]["Variables"], "role": c["Role"], **{k: c.get(k) for k in ("Runtime", "MemorySize", "Timeout", "Architectures", "Handler")}}


def mapping(uuid):
    m = boto3.client("lambda").get_event_source_mapping(UUID=uuid)
    return {k: m.get(k) for k in ("EventSourceArn", "FunctionArn", "BatchSize", "FunctionResponseTypes")}


def machine(arn):
    m = boto3.client("stepfunctions").describe_state_machine(stateMachineArn=arn)
    return {"role": m["roleArn"], "states": sorted(json.loads(m["definition"])["States"])}


def topic(arn):
    return {"arn": boto3.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["TopicArn"]}


def logs(name):
    return {"days": [g.get("retentionInDays") for g in boto3.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"] if g["logGroupName"] == name]}


def bucket(name):
    s3 = boto3.client("s3")
    return {"encryption": s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]}


def notebook(arn):
    n = boto3.client("sagemaker").describe_notebook_instance(NotebookInstanceName=arn.split("/")[-1])
    return {k: n.get(k) for k in ("InstanceType", "RoleArn", "NotebookInstanceLifecycleConfigName")}


def script(arn):
    n = boto3.client("sagemaker").describe_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=arn.split("/")[-1])
    return {"runs": base64.b64decode((n.get("OnStart") or n["OnCreate"])[0]["Content"]).decode()[:2], "name": n["NotebookInstanceLifecycleConfigName"]}


look = {
    "AWS::IAM::Role": role, "AWS::SQS::Queue": queue, "AWS::Events::Rule": rule, "AWS::Lambda::Function": function,
    "AWS::Lambda::EventSourceMapping": mapping, "AWS::StepFunctions::StateMachine": machine, "AWS::SNS::Topic": topic,
    "AWS::Logs::LogGroup": logs, "AWS::S3::Bucket": bucket, "AWS::SageMaker::NotebookInstance": notebook,
    "AWS::SageMaker::NotebookInstanceLifecycleConfig": script,
}
facts, passed_over = {}, set()
for line in open(template):
    logical, kind = line.split()
    if logical in made and kind in look:
        facts[logical] = look[kind](made[logical])
    else:
        passed_over.add(kind)
facts["passed over"] = sorted(passed_over)
json.dump(facts, sys.stdout, indent=1, default=str)
