"""Runs the jobs of a project one after another in one Spark session, as Glue would: jobs.py PLAN."""
import json, os, sys

os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pyspark.sql import SparkSession

with open(sys.argv[1], encoding="utf-8") as f:
    plan = json.load(f)
(SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
 .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
 .config("spark.driver.memory", "1g").config("spark.sql.shuffle.partitions", "2").getOrCreate().sparkContext.setLogLevel("ERROR"))
for script, arguments in plan:
    sys.argv = [script] + arguments
    with open(script, encoding="utf-8") as f:
        exec(compile(f.read(), script, "exec"), {"__name__": "__main__"})
