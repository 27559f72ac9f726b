"""A scikit-learn pipeline on IBM's telco churn file as it is: python train.py TRAIN TEST [--shuffle-labels]"""
import sys

import joblib
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

NUMERIC = ["tenure", "MonthlyCharges", "TotalCharges"]
IGNORED = ["customerID", "Churn"]


def read(path):
    data = pd.read_csv(path)
    # TotalCharges is a blank string for customers in their first month.
    data["TotalCharges"] = pd.to_numeric(data["TotalCharges"], errors="coerce")
    return data


train, test = read(sys.argv[1]), read(sys.argv[2])
labels = train["Churn"].eq("Yes")
if "--shuffle-labels" in sys.argv:
    labels = labels.sample(frac=1, random_state=0).reset_index(drop=True)
categorical = [c for c in train.columns if c not in NUMERIC + IGNORED]
model = make_pipeline(
    ColumnTransformer([
        ("numeric", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUMERIC),
        ("categorical", OneHotEncoder(handle_unknown="ignore"), categorical),
    ]),
    LogisticRegression(max_iter=1000, random_state=0),
)
model.fit(train, labels)
print(f"rows: {len(train)}")
print(f"auc: {roc_auc_score(test['Churn'].eq('Yes'), model.predict_proba(test)[:, 1]):.4f}")
joblib.dump(model, "model.joblib")
