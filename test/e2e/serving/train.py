"""Trains one small model of a flavour on customers and logs it as a run: python train.py FLAVOUR SEED [wide]

The answers of version to version differ by the seed. `wide` is the 20-column pipeline of the benchmark.
"""
import json
import sys

import numpy as np
import pandas as pd

import mlops

FLAVOUR, SEED = sys.argv[1], int(sys.argv[2])
rng = np.random.default_rng(SEED)
ROWS = 600


def customers(rows, wide):
    frame = pd.DataFrame(
        {
            "tenure": rng.integers(0, 72, rows),
            "monthly charges": rng.normal(60, 15, rows).round(2),
            "contract": rng.choice(["month", "year", "two years"], rows),
            "senior": rng.random(rows) < 0.2,
        }
    )
    for at in range(16 if wide else 0):
        frame["extra_%d" % at] = rng.normal(at, 2, rows).round(3) if at % 3 else rng.choice(["a", "b", "c"], rows)
    frame.loc[rng.random(rows) < 0.05, "monthly charges"] = np.nan
    pull = (frame.tenure - 36) / 18 + np.where(frame.contract == "month", -1.0, 0.7) * (1 + SEED / 10)
    frame["churned"] = np.where(rng.random(rows) < 1 / (1 + np.exp(pull)), "Yes", "No")
    return frame


def pipeline(X):
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    words = [name for name in X if X[name].dtype == object]
    numbers = [name for name in X if name not in words]
    return make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), words), (make_pipeline(SimpleImputer(), StandardScaler()), numbers)
        ),
        LogisticRegression(max_iter=500),
    )


def numeric(X):
    """For the flavours that take numbers alone."""
    return X[["tenure", "monthly charges"]].fillna(60.0).astype("float64")


with mlops.track("churn-model") as run:
    frame = customers(ROWS, "wide" in sys.argv)
    y = frame.pop("churned")
    truth = (y == "Yes").astype(int)
    X = frame
    if FLAVOUR == "sklearn":
        import joblib

        model = pipeline(X).fit(X, y)
        joblib.dump(model, "model.joblib")
        score = model.predict_proba(X)[:, 1]
    elif FLAVOUR == "xgboost":
        import xgboost

        X = X.assign(contract=pd.Categorical(X.contract, ["month", "two years", "year"]))
        booster = xgboost.train({"objective": "binary:logistic", "max_depth": 3}, xgboost.DMatrix(X, truth, enable_categorical=True), 10)
        booster.save_model("model.ubj")
        score = booster.predict(xgboost.DMatrix(X, enable_categorical=True))
    elif FLAVOUR == "lightgbm":
        import lightgbm

        X = X.assign(contract=pd.Categorical(X.contract, ["month", "two years", "year"]))
        booster = lightgbm.train({"objective": "binary", "verbose": -1, "num_leaves": 7}, lightgbm.Dataset(X, truth), 10)
        booster.save_model("model.txt")
        score = booster.predict(X)
    elif FLAVOUR == "onnx":
        from skl2onnx import to_onnx
        from sklearn.linear_model import LogisticRegression

        X = numeric(X)
        model = LogisticRegression(max_iter=500).fit(X.to_numpy("float32"), y)
        with open("model.onnx", "wb") as file:
            file.write(to_onnx(model, X.to_numpy("float32")[:1], options={"zipmap": False}).SerializeToString())
        import onnxruntime

        session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
        score = session.run(None, {session.get_inputs()[0].name: X.to_numpy("float32")})[1][:, 1]
    elif FLAVOUR == "torch":
        import torch

        X = numeric(X)
        module = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Sigmoid())
        torch.jit.script(module).save("model.pt")
        score = module(torch.tensor(X.to_numpy("float32"))).detach().numpy()[:, 0]
    elif FLAVOUR == "callable":
        with open("model.py", "w", encoding="utf-8") as file:
            file.write(
                '"""Rules that a person wrote, and what training found for them."""\nimport json\n\n\ndef load(folder):\n'
                '    weight = json.loads((folder / "weight.json").read_text())["weight"]\n'
                '    return lambda rows: [min(1.0, (row["tenure"] or 0) * weight) for row in rows]\n'
            )
        with open("weight.json", "w", encoding="utf-8") as file:
            json.dump({"weight": 0.01 + SEED / 1000}, file)
        X = X[["tenure"]]
        score = (X.tenure * (0.01 + SEED / 1000)).clip(upper=1.0).to_numpy()
        run.log_artifact("weight.json")
    else:
        sys.exit("no such flavour")
    artifact = {
        "sklearn": "model.joblib", "xgboost": "model.ubj", "lightgbm": "model.txt", "onnx": "model.onnx", "torch": "model.pt", "callable": "model.py",
    }[FLAVOUR]
    run.log_artifact(artifact)
    run.log_metric("accuracy", float(np.mean((score > 0.5) == truth)))
    run.log_examples(X[:40], score[:40])
    baseline = X.copy()
    baseline["churn_probability"] = score
    baseline.to_csv("train.csv", index=False)
