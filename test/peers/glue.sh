#!/bin/sh
# Starts the stand-in for AWS Glue, lets PyIceberg and boto3 work on it, with an argument "spark" Spark as well, and stops it.
# Usage: test/peers/glue.sh [spark]   (installs what it needs in $TARN_PEERS, by default under the temporary folder)
set -eu
cd "$(dirname "$0")/../.."
peers=${TARN_PEERS:-${TMPDIR:-/tmp}/tarn-peers}
work=$(mktemp -d)
go build -o "$work/glue" ./internal/catalog/glue/gluetest/cmd
python=${TARN_READERS_PYTHON:-$peers/readers/bin/python}
if ! "$python" -c 'import pyiceberg' 2>/dev/null; then
	python3 -m venv "$peers/readers"
	"$peers/readers/bin/pip" install -q --disable-pip-version-check --requirement test/readers/requirements.txt
	python=$peers/readers/bin/python
fi
"$work/glue" >"$work/address" &
server=$!
trap 'kill $server; rm -rf "$work"' EXIT
until [ -s "$work/address" ]; do sleep 0.1; done
AWS_ENDPOINT_URL_GLUE=$(cat "$work/address")
export AWS_ENDPOINT_URL_GLUE AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
mkdir "$work/warehouse"
"$python" test/peers/glue_pyiceberg.py "$work/warehouse"
[ "${1-}" = spark ] || exit 0
test/peers/spark.sh install
export $(test/peers/spark.sh env)
PYSPARK_PYTHON="$TARN_SPARK_PYTHON" "$TARN_SPARK_PYTHON" test/peers/glue_spark.py "$work/warehouse" "$TARN_SPARK_JARS/1.7.1" 2>"$work/spark.log" || { tail -40 "$work/spark.log"; exit 1; }
