"""Evidently's DataDriftPreset with its defaults, for the drift simulation.

Reads checks from stdin: a JSON line {"columns": [{"kind", "n", "m"}]}, then for each column its rows before and after as
little-endian doubles (categories as their index, -1 and NaN for nulls). Answers each with a JSON line.
"""
import json
import os
import sys
import warnings

warnings.filterwarnings("ignore")
os.environ["DO_NOT_TRACK"] = "1"

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset


def series(kind, rows):
    data = np.frombuffer(sys.stdin.buffer.read(8 * rows), dtype="<f8")
    if kind == "numeric":
        return data
    return pd.Series([None if index < 0 else f"c{int(index)}" for index in data], dtype=object)


def check(columns):
    sides = [{}, {}]
    for i, column in enumerate(columns):
        for side, rows in ((0, column["n"]), (1, column["m"])):
            sides[side][f"c{i}"] = series(column["kind"], rows)
    before, after = (pd.DataFrame(side) for side in sides)
    # It raises on a column without values, and on two samples of one value each: these are left out for it.
    usable = [
        name
        for name in before
        if before[name].notna().any()
        and after[name].notna().any()
        and len(set(before[name].dropna().unique()) | set(after[name].dropna().unique())) > 1
    ]
    if not usable:
        return {"drifted": [], "dataset": False}
    kinds = {f"c{i}": column["kind"] for i, column in enumerate(columns)}
    definition = DataDefinition(
        numerical_columns=[name for name in usable if kinds[name] == "numeric"],
        categorical_columns=[name for name in usable if kinds[name] == "categorical"],
    )
    dataset = lambda frame: Dataset.from_pandas(frame[usable], data_definition=definition)
    found = Report([DataDriftPreset()]).run(dataset(after), dataset(before)).dict()
    drifted, share = [], 0.0
    for metric in found["metrics"]:
        config = metric["config"]
        if config["type"].endswith("DriftedColumnsCount"):
            share, limit = metric["value"]["share"], config["drift_share"]
        elif config["type"].endswith("ValueDrift"):
            value, threshold = float(metric["value"]), config["threshold"]
            is_p = "p_value" in config["method"]
            if (value < threshold) if is_p else (value >= threshold):
                drifted.append(config["column"])
    if len(drifted) != round(share * len(usable)):
        raise SystemExit(f"{len(drifted)} columns were read as drifted, Evidently counts {share * len(usable)}")
    return {"drifted": drifted, "dataset": bool(share >= limit)}


for line in iter(sys.stdin.buffer.readline, b""):
    answer = check(json.loads(line)["columns"])
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
