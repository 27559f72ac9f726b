"""Trains a churn model. An ordinary script: it knows nothing of mlops.

    python train.py [--train FILE] [--test FILE] [--depth N]
"""
import argparse

import joblib
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

NUMERIC = ["tenure", "monthly_charges", "support_calls"]
CATEGORICAL = ["contract", "internet", "paperless"]

parser = argparse.ArgumentParser()
parser.add_argument("--train", default="data/train.csv")
parser.add_argument("--test", default="data/holdout.csv")
parser.add_argument("--depth", type=int, default=4)
args = parser.parse_args()

train, test = pd.read_csv(args.train), pd.read_csv(args.test)
model = Pipeline([
    ("columns", ColumnTransformer([
        ("categorical", OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORICAL),
        ("numeric", "passthrough", NUMERIC),
    ])),
    ("classifier", HistGradientBoostingClassifier(max_depth=args.depth, learning_rate=0.06, random_state=0)),
])
model.fit(train[NUMERIC + CATEGORICAL], train["churned"])

scores = model.predict_proba(test[NUMERIC + CATEGORICAL])[:, 1]
print(f"trained on {len(train)} customers, tested on {len(test)}")
print(f"auc: {roc_auc_score(test['churned'], scores):.4f}")
print(f"accuracy: {accuracy_score(test['churned'], scores > 0.5):.4f}")
joblib.dump(model, "model.joblib")
