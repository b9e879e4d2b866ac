"""Reads every table of a database in Glue with Spark and compares the rows with what tarn says.

usage: spark.py JARS DATABASE EXPORTS
JARS is a folder with iceberg-spark-runtime and iceberg-aws-bundle; EXPORTS has TABLE.parquet for each table, as
`tarn query --format parquet` wrote it. Needs pyspark 3.5, pyarrow and Java 17. Prints one line a table, and ends with 1 if
Spark sees other rows.
"""

import os
import sys
import time
from pathlib import Path

os.environ["TZ"] = "UTC"
time.tzset()

import pyarrow.parquet
from pyspark.sql import Row, SparkSession


def plain(v):
    """A value of Spark as pyarrow's to_pylist gives it."""
    if isinstance(v, Row):
        return {k: plain(x) for k, x in v.asDict().items()}
    if isinstance(v, dict):
        return [(k, plain(x)) for k, x in v.items()]
    if isinstance(v, list):
        return [plain(x) for x in v]
    if isinstance(v, bytearray):
        return bytes(v)
    return v


def pruning(spark, table):
    """Of a table with a partition a day, a filter on one day must not plan the files of others."""
    days = [r[0] for r in spark.sql(f"SELECT DISTINCT to_date(timestamp) FROM {table} ORDER BY 1").collect()]
    [(day, want)] = [(d, n) for d, n in spark.sql(f"SELECT partition.timestamp_day, count(*) FROM {table}.files GROUP BY 1").collect() if d == days[1]]
    rows = spark.sql(f"SELECT x FROM {table} WHERE timestamp >= TIMESTAMP_NTZ '{day}' AND timestamp < TIMESTAMP_NTZ '{day}' + INTERVAL 1 DAY")
    rows.collect()
    seen = rows._jdf.queryExecution().executedPlan().collectLeaves().head().metrics().get("resultDataFiles").get().value()
    if len(days) < 3 or seen != want:
        print(f"Spark plans {seen} files for {day}, want {want}, of the days {days}")
        return 1
    return 0


def main():
    jars, database, exports = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    builder = SparkSession.builder.master("local[2]")
    for key, value in {
        "spark.jars": ",".join(str(f) for f in sorted(Path(jars).glob("*.jar"))),
        "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.ui.enabled": "false",
        "spark.driver.memory": "900m", "spark.sql.shuffle.partitions": "2", "spark.sql.session.timeZone": "UTC",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lake.catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
        "spark.sql.catalog.lake.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        "spark.sql.catalog.lake.glue.endpoint": os.environ["AWS_ENDPOINT_URL_GLUE"],
        "spark.sql.catalog.lake.s3.endpoint": os.environ["AWS_ENDPOINT_URL"],
        "spark.sql.catalog.lake.s3.path-style-access": "true",
        "spark.sql.catalog.lake.client.region": os.environ["AWS_REGION"],
        "spark.sql.catalog.lake.warehouse": "s3://unused/",
        # Spark closes a batch's vectors after use since 3.5.4 (SPARK-50235), and Iceberg before 1.8 goes on writing into them: a
        # crash, also with tables that Spark itself wrote.
        "spark.sql.iceberg.vectorization.enabled": str(not Path(jars).name.startswith(("1.4.", "1.7."))).lower(),
    }.items():
        builder = builder.config(key, value)
    spark, wrong = builder.getOrCreate(), 0
    spark.sparkContext.setLogLevel("ERROR")
    for file in sorted(exports.glob("*.parquet")):
        name, want = file.stem, pyarrow.parquet.read_table(file)
        columns = [want.column(i).to_pylist() for i in range(want.num_columns)]
        picked = ", ".join("`" + ("tarn__file" if c == "_file" else c) + "`" for c in want.column_names)
        rows = [tuple(plain(v) for v in r) for r in spark.sql(f"SELECT {picked} FROM lake.{database}.{name}").collect()]
        if sorted(rows, key=repr) != sorted(zip(*columns), key=repr):
            wrong = 1
            print(f"{name}: Spark sees other rows: {len(rows)}, want {want.num_rows}")
            for got, row in zip(sorted(rows, key=repr), sorted(zip(*columns), key=repr)):
                if got != row:
                    print(f"  {got}\n  {row}")
                    break
        print(f"{name}: {want.num_rows} rows, read alike by Spark")
    if not Path(jars).name.startswith("1.4."):  # which does not count the files that it plans
        wrong |= pruning(spark, f"lake.{database}.accelerometer_trusted")
    sys.exit(wrong)


if __name__ == "__main__":
    main()
