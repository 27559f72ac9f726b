"""A classifier on the breast cancer data, as one finds it in tutorials."""
import argparse
import json

import joblib
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

parser = argparse.ArgumentParser()
parser.add_argument("--C", type=float, default=1.0)
args = parser.parse_args()

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=42)
model = make_pipeline(StandardScaler(), LogisticRegression(C=args.C, max_iter=500, random_state=42))
model.fit(X_train, y_train)
print(classification_report(y_test, model.predict(X_test)))
print(f"accuracy: {model.score(X_test, y_test):.4f}")
auc = roc_auc_score(y_test, model.predict_proba(X_test)[:, 1])
with open("metrics.json", "w") as file:
    json.dump({"auc": auc, "n_test": len(y_test)}, file)
joblib.dump(model, "model.joblib")
