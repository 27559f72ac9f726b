"""Copies of one CSV in the forms that other programs write, with pyarrow, for the tests of src/data/.

  write_formats.py copies DIR       DIR/rows.csv -> rows.parquet, rows32.parquet, parts/ (Parquet, each part different)
  write_formats.py types DIR        DIR/types.parquet: one column of every type a person might meet
"""
import datetime
import decimal
import os
import sys
import uuid

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


def copies(folder):
    table = read_csv(os.path.join(folder, "rows.csv"))
    pq.write_table(table, os.path.join(folder, "rows.parquet"))
    small = table
    for index, field in enumerate(table.schema):
        if pa.types.is_float64(field.type):
            small = small.set_column(index, field.name, table[field.name].cast(pa.float32()))
    pq.write_table(small, os.path.join(folder, "rows32.parquet"))
    parts = os.path.join(folder, "parts")
    os.makedirs(parts)
    third = table.num_rows // 3
    # As it is; columns in another order; numbers as text, whole numbers as doubles.
    first = table.slice(0, third)
    second = table.slice(third, third).select(list(reversed(table.column_names)))
    third_part = table.slice(2 * third)
    for index, field in enumerate(table.schema):
        if pa.types.is_float64(field.type):
            values = [None if v is None else repr(v) for v in third_part[field.name].to_pylist()]
            third_part = third_part.set_column(index, field.name, pa.array(values, pa.string()))
        elif field.name == "count":
            third_part = third_part.set_column(index, field.name, third_part[field.name].cast(pa.float64()))
    for name, part in (("a", first), ("b", second), ("c", third_part)):
        pq.write_table(part, os.path.join(parts, f"part-{name}.parquet"))
    open(os.path.join(parts, "_SUCCESS"), "w").close()


def read_csv(path):
    from pyarrow import csv

    types = {"amount": pa.float64(), "count": pa.int64(), "big": pa.int64(), "plan": pa.string(), "flag": pa.bool_()}
    convert = csv.ConvertOptions(column_types=types, null_values=["", "NaN"], strings_can_be_null=True)
    # What is written NaN is NaN, and only what is empty is missing.
    whole = csv.read_csv(path, parse_options=csv.ParseOptions(newlines_in_values=True), convert_options=convert)
    spelled = csv.ConvertOptions(column_types={"amount": pa.string()}, null_values=[""], strings_can_be_null=True)
    words = csv.read_csv(path, parse_options=csv.ParseOptions(newlines_in_values=True), convert_options=spelled)["amount"]
    amount = pa.array([None if word is None else float(word) for word in words.to_pylist()], pa.float64())
    return whole.set_column(whole.column_names.index("amount"), "amount", amount)


def types(folder):
    n = 120
    day = datetime.date(2024, 1, 1)
    when = [datetime.datetime(2024, 1, 1) + datetime.timedelta(hours=i) for i in range(n)]
    columns = {
        "flag": pa.array([i % 3 == 0 for i in range(n)]),
        "tiny": pa.array([i % 7 for i in range(n)], pa.int8()),
        "long": pa.array([2**60 + i % 5 for i in range(n)], pa.int64()),
        "unsigned": pa.array([2**63 + i % 5 for i in range(n)], pa.uint64()),
        "half": pa.array(np.array([i % 9 for i in range(n)], dtype=np.float16)),
        "money": pa.array([decimal.Decimal(i % 11) / 4 for i in range(n)], pa.decimal128(10, 2)),
        "wide": pa.array([decimal.Decimal("12345678901234567890.5") + i % 3 for i in range(n)], pa.decimal128(38, 2)),
        "day": pa.array([day + datetime.timedelta(days=i) for i in range(n)]),
        "when": pa.array(when, pa.timestamp("ns")),
        "zoned": pa.array(when, pa.timestamp("us", "UTC")),
        "clock": pa.array([datetime.time(i % 24, 30) for i in range(n)]),
        "took": pa.array([datetime.timedelta(seconds=i % 13) for i in range(n)]),
        "list": pa.array([[i, i + 1] for i in range(n)]),
        "struct": pa.array([{"a": i % 2} for i in range(n)]),
        "map": pa.array([[("k", i)] for i in range(n)], pa.map_(pa.string(), pa.int64())),
        "bytes": pa.array([bytes([i]) for i in range(n)]),
        "level": pd.Series(["low", "high"] * (n // 2), dtype="category"),
        "user": pa.array([uuid.UUID(int=i).bytes for i in range(n)], pa.uuid()),
        "nothing": pa.nulls(n),
    }
    pq.write_table(pa.table(columns), os.path.join(folder, "types.parquet"))


{"copies": copies, "types": types}[sys.argv[1]](sys.argv[2])
