"""PyIceberg's Glue catalog at work on a Glue endpoint (AWS_ENDPOINT_URL_GLUE): makes tables, commits, collides.

Usage: glue_pyiceberg.py WAREHOUSE, a folder. Needs pyiceberg[glue,pyarrow]. See glue.sh, which starts the stand-in.
"""

import sys

import boto3
import pyarrow as pa
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import CommitFailedException, NamespaceAlreadyExistsError, NoSuchTableError, TableAlreadyExistsError

warehouse = sys.argv[1]
props = {"type": "glue", "warehouse": f"file://{warehouse}", "glue.region": "us-east-1"}
catalog = load_catalog("glue", **props)
catalog.create_namespace("db", {"comment": "made by PyIceberg"})
try:
    catalog.create_namespace("db")
    sys.exit("a second namespace of the same name was made")
except NamespaceAlreadyExistsError:
    pass

rows = pa.table({"id": [1, 2, 3], "text": ["a", "b", None]})
# PyIceberg would try a commit again by itself.
once = {"commit.retry.num-retries": "0"}
table = catalog.create_table("db.readings", rows.schema, location=f"file://{warehouse}/db/readings", properties=once)
table.append(rows)
table.append(rows)
try:
    catalog.create_table("db.readings", rows.schema)
    sys.exit("a second table of the same name was made")
except TableAlreadyExistsError:
    pass
assert catalog.load_table("db.readings").scan().to_arrow().num_rows == 6
assert catalog.list_tables("db") == [("db", "readings")], catalog.list_tables("db")

# Two writers from one state: the second has to see that it was not the first.
one, two = catalog.load_table("db.readings"), catalog.load_table("db.readings")
one.append(rows)
try:
    two.append(rows)
    sys.exit("the second writer did not notice the first")
except CommitFailedException as e:
    print("second writer:", str(e).splitlines()[0][:100])

# The version is what Glue itself goes by.
glue = boto3.client("glue", region_name="us-east-1")
stale = glue.get_table(DatabaseName="db", Name="readings")["Table"]
keep = {k: stale[k] for k in ("Name", "TableType", "Parameters", "StorageDescriptor")}
glue.update_table(DatabaseName="db", TableInput=keep, VersionId=stale["VersionId"], SkipArchive=True)
try:
    glue.update_table(DatabaseName="db", TableInput=keep, VersionId=stale["VersionId"], SkipArchive=True)
    sys.exit("a stale VersionId was taken")
except glue.exceptions.ConcurrentModificationException:
    pass
try:
    glue.batch_create_partition(DatabaseName="db", TableName="readings", PartitionInputList=[{"Values": [str(i)]} for i in range(101)])
    sys.exit("101 partitions were taken in one call")
except Exception as e:
    assert "100" in str(e), e

catalog.rename_table("db.readings", "db.renamed")
assert catalog.load_table("db.renamed").scan().to_arrow().num_rows == 9
catalog.drop_table("db.renamed")
try:
    catalog.load_table("db.renamed")
    sys.exit("a dropped table is still there")
except NoSuchTableError:
    pass
print("ok: PyIceberg works on", glue.meta.endpoint_url)
