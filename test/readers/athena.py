"""Lets the clients of Athena ask a stand-in for it: awswrangler, PyAthena, boto3 and the AWS CLI.

usage: athena.py DATABASE WORKGROUP RESULTS EXPORT
The environment leads to the stand-in, the Glue Data Catalog and the bucket. EXPORT is TABLE.parquet as `tarn query` wrote it. Prints a line for
each client, and ends with 1 if one sees other rows.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import awswrangler as wr
import boto3
import pandas
import pyarrow.parquet
import pyathena
from pyathena.pandas.cursor import PandasCursor

os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"]  # boto3 and PyAthena know that name
database, group, results, export = sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])
table = export.stem
want = pyarrow.parquet.read_table(export).to_pandas()
want.columns = [c.lower() for c in want.columns]
names = list(want.columns)
sql = "SELECT " + ", ".join(f'"{n}"' for n in names) + f' FROM "{table}"'


def ordered(frame):
    frame = frame[names].copy()
    for n in names:
        if want[n].dtype.kind == "M":
            frame[n] = pandas.to_datetime(frame[n]).astype("datetime64[us]")
        elif want[n].dtype.kind in "if":
            frame[n] = pandas.to_numeric(frame[n]).astype(want[n].dtype)
        else:
            frame[n] = frame[n].astype(object)
    return frame.sort_values(names).reset_index(drop=True)


expected = ordered(want)


def same(client, frame):
    pandas.testing.assert_frame_equal(ordered(frame), expected, check_dtype=False)
    print(f"{client}: {len(frame)} rows, read alike")


same("awswrangler", wr.athena.read_sql_query(sql, database=database, workgroup=group, ctas_approach=False))
pages = wr.athena.read_sql_query(sql, database=database, workgroup=group, ctas_approach=False, chunksize=1000)
same("awswrangler in pages", pandas.concat(pages))
try:
    wr.athena.read_sql_query("SELECT nothing FROM " + table, database=database, workgroup=group, ctas_approach=False)
    sys.exit("a wrong statement was answered")
except wr.exceptions.QueryFailed as e:
    assert "nothing" in str(e), e
assert table in {t["Name"] for t in wr.catalog.get_tables(database=database)}

connection = pyathena.connect(work_group=group, schema_name=database)
cursor = connection.cursor().execute(sql)
same("PyAthena", pandas.DataFrame(cursor.fetchall(), columns=[d[0] for d in cursor.description]))
same("PyAthena for pandas", connection.cursor(PandasCursor).execute(sql).as_pandas())
[(n,)] = connection.cursor().execute(f"SELECT count(*) FROM {table} WHERE {names[1]} = ?", ["'" + str(want[names[1]][0]) + "'"], paramstyle="qmark").fetchall()
assert n == (want[names[1]] == want[names[1]][0]).sum(), n
try:
    connection.cursor().execute("SELEKT 1")
    sys.exit("a wrong statement was answered")
except pyathena.error.OperationalError as e:
    assert "SYNTAX_ERROR" in str(e), e

athena = boto3.client("athena")
run = athena.start_query_execution(QueryString=f"SELECT count(*) FROM {table}", WorkGroup=group, QueryExecutionContext={"Database": database, "Catalog": "AwsDataCatalog"})
while athena.get_query_execution(QueryExecutionId=run["QueryExecutionId"])["QueryExecution"]["Status"]["State"] in ("QUEUED", "RUNNING"):
    pass
rows = athena.get_query_results(QueryExecutionId=run["QueryExecutionId"])["ResultSet"]["Rows"]
assert rows[1]["Data"][0]["VarCharValue"] == str(len(want)), rows
assert [t["Name"] for t in athena.list_table_metadata(CatalogName="AwsDataCatalog", DatabaseName=database, Expression=table)["TableMetadataList"]] == [table]
print("boto3: rows counted, read alike")


def aws(*args):
    return json.loads(subprocess.run([str(Path(sys.executable).parent / "aws"), "athena", *args, "--output", "json"], check=True, capture_output=True, text=True, env=os.environ).stdout)


run = aws("start-query-execution", "--query-string", f"SELECT * FROM {database}.{table} LIMIT 100", "--result-configuration", "OutputLocation=" + results)["QueryExecutionId"]
while aws("get-query-execution", "--query-execution-id", run)["QueryExecution"]["Status"]["State"] in ("QUEUED", "RUNNING"):
    pass
rows = aws("get-query-results", "--query-execution-id", run)["ResultSet"]["Rows"]
assert len(rows) == 101, len(rows)
print("AWS CLI: 100 rows, read alike")
