"""Spark at work on the tables of a lake, between tarn's runs: compaction and expiry, which are welcome, and deleted rows,
which are told, held and taken back.

Usage: maintenance_spark.py TARN LAKE JARS, a program, a folder to make and a folder with iceberg-spark-runtime and
iceberg-aws-bundle. Needs pyspark 3.5 and Java 17, and the environment of an S3 server with a bucket lake and of Glue. See
maintenance.sh.
"""

import json
import os
import subprocess
import sys

from pyspark.sql import SparkSession

tarn, lake, jars = sys.argv[1:]


def call(*args, code=0, target="aws"):
    """Calls tarn and gives what it prints."""
    p = subprocess.run([tarn, "-C", lake, *args, *(["--target", target] if target else [])], capture_output=True, text=True)
    assert p.returncode == code, (args, p.returncode, p.stdout, p.stderr)
    return p.stdout + p.stderr


tables = ["customer_landing", "accelerometer_landing", "customer_trusted", "accelerometer_trusted", "step_trainer_trusted", "customers_curated", "machine_learning_curated"]


def rows(target):
    """Counts and sums up all tables."""
    query = " UNION ALL ".join(f"SELECT '{t}' AS t, count(*) AS n, sum(hash(x)::HUGEINT)::VARCHAR AS h FROM {t} x GROUP BY ALL" for t in tables)
    return call("query", "--format", "csv", query + " ORDER BY 1", target=target)


def same(when):
    here, there = rows(None), rows("aws")
    assert here == there, (when, here, there)


subprocess.run([tarn, "init", lake], check=True, capture_output=True)
config = open(os.path.join(lake, "tarn.yaml")).read()
head = config[:config.index("targets:")]
open(os.path.join(lake, "tarn.yaml"), "w").write(head + 'targets:\n  aws: {warehouse: s3://lake/warehouse/, catalog: glue, database: stedi_dev, locations: {"s3://stedi-lake/": data/}}\n')
subprocess.run([tarn, "sample", os.path.join(lake, "data"), "--people", "40", "--days", "1"], check=True, capture_output=True)
call("run", target=None)
call("run")
first = json.loads(call("runs", "--json"))["runs"][0]["run"]
call("run", "--full-refresh")
same("before anything")

builder = SparkSession.builder.master("local[1]")
for key, value in {
    "spark.jars": ",".join(os.path.join(jars, f) for f in sorted(os.listdir(jars))),
    "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.ui.enabled": "false", "spark.driver.memory": "900m",
    # The second compiler of some builds of Java 17 ends the program here.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ErrorFile=" + os.path.join(lake, "jvm.log"),
    "spark.sql.shuffle.partitions": "1", "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    "spark.sql.catalog.g": "org.apache.iceberg.spark.SparkCatalog", "spark.sql.catalog.g.catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
    "spark.sql.catalog.g.io-impl": "org.apache.iceberg.aws.s3.S3FileIO", "spark.sql.catalog.g.warehouse": "s3://lake/spark",
    "spark.sql.catalog.g.glue.endpoint": os.environ["AWS_ENDPOINT_URL_GLUE"], "spark.sql.catalog.g.client.region": os.environ["AWS_REGION"],
    "spark.sql.catalog.g.s3.endpoint": os.environ["AWS_ENDPOINT_URL"], "spark.sql.catalog.g.s3.path-style-access": "true",
    "spark.sql.catalog.g.s3.access-key-id": os.environ["AWS_ACCESS_KEY_ID"], "spark.sql.catalog.g.s3.secret-access-key": os.environ["AWS_SECRET_ACCESS_KEY"],
    # Iceberg 1.7.1's vectorized reader ends this JVM, also on Spark's own files.
    "spark.sql.catalog.g.cache-enabled": "false", "spark.sql.iceberg.vectorization.enabled": "false",
}.items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")


def sql(text):
    return spark.sql(text).collect()


# Compaction changes nothing for tarn, also of the rows of landing tables.
rewritten = [*tables[2:], "customer_landing__rows", "accelerometer_landing__rows", "tarn__files", "tarn__runs"]
for t in rewritten:
    done = sql(f"call g.system.rewrite_data_files(table => 'stedi_dev.{t}', options => map('rewrite-all','true'))")
    assert done[0]["added_data_files_count"] > 0, (t, done)
sql("call g.system.rewrite_manifests('stedi_dev.customers_curated')")
out = call("run")
assert "nothing to do but to carry on what other programs have rewritten" in out, out
for t in rewritten:
    assert f"note: {t.removesuffix('__rows')}: spark has rewritten its files" in out, (t, out)
same("after compaction")

# Expiry is told, and what is gone is named.
for t in tables[2:]:
    sql(f"call g.system.expire_snapshots(table => 'stedi_dev.{t}', older_than => timestamp '2099-01-01 00:00:00', retain_last => 1)")
out = call("run")
assert "another program has expired snapshots" in out, out
assert "nothing to do: all 8 tables are up to date" in call("run")
assert "another program has expired it" in call("rollback", first, code=5)
same("after expiry")

# The next files are loaded on top of that.
subprocess.run([tarn, "sample", os.path.join(lake, "data"), "--people", "40", "--days", "1", "--late"], check=True, capture_output=True)
call("run", target=None)
assert "published" in call("run")
same("after more files")
out = call("run")
assert "note:" not in out, out

# Deleted rows are held, by either way to delete, and repaired.
for mode in ["copy-on-write", "merge-on-read"]:
    sql(f"alter table g.stedi_dev.customer_trusted set tblproperties ('write.delete.mode'='{mode}')")
    n = sql("select count(*) from g.stedi_dev.customer_trusted")[0][0]
    sql("delete from g.stedi_dev.customer_trusted where email in (select min(email) from g.stedi_dev.customer_trusted)")
    assert sql("select count(*) from g.stedi_dev.customer_trusted")[0][0] < n
    out = call("run", code=8)
    assert "changed elsewhere: customer_trusted: its rows were changed by spark" in out and "1 table held, 7 up to date" in out, out
    # A job that is given data files would get the deleted rows back.
    out = call("connect", "sagemaker", "customer_trusted", "--training", code=8)
    assert ("by delete files" in out) == (mode == "merge-on-read") and "tarn run" in out, out
    # Compaction of what was deleted does not make it right.
    sql("call g.system.rewrite_data_files(table => 'stedi_dev.customer_trusted', options => map('rewrite-all','true'))")
    call("run", code=8)
    assert "repaired: customer_trusted" in call("run", "customer_trusted", "--full-refresh")
    call("run")
    same("after a repair of " + mode)
    assert sql("select count(*) from g.stedi_dev.customer_trusted")[0][0] == n
print("ok: tarn and Spark", spark.version, "share the tables of a lake")
