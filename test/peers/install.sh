# Installs what the peers need, once, in $TARN_PEERS, by default under the temporary folder. To be sourced by the scripts here.
peers=${TARN_PEERS:-${TMPDIR:-/tmp}/tarn-peers}

# install_spark names a Python with PySpark in $spark, and makes $peers/spark-jars. TARN_SPARK_PYTHON can name another Python.
install_spark() {
	spark=${TARN_SPARK_PYTHON:-$peers/spark/bin/python}
	if ! "$spark" -c 'import pyspark' 2>/dev/null; then
		python3 -m venv "$peers/spark"
		"$peers/spark/bin/pip" install -q pyspark==3.5.4
		spark=$peers/spark/bin/python
	fi
	if ! [ -d "$peers/spark-jars" ]; then
		mkdir -p "$peers/spark-jars.new"
		for jar in iceberg-spark-runtime-3.5_2.12 iceberg-aws-bundle; do
			curl -sSf -o "$peers/spark-jars.new/$jar.jar" "https://repo1.maven.org/maven2/org/apache/iceberg/$jar/1.7.1/$jar-1.7.1.jar"
		done
		mv "$peers/spark-jars.new" "$peers/spark-jars"
	fi
}
