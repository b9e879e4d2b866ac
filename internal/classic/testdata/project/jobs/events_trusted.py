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


def value(name, kind):
    """SQL that makes a value of a text, null where it does not fit. Whole numbers may be written as 7.0 or 1.7e12; times with a zone become UTC."""
    if kind in ("TINYINT", "SMALLINT", "INT", "BIGINT"):
        return f"CASE WHEN try_cast(`{name}` AS DECIMAL(38,6)) % 1 = 0 THEN try_cast(try_cast(`{name}` AS DECIMAL(38,6)) AS {kind}) END"
    if kind == "TIMESTAMP_NTZ":
        return f"CAST(try_cast(`{name}` AS TIMESTAMP_LTZ) AS TIMESTAMP_NTZ)"
    return f"`{name}`" if kind == "STRING" or "<" in kind else f"try_cast(`{name}` AS {kind})"


def typed(texts, columns, folders):
    """Makes rows of texts. One of which a text does not fit its column is left out."""
    rows = texts.where(" AND ".join(f"(`{name}` IS NULL OR {value(name, kind)} IS NOT NULL)" for name, _, kind in columns))
    return rows.select([F.expr(value(name, kind)).alias(name) for name, _, kind in columns] + [F.col(name).cast(kind).alias(name) for name, kind in folders])


def read_json(path, columns, folders):
    """JSON objects, one or more a line. Names match in any case, as in Athena; an object with a field twice is left out."""
    spark.conf.set("spark.sql.caseSensitive", "true")
    lines = spark.read.text(path, **({} if folders else {"recursiveFileLookup": True}))
    objects = lines.withColumn("value", F.explode(F.split("value", r"(?<=\})\s*(?=\{)"))).withColumn("names", F.json_object_keys("value"))
    objects = objects.where("size(names) = size(array_distinct(transform(names, name -> lower(name))))")
    found = [row[0] for row in objects.select(F.explode("names")).distinct().collect()]
    spelt = {name: [f for f in found if f.lower() == field.lower()] or [field] for name, field, _ in columns}
    fields = ", ".join(f"`{field}` {kind if '<' in kind else 'STRING'}" for name, _, kind in columns for field in spelt[name])
    record = F.from_json("value", fields + ", _corrupt_record STRING", {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": "_corrupt_record"})
    records = objects.withColumn("record", record).where("record IS NOT NULL AND record._corrupt_record IS NULL")
    texts = records.select(*[F.coalesce(*[F.col("record")[field] for field in spelt[name]]).alias(name) for name, _, _ in columns], *[name for name, _ in folders])
    spark.conf.set("spark.sql.caseSensitive", "false")
    return typed(texts, columns, folders)


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
