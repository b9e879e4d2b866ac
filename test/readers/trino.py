"""Reads every table of a database with Trino and compares rows and types with what tarn says.

usage: trino.py URL CATALOG DATABASE EXPORTS
CATALOG is "lake" for Iceberg tables, or "raw" for landing tables over raw files. EXPORTS has TABLE.parquet for each table, as `tarn query --format parquet` wrote it. Prints one line a table, and ends with 1
if Trino sees other rows or other types.
"""

import datetime
import decimal
import json
import re
import sys
import time
import urllib.request
from pathlib import Path

import pyarrow as arrow
import pyarrow.parquet


class Trino:
    """Trino's client protocol: POST a statement, follow nextUri."""

    def __init__(self, url, catalog, database):
        self.url = url
        self.headers = {"X-Trino-User": "tarn", "X-Trino-Catalog": catalog, "X-Trino-Schema": database, "X-Trino-Time-Zone": "UTC",
                        "X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME"}

    def query(self, sql):
        """The types, the rows as Python values, and Trino's statistics of a statement."""
        answer = self._call(urllib.request.Request(self.url + "/v1/statement", sql.encode(), self.headers))
        types, rows = [], []
        while True:
            if "error" in answer:
                raise RuntimeError(f"{answer['error']['message']}\n{sql}")
            types = [parse(c["type"]) for c in answer.get("columns", [])] or types
            rows += answer.get("data", [])
            if "nextUri" not in answer:
                return types, [tuple(value(t, v) for t, v in zip(types, r)) for r in rows], answer["stats"]
            answer = self._call(urllib.request.Request(answer["nextUri"], headers=self.headers))

    def wait(self, sql):
        """Waits until it has announced itself to itself, some seconds after it says that it started."""
        for left in range(60, -1, -1):
            try:
                return self.query(sql)
            except RuntimeError as e:
                if "No nodes" not in str(e) or left == 0:
                    raise
                time.sleep(1)

    @staticmethod
    def _call(request):
        with urllib.request.urlopen(request, timeout=120) as r:
            return json.load(r)


def parse(text):
    """A type as (name, arguments); row fields are (name, type)."""
    tokens = re.findall(r'"(?:[^"]|"")*"|[(),]|[^(),\s"]+', text)

    def one(i):
        name = tokens[i]
        i += 1
        args = []
        if i < len(tokens) and tokens[i] == "(":
            i += 1
            while tokens[i] != ")":
                if tokens[i] == ",":
                    i += 1
                    continue
                if name == "row":
                    field = tokens[i].strip('"')
                    arg, i = one(i + 1)
                    args.append((field, arg))
                else:
                    arg, i = one(i)
                    args.append(arg)
            i += 1
        return (name, args), i

    return one(0)[0]


def value(type, v):
    """A JSON value as pyarrow's to_pylist gives it."""
    name, args = type
    if v is None:
        return None
    if name in ("double", "real"):
        return float(v)
    if name == "decimal":
        return decimal.Decimal(v)
    if name == "date":
        return datetime.date.fromisoformat(v)
    if name == "timestamp":
        return datetime.datetime.fromisoformat(v)
    if name == "array":
        return [value(args[0], x) for x in v]
    if name == "map":
        key = int if args[0][0] in ("bigint", "integer") else str
        return sorted((key(k), value(args[1], x)) for k, x in v.items())
    if name == "row":
        return {field: value(t, x) for (field, t), x in zip(args, v)}
    return v


def spelled(t):
    """An Arrow type in Trino's words."""
    if arrow.types.is_struct(t):
        return ("row", [(f.name, spelled(f.type)) for f in t])
    if arrow.types.is_map(t):
        return ("map", [spelled(t.key_type), spelled(t.item_type)])
    if arrow.types.is_list(t) or arrow.types.is_large_list(t):
        return ("array", [spelled(t.value_type)])
    if arrow.types.is_decimal(t):
        return ("decimal", [(str(t.precision), []), (str(t.scale), [])])
    words = {"int64": "bigint", "int32": "integer", "double": "double", "float": "real", "bool": "boolean", "date32[day]": "date"}
    if arrow.types.is_timestamp(t):
        return ("timestamp", [("6", [])])
    if arrow.types.is_string(t) or arrow.types.is_large_string(t):
        return ("varchar", [])
    return (words[str(t)], [])


def lower(type):
    """Trino gives the names of fields in lower case."""
    name, args = type
    return name, [(a[0].lower(), lower(a[1])) if name == "row" else lower(a) for a in args]


def main():
    url, catalog, database, exports = sys.argv[1:5]
    trino, wrong = Trino(url, catalog, database), 0
    files = sorted(Path(exports).glob("*.parquet"))
    trino.wait(f'SELECT count(*) FROM "{files[0].stem}"')
    for file in files:
        name, want = file.stem, arrow.parquet.read_table(file)
        if catalog == "raw":
            # The external tables of Athena have no column for the file.
            want = want.drop_columns(["_file"])
        stored = ["tarn__file" if c == "_file" else c.lower() for c in want.column_names]
        types, rows, _ = trino.query("SELECT " + ", ".join('"' + c.replace('"', '""') + '"' for c in stored) + f' FROM "{name}"')
        columns = [want.column(i).to_pylist() for i in range(want.num_columns)]
        if sorted(rows, key=repr) != sorted(zip(*columns), key=repr):
            wrong = 1
            print(f"{name}: Trino sees other rows: {len(rows)}, want {want.num_rows}")
            for got, row in list(zip(sorted(rows, key=repr), sorted(zip(*columns), key=repr))):
                if got != row:
                    print(f"  {got}\n  {row}")
                    break
        expected = [lower(spelled(f.type)) for f in want.schema]
        if types != expected:
            wrong = 1
            print(f"{name}: Trino sees types {types}, want {expected}")
        print(f"{name}: {want.num_rows} rows, read alike by Trino")
    if catalog == "lake":
        wrong |= pruning(trino, database)
        _, first, _ = trino.query(f"SELECT * FROM {database}.machine_learning_curated LIMIT 100")
        if len(first) != 100:
            wrong = 1
            print(f"machine_learning_curated: LIMIT 100 gives {len(first)} rows")
    sys.exit(wrong)


def pruning(trino, database):
    """Of a table with a partition a day, one day must read the rows of that day only."""
    table = f"{database}.accelerometer_trusted"
    _, days, _ = trino.query(f"SELECT CAST(timestamp AS date), count(*) FROM {table} GROUP BY 1 ORDER BY 1")
    (day, n), all = days[1], sum(n for _, n in days)
    _, _, stats = trino.query(f"SELECT x, y FROM {table} WHERE timestamp >= timestamp '{day}' AND timestamp < timestamp '{day}' + INTERVAL '1' DAY")
    if len(days) < 3 or stats["processedRows"] != n:
        print(f"Trino reads {stats['processedRows']} rows of {all} in {len(days)} days for one day of {n}")
        return 1
    return 0


if __name__ == "__main__":
    main()
