"""What models of every kind answer through app/predictor.py, run inside a generated service: each row the same alone and beside
rows that lack values, and the same as the library says."""
import dataclasses
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from app.loading import contract_differs
from app.checks import golden_differs
from app.predictor import Incompatible, load
from app.settings import CONTRACT

RNG = np.random.default_rng(3)
ROWS = 120
FRAME = pd.DataFrame(
    {
        "whole": RNG.integers(0, 9, ROWS),
        "part": np.where(RNG.random(ROWS) < 0.2, np.nan, RNG.normal(size=ROWS)),
        "word": RNG.choice(["a", "b", None], ROWS),
        "flag": RNG.random(ROWS) < 0.5,
        "day": pd.to_datetime("2026-01-01") + pd.to_timedelta(RNG.integers(0, 99, ROWS), unit="D"),
    }
)
FRAME["word"] = FRAME["word"].where(FRAME["word"].notna(), np.nan)
TYPES = {"whole": "integer", "part": "number", "word": "string", "flag": "boolean", "day": "datetime"}
TARGETS = {
    "two": np.where(FRAME.whole > 4, "Yes", "No"),
    "three": FRAME.whole % 3,
    "number": FRAME.whole * 2.5,
}


def contract(columns, kind, classes=None):
    features = [{"name": name, "type": TYPES[name], "nullable": name in ("part", "word"), "categories": None} for name in columns]
    output = {"name": "y", "kind": kind, "classes": classes}
    return dataclasses.replace(CONTRACT, flavour="sklearn", features=features, output=output)


def rows_of(columns):
    """As a request has them: Python values, None where one is missing."""
    frame = FRAME[columns].astype(object)
    return frame.where(frame.notna(), None).to_dict("records")


def served(tmp_path, model, columns, kind, classes=None):
    joblib.dump(model, tmp_path / "model.joblib")
    predict = load(tmp_path, "model.joblib", contract(columns, kind, classes))
    rows = rows_of(columns)
    together = predict(rows)
    for at in range(0, ROWS, 7):
        assert predict([rows[at]])[0] == pytest.approx(together[at], rel=1e-9)
    return together


def mixed(model):
    words = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_pipeline(make_column_transformer((words, ["word"]), ("passthrough", ["whole", "part", "flag"])), model)


def test_of_two_classes_the_chance_of_the_last_one_that_the_contract_names(tmp_path):
    columns = ["whole", "part", "word", "flag"]
    model = mixed(RandomForestClassifier(20, random_state=1)).fit(FRAME[columns], TARGETS["two"])
    wanted = model.predict_proba(FRAME[columns])
    assert served(tmp_path, model, columns, "probability", ["No", "Yes"]) == pytest.approx(wanted[:, 1].tolist())
    assert served(tmp_path, model, columns, "probability", ["Yes", "No"]) == pytest.approx(wanted[:, 0].tolist())


def test_the_golden_predict_proba_is_compared_by_the_class_that_the_contract_names(tmp_path):
    """`gone` sorts before `stays`: its chance is the first column, and the service answers it."""
    columns = ["whole", "flag"]
    words = np.where(TARGETS["two"] == "Yes", "gone", "stays")
    model = LogisticRegression(max_iter=500).fit(FRAME[columns], words)
    joblib.dump(model, tmp_path / "model.joblib")
    said = contract(columns, "probability", ["stays", "gone"])
    predict = load(tmp_path, "model.joblib", said)
    recorded = [
        {"features": row, "output": dict(zip(("output_0", "output_1"), chances))}
        for row, chances in zip(rows_of(columns), model.predict_proba(FRAME[columns]).tolist())
    ]
    rows = [example["features"] for example in recorded]
    for example, answer in zip(recorded, predict(rows)):
        assert golden_differs(example["output"], answer, predict.positive) is None
        assert golden_differs(example["output"], answer, 1 - predict.positive) is not None
    # Trained on 0 and 1 in the place of the words, the second column is theirs again.
    coded = LogisticRegression(max_iter=500).fit(FRAME[columns], (words == "gone").astype(int))
    joblib.dump(coded, tmp_path / "coded.joblib")
    assert load(tmp_path, "coded.joblib", said).positive == 1


def test_onnx_of_words_gives_the_chance_of_the_class_that_the_contract_names(tmp_path):
    to_onnx = pytest.importorskip("skl2onnx").to_onnx
    columns = ["whole", "flag"]
    X = FRAME[columns].to_numpy("float32")
    model = LogisticRegression(max_iter=500).fit(X, np.where(TARGETS["two"] == "Yes", "gone", "stays"))
    (tmp_path / "model.onnx").write_bytes(to_onnx(model, X[:1], options={"zipmap": False}).SerializeToString())
    said = dataclasses.replace(contract(columns, "probability", ["stays", "gone"]), flavour="onnx")
    found = load(tmp_path, "model.onnx", said)(rows_of(columns))
    assert found == pytest.approx(model.predict_proba(X)[:, 0].tolist(), abs=1e-6)


@pytest.mark.parametrize("name, write", [
    ("model.pkl", joblib.dump),
    ("model.pkl", lambda model, path: joblib.dump(model, path, compress=3)),
    ("model.joblib", lambda model, path: path.write_bytes(pickle.dumps(model))),
    ("model.bin", joblib.dump),
])
def test_a_dump_is_read_whatever_it_is_named(tmp_path, name, write):
    columns = ["whole", "flag"]
    model = LinearRegression().fit(FRAME[columns], TARGETS["number"])
    write(model, tmp_path / name)
    for flavour in ("sklearn", "xgboost", "lightgbm"):
        said = dataclasses.replace(contract(columns, "number"), flavour=flavour)
        assert load(tmp_path, name, said)(rows_of(columns)) == pytest.approx(TARGETS["number"].tolist())


def test_of_three_classes_all_chances_by_name(tmp_path):
    columns = ["whole", "flag"]
    model = LogisticRegression(max_iter=500).fit(FRAME[columns], TARGETS["three"])
    found = served(tmp_path, model, columns, "probability", [0, 1, 2])
    assert set(found[0]) == {"0", "1", "2"}
    assert [each["2"] for each in found] == pytest.approx(model.predict_proba(FRAME[columns])[:, 2].tolist())


def test_a_class_and_a_number(tmp_path):
    columns = ["whole", "part", "word", "flag"]
    classes = mixed(RandomForestClassifier(20, random_state=1)).fit(FRAME[columns], TARGETS["two"])
    joblib.dump(classes, tmp_path / "model.joblib")
    assert load(tmp_path, "model.joblib", contract(columns, "class"))(rows_of(columns)) == list(classes.predict(FRAME[columns]))
    number = mixed(HistGradientBoostingRegressor(random_state=1)).fit(FRAME[columns], TARGETS["number"])
    assert served(tmp_path, number, columns, "number") == pytest.approx(number.predict(FRAME[columns]).tolist())


def test_a_model_that_was_fitted_on_an_array_gets_an_array(tmp_path, recwarn):
    columns = ["whole", "flag"]
    model = LinearRegression().fit(FRAME[columns].to_numpy(dtype=float), TARGETS["number"])
    assert served(tmp_path, model, columns, "number") == pytest.approx(TARGETS["number"].tolist())
    assert not [str(each.message) for each in recwarn if "feature names" in str(each.message)]


def test_columns_come_in_the_order_of_the_model_and_dates_as_dates(tmp_path):
    columns = ["whole", "day"]
    days = make_column_transformer(("passthrough", ["whole"]), (_Days(), ["day"]))
    model = make_pipeline(days, LinearRegression()).fit(FRAME[["day", "whole"]], TARGETS["number"])
    assert served(tmp_path, model, columns, "number") == pytest.approx(model.predict(FRAME[["day", "whole"]]).tolist())


def test_a_model_that_wants_another_column_or_knows_other_classes_is_refused(tmp_path):
    columns = ["whole", "flag"]
    joblib.dump(LogisticRegression().fit(FRAME[columns], TARGETS["two"]), tmp_path / "model.joblib")
    with pytest.raises(Incompatible, match="the model wants flag"):
        load(tmp_path, "model.joblib", contract(["whole"], "probability"))
    with pytest.raises(Incompatible, match="knows the classes"):
        load(tmp_path, "model.joblib", contract(columns, "probability", ["stays", "goes"]))


def test_a_refusal_says_how_many_columns_it_does_not_list():
    examples = [{"features": {f"extra_{i}": 1 for i in range(8)}, "output": 0.5}]
    said = contract_differs(None, contract(["whole"], "number"), {}, examples)
    assert said == (
        "another contract: it wants extra_0, extra_1, extra_2, extra_3, extra_4 and 3 more and it does not know whole"
    )


class _Days(TransformerMixin, BaseEstimator):
    """Days since 1970."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return (X - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
