"""Evidently's default drift preset on two files, as its own quick start has it: read with pandas, one report."""
import sys

import pandas
from evidently import Report
from evidently.presets import DataDriftPreset

reference, current = (
    (pandas.read_parquet if path.endswith(".parquet") else pandas.read_csv)(path) for path in sys.argv[1:3]
)
found = Report([DataDriftPreset()]).run(current, reference).dict()
print(found["metrics"][0]["value"])
