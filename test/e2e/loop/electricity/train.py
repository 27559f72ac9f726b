"""Up or down on the electricity market: python train.py TRAIN TEST"""
import sys

import joblib
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import accuracy_score, roc_auc_score

train, test = pd.read_csv(sys.argv[1]), pd.read_csv(sys.argv[2])
features = [c for c in train.columns if c != "class"]
model = HistGradientBoostingClassifier(max_iter=60, random_state=0).fit(train[features], train["class"])
scores = model.predict_proba(test[features])[:, 1]
print(f"auc: {roc_auc_score(test['class'], scores):.4f}")
print(f"accuracy: {accuracy_score(test['class'], scores > 0.5):.4f}")
joblib.dump(model, "model.joblib")
