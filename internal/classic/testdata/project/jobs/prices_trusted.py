"""Prices Trusted

Reads prices_landing. Writes prices_trusted.
"""
import sys

from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from pyspark.sql import functions as F

args = getResolvedOptions(sys.argv, ["JOB_NAME", "tables", "prices_landing"])
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


def read_csv(path, columns, folders, null, **options):
    """Fields of delimited text are read as texts, then cast; a line of which one does not fit is left out."""
    if not folders:
        options["recursiveFileLookup"] = True
    schema = ", ".join(f"`{name}` STRING" for name, _, _ in columns) + ", _corrupt_record STRING"
    texts = spark.read.csv(path, schema=schema + "".join(f", `{name}` STRING" for name, _ in folders), mode="PERMISSIVE", columnNameOfCorruptRecord="_corrupt_record", **options)
    for name, kind, _ in columns:  # an empty field is an empty text, and null in columns of other types
        text = F.coalesce(F.col(name), F.lit("")) if kind == "STRING" else F.when(F.col(name) != "", F.col(name))
        texts = texts.withColumn(name, text if null is None else F.when(text != null, text))
    rows = texts.where("_corrupt_record IS NULL AND " + " AND ".join(f"(`{name}` IS NULL OR {cast} IS NOT NULL)" for name, _, cast in columns))
    return rows.select([F.expr(cast).alias(name) for name, _, cast in columns] + [F.col(name).cast(kind).alias(name) for name, kind in folders])


# Each column: its name, its type, and how it is made of a text.
read_csv(args["prices_landing"], [
    ("code", "STRING", "`code`"),
    ("price", "DECIMAL(10,2)", "TRY_CAST(regexp_replace(`price`, '[^\\\\x00-\\\\x7f]|[eE]', '?') AS DECIMAL(10,2))"),
    ("n", "INT", "TRY_CAST(`n` AS INT)"),
    ("x", "DOUBLE", "TRY_CAST(CASE WHEN regexp_like(`x`, '\\\\A(?:\\\\s*[+-]?([0-9]+\\\\.?[0-9]*|\\\\.[0-9]+)([eE][+-]?[0-9]+)?\\\\s*|(?i:\\\\s*[+-]?(nan|inf|infinity)\\\\s*))\\\\z') THEN regexp_replace(`x`, '[+-](?i:nan)', 'NaN') ELSE concat('?', `x`) END AS DOUBLE)"),
    ("day", "DATE", "TRY_CAST(CASE WHEN regexp_like(`day`, '\\\\A(?:\\\\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T]([01]?[0-9]|2[0-3]):[0-9]{1,2}(:[0-9]{1,2}(\\\\.[0-9]{1,9})?)?Z?)?\\\\s*)\\\\z') THEN `day` ELSE concat('?', `day`) END AS DATE)"),
    ("at", "TIMESTAMP_NTZ", "TRY_CAST(CASE WHEN regexp_like(`at`, '\\\\A(?:[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T]([01]?[0-9]|2[0-3]):[0-9]{1,2}(:[0-9]{1,2}(\\\\.[0-9]{1,9})?)?Z?)?)\\\\z') THEN `at` ELSE concat('?', `at`) END AS TIMESTAMP_NTZ)"),
    ("ok", "BOOLEAN", "TRY_CAST(regexp_replace(`ok`, '\\\\s', '?') AS BOOLEAN)"),
], [], None, sep=",", quote="\"", escape="\"", header=True, multiLine=True).createOrReplaceTempView("prices_landing")

rows = spark.sql("""
SELECT
  `p`.`code`,
  `p`.`price`,
  `p`.`n`,
  `p`.`x`,
  `p`.`day`,
  `p`.`at`,
  `p`.`ok`
FROM `prices_landing` AS `p`
""")
rows.write.mode("overwrite").parquet(args["tables"] + "/trusted/prices_trusted/")
job.commit()
