#!/usr/bin/env bash
# Spark 3.5.4, that of AWS Glue 5.0, with the Iceberg libraries of Glue 5.0 (1.7.1), Glue 5.1 (1.10.0) and Athena (1.4.2).
#
#   test/peers/spark.sh install   put it into $TARN_PEERS (by default under the temporary folder): 0.7 GB
#   test/peers/spark.sh env       print the variables that the tests go by
#   test/peers/spark.sh           run every test that needs it: the cases of docs/conformance.md, the classic project, models
#                                 on Spark, and Spark reading a lake in S3 and Glue (stand-ins)
#   test/peers/spark.sh update    write docs/conformance.md anew
#
# Needs Java 17 and Python 3.
set -euo pipefail
cd "$(dirname "$0")/../.."
. test/peers/download.sh
peers=${TARN_PEERS:-${TMPDIR:-/tmp}/tarn-peers}

install() {
	if ! "$peers/spark/bin/python" -c 'import pyspark, pyarrow, boto3; assert pyspark.__version__ == "3.5.4"' 2>/dev/null; then
		python3 -m venv "$peers/spark"
		"$peers/spark/bin/pip" install --quiet --disable-pip-version-check --requirement test/peers/spark.txt
	fi
	local version
	for version in 1.4.2 1.7.1 1.10.0; do
		jar "$version" iceberg-spark-runtime-3.5_2.12 "$version"
		# Of 1.4.2 there is no bundle of the AWS clients.
		jar "$version" iceberg-aws-bundle "${version/1.4.2/1.4.3}"
	done
}

jar() {
	local to=$peers/iceberg/$1/$2-$3.jar
	[ -f "$to" ] && return
	mkdir -p "$(dirname "$to")"
	download "$to" "https://repo1.maven.org/maven2/org/apache/iceberg/$2/$3/$2-$3.jar"
}

variables() {
	echo "TARN_SPARK_PYTHON=$peers/spark/bin/python"
	echo "TARN_SPARK_JARS=$peers/iceberg"
}

case "${1-}" in
install) install ;;
env) variables ;;
update)
	install
	export $(variables)
	go test -count=1 ./internal/conformance -update
	;;
"")
	install
	if ! "$peers/readers/bin/python" -c 'import pyiceberg' 2>/dev/null; then
		python3 -m venv "$peers/readers"
		"$peers/readers/bin/pip" install --quiet --requirement test/readers/requirements.txt
	fi
	export $(variables) TARN_READERS_PYTHON="$peers/readers/bin/python"
	go test -count=1 -v ./internal/conformance
	go test -count=1 -v -run Spark ./internal/engine/... ./internal/run ./test/readers
	;;
*)
	sed -n '2,10p' "$0"
	exit 2
	;;
esac
