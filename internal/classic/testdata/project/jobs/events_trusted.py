"""What's \"\"\"Happened\"\"\" $HOME | \\: events with all their \\ parts, \"\"\"and more\"\"\"

Reads events_landing. Writes events_trusted.
"""
import sys

from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from pyspark.sql import functions as F

args = getResolvedOptions(sys.argv, ["JOB_NAME", "tables", "events_landing"])
glue = GlueContext(SparkContext.getOrCreate())
spark = glue.spark_session
job = Job(glue)
job.init(args["JOB_NAME"], args)

# What overflows or does not fit is an error, times are UTC and have no zone.
spark.conf.set("spark.sql.ansi.enabled", "true")
spark.conf.set("spark.sql.session.timeZone", "UTC")
spark.conf.set("spark.sql.timestampType", "TIMESTAMP_NTZ")
spark.conf.set("spark.sql.decimalOperations.allowPrecisionLoss", "false")
spark.conf.set("spark.sql.legacy.ctePrecedencePolicy", "CORRECTED")
spark.conf.set("spark.sql.caseSensitive", "false")
spark.conf.set("spark.sql.parquet.datetimeRebaseModeInRead", "CORRECTED")
spark.conf.set("spark.sql.parquet.datetimeRebaseModeInWrite", "CORRECTED")
spark.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
spark.conf.set("spark.sql.storeAssignmentPolicy", "ANSI")
# Folders such as day=2024-01-31 are texts until they are cast, and a line is looked at as a whole.
spark.conf.set("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
spark.conf.set("spark.sql.csv.parser.columnPruning.enabled", "false")


def read_json(path, columns, folders):
    """One JSON object a line. Names match in any case, as in Athena; a line that does not fit the columns is left out."""
    options = {} if folders else {"recursiveFileLookup": True}
    spark.conf.set("spark.sql.caseSensitive", "true")
    found = spark.read.json(path, primitivesAsString=True, **options).columns
    spelt = {name: [f for f in found if f.lower() == field.lower()] or [field] for name, field, _ in columns}
    fields = ", ".join(f"`{field}` {kind}" for name, _, kind in columns for field in spelt[name])
    record = F.from_json("value", fields + ", _corrupt_record STRING", {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": "_corrupt_record"})
    lines = spark.read.text(path, **options).select(record.alias("record"), *[F.col(name).cast(kind).alias(name) for name, kind in folders])
    rows = lines.where("record IS NOT NULL AND record._corrupt_record IS NULL").select(
        *[F.coalesce(*[F.col("record")[field] for field in spelt[name]]).alias(name) for name, _, _ in columns], *[name for name, _ in folders])
    spark.conf.set("spark.sql.caseSensitive", "false")
    return rows


# Each column: its name, that of the field, and its type.
read_json(args["events_landing"], [
    ("id", "id", "BIGINT"),
    ("userName", "userName", "STRING"),
    ("at", "happenedAt", "TIMESTAMP_NTZ"),
    ("ok", "ok", "BOOLEAN"),
    ("price", "price", "DECIMAL(10,2)"),
    ("tags", "tags", "ARRAY<STRING>"),
    ("place", "place", "STRUCT<`city`: STRING, `zip`: INT>"),
], [("day", "DATE"), ("kind", "STRING")]).createOrReplaceTempView("events_landing")

rows = spark.sql(r'''
SELECT
  `e`.`id`,
  `e`.`userName`,
  `e`.`at`,
  `e`.`ok`,
  `e`.`price`,
  `e`.`tags`,
  `e`.`place`,
  `e`.`day`,
  `e`.`kind`,
  `e`.`place`.`city` AS `city`,
  'a\\b\'c """' AS `awkward`
FROM `events_landing` AS `e`
''')
rows.write.mode("overwrite").parquet(args["tables"] + "/trusted/events_trusted/")
job.commit()
