"""Reads every table of a lake with other programs and compares the rows with what tarn says.

usage: readers.py LAKE DATABASE EXPORTS
LAKE is a folder with .tarn/catalog.db, or "glue" for the Glue Data Catalog that the environment leads to; EXPORTS has TABLE.parquet for each table, as `tarn query --format parquet` wrote it.
Prints one line a table, and ends with 1 if any reader sees other rows, other columns or other types.
"""

import datetime
import os
import re
import sys
from pathlib import Path
from urllib.parse import unquote, urlparse

import duckdb
import polars
import pyarrow as arrow
import pyarrow.parquet
from pyiceberg.catalog import load_catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import And, GreaterThanOrEqual, LessThan

lake, database, exports = sys.argv[1], sys.argv[2], Path(sys.argv[3])
if lake == "glue":
    catalog = load_catalog("tarn", **{"type": "glue", "glue.region": os.environ["AWS_REGION"], "s3.region": os.environ["AWS_REGION"],
                                      "s3.endpoint": os.environ["AWS_ENDPOINT_URL"], "s3.force-virtual-addressing": False})
else:
    catalog = SqlCatalog("tarn", uri=f"sqlite:///{lake}/.tarn/catalog.db", warehouse=f"file://{lake}/.tarn/warehouse")


def plain(table):
    """A table as (column names, sorted rows), whatever library made it; large and dictionary types are spellings only."""
    names = list(table.column_names)
    columns = [table.column(i).to_pylist() for i in range(len(names))]
    return names, sorted(zip(*columns), key=repr)


def types(table):
    return [re.sub(r"large_| \('[^']*'\)", "", str(f.type)).replace("[ns]", "[us]") for f in table.schema]


def local(location):
    return unquote(urlparse(location).path)


wrong = 0
for table in sorted(exports.glob("*.parquet")):
    name = table.stem
    want = arrow.parquet.read_table(table)
    # _file is a name that Iceberg reserves; in the table and its data files it has another one.
    stored = ["tarn__file" if c == "_file" else c for c in want.column_names]
    iceberg = catalog.load_table((database, name))
    files = [local(t.file.file_path) for t in iceberg.scan().plan_files()]
    columns = want.column_names
    if [f.name for f in iceberg.schema().fields] != stored:
        wrong = 1
        print(f"{name}: the columns are {[f.name for f in iceberg.schema().fields]}, want {stored}")
    pick = ", ".join('"' + c.replace('"', '""') + '"' for c in stored)
    readers = {
        "PyIceberg": lambda: iceberg.scan().to_arrow().rename_columns(columns),
        "Polars on the table": lambda: polars.scan_iceberg(iceberg.metadata_location).collect().to_arrow().rename_columns(columns),
        "Polars on the Parquet": lambda: polars.read_parquet(files, hive_partitioning=False).select(stored).to_arrow().rename_columns(columns),
        "DuckDB on the Parquet": lambda: duckdb.sql(f"SELECT {pick} FROM read_parquet({files!r}, hive_partitioning=false)").to_arrow_table().rename_columns(columns),
    }
    if not files or lake == "glue":
        readers = {"PyIceberg": readers["PyIceberg"]}
    if name == "accelerometer_trusted":
        # One day of several: the files of the others must not even be planned.
        days = sorted({t.file.partition[0] for t in iceberg.scan().plan_files()})
        start = datetime.datetime(1970, 1, 1) + datetime.timedelta(days=days[1])
        one = And(GreaterThanOrEqual("timestamp", start.isoformat()), LessThan("timestamp", (start + datetime.timedelta(days=1)).isoformat()))
        seen = {t.file.partition[0] for t in iceberg.scan(row_filter=one).plan_files()}
        if len(days) < 3 or seen != {days[1]}:
            wrong = 1
            print(f"{name}: PyIceberg plans the days {seen} of {days}")
    for reader, read in readers.items():
        got = read()
        if plain(got) != plain(want):
            wrong = 1
            print(f"{name}: {reader} sees other rows: {got.num_rows}, want {want.num_rows}")
        elif reader == "PyIceberg" and types(got) != types(want):
            wrong = 1
            print(f"{name}: {reader} sees types {types(got)}, want {types(want)}")
    print(f"{name}: {want.num_rows} rows, read alike by {', '.join(readers)}")
sys.exit(wrong)
