"""Runs the cases of the conformance corpus on Spark: spark.py PLAN. For each, a Parquet file or an error is left beside it."""
import json, os, sys
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
from pyspark.sql import SparkSession

with open(sys.argv[1], encoding="utf-8") as f:
    plan = json.load(f)
builder = (SparkSession.builder.master("local[2]").appName("conformance")
           .config("spark.ui.enabled", "false").config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
           # A compiler that thinks less: each query runs once.
           .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
           .config("spark.driver.memory", "1g").config("spark.sql.shuffle.partitions", "2").config("spark.sql.warehouse.dir", plan["dir"]))
for name, value in plan["settings"]:
    builder = builder.config(name, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("OFF")
for name, path in plan["tables"].items():
    spark.read.parquet(path).createOrReplaceTempView(name)
said = []
for i, text in enumerate(plan["cases"]):
    try:
        spark.sql(text).coalesce(1).write.parquet(os.path.join(plan["dir"], "case%d" % i))
        said.append("")
    except Exception as e:
        text = str(e).split("JVM stacktrace")[0].strip() or type(e).__name__
        causes = [line for line in text.splitlines() if line.startswith("Caused by: ")]
        said.append((causes[-1] if causes else text.split("\n\tat ")[0])[:600])
with open(os.path.join(plan["dir"], "said.json"), "w", encoding="utf-8") as f:
    json.dump({"version": spark.version, "errors": said}, f)
spark.stop()
