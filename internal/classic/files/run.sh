#!/bin/sh
# Runs the Glue jobs one after another, each after those whose tables it reads. Needs the AWS CLI.
set -eu

run() {
	echo "$1"
	id=$(aws glue start-job-run --job-name="$1" --query JobRunId --output text)
	while :; do
		state=$(aws glue get-job-run --job-name="$1" --run-id "$id" --query JobRun.JobRunState --output text)
		case $state in
		SUCCEEDED) return ;;
		FAILED | ERROR | TIMEOUT | STOPPED | EXPIRED) echo "$1: run $id has $state" >&2; exit 1 ;;
		esac
		sleep 10
	done
}

@JOBS@
