#!/bin/sh
# Runs the cases of docs/conformance.md on DuckDB and on real Spark, the jobs of `tarn compile --as glue` on the real STEDI files, and whole
# lakes with Spark as their engine: on this disk, and on stand-ins for S3, Glue and EMR Serverless.
# Usage: test/peers/spark.sh [-update]   (needs Java 17; installs Spark in $TARN_PEERS, by default under the temporary folder;
# -update writes docs/conformance.md anew)
set -eu
cd "$(dirname "$0")/../.."
peers=${TARN_PEERS:-${TMPDIR:-/tmp}/tarn-peers}
if ! "$peers/pyspark/bin/python" -c 'import pyspark' 2>/dev/null; then
	python3 -m venv "$peers/pyspark"
	"$peers/pyspark/bin/pip" install --quiet --disable-pip-version-check --requirement test/peers/spark.txt
fi
TARN_SPARK_PYTHON="$peers/pyspark/bin/python"
TARN_SPARK_JARS="$peers/spark-jars"
export TARN_SPARK_PYTHON TARN_SPARK_JARS
test/peers/spark_jars.sh "$TARN_SPARK_JARS"
go test ./internal/conformance -count=1 -v "$@"
go test ./internal/run -run Spark -count=1 -v
