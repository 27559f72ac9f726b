"""The world of the tests: customers of two seasons, a model trained on one of them, and a service that answers and logs.

    service.py data SEASON ROWS SEED FILE      rows with their truth; FILE ends in .csv or .parquet
    service.py train FILE MODEL TEST           scikit-learn, all columns but the target, in the order of the file; evaluated
    service.py serve MODEL VERSION SEASON ROWS SEED LABELS    answers over the last days, logged by the Python client
"""
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def customers(season, rows, seed):
    """The inputs are the same in both seasons; what follows from them is the opposite."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "tenure": rng.integers(1, 60, rows),
            "monthly": rng.normal(60, 15, rows).round(2),
            "contract": rng.choice(["month", "year"], rows, p=[0.6, 0.4]),
        }
    )
    pull = (frame.tenure - 30) / 12 + np.where(frame.contract == "year", 0.8, -0.8)
    chance = 1 / (1 + np.exp(pull if season == "summer" else -pull))
    frame["churned"] = np.where(rng.random(rows) < chance, "Yes", "No")
    return frame


def data(season, rows, seed, path):
    frame = customers(season, int(rows), int(seed))
    frame.to_parquet(path) if path.endswith(".parquet") else frame.to_csv(path, index=False)


def train(path, model, test):
    frame = pd.read_csv(path)
    inputs = make_column_transformer((OneHotEncoder(), ["contract"]), (StandardScaler(), ["tenure", "monthly"]))
    pipeline = make_pipeline(inputs, LogisticRegression())
    pipeline.fit(frame.drop(columns="churned"), frame.churned)
    joblib.dump(pipeline, model)
    subprocess.run([sys.executable, "evaluate.py", model, test], check=True)


def serve(model, version, season, rows, seed, labels):
    import mlops

    frame = customers(season, int(rows), int(seed))
    X = frame.drop(columns="churned")
    score = joblib.load(model).predict_proba(X)[:, 1]
    monitor = mlops.monitor("churn-model")
    ids = [f"{version}-{seed}-{i}" for i in range(len(X))]
    monitor.watch(X, score, version=int(version), ids=ids, latency_ms=3.0)
    assert monitor.flush(20) and monitor.dropped == 0, monitor.last_error
    # As ground truth comes: another system spells it in its own way.
    truth = pd.DataFrame({"id": ids, "label": np.where(frame.churned == "Yes", 1, 0)})
    truth.to_csv(labels, index=False)


globals()[sys.argv[1]](*sys.argv[2:])
