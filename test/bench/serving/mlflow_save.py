"""Puts the model into MLflow's own form, with the signature that its server checks requests by."""
import json
import sys

import joblib
import mlflow.sklearn
import pandas as pd
from mlflow.models import infer_signature

model = joblib.load("model.joblib")
rows = pd.DataFrame(json.load(open("rows.json", encoding="utf-8")))
mlflow.sklearn.save_model(model, sys.argv[1], signature=infer_signature(rows, model.predict(rows)), pyfunc_predict_fn="predict_proba")
