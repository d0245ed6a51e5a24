"""Reads what a folder of ours holds, with readers that are not ours: rows.py csv|parquet|duckdb PATH prints JSON."""

import csv
import datetime
import json
import sys

how, path = sys.argv[1:]


def plain(value):
    # Whoever reads the JSON would round it.
    if isinstance(value, int) and abs(value) > 2**53:
        return str(value)
    return value.isoformat() if isinstance(value, (datetime.date, datetime.datetime)) else value


if how == "csv":
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file, strict=True))
elif how == "parquet":
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path)
    rows = {
        "types": {field.name: str(field.type) for field in table.schema},
        "rows": [{name: plain(value) for name, value in row.items()} for row in table.to_pylist()],
    }
else:
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    found = connection.sql(f"SELECT * FROM {path}")
    rows = {
        "types": dict(zip(found.columns, map(str, found.types))),
        "rows": [dict(zip(found.columns, map(plain, row))) for row in found.fetchall()],
    }
print(json.dumps(rows))
