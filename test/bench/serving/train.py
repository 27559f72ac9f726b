"""The model that all servers of the bench serve: 20 columns of mixed types, one ColumnTransformer, logistic regression."""
import json
import sys

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

NUMBERS = ["n%02d" % n for n in range(14)]
WORDS = ["c%02d" % n for n in range(6)]


def customers(rows, seed):
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({name: draw.normal(size=rows).round(4) for name in NUMBERS})
    for name in WORDS:
        frame[name] = draw.choice(["red", "green", "blue", "none"], size=rows)
    chance = 1 / (1 + np.exp(-(frame["n00"] + (frame["c00"] == "red"))))
    frame["churned"] = (draw.random(rows) < chance).astype(int)
    return frame


if __name__ == "__main__":
    train = customers(5_000, int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    encode = ColumnTransformer([("n", StandardScaler(), NUMBERS), ("c", OneHotEncoder(handle_unknown="ignore"), WORDS)])
    model = make_pipeline(encode, LogisticRegression(max_iter=500))
    model.fit(train[NUMBERS + WORDS], train["churned"])
    train.to_csv("train.csv", index=False)
    joblib.dump(model, "model.joblib")
    rows = customers(100, 2)[NUMBERS + WORDS].to_dict("records")
    with open("rows.json", "w", encoding="utf-8") as file:
        json.dump(rows, file)
    print("trained on %d rows with Python %s" % (len(train), sys.version.split()[0]))
