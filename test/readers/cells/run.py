"""Runs a cell that `tarn connect` has printed, and compares the rows that it gives with what tarn says.

usage: run.py PROGRAM CELL EXPORT
CELL is the file with the printed text, EXPORT what `tarn query --format parquet` wrote of the same table. The cell is run as it
is; then what it has left behind is asked for all rows. Ends with 1 if they are others.
"""

import datetime
import sys
from pathlib import Path

import pyarrow as arrow
import pyarrow.parquet

program, cell, export = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
want = arrow.parquet.read_table(export)
left = {}
exec(compile(cell.read_text(), cell.name, "exec"), left)


def select(name):
    """The rows of all columns in their order, as SQL."""
    return "SELECT " + ", ".join('"' + c + '"' for c in want.column_names) + f' FROM "{name}"'


def asked():
    cursor = left["connection"].cursor()
    cursor.execute(select(export.stem))
    return [tuple(r) for r in cursor.fetchall()]


def pandas_rows(df):
    df = df.astype(object).where(df.notna(), None)
    names = {c.lower(): c for c in df.columns}  # Athena gives names in lower case
    return list(df[[names[c.lower()] for c in want.column_names]].itertuples(index=False, name=None))


rows = {
    "python": lambda: pandas_rows(left["df"]),
    "athena": lambda: pandas_rows(left["df"]),
    "sagemaker": lambda: pandas_rows(left["df"]),
    "pyiceberg": lambda: list(zip(*left["table"].scan().to_arrow().to_pydict().values())),
    "polars": lambda: left["df"].collect().rows(),
    "duckdb": lambda: left["db"].sql(select(export.stem)).fetchall(),
    "spark": lambda: [tuple(r) for r in left["df"].collect()],
    "trino": asked,
}[program]()


def plain(v):
    if hasattr(v, "to_pydatetime"):
        v = v.to_pydatetime()
    if isinstance(v, datetime.datetime):
        v = v.replace(tzinfo=None)
    return v


def ordered(rows):
    return sorted((tuple(plain(v) for v in r) for r in rows), key=repr)


got, expected = ordered(rows), ordered(zip(*want.to_pydict().values()))
if got != expected:
    differing = [(g, w) for g, w in zip(got, expected) if g != w][:1]
    sys.exit(f"{program}: other rows: {len(got)}, want {len(expected)} {differing}")
if program == "sagemaker":
    train, test = (set(left[part]["serialnumber"]) for part in ("train", "held_out"))
    if not train or not test or train & test:
        sys.exit(f"sagemaker: {len(train & test)} devices in both parts, of {len(train)} and {len(test)}")
print(f"{program}: {len(got)} rows, read alike")
