"""@ABOUT@

@READS@
"""
import sys

from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
@IMPORTS@
args = getResolvedOptions(sys.argv, [@ARGUMENTS@])
glue = GlueContext(SparkContext.getOrCreate())
spark = glue.spark_session
job = Job(glue)
job.init(args["JOB_NAME"], args)

# What overflows or does not fit is an error, times are UTC and have no zone.
@SETTINGS@@READERS@
@INPUTS@
rows = spark.sql(@SQL@)
rows.write.mode("overwrite").parquet(args["tables"] + @PATH@)
job.commit()
