#!/bin/sh
# Lets Spark look after the tables of a lake on S3 and Glue, and change some of their rows: what tarn makes of it.
# Usage: test/peers/maintenance.sh   (needs Java 17; installs Spark: see spark.sh)
set -eu
cd "$(dirname "$0")/../.."
test/peers/spark.sh install
export $(test/peers/spark.sh env)
work=$(mktemp -d)
go build -o "$work/tarn" ./cmd/tarn
go build -o "$work/glue" ./internal/catalog/glue/gluetest/cmd
go build -o "$work/s3" ./internal/store/s3/s3test/serve
"$work/glue" >"$work/address" &
servers=$!
"$work/s3" -buckets lake >"$work/env" &
servers="$servers $!"
trap 'kill $servers; rm -rf "$work"' EXIT
until [ -s "$work/address" ] && grep -q METADATA "$work/env"; do sleep 0.1; done
. "$work/env"
AWS_ENDPOINT_URL_GLUE=$(cat "$work/address")
export AWS_ENDPOINT_URL_GLUE
PYSPARK_PYTHON="$TARN_SPARK_PYTHON" "$TARN_SPARK_PYTHON" test/peers/maintenance_spark.py "$work/tarn" "$work/lake" "$TARN_SPARK_JARS/1.7.1" 2>"$work/spark.log" || { grep -v "^[[:space:]]*at " "$work/spark.log" | tail -40; exit 1; }
