"""What `watch` costs its caller, and how long the lines take to reach the file: python test/python/client/bench_watch.py

Prints the best of several rounds; the figures in docs/python-client.md come from here. Nothing is judged.
"""
import json
import os
import sys
import tempfile
import time

import conftest  # noqa: F401  puts the client on the path
import numpy as np
import pandas as pd
import polars as pl
from mlops import _store, monitor

ROW = {"f%d" % n: n * 0.37 if n % 2 else "category %d" % n for n in range(20)}
ARRAY = np.random.rand(1, 20)


def single(m):
    frame, few = pd.DataFrame([ROW]), pl.DataFrame([ROW])

    def timed():
        with m.predicting(ROW) as p:
            p.output = 0.3

    return [
        ("one dict of 20", lambda: m.watch(ROW, 0.3, latency_ms=1.0)),
        ("the same, timed with predicting", timed),
        ("numpy 1 x 20", lambda: m.watch(ARRAY, [0.3])),
        ("pandas 1 x 20", lambda: m.watch(frame, [0.3])),
        ("polars 1 x 20", lambda: m.watch(few, [0.3])),
        ("for comparison: json.dumps of the dict, written and flushed", written),
    ]


OUT = tempfile.TemporaryFile("w")


def written():
    OUT.write(json.dumps(ROW) + "\n")
    OUT.flush()


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        _store.create_store(os.path.join(folder, ".mlops"))
        m = monitor("bench")
        for name, call in single(m):
            best = float("inf")
            for _ in range(7):
                began = time.perf_counter()
                for _ in range(500):
                    call()
                best = min(best, time.perf_counter() - began)
                m.flush()
            print("%-62s %6.1f us per call" % (name, best / 500 * 1e6))
        rows = 100_000
        frame = pd.DataFrame(
            {"f%d" % n: np.random.rand(rows) if n % 2 else np.random.choice(["a", "bb", "ccc"], rows) for n in range(20)}
        )
        answers = np.random.rand(rows)
        for name, batch in (("pandas", frame), ("polars", pl.from_pandas(frame)), ("dicts", frame.to_dict("records"))):
            began = time.perf_counter()
            m.watch(batch, answers)
            returned = time.perf_counter()
            m.flush()
            print("%-62s %6.0f ms to return, %.1f s until written" % (
                "%d rows x 20 columns of %s" % (rows, name), (returned - began) * 1000, time.perf_counter() - began))
        print("dropped: %d" % m.dropped)
        os.chdir("/")


if __name__ == "__main__":
    sys.exit(main())
