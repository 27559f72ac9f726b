"""What `monitor` promises to a service: which records `watch` writes for which rows, and that it never gets in the way."""
import asyncio
import datetime
import enum
import json
import math
import os
import threading
import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from mlops import _monitor, monitor


def features(shop, rows, **members):
    m = monitor("churn-model")
    m.watch(rows, **members)
    assert m.flush(20)
    assert (m.dropped, m.last_error) == (0, None)
    return [record["features"] for record in shop.records()]


def test_one_line_logs_every_row_of_a_batch(shop):
    m = monitor("churn-model")
    ids = m.watch(pd.DataFrame({"tenure": [1, 2], "plan": ["a", "b"]}), output=np.array([0.25, 0.75]))
    assert m.flush(20)
    first, second = shop.records()
    assert [first["id"], second["id"]] == ids
    assert first["features"] == {"tenure": 1, "plan": "a"} and first["output"] == 0.25
    assert second["features"] == {"tenure": 2, "plan": "b"} and second["output"] == 0.75
    assert (first["v"], first["model"], first["version"]) == (1, "churn-model", 0)
    day = shop.files()[0].parent.name
    assert day == "date=" + first["time"][:10] and first["time"].endswith("Z")
    assert set(first) == {"v", "id", "time", "model", "version", "features", "output"}


ROWS = [{"a": 1, "b": 0.5, "c": "x"}, {"a": 2, "b": 1.5, "c": "y"}]


@pytest.mark.parametrize("many", [1, 200])
@pytest.mark.parametrize(
    "form",
    [
        pd.DataFrame,
        pl.DataFrame,
        pa.Table.from_pylist,
        lambda rows: rows,
        lambda rows: tuple(rows),
        lambda rows: {name: [row[name] for row in rows] for name in "abc"},
        lambda rows: {name: np.array([row[name] for row in rows]) for name in "abc"},
        lambda rows: {name: pd.Series([row[name] for row in rows]) for name in "abc"},
        lambda rows: np.array([tuple(row.values()) for row in rows], dtype=[("a", "i8"), ("b", "f8"), ("c", "U4")]),
        lambda rows: pd.DataFrame(rows).convert_dtypes(),
        lambda rows: pd.DataFrame(rows).astype({"c": "category"}),
    ],
    ids="pandas polars pyarrow dicts tuple columns arrays series structured nullable category".split(),
)
def test_every_kind_of_table_gives_the_same_rows(shop, form, many):
    assert features(shop, form(ROWS * many)) == ROWS * many


@pytest.mark.parametrize("many", [1, 500])
def test_an_array_has_the_names_given_or_those_of_set_baseline(shop, many):
    array = np.array([[1.5, 2.0], [3.5, 4.0]] * many)
    assert features(shop, array)[:2] == [{"c0": 1.5, "c1": 2.0}, {"c0": 3.5, "c1": 4.0}]
    m = monitor("named", feature_names=["x", "y"])
    m.watch(array)
    m.watch([[1, 2]], columns=["p", "q"])
    assert m.flush(20)
    named = [r["features"] for r in shop.records() if r["model"] == "named"]
    assert named[0] == {"x": 1.5, "y": 2.0} and named[-1] == {"p": 1, "q": 2}


def test_one_row_may_stand_alone(shop):
    assert features(shop, {"a": 1, "tags": ["x", "y"]}) == [{"a": 1, "tags": ["x", "y"]}]
    m = monitor("one")
    m.watch({"a": 1}, 0.5)
    m.watch(pd.DataFrame(ROWS).iloc[0], {"label": "yes", "p": 0.9})
    m.watch(np.array([1, 2]), [1], columns=["x", "y"])
    m.watch(None, output="free text")
    assert m.flush(20) and m.dropped == 0
    found = [(r.get("features"), r["output"]) for r in shop.records() if r["model"] == "one"]
    assert found == [
        ({"a": 1}, 0.5), (ROWS[0], {"label": "yes", "p": 0.9}), ({"x": 1, "y": 2}, 1), (None, "free text"),
    ]


class Colour(enum.Enum):
    RED = "red"


VALUES = [
    (None, None), (True, True), (7, 7), (1.5, 1.5), ("é\n\"", 'é\n"'), (2**53 - 1, 2**53 - 1), (2**53, str(2**53)),
    (-(2**70), str(-(2**70))), (math.nan, None), (math.inf, "Infinity"), (-math.inf, "-Infinity"), (1e300, 1e300),
    (np.float32(0.5), 0.5), (np.float64("nan"), None), (np.int64(3), 3), (np.uint64(2**64 - 1), str(2**64 - 1)),
    (np.bool_(True), True), (np.str_("s"), "s"), (np.datetime64("2024-01-02"), "2024-01-02"),
    (np.datetime64("NaT"), None), (pd.NaT, None), (pd.NA, None), (pd.Timestamp("2024-01-02 03:04"), "2024-01-02T03:04:00"),
    (pd.Timestamp("2024-01-02", tz="UTC"), "2024-01-02T00:00:00+00:00"), (datetime.date(2024, 1, 2), "2024-01-02"),
    (Decimal("0.10"), 0.1), (Decimal("NaN"), None), (Decimal("1" * 30), "1" * 30), (b"\x00\xff", "AP8="),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"), (Colour.RED, "red"), ([1, [2, None]], [1, [2, None]]),
    ({"k": {1: math.nan}}, {"k": {"1": None}}), ({3, 1}, [1, 3]), (np.array([1.5, np.nan]), [1.5, None]),
    ("\ud800", "?"), (pd.Interval(0, 1), "(0, 1]"), (1 + 2j, "(1+2j)"), (0.1 + 0.2, 0.1 + 0.2), (-0.0, -0.0),
]


@pytest.mark.parametrize("value, expected", VALUES, ids=[repr(value)[:30] for value, _ in VALUES])
def test_every_value_is_written_as_the_page_of_the_format_says(shop, value, expected):
    assert features(shop, [{"x": value, "y": 1}]) == [{"x": expected, "y": 1}]


def test_every_value_is_written_alike_in_a_column_of_mixed_types(shop):
    column = [value for value, _ in VALUES] * 30
    assert features(shop, {"x": column}) == [{"x": expected} for _, expected in VALUES] * 30


def test_missing_values_of_a_frame_are_null_and_a_nan_of_polars_is_a_nan(shop):
    frame = pd.DataFrame({"f": [1.0, np.nan] * 600, "t": pd.to_datetime(["2024-01-01", None] * 600), "o": ["x", None] * 600})
    assert features(shop, frame)[1] == {"f": None, "t": None, "o": None}
    m = monitor("polars")
    m.watch(pl.DataFrame({"f": [1.0, None, math.nan, math.inf] * 300}))
    assert m.flush(20)
    assert [r["features"]["f"] for r in shop.records() if r["model"] == "polars"][:4] == [1.0, None, "NaN", "Infinity"]


def test_a_model_that_answers_nan_is_seen(shop):
    m = monitor("churn-model")
    m.watch([{"a": 1}] * 3, output=np.array([0.5, np.nan, np.inf]))
    assert m.flush(20)
    assert [r["output"] for r in shop.records()] == [0.5, "NaN", "Infinity"]


def test_answers_may_be_columns(shop):
    m = monitor("churn-model")
    rows = [{"a": 1}] * 2
    m.watch(rows, y_pred=pd.DataFrame({"label": ["x", "y"], "p": [0.1, 0.2]}))
    m.watch(rows, output=np.array([[0.1, 0.9], [0.2, 0.8]]), output_columns=["no", "yes"])
    m.watch(rows, output=np.array([[0.1, 0.9], [0.2, 0.8]]))
    m.watch(rows, output=np.array([[0.1], [0.2]]))
    m.watch(rows, output=pl.Series([1, 2]))
    m.watch(rows, output=pd.Series([True, None]))
    m.watch(rows, output=[{"p": 1}, {"q": 2}])
    assert m.flush(20) and m.dropped == 0
    found = [r["output"] for r in shop.records()]
    assert found[0::2] == [{"label": "x", "p": 0.1}, {"no": 0.1, "yes": 0.9}, {"output_0": 0.1, "output_1": 0.9}, 0.1, 1, True, {"p": 1}]
    assert found[1::2] == [{"label": "y", "p": 0.2}, {"no": 0.2, "yes": 0.8}, {"output_0": 0.2, "output_1": 0.8}, 0.2, 2, None, {"q": 2}]


def test_everything_else_is_one_value_or_one_per_row(shop):
    m = monitor("churn-model")
    ids = m.watch(
        ROWS, [0, 1], ids=["i-1", 2], version="churn-model@3", variant="canary", latency_ms=np.array([1.5, 2]),
        status=["ok", "timeout"], error=[None, "ReadTimeout"], user=pd.Series(["u1", None]), segment="eu", tokens=[5, 6],
        cost=0.001, tags=[{"a": 1}, {"b": "x", "c": True}], time=["2026-01-02T23:59:59.5Z", datetime.datetime(2026, 1, 3, 1)],
    )
    assert m.flush(20) and ids == ["i-1", "2"] and m.dropped == 0
    first, second = shop.records()
    assert first == {
        "v": 1, "id": "i-1", "time": "2026-01-02T23:59:59.500000Z", "model": "churn-model", "version": 3,
        "variant": "canary", "features": ROWS[0], "output": 0, "latency_ms": 1.5, "status": "ok", "error": None,
        "user": "u1", "segment": "eu", "tokens": 5.0, "cost": 0.001, "tags": {"a": "1"},
    }
    assert second["tags"] == {"b": "x", "c": "true"} and second["error"] == "ReadTimeout"
    assert [path.parent.name for path in shop.files()] == ["date=2026-01-02", "date=2026-01-03"]


@pytest.mark.parametrize(
    "time, expected",
    [
        ("2026-01-02", "2026-01-02T00:00:00.000000Z"),
        ("2026-01-02 23:00:00+02:00", "2026-01-02T21:00:00.000000Z"),
        ("2026-01-02T23:00:00-0200", "2026-01-03T01:00:00.000000Z"),
        (1767312000, "2026-01-02T00:00:00.000000Z"),
        (1767312000.25, "2026-01-02T00:00:00.250Z"),
        (pd.Timestamp("2026-01-02 01:00", tz="Europe/Berlin"), "2026-01-02T00:00:00.000000Z"),
        (np.datetime64("2026-01-02T00:00:00.123456789"), "2026-01-02T00:00:00.123456Z"),
        (datetime.date(2026, 1, 2), "2026-01-02T00:00:00.000Z"),
    ],
)
def test_times_of_every_form_are_instants_in_utc(shop, time, expected):
    m = monitor("churn-model")
    m.watch({"a": 1}, time=time)
    m.watch([{"a": 1}] * 2, time=pd.Series([time, time]))
    assert m.flush(20) and m.last_error is None
    assert {r["time"][:23] for r in shop.records()} == {expected[:23].rstrip("Z")}


def test_names_are_told_apart_in_any_capitals(shop):
    frame = pd.DataFrame([[1, 2, 3, 4]], columns=["a", "A", "a", 7])
    assert features(shop, frame) == [{"a": 1, "A.1": 2, "a.2": 3, "7": 4}]


def test_predicting_logs_latency_answer_and_failure(shop):
    m = monitor("churn-model")
    with m.predicting(ROWS, segment="eu") as p:
        known = list(p.ids)
        p.output = [0, 1]
        p.set(tags={"cache": "hit"})
    with pytest.raises(ZeroDivisionError):
        with m.predicting({"a": 1}) as p:
            1 / 0
    with pytest.raises(KeyboardInterrupt):
        with m.predicting({"a": 2}):
            raise KeyboardInterrupt
    assert m.flush(20)
    first, second, failed = shop.records()
    assert [first["id"], second["id"]] == known and first["latency_ms"] >= 0 and "status" not in first
    assert (first["segment"], first["tags"], second["output"]) == ("eu", {"cache": "hit"}, 1)
    assert (failed["status"], failed["error"], failed["features"]) == ("error", "ZeroDivisionError", {"a": 1})
    assert "output" not in failed


def test_rows_are_logged_as_they_were_before_the_model_changed_them(shop):
    m = monitor("churn-model")
    for frame in (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1] * 2000})):
        with m.predicting(frame) as p:
            frame["a"] = 99
            frame["extra"] = 1
            p.output = [0] * len(frame)
    row = {"a": 1}
    m.watch(row)
    row["a"] = 99
    array = np.ones((2000, 1))
    m.watch(array, columns=["a"])
    array[:] = 99
    assert m.flush(20) and m.dropped == 0
    assert {json.dumps(r["features"]) for r in shop.records()} <= {'{"a": 1}', '{"a": 1.0}'}


def test_a_decorator_logs_every_call_of_a_function_a_method_and_a_coroutine(shop):
    m = monitor("churn-model")

    @m.predicting
    def plain(rows):
        return [row["a"] for row in rows]

    class Service:
        @m.predicting(segment="eu")
        def predict(self, rows, more=0):
            """Doc."""
            return [row["a"] + more for row in rows]

    @m.predicting()
    async def later(rows):
        await asyncio.sleep(0)
        return [row["a"] * 10 for row in rows]

    assert plain(ROWS) == [1, 2]
    assert Service().predict(ROWS, more=1) == [2, 3] and Service.predict.__doc__ == "Doc."
    assert Service().predict(rows=ROWS) == [1, 2]
    assert asyncio.run(later(ROWS)) == [10, 20]
    with pytest.raises(KeyError):
        plain([{"b": 1}])
    assert m.flush(20)
    assert [r.get("output") for r in shop.records()] == [1, 2, 2, 3, 1, 2, 10, 20, None]


def test_personal_columns_never_reach_the_disk(shop):
    shop.config("models:\n  churn-model:\n    predictions:\n      drop:\n        - email   # personal\n        - 'full name'\n")
    for many in (1, 1000):
        m = monitor("churn-model", drop=["phone"])
        secret = {"email": "SECRET", "full name": "SECRET", "phone": "SECRET", "user": 1}
        rows = [dict(secret, a=1)] * many
        m.watch(rows, output=[{"p": 1, "email": "SECRET"}] * many if many == 1 else pd.DataFrame([{"p": 1, "email": "SECRET"}] * many))
        m.watch(pd.DataFrame(rows))
        m.watch(pl.DataFrame(rows))
        m.watch([{"customer": [{"email": "SECRET", "a": 1}]}] * many, tags={"email": "SECRET", "a": 1})
        m.watch({"customer": [{"email": "SECRET", "a": 1}] * many})
        m.watch(pd.DataFrame([["SECRET", "SECRET", "SECRET"]] * many, columns=["email", "email", "Email"]))
        m.watch([{"EMAIL": "SECRET"}] * many)
        assert m.flush(20) and m.dropped == 0
    text = "".join(path.read_text() for path in shop.files())
    assert text.count("\n") == 7007
    assert "SECRET" not in text


def test_the_member_user_can_be_dropped_too(shop):
    m = monitor("churn-model", drop="user")
    m.watch({"a": 1, "user": "SECRET"}, user="SECRET")
    assert m.flush(20)
    assert shop.records()[0]["features"] == {"a": 1} and "user" not in shop.records()[0]


def test_a_drop_list_that_cannot_be_read_means_that_nothing_is_logged(shop):
    shop.config("models:\n  churn-model:\n    predictions: &shared\n      drop: [email]\n")
    m = monitor("churn-model")
    assert len(m.watch({"email": "SECRET"})) == 1
    assert m.flush(20) and m.dropped == 1 and "cannot be read" in m.last_error and not shop.files()


def test_a_sample_is_the_same_for_the_same_ids_and_says_its_rate(shop):
    shop.config("models: {churn-model: {predictions: {sample: 0.25}}}\n")
    names = ["id-%d" % n for n in range(4000)]
    for model in ("churn-model", "other"):
        m = monitor(model, sample=0.25)
        for name in names[:200]:
            m.watch({"a": 1}, ids=name)
        ids = m.watch([{"a": 1}] * 3800, ids=names[200:])
        assert len(ids) == 3800 and m.flush(20) and m.dropped == 0
    kept = {model: [r["id"] for r in shop.records() if r["model"] == model] for model in ("churn-model", "other")}
    assert kept["churn-model"] == kept["other"] and 800 < len(kept["other"]) < 1200
    assert {r["sample_rate"] for r in shop.records()} == {0.25}


def test_failed_predictions_are_always_logged(shop):
    m = monitor("churn-model", sample=0.001)
    m.watch([{"a": 1}] * 50, status="error", error="Timeout")
    m.watch([{"a": 1}] * 50, error=["Timeout"] * 25 + [None] * 25)
    assert m.flush(20)
    failed = [r for r in shop.records() if r.get("status") == "error"]
    assert len(failed) == 75 and not any(r.get("sample_rate") for r in failed)


@pytest.mark.parametrize(
    "rows, members",
    [
        (42, {}), ("text", {}), (object(), {}), (np.zeros((2, 2, 2)), {}), ({"a": [1], "b": [1, 2]}, {}),
        ([[1], [1, 2]], {}), ([{"a": 1}], {"output": [1, 2]}), ([{"a": 1}], {"ids": ["a", "b"]}),
        ([{"a": 1}], {"version": "three"}), ([{"a": 1}], {"time": "noon"}), ([{"a": 1}], {"mispelt": 1}),
        ([{"a": 1}], {"latency_ms": "fast"}), ([{"a": 1}], {"ids": [""]}), ([{"a": 1}], {"tags": 5}),
        (pl.DataFrame({"a": [1]}).lazy(), {}), (None, {}), (np.zeros((2, 2)), {"columns": ["one"]}),
    ],
)
def test_whatever_is_wrong_is_counted_and_never_raised(shop, rows, members):
    m = monitor("churn-model")
    m.watch(rows, **members)
    assert m.flush(20) and m.dropped >= 1 and m.last_error
    m.watch({"fine": 1})
    assert m.flush(20) and len(shop.records()) == 1


class Hostile:
    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


def test_values_that_raise_and_rows_that_are_too_long_are_dropped_alone(shop):
    m = monitor("churn-model")
    m.watch([{"a": Hostile()}])
    m.watch([{"a": "x" * 2_000_000}])
    m.watch([{"a": "é" * 600_000}, {"a": "fits" * 100_000}])
    m.watch([{"a": 1}])
    assert m.flush(20)
    assert m.dropped == 3 and len(shop.records()) == 2
    assert max(len(line) for path in shop.files() for line in path.read_bytes().splitlines()) < 1_048_576


def test_a_list_that_contains_itself_ends(shop):
    loop = []
    loop.append(loop)
    assert len(json.dumps(features(shop, [{"a": loop}])[0])) < 200


def test_without_a_store_nothing_is_made_and_one_line_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLOPS_STORE", raising=False)
    m = monitor("churn-model")
    for _ in range(3):
        assert len(m.watch([{"a": 1}] * 2)) == 2
    assert m.flush(20) and m.dropped == 6 and "no store" in m.last_error
    assert os.listdir(tmp_path) == [] and capsys.readouterr().err.count("mlops:") == 1
    _monitor._logs.clear()


def test_the_log_goes_where_the_environment_or_mlops_yaml_says(shop, monkeypatch):
    shop.config("models:\n  a: {predictions: elsewhere/log}\n  b:\n    predictions: .mlops/predictions   # as it is\n")
    for model in "abc":
        monitor(model).watch({"x": 1})
        assert monitor(model).flush(20)
    assert [r["model"] for r in shop.records(shop.root / "elsewhere/log")] == ["a"]
    assert [r["model"] for r in shop.records()] == ["b", "c"]
    monkeypatch.setenv("MLOPS_PREDICTIONS", str(shop.root / "deep/er"))
    m = monitor("a")
    m.watch({"x": 2})
    assert m.flush(20) and [r["features"] for r in shop.records(shop.root / "deep/er")] == [{"x": 2}]
    monkeypatch.setenv("MLOPS_PREDICTIONS", "relative")
    m = monitor("a")
    m.watch({"x": 3})
    assert m.flush(20) and m.dropped == 1 and "absolute" in m.last_error


def test_the_version_is_that_of_the_environment_or_the_one_in_production(shop, monkeypatch):
    log = shop.root / ".mlops/models/churn-model/log"
    log.mkdir(parents=True)
    (log / "0000000001.json").write_text('{"stages":{}}')
    (log / "0000000002.json").write_text('{"stages":{"production":{"version":7},"staging":{"version":8}}}')
    m = monitor("churn-model")
    m.watch({"a": 1})
    m.watch({"a": 1}, version=3)
    assert m.flush(20)
    # A version that is rolled out has a part of the traffic, and does not hold the stage.
    (log / "0000000003.json").write_text('{"stages":{"production":{"version":8,"rollout":{"version":9,"weight":5}}}}')
    version = _monitor._logs[("churn-model", str(shop.home))]._version
    version._looked -= 10  # as if that long ago
    m.watch({"a": 1})
    assert m.flush(20)
    monkeypatch.setenv("MLOPS_MODEL_VERSION", "churn-model@5")
    _monitor._logs.clear()
    m = monitor("churn-model")
    m.watch({"a": 1})
    assert m.flush(20)
    assert sorted(r["version"] for r in shop.records()) == [3, 5, 7, 8]


def test_threads_share_a_monitor(shop):
    m = monitor("churn-model")
    ids = []

    def work(number):
        for at in range(250):
            ids.extend(m.watch({"thread": number, "at": at}))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert m.flush(20) and m.dropped == 0
    assert len(shop.files()) == 1 and {r["id"] for r in shop.records()} == set(ids) and len(set(ids)) == 2000


def test_a_wrong_set_up_is_said_at_once(shop):
    with pytest.raises(ValueError):
        monitor("Not A Name")
    for bad in (0, -1, "0.1", math.nan, math.inf, True, None):
        with pytest.raises(ValueError):
            monitor("m").drift_threshold = bad
    for bad in ("sms:1", "slack:", 5, "pagerduty:" + "a1" * 16, ["slack:#a", "x"], "webhook:https://u:p@h/x", "webhook:https://hooks.slack.com/services/T0/B0/abc"):
        with pytest.raises(ValueError):
            monitor("m").on_drift(channel=bad)
    with pytest.raises(ValueError):
        monitor("m").on_drift(action="retrain", channel="slack:#a")
    for bad in (0, 1.5, "0.1"):
        with pytest.raises(ValueError):
            monitor("m", sample=bad)


def test_settings_without_a_store_are_kept_and_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLOPS_STORE", raising=False)
    m = monitor("m")
    m.drift_threshold = 0.2
    m.on_drift(channel="slack:#a")
    assert m.drift_threshold == 0.2 and "mlops.yaml" in capsys.readouterr().err
