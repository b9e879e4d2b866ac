#!/bin/sh
# Makes the tables and the Glue jobs. Needs the AWS CLI, and:
#   BUCKET  a bucket for the tables, the scripts and Athena's results
#   ROLE    the ARN of a role that Glue may take, with rights on the bucket and on the landing zone
set -eu
cd "$(dirname "$0")"
: "${BUCKET:?the name of a bucket}" "${ROLE:?the ARN of a role for Glue}"

athena() {
	id=$(aws athena start-query-execution --query-string="$1" --result-configuration "OutputLocation=s3://$BUCKET/athena/" --query QueryExecutionId --output text)
	while :; do
		state=$(aws athena get-query-execution --query-execution-id "$id" --query QueryExecution.Status.State --output text)
		case $state in
		SUCCEEDED) return ;;
		FAILED | CANCELLED) echo "Athena: query $id has $state" >&2; exit 1 ;;
		esac
		sleep 1
	done
}

# The tables of the Data Catalog.
athena @DATABASE@
for file in @DDL@; do
	athena "$(sed "s|s3://BUCKET/|s3://$BUCKET/|" "$file")"
done

# The scripts, and a job for each.
aws s3 cp jobs/ "s3://$BUCKET/jobs/" --recursive --exclude '*' --include '*.py'
job() {
	aws glue delete-job --job-name="$1" >/dev/null # one that is not there is no error
	aws glue create-job --name="$1" --description="$2" --role "$ROLE" --glue-version 5.0 --worker-type G.1X --number-of-workers 2 \
		--command "Name=glueetl,PythonVersion=3,ScriptLocation=s3://$BUCKET/jobs/$3" --default-arguments "$4"
}
@JOBS@
