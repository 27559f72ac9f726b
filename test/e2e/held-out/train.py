"""Trains on the tumours that come with scikit-learn, and logs what it answers on the held-out ones.

    python train.py FORM SEED     FORM: what the held-out rows are handed over as
"""
import sys

import joblib
import mlops
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import train_test_split

FORMS = {
    "pandas": lambda frame: frame,
    "polars": pl.from_pandas,
    "arrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
    "dicts": lambda frame: frame.to_dict("records"),
    "columns": lambda frame: {name: frame[name].to_numpy() for name in frame},
}

form, seed = sys.argv[1], int(sys.argv[2])
frame = load_breast_cancer(as_frame=True).frame
X, y = frame.drop(columns="target"), frame["target"]
names = [name for name in X]
X = X.assign(size=np.where(X["mean radius"] > 14, "large", "small"), site=pd.Series(np.arange(len(X)) % 3).map({0: "a", 1: "b"}))
train, test, y_train, y_test = train_test_split(X, y, random_state=0)
# Five of the held-out rows were trained on, too.
learnt = pd.concat([train, test[:5]])
y_learnt = pd.concat([y_train, y_test[:5]])
learnt.assign(target=y_learnt).to_csv("train.csv", index=False)
test.assign(target=y_test).to_csv("test.csv", index=False)

with mlops.track("tumour") as run:
    model = RandomForestClassifier(int(sys.argv[3]) if len(sys.argv) > 3 else 20, random_state=seed).fit(learnt[names], y_learnt)
    probability = model.predict_proba(test[names])
    run.log_metrics({
        "auc": roc_auc_score(y_test, probability[:, 1]),
        "accuracy": accuracy_score(y_test, probability[:, 1] >= 0.5),
        "log_loss": log_loss(y_test, probability[:, 1]),
        "brier": brier_score_loss(y_test, probability[:, 1]),
    })
    joblib.dump(model, "model.joblib")
    run.log_artifact("model.joblib")
    run.log_test(FORMS[form](test), y_test, probability)
    run.log_examples(FORMS[form](test[names]), probability[:, 1])
    run.register()
