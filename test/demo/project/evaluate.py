"""Scores a saved model on a file of labelled customers: python evaluate.py MODEL DATA"""
import sys

import joblib
import pandas as pd
from sklearn.metrics import accuracy_score, roc_auc_score

model, data = joblib.load(sys.argv[1]), pd.read_csv(sys.argv[2])
scores = model.predict_proba(data)[:, 1]
print(f"auc: {roc_auc_score(data['churned'], scores):.4f}")
print(f"accuracy: {accuracy_score(data['churned'], scores > 0.5):.4f}")
