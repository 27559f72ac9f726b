"""The model behind BentoML, with its adaptive batching on."""
from __future__ import annotations

import os

import bentoml
import joblib
import pandas as pd


@bentoml.service(workers=1)
class Churn:
    def __init__(self) -> None:
        self.model = joblib.load(os.environ["BENCH_MODEL"])

    @bentoml.api(batchable=True, max_batch_size=64)
    def predict(self, rows: list[dict]) -> list[float]:
        # Batching of data frames ends in a TypeError in this version (1.4.39).
        return self.model.predict_proba(pd.DataFrame(rows))[:, 1].tolist()
