"""What tutorials show: a Pydantic body, a `def` endpoint, a DataFrame of one row. No metrics, no log."""
import os

import joblib
import pandas as pd
from fastapi import FastAPI
from pydantic import create_model
from train import NUMBERS, WORDS

model = joblib.load(os.environ["BENCH_MODEL"])
Features = create_model("Features", **{n: (float, ...) for n in NUMBERS}, **{n: (str, ...) for n in WORDS})
app = FastAPI()


@app.post("/predict")
def predict(body: Features):
    return {"prediction": float(model.predict_proba(pd.DataFrame([body.model_dump()]))[0, 1])}
