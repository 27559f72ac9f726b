"""An evaluation command as a team writes it: a model, a file of rows with their truth, figures on standard output."""
import sys

import joblib
import pandas as pd
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

frame = pd.read_parquet(sys.argv[2]) if sys.argv[2].endswith(".parquet") else pd.read_csv(sys.argv[2])
model = joblib.load(sys.argv[1])
X, y = frame.drop(columns="churned"), frame.churned
score = model.predict_proba(X)[:, list(model.classes_).index("Yes")]
print(f"auc: {roc_auc_score(y == 'Yes', score):.4f}")
print(f"accuracy: {accuracy_score(y, model.predict(X)):.4f}")
print(f"log_loss: {log_loss(y == 'Yes', score):.4f}")
