"""Reads every table of a lake with other programs and compares the rows with what tarn says.

usage: readers.py LAKE DATABASE EXPORTS
LAKE is a folder with .tarn/catalog.db; EXPORTS has TABLE.parquet for each table, as `tarn query --format parquet` wrote it.
Prints one line a table, and ends with 1 if any reader sees other rows, other columns or other types.
"""

import re
import sys
from pathlib import Path
from urllib.parse import unquote, urlparse

import duckdb
import polars
import pyarrow as arrow
import pyarrow.parquet
from pyiceberg.catalog.sql import SqlCatalog

lake, database, exports = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
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
    iceberg = catalog.load_table((database, name))
    files = [local(t.file.file_path) for t in iceberg.scan().plan_files()]
    columns = [f.name for f in iceberg.schema().fields]
    pick = ", ".join('"' + c.replace('"', '""') + '"' for c in columns)
    readers = {
        "PyIceberg": lambda: iceberg.scan().to_arrow(),
        "Polars on the table": lambda: polars.scan_iceberg(iceberg.metadata_location).collect().to_arrow(),
        "Polars on the Parquet": lambda: polars.read_parquet(files, hive_partitioning=False).select(columns).to_arrow(),
        "DuckDB on the Parquet": lambda: duckdb.sql(f"SELECT {pick} FROM read_parquet({files!r}, hive_partitioning=false)").to_arrow_table(),
    }
    if not files:
        readers = {"PyIceberg": readers["PyIceberg"]}
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
