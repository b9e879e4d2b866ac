"""Spark with Iceberg's GlueCatalog at work on a Glue endpoint (AWS_ENDPOINT_URL_GLUE), and its maintenance on a table that
carries tarn's parameters: they have to stay.

Usage: glue_spark.py WAREHOUSE JARS, a folder and a folder with iceberg-spark-runtime and iceberg-aws-bundle. Needs
pyspark 3.5 and Java 17. See glue.sh.
"""

import json
import os
import sys
import urllib.request

from pyspark.sql import SparkSession

warehouse, jars = sys.argv[1:]
endpoint = os.environ["AWS_ENDPOINT_URL_GLUE"]


def glue(op, **body):
    """One call of Glue, without a client library."""
    request = urllib.request.Request(endpoint, json.dumps(body).encode(), {"X-Amz-Target": "AWSGlue." + op})
    return json.load(urllib.request.urlopen(request))


builder = SparkSession.builder.master("local[1]")
for key, value in {
    "spark.jars": ",".join(os.path.join(jars, f) for f in sorted(os.listdir(jars))),
    "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.ui.enabled": "false", "spark.driver.memory": "900m",
    "spark.sql.shuffle.partitions": "1", "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    "spark.sql.catalog.g": "org.apache.iceberg.spark.SparkCatalog", "spark.sql.catalog.g.catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
    "spark.sql.catalog.g.io-impl": "org.apache.iceberg.hadoop.HadoopFileIO", "spark.sql.catalog.g.warehouse": "file://" + warehouse,
    "spark.sql.catalog.g.glue.endpoint": endpoint, "spark.sql.catalog.g.client.region": "us-east-1",
}.items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")

spark.sql("create namespace g.spark")
spark.sql("create table g.spark.t (id bigint comment 'key', day string) using iceberg partitioned by (day) comment 'about t'")
spark.sql("insert into g.spark.t values (1,'a'),(2,'b')")
spark.sql("insert into g.spark.t values (3,'a'),(4,'b')")
ours = {"tarn.lake": "lake-1", "tarn.table": "t", "tarn.publish": "3"}
table = glue("GetTable", DatabaseName="spark", Name="t")["Table"]
table["Parameters"].update(ours)
glue("UpdateTable", DatabaseName="spark", TableInput=table, VersionId=table["VersionId"], SkipArchive=True)
spark.sql("refresh table g.spark.t")
spark.sql("call g.system.rewrite_data_files(table => 'spark.t', options => map('min-input-files','2'))")
spark.sql("call g.system.expire_snapshots(table => 'spark.t', older_than => timestamp '2099-01-01 00:00:00', retain_last => 1)")
after = glue("GetTable", DatabaseName="spark", Name="t")["Table"]
assert after["Parameters"]["metadata_location"] != table["Parameters"]["metadata_location"]
assert ours.items() <= after["Parameters"].items(), after["Parameters"]
assert spark.sql("select count(*) from g.spark.t").collect()[0][0] == 4
spark.sql("alter table g.spark.t rename to spark.renamed")
# The renamed table carries the old name in tarn.table, by which it is told from the lake's own.
print("renamed:", {k: v for k, v in glue("GetTable", DatabaseName="spark", Name="renamed")["Table"]["Parameters"].items() if k.startswith("tarn.")})
spark.sql("drop table g.spark.renamed")
print("ok: Spark", spark.version, "works on", endpoint)
