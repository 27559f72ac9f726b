"""Trains a scikit-learn classifier epoch by epoch, as people do, with the client of mlops."""
import argparse

import joblib
import mlops
import pandas as pd
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss, roc_auc_score

PENALTY = "l2"

parser = argparse.ArgumentParser()
parser.add_argument("--alpha", type=float, default=0.001)
parser.add_argument("--epochs", type=int, default=12)
args = parser.parse_args()

train, test = pd.read_csv("data/train.csv"), pd.read_csv("data/test.csv")
X, y = train.drop(columns="y"), train["y"]
model = SGDClassifier(loss="log_loss", alpha=args.alpha, penalty=PENALTY, random_state=7)
with mlops.track("churn-model") as run:
    run.log_param("alpha", args.alpha)
    run.log_param("penalty", PENALTY)
    run.log_param("epochs", args.epochs)
    for epoch in range(args.epochs):
        model.partial_fit(X, y, classes=[0, 1])
        p = model.predict_proba(test.drop(columns="y"))[:, 1]
        run.log_metric("val_loss", log_loss(test["y"], p), step=epoch)
    run.log_metric("auc", roc_auc_score(test["y"], p))
    joblib.dump(model, "model.joblib")
    run.log_artifact("model.joblib")
