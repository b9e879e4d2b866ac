"""Codes Curated

Reads codes_landing, stock_landing. Writes codes_curated.
"""
import sys

from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from pyspark.sql import functions as F

args = getResolvedOptions(sys.argv, ["JOB_NAME", "tables", "codes_landing", "stock_landing"])
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


def read_csv(path, columns, folders, null, **options):
    """Delimited text; a line with more or fewer fields is left out."""
    if not folders:
        options["recursiveFileLookup"] = True
    schema = ", ".join(f"`{name}` STRING" for name in [c[0] for c in columns] + ["_corrupt_record"] + [f[0] for f in folders])
    texts = spark.read.csv(path, schema=schema, mode="PERMISSIVE", columnNameOfCorruptRecord="_corrupt_record", **options).where("_corrupt_record IS NULL")
    for name, _, kind in columns:  # an empty field is an empty text, and null in columns of other types
        text = F.coalesce(F.col(name), F.lit("")) if kind == "STRING" else F.when(F.col(name) != "", F.col(name))
        texts = texts.withColumn(name, text if null is None else F.when(text != null, text))
    return typed(texts, columns, folders)


def read_parquet(path, columns, folders):
    """Parquet files; the columns by name, in any case, with the types of the table."""
    rows = spark.read.parquet(path, **({} if folders else {"recursiveFileLookup": True}))
    return rows.select([F.col(f"`{field}`").cast(kind).alias(name) for name, field, kind in columns] + [F.col(name).cast(kind).alias(name) for name, kind in folders])


# Each column: its name, that of the field, and its type.
read_csv(args["codes_landing"], [
    ("code", "code", "STRING"),
    ("n", "n", "BIGINT"),
], [], "\\N", sep="|", quote="", escape="", header=False, multiLine=False).createOrReplaceTempView("codes_landing")
# Each column: its name, that of the field, and its type.
read_parquet(args["stock_landing"], [
    ("Code", "Code", "STRING"),
    ("n", "n", "BIGINT"),
], []).createOrReplaceTempView("stock_landing")

rows = spark.sql("""
SELECT
  `c`.`code`,
  `c`.`n`,
  `s`.`n` AS `m`
FROM `codes_landing` AS `c`
LEFT JOIN `stock_landing` AS `s` ON (`s`.`code` = `c`.`code`)
""")
rows.write.mode("overwrite").parquet(args["tables"] + "/curated/codes_curated/")
job.commit()
