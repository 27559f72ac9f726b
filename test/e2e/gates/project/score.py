"""The metrics of a model on a file, and its answers row by row: python score.py MODEL DATA [PREDICTIONS]"""
import sys

import joblib
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score

FEATURES = ["income", "debt", "age"]


def score(model, data, path):
    likely = model.predict_proba(data[FEATURES])[:, list(model.classes_).index("yes")]
    repaid = data["repaid"].eq("yes")
    print(f"auc: {roc_auc_score(repaid, likely):.4f}")
    print(f"log_loss: {log_loss(repaid, likely):.4f}")
    if path is not None:
        columns = {"id": data["id"], "truth": data["repaid"], "score": likely}
        pd.DataFrame({**columns, "region": data["region"], "gender": data["gender"]}).to_csv(path, index=False)


if __name__ == "__main__":
    score(joblib.load(sys.argv[1]), pd.read_csv(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)
