"""Prints the canonical JSON of the client for each case on stdin: one JSON text per line in, one canonical line out.

Cases are written so that both languages build the same value: {"f": "<hex bits of a double>"}, {"i": "<digits>"},
{"s": [UTF-16 code units]}, {"l": [...]}, {"o": [[key, value], ...]}, or null / true / false.
"""
import json
import struct
import sys

from mlops._canonical import canonical


def build(case):
    if case is None or isinstance(case, bool):
        return case
    (kind, value), = case.items()
    if kind == "f":
        return struct.unpack(">d", bytes.fromhex(value))[0]
    if kind == "i":
        return int(value)
    if kind == "s":
        return b"".join(struct.pack("<H", unit) for unit in value).decode("utf-16-le", "surrogatepass")
    if kind == "l":
        return [build(item) for item in value]
    return {build(key): build(item) for key, item in value}


for line in sys.stdin:
    try:
        print(canonical(build(json.loads(line))))
    except TypeError as error:
        print("TypeError")
