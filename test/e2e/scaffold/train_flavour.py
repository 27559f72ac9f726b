"""Trains one small model and records it as a team would: python train_flavour.py FLAVOUR"""
import sys

import joblib
import mlops
import pandas

flavour = sys.argv[1]
data = pandas.read_csv("train.csv")
y = data.pop("churned")
X = data.drop(columns=["customer"])


def pipeline(last, numbers=("tenure", "monthly charges"), words=("plan", "senior")):
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    columns = [("numbers", SimpleImputer(), list(numbers)), ("words", OneHotEncoder(handle_unknown="ignore"), list(words))]
    return make_pipeline(ColumnTransformer([each for each in columns if each[2]]), last)


if flavour == "sklearn":
    from sklearn.linear_model import LogisticRegression

    model = pipeline(LogisticRegression(max_iter=1000)).fit(X, y)
    joblib.dump(model, "model.joblib")
    answers = model.predict_proba(X)
elif flavour == "class":
    from sklearn.tree import DecisionTreeClassifier

    model = pipeline(DecisionTreeClassifier(max_depth=3)).fit(X, y)
    joblib.dump(model, "model.joblib")
    answers = model.predict(X)
elif flavour == "number":
    from sklearn.linear_model import LinearRegression

    model = pipeline(LinearRegression()).fit(X, X["tenure"] * 1.5)
    joblib.dump(model, "model.joblib")
    answers = model.predict(X)
elif flavour == "xgboost-pipeline":
    import xgboost

    model = pipeline(xgboost.XGBClassifier(n_estimators=5)).fit(X, (y == "Yes").astype(int))
    joblib.dump(model, "model.joblib")
    answers = model.predict_proba(X)
elif flavour == "onnx":
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression

    X = X[["tenure", "monthly charges"]].fillna(0).astype("float32")
    model = LogisticRegression(max_iter=1000).fit(X.to_numpy(), y)
    with open("model.onnx", "wb") as file:
        file.write(to_onnx(model, X.to_numpy()[:1], options={"zipmap": False}).SerializeToString())
    import onnxruntime

    answers = onnxruntime.InferenceSession("model.onnx").run(None, {"X": X.to_numpy()})[-1]
else:
    sys.exit("no such flavour")

with mlops.track("churn-model") as run:
    run.log_metric("auc", 0.9)
    run.log_examples(X, answers)
