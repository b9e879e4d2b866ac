"""Asks for each resource of a stack at its own service, and prints its type, its logical name and what was found.

    python each.py STACK

What CloudFormation says of a resource proves nothing: a stand-in for it calls a stack complete without most of it.
"""

import sys

import boto3


def client(name):
    return boto3.client(name)


# How a resource is asked for by what CloudFormation calls it, its physical id. All fail, or give nothing, where it is not there.
ASK = {
    "AWS::S3::Bucket": lambda p: client("s3").get_bucket_encryption(Bucket=p),
    "AWS::Lambda::Function": lambda p: client("lambda").get_function(FunctionName=p),
    "AWS::Lambda::EventSourceMapping": lambda p: client("lambda").get_event_source_mapping(UUID=p),
    "AWS::IAM::Role": lambda p: client("iam").get_role(RoleName=p) and client("iam").list_role_policies(RoleName=p)["PolicyNames"],
    "AWS::SQS::Queue": lambda p: client("sqs").get_queue_attributes(QueueUrl=p),
    "AWS::SNS::Topic": lambda p: client("sns").get_topic_attributes(TopicArn=p),
    "AWS::Events::Rule": lambda p: client("events").list_targets_by_rule(Rule=p)["Targets"],
    "AWS::StepFunctions::StateMachine": lambda p: client("stepfunctions").describe_state_machine(stateMachineArn=p)["definition"],
    "AWS::Logs::LogGroup": lambda p: [g for g in client("logs").describe_log_groups(logGroupNamePrefix=p)["logGroups"] if g["logGroupName"] == p],
}

found = [r for page in client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=sys.argv[1]) for r in page["StackResourceSummaries"]]
for r in found:
    kind = r.get("ResourceType", "")
    ask, answer = ASK.get(kind), "unasked"
    if ask:
        try:
            answer = "yes" if ask(r.get("PhysicalResourceId", "")) else "no"
        except Exception as e:  # noqa: BLE001 - a stand-in that breaks has not got it either
            answer = f"no: {e}"
    print(kind, r["LogicalResourceId"], answer, sep="\t")
