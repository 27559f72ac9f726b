"""python train.py TRAIN TEST [DEGREE]"""
import sys

import joblib
import pandas as pd
from score import FEATURES, score
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

train = pd.read_csv(sys.argv[1])
degree = int(sys.argv[3]) if len(sys.argv) > 3 else 1
model = make_pipeline(PolynomialFeatures(degree), StandardScaler(), LogisticRegression(max_iter=1000))
model.fit(train[FEATURES], train["repaid"])
joblib.dump(model, "model.joblib")
score(model, pd.read_csv(sys.argv[2]), "answers.csv")
