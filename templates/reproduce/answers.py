"""The answers of a model that `mlops run reproduce` has just trained again, on recorded inputs.

    python answers.py MODEL EXAMPLES

MODEL is loaded: it is the product of the code that ran a moment ago, in the environment it ran in. A registered model is
never loaded. Prints one JSON object: for each way of asking, a list of answers, one for each line of EXAMPLES.
"""
import gzip
import json
import os
import sys


def load(path):
    suffix = os.path.splitext(path)[1].lower()
    if suffix in (".ubj", ".xgb", ".bst") or (suffix == ".json" and _holds(path, b'"learner"')):
        import xgboost

        return Booster(xgboost.Booster(model_file=path), xgboost.DMatrix)
    if suffix == ".txt":
        import lightgbm

        return Booster(lightgbm.Booster(model_file=path), lambda table: table)
    try:
        import joblib

        return joblib.load(path)
    except ImportError:
        import pickle

        with open(path, "rb") as file:
            return pickle.load(file)


class Booster:
    def __init__(self, booster, wrap):
        self._booster = booster
        self._wrap = wrap

    def predict(self, table):
        return self._booster.predict(self._wrap(table))


def _holds(path, word):
    with open(path, "rb") as file:
        return word in file.read(4096)


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    return [json.loads(line)["features"] for line in data.decode("utf-8").splitlines() if line.strip()]


def table(rows):
    """As the model was most likely given them: a frame where there is pandas, else an array, else lists."""
    try:
        import pandas

        return pandas.DataFrame(rows)
    except ImportError:
        values = [list(row.values()) for row in rows]
    try:
        import numpy

        return numpy.array(values)
    except ImportError:
        return values


def plain(values):
    if hasattr(values, "tolist"):
        return values.tolist()
    return [plain(value) if isinstance(value, (list, tuple)) or hasattr(value, "tolist") else value for value in values]


def main(model_path, examples_path):
    model = load(model_path)
    rows = table(read(examples_path))
    answers = {}
    for way in ("predict", "predict_proba"):
        if not hasattr(model, way):
            continue
        try:
            found = plain(getattr(model, way)(rows))
        except Exception:
            # A model of arrays warns of names, or refuses them.
            values = rows.to_numpy() if hasattr(rows, "to_numpy") else rows
            found = plain(getattr(model, way)(values))
        answers[way] = found
        if way == "predict_proba" and found and len(found[0]) == 2:
            answers["probability of the second class"] = [row[1] for row in found]
    sys.stdout.write(json.dumps(answers) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
