"""What `log_test` and `log_examples` keep of held-out rows, in any form that they come in, and what they refuse."""
import datetime
import decimal
import gzip
import json
import math
import os

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import mlops
from mlops import _run, _rowdigest, _store, _yaml
from mlops._heldout import HeldOut


@pytest.fixture
def shop(shop, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # no mlops program
    yield shop
    for run in _run.all_active():
        run.end()


def evidence(shop, run, kind="test"):
    """The newest record of a kind, and the lines it names."""
    folder = shop.root / ".mlops/runs" / run.id / "evidence"
    records = [json.loads(path.read_text()) for path in sorted(folder.iterdir())]
    record = [each for each in records if each["kind"] == kind][-1]
    pin = record["data"]["sha256"]
    data = (shop.root / ".mlops/objects/sha256" / pin[:2] / pin[2:]).read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    return record, [json.loads(line) for line in data.decode("utf-8").splitlines()]


def logged(shop, *arguments, **named):
    with mlops.track("churn-model") as run:
        run.log_test(*arguments, **named)
    return evidence(shop, run)


def people(rows=40):
    """Every kind of column, with missing values in each that can have them."""
    draw = np.random.default_rng(7)
    frame = pd.DataFrame({
        "age": draw.integers(18, 90, rows),
        "income": draw.normal(3e4, 1e4, rows),
        "visits": draw.integers(0, 5, rows).astype(float),
        "plan": pd.Categorical(draw.choice(["basic", "é", "100%"], rows)),
        "note": draw.choice(["", "a \"b\"", None], rows),
        "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(draw.integers(0, 10**9, rows), unit="ms"),
        "active": draw.random(rows) > 0.5,
    })
    frame.loc[3, ["income", "visits"]] = math.nan
    frame.loc[4, "since"] = pd.NaT
    return frame, draw.integers(0, 2, rows), draw.random(rows)


FORMS = {
    "pandas": lambda frame: frame,
    "pandas with an index of text": lambda frame: frame.set_index(frame.index.astype(str)),
    "nullable pandas": lambda frame: frame.convert_dtypes(),
    "other order of columns": lambda frame: frame[frame.columns[::-1]],
    "polars": pl.from_pandas,
    "arrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
    "dict of columns": lambda frame: {name: list(frame[name]) for name in frame},
    "dict of arrays": lambda frame: {name: frame[name].to_numpy() for name in frame},
    "list of dicts": lambda frame: frame.to_dict("records"),
    "dicts without what is missing": lambda frame: [
        {name: value for name, value in row.items() if not pd.isna(value)} for row in frame.to_dict("records")
    ],
    "a column without values": lambda frame: frame.assign(empty=None),
}


@pytest.mark.parametrize("rows", [12, 40])  # few rows take another way through _rows.py
@pytest.mark.parametrize("form", FORMS)
def test_the_same_rows_have_the_same_digest_whatever_holds_them(form, rows):
    frame, y, score = people(rows)
    reference = HeldOut(frame, y, score, None, None, None).digest()
    assert HeldOut(FORMS[form](frame), list(map(int, y)), score, None, None, None).digest() == reference
    for truth in (pd.Series(y, index=[str(at) for at in range(rows)]), pl.Series(y), pa.array(y), y.reshape(-1, 1), pd.DataFrame({"y": y})):
        assert HeldOut(FORMS[form](frame), truth, score, None, None, None).digest() == reference


def test_other_rows_another_order_or_another_truth_have_another_digest():
    frame, y, score = people()
    digests = {
        HeldOut(X, truth, score, None, None, None).digest()
        for X, truth in [
            (frame, y), (frame[::-1], y[::-1]), (frame, 1 - y), (frame.rename(columns={"age": "years"}), y),
            (frame.assign(age=frame["age"].astype(str)), y), (frame.drop(columns="age"), y), (frame.assign(more=1), y),
        ]
    }
    assert len(digests) == 7
    assert HeldOut(frame, y, score, None, None, ["plan"]).digest() in digests  # what is kept does not count


def test_the_digest_is_that_of_canonical_json_as_the_page_of_the_store_says():
    from mlops._canonical import canonical_bytes
    import hashlib

    rows = [{"b": 1.0, "a": "x"}, {"b": None, "a": "y", "c": math.nan}, {"b": 2**53 + 1, "a": "\u2028", "d": {"k": [1.5, None]}}]
    plain = {
        "columns": {"a": ["x", "y", "\u2028"], "b": [1, None, 2**53 + 1], "d": [None, None, {"k": [1.5, None]}]},
        "truth": [True, False, True],
    }
    expected = hashlib.sha256(canonical_bytes(plain)).hexdigest()
    assert HeldOut(rows, [True, False, True], [1, 0, 1], None, None, None).digest() == expected


@pytest.mark.parametrize("value, text", [
    (1.0, "1"), (-0.0, '"-0"'), (1e16, '"10000000000000000"'), (10**16, '"10000000000000000"'), (123456789012345.0, "123456789012345"),
    (1e-5, "0.00001"), (1e-7, "1e-7"), (math.inf, '"Infinity"'), (math.nan, "null"), (np.float32(0.1), "0.10000000149011612"),
    (np.int8(3), "3"), (np.bool_(True), "true"), (decimal.Decimal("1.50"), "1.5"), (decimal.Decimal("0.10000000000000000001"), '"0.10000000000000000001"'),
    (pd.NA, "null"), (pd.NaT, "null"), (np.datetime64("NaT"), "null"), (np.datetime64("2024-01-02T03:04:05.600000000"), '"2024-01-02T03:04:05.6"'),
    (pd.Timestamp("2024-01-02T03:04:05", tz="UTC"), '"2024-01-02T03:04:05+00:00"'),
    (datetime.datetime(2024, 1, 2, 3, 4, 5, 600000), '"2024-01-02T03:04:05.6"'), (datetime.date(2024, 1, 2), '"2024-01-02"'),
    ("\ud800", '"?"'), (b"\x00", '"AA=="'), ([1.0, "a"], '[1,"a"]'),
])
def test_one_value_has_one_text_alone_or_in_a_column(value, text):
    assert _rowdigest.plain_text(value) == text
    assert _rowdigest.plain_texts([value]) == [text]
    assert _rowdigest.plain_texts([value, "other", 1]) == [text, '"other"', "1"]


def test_only_answers_truth_and_named_columns_are_kept(shop):
    frame, y, score = people()
    record, lines = logged(shop, frame, y, score, ids=range(40), slices="plan")
    assert set(lines[0]) == {"id", "truth", "score", "plan"}
    assert [line["truth"] for line in lines] == list(y)
    assert [line["score"] for line in lines] == list(score)
    assert [line["plan"] for line in lines] == list(frame["plan"])
    assert [line["id"] for line in lines] == [str(at) for at in range(40)]
    assert (record["rows"], record["columns"], record["rowsDigest"]) == (40, 7, HeldOut(frame, y, score, None, None, None).digest())


@pytest.mark.parametrize("y, y_pred, expected", [
    # classes
    ([0, 1, 1], [0, 1, 0], [{"truth": 0, "answer": 0}, {"truth": 1, "answer": 1}, {"truth": 1, "answer": 0}]),
    (["no", "yes"], ["yes", "yes"], [{"truth": "no", "answer": "yes"}, {"truth": "yes", "answer": "yes"}]),
    (np.array([0.0, 1.0]), np.array([1.0, 1.0]), [{"truth": 0, "answer": 1}, {"truth": 1, "answer": 1}]),
    ([False, True], [0, 1], [{"truth": 0, "answer": 0}, {"truth": 1, "answer": 1}]),
    ([1, 0], np.array([True, False]), [{"truth": 1, "answer": 1}, {"truth": 0, "answer": 0}]),
    # scores: fractions for a truth of two values, and what predict_proba gives
    ([0, 1], [0.25, 0.75], [{"truth": 0, "score": 0.25}, {"truth": 1, "score": 0.75}]),
    (["no", "yes"], [0.25, 0.75], [{"truth": "no", "score": 0.25}, {"truth": "yes", "score": 0.75}]),
    ([True, False], np.array([[0.25, 0.75], [0.5, 0.5]]), [{"truth": True, "score": 0.75}, {"truth": False, "score": 0.5}]),
    ([0, 1], [[0.25, 0.75], [0.5, 0.5]], [{"truth": 0, "score": 0.75}, {"truth": 1, "score": 0.5}]),
    ([0, 1], pd.DataFrame([[0.25, 0.75], [0.5, 0.5]]), [{"truth": 0, "score": 0.75}, {"truth": 1, "score": 0.5}]),
    # the column of the class that readers call positive, wherever it stands in the order of names
    (["yes", "zero"], [[0.25, 0.75], [0.5, 0.5]], [{"truth": "yes", "score": 0.25}, {"truth": "zero", "score": 0.5}]),
    # quantities
    ([1.5, 2.5, 9.0], [1.0, math.nan, math.inf], [{"truth": 1.5, "answer": 1}, {"truth": 2.5, "answer": "NaN"}, {"truth": 9, "answer": "Infinity"}]),
    ([1.5, 2.5, 9.0], np.array([[0.5], [0.25], [0.75]]), [{"truth": 1.5, "answer": 0.5}, {"truth": 2.5, "answer": 0.25}, {"truth": 9, "answer": 0.75}]),
    ([3.0, math.nan], [3, 4], [{"truth": 3, "answer": 3}, {"truth": None, "answer": 4}]),
])
def test_answers_are_classes_scores_or_quantities(shop, y, y_pred, expected):
    _, lines = logged(shop, [{"a": at} for at in range(len(y))], y, y_pred)
    assert lines == expected


def test_scores_may_stand_beside_classes(shop):
    _, lines = logged(shop, [{"a": 1}, {"a": 2}], [0, 1], [0, 0], y_score=np.array([[0.875, 0.125], [0.5, 0.5]]))
    assert lines == [{"truth": 0, "answer": 0, "score": 0.125}, {"truth": 1, "answer": 0, "score": 0.5}]
    _, lines = logged(shop, [{"a": 1}, {"a": 2}], [0, 1], None, y_score=pd.Series([0.125, math.nan], index=["x", "y"]))
    assert lines == [{"truth": 0, "score": 0.125}, {"truth": 1, "score": "NaN"}]


def test_scores_of_three_classes_are_left_out_and_said(shop, capsys):
    _, lines = logged(shop, [{"a": 1}, {"a": 2}, {"a": 3}], list("abc"), list("abb"), y_score=np.full((3, 3), 1 / 3))
    assert lines[2] == {"truth": "c", "answer": "b"}
    assert "scores of 3 classes are not recorded" in capsys.readouterr().err


X2 = [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("arguments, named, said", [
    ((X2, [0], [0]), {}, "y has 1 rows, and X has 2"),
    ((X2, [0, 1], [0]), {}, "y has 2 rows, and y_pred has 1"),
    ((X2, [0, 1], [0, 1]), {"y_score": [0.5]}, "y has 2 rows, and y_score has 1"),
    ((X2, [0, 1], [0, 1]), {"y_score": ["high", "low"]}, "holds scores, and 'high' in row 0 is no number"),
    ((X2, [0, 1], [0, 1]), {"ids": ["x"]}, "y has 2 rows, and ids has 1"),
    ((X2, [0, 1], [0, 1]), {"ids": ["x", "x"]}, "'x' is that of row 0 and of row 1"),
    ((X2, [0, 1], [0, 1]), {"slices": ["b"]}, "X has no column 'b' to slice by; it has a"),
    ((X2, [0, 1], [0, 1]), {"slices": {"b": [1]}}, "y has 2 rows, and slices has 1"),
    ((X2, [0, 1], [0, 1]), {"slices": {"Score": [1, 2]}}, "cannot be called 'Score'"),
    ((X2, [0, 1], np.zeros((2, 3))), {}, "y_pred has 3 columns"),
    ((X2, np.zeros((2, 2)), [0, 1]), {}, "y has 2 columns"),
    ((X2, [0, 1], None), {}, "give y_pred, y_score, or both"),
    (([], [], []), {}, "y has no rows"),
    ((X2, ["no", "yes"], [0, 1]), {}, "y holds words such as 'no', and y_pred numbers such as 0"),
    ((X2 + X2, list("abca"), np.full((4, 2), 0.5)), {}, "a column for each of 2 classes, and y has 3"),
])
def test_what_does_not_fit_is_a_clear_exception(shop, arguments, named, said):
    with mlops.track("churn-model") as run:
        with pytest.raises(ValueError) as caught:
            run.log_test(*arguments, **named)
    assert said in str(caught.value)
    assert not (shop.root / ".mlops/runs" / run.id / "evidence").exists()


def test_what_is_no_column_is_a_clear_exception(shop):
    with mlops.track("churn-model") as run:
        for wrong in ("yes", 1, {"y": [0, 1]}, None):
            with pytest.raises(TypeError, match="y is one value per row"):
                run.log_test(X2, wrong, [0, 1])
        with pytest.raises(ValueError, match="X has 2 rows, and y_pred has 3"):
            run.log_examples(X2, [0, 1, 1])
    with pytest.raises(RuntimeError, match="has ended"):
        run.log_test(X2, [0, 1], [0, 1])
    with pytest.raises(RuntimeError, match="has ended"):
        run.log_examples(X2, [0, 1])


def test_rows_that_are_no_table_have_no_digest_and_that_is_said(shop, capsys):
    record, lines = logged(shop, np.zeros((2, 4, 4)), [0, 1], [0, 1])
    assert ("rowsDigest" in record, record["columns"], len(lines)) == (False, 0, 2)
    assert "X has 3 dimensions" in capsys.readouterr().err
    record, _ = logged(shop, None, [0, 1], [0, 1], slices={"region": ["north", "south"]})
    assert "rowsDigest" not in record
    assert "--data test=FILE" in capsys.readouterr().err


def test_texts_alone_are_rows_of_one_column(shop):
    record, _ = logged(shop, ["good", "bad"], [1, 0], [1, 0])
    assert record["columns"] == 1
    assert record["rowsDigest"] == HeldOut(pd.DataFrame({"c0": ["good", "bad"]}), [1, 0], [1, 0], None, None, None).digest()


CONFIG = """
store: .mlops
models:
  churn-model:
    drift: {by: region}
    predictions: {drop: [Gender]}
    gates:
      production:
        min_auc: 0.8
        slices:
          - by: plan            # its bounds
            min_auc: 0.7
          - {by: country, min_auc: 0.7}
        fairness:
          - by: gender
            demographic_parity: 0.1
  other-model: {drift: {by: shop}}
"""


def test_columns_that_gates_and_drift_name_are_kept_without_asking(shop, capsys):
    shop.config(CONFIG)
    (shop.root / "retraining-policy.yaml").write_text(
        "policy:\n  model: churn-model\n  validation:\n    slices: [{by: channel, min_auc: 0.6}]\n"
    )
    rows = [{"region": "n", "plan": None, "gender": "f", "channel": "web", "shop": 1, "email": "a@b"}] * 2
    _, lines = logged(shop, rows, [0, 1], [0, 1])
    assert lines[0] == {"truth": 0, "answer": 0, "region": "n", "plan": None, "channel": "web"}
    said = capsys.readouterr().err
    assert "column gender is not kept for slices: predictions.drop" in said
    assert "X has no column country, which gates look at" in said and "slices={'country': values}" in said
    _, lines = logged(shop, rows, [0, 1], [0, 1], slices={"country": ["no", "se"]})
    assert lines[1] == {"truth": 1, "answer": 1, "country": "se"}


def test_a_configuration_that_cannot_be_read_keeps_no_columns_and_says_so(shop, capsys):
    shop.config("models:\n  churn-model:\n    drift: {by: &a region}\n")
    _, lines = logged(shop, [{"region": "n"}], [0], [0])
    assert lines == [{"truth": 0, "answer": 0}]
    assert "no columns are kept for slices" in capsys.readouterr().err


@pytest.mark.parametrize("text, value", [
    ("a:\n  - by: x\n    min: 1\n  - by: y", [{"by": "x", "min": 1.0}, {"by": "y"}]),
    ("a:\n- by: x\n  deep:\n    k: v\n-\n  by: y\n- z", [{"by": "x", "deep": {"k": "v"}}, {"by": "y"}, "z"]),
    ("a:\n  -   {by: x}\n  - [1,\n     2]\n  -", [{"by": "x"}, [1.0, 2.0], None]),
])
def test_lists_of_maps_are_understood(text, value):
    assert _yaml.value_at(text, ["a"]) == value


def test_many_rows_are_compressed_and_whole(shop):
    count = 30000
    record, lines = logged(shop, {"a": range(count)}, np.arange(count) % 2, np.linspace(0, 1, count), slices="a")
    assert record["data"]["size"] < 1_000_000
    assert [line["a"] for line in lines] == list(range(count))


def test_examples_are_spread_over_the_rows_without_what_is_to_be_dropped(shop, capsys):
    shop.config(CONFIG)
    frame = pd.DataFrame({"age": range(250), "Gender": "f", "income": [math.nan] + [0.5] * 249})
    with mlops.track("churn-model") as run:
        run.log_examples(frame, np.linspace(0, 1, 250))
        run.log_examples(frame, np.linspace(0, 1, 250))
    record, lines = evidence(shop, run, "examples")
    assert (record["rows"], len(lines)) == (100, 100)
    assert lines[0] == {"features": {"age": 0, "income": None}, "output": 0.0}
    ages = [line["features"]["age"] for line in lines]
    assert ages == [at * 250 // 100 for at in range(100)]
    assert [line["output"] for line in lines] == [np.linspace(0, 1, 250)[age] for age in ages]
    assert "the examples lack what predictions.drop of mlops.yaml names: Gender" in capsys.readouterr().err


def test_examples_of_few_rows_and_of_answers_with_several_columns(shop):
    with mlops.track("churn-model") as run:
        mlops.log_examples([{"a": 1, "t": datetime.date(2024, 1, 2)}], np.array([[0.25, 0.75]]))
    _, lines = evidence(shop, run, "examples")
    assert lines == [{"features": {"a": 1, "t": "2024-01-02"}, "output": {"output_0": 0.25, "output_1": 0.75}}]


def test_no_examples_are_kept_when_it_is_unknown_what_is_personal(shop, capsys):
    shop.config("models:\n  churn-model:\n    predictions: {drop: *personal}\n")
    with mlops.track("churn-model") as run:
        run.log_examples([{"email": "a@b"}], [1])
    assert not (shop.root / ".mlops/runs" / run.id / "evidence").exists()
    assert "no examples are recorded" in capsys.readouterr().err


class Hostile:
    def __str__(self):
        raise RuntimeError("never to be written")

    __repr__ = __str__


def test_a_disk_that_fails_and_values_that_raise_never_stop_the_script(shop, monkeypatch, capsys):
    with mlops.track("churn-model") as run:
        run.log_test([{"a": Hostile()}], [0], [0])
        assert "the test set has no digest: RuntimeError" in capsys.readouterr().err
        run.log_test([{"a": 1}], [Hostile()], [0])
        assert "the held-out evidence could not be recorded: RuntimeError" in capsys.readouterr().err

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(_store.Store, "put_object", full)
        run.log_test(X2, [0, 1], [0, 1])
        run.log_examples(X2, [0, 1])
        monkeypatch.undo()
    end = json.loads((shop.root / ".mlops/runs" / run.id / "end.json").read_text())
    assert end["status"] == "finished"
    assert sum("No space left" in each for each in end["warnings"]) == 2


def test_without_a_store_misuse_still_raises_and_the_rest_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLOPS_STORE", raising=False)
    monkeypatch.delenv("MLOPS_RUN_ID", raising=False)
    with mlops.track("churn-model") as run:
        run.log_test(X2, [0, 1], [0, 1])
        run.log_examples(X2, [0, 1])
        with pytest.raises(ValueError):
            run.log_test(X2, [0], [0, 1])
    assert os.listdir(tmp_path) == []
