"""Answers customers as the service does, and logs every answer: python serve.py CUSTOMERS.csv

What a service needs for drift, health and volume are the three lines with `monitor` in them.
"""
import sys

import joblib
import pandas as pd
from mlops import monitor

monitor = monitor("churn-model")
model = joblib.load("model.joblib")
customers = pd.read_csv(sys.argv[1])

for start in range(0, len(customers), 50):
    batch = customers[start : start + 50]
    with monitor.predicting(batch) as answer:
        answer.output = model.predict_proba(batch)[:, 1].round(4)
print(f"answered {len(customers)} customers")
