#!/bin/sh
# Brings what Spark needs for Iceberg tables on disk and in buckets into a folder, in the version that AWS Glue 5.0 has.
# Usage: test/peers/spark_jars.sh FOLDER
set -eu
[ -d "$1" ] && exit 0
mkdir -p "$1.new"
for jar in iceberg-spark-runtime-3.5_2.12 iceberg-aws-bundle; do
	curl -sSf -o "$1.new/$jar.jar" "https://repo1.maven.org/maven2/org/apache/iceberg/$jar/1.7.1/$jar-1.7.1.jar"
done
mv "$1.new" "$1"
