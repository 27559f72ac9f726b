"""What this service promises. `pytest` runs it, on a laptop and in CI; tests that need the model skip where there is none.

conftest.py says where the model comes from. Add tests of your own hooks in a file of their own.
"""

import asyncio
import copy
import dataclasses
import json
import os
import sys
import time
import zipfile
from datetime import datetime, timezone
from pathlib import Path

import pytest
from fastapi import FastAPI, HTTPException
from pydantic import TypeAdapter, ValidationError

from app import checks, main, predictor, telemetry
from app.batching import Batcher, DeadlinePassed, QueueFull, RowFailed
from app.following import Follower, Route
from app.loading import Served
from app.checks import golden_differs
from app.registry import Bundle, Share, Unreadable
from app.settings import CONTRACT, FACTS, PYTHON, ROOT, read_settings, workers_asked_for
from app.values import Moment, Whole

FEATURES = (CONTRACT.example or {}).get("features")


def example():
    if FEATURES is None:
        pytest.skip("no example was recorded when this version was registered")
    return copy.deepcopy(FEATURES)


# -- the contract -----------------------------------------------------------------------------------------------------


def test_the_example_is_answered(client):
    answer = client.post("/v1/predict", json={"features": example()})
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"prediction", "id", "version"}
    assert answer.json()["version"] == client.get("/v1/model").json()["serving"]["version"]


def test_a_row_gets_the_same_answer_alone_and_in_a_batch(client):
    alone = client.post("/v1/predict", json={"features": example()}).json()["prediction"]
    batch = client.post("/v1/predict:batch", json={"rows": [example()] * 50}).json()["predictions"]
    assert len({each["id"] for each in batch}) == 50
    assert (
        [each["prediction"] for each in batch] == pytest.approx([alone] * 50, rel=1e-9)
        if isinstance(alone, float)
        else [alone] * 50
    )


def test_an_unknown_field_is_refused_by_its_path(service):
    answer = service.post("/v1/predict", json={"features": dict(example(), nobody_knows=1)})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "features", "nobody_knows"]
    assert "input" not in answer.json()["detail"][0], "values may be personal, and are not repeated"


WRONG = {
    "integer": ["64", True, 1.5],
    "number": ["90.25", True],
    "boolean": ["true", 1, 0],
    "string": [5, True],
    "datetime": [1700000000, "1700000000", True],
}


@pytest.mark.parametrize("feature", CONTRACT.features, ids=lambda feature: feature["name"])
def test_a_value_of_another_type_is_refused_and_never_converted(service, feature):
    for value in WRONG[feature["type"]]:
        answer = service.post("/v1/predict", json={"features": dict(example(), **{feature["name"]: value})})
        assert answer.status_code == 422, value
        assert answer.json()["detail"][0]["loc"] == ["body", "features", feature["name"]]
        assert "input" not in answer.json()["detail"][0]


@pytest.mark.parametrize(
    "kind, value, found",
    [
        (Moment, "2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=timezone.utc)),
        (Moment, "2026-01-31", datetime(2026, 1, 31)),
        (Moment, 1700000000, None),
        (Moment, "1700000000", None),
        (Moment, True, None),
        (Whole, 64.0, 64),
        (Whole, 64.5, None),
        (Whole, float("inf"), None),
    ],
)
def test_a_time_is_a_text_and_a_whole_number_may_have_a_point(kind, value, found):
    adapter = TypeAdapter(kind)
    if found is not None:
        assert adapter.validate_python(value) == found
    else:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


def test_whole_numbers_are_numbers_and_a_float_without_fraction_is_a_whole_number(client):
    given = example()
    for feature in CONTRACT.features:
        if feature["type"] == "number" and given[feature["name"]] is not None:
            given[feature["name"]] = 1
        if feature["type"] == "integer" and given[feature["name"]] is not None:
            given[feature["name"]] = float(given[feature["name"]])
    assert client.post("/v1/predict", json={"features": given}).status_code == 200


def test_a_missing_field_in_a_batch_is_named_with_its_row(service):
    required = [feature["name"] for feature in CONTRACT.features if not feature.get("nullable")]
    if not required:
        pytest.skip("every feature may be missing")
    broken = example()
    del broken[required[0]]
    answer = service.post("/v1/predict:batch", json={"rows": [example(), broken]})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "rows", 1, required[0]]


def test_a_number_that_no_column_can_hold_is_a_422(client):
    whole = [feature["name"] for feature in CONTRACT.features if feature["type"] == "integer"]
    if not whole:
        pytest.skip("no feature is a whole number")
    answer = client.post("/v1/predict", json={"features": dict(example(), **{whole[0]: 10**30})})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "features", whole[0]])


def test_a_body_without_end_is_a_413(service):
    answer = service.post("/v1/predict", content=(b" " * 65536 for _ in range(200)))
    assert answer.status_code == 413


def test_no_json_is_a_422_and_never_a_traceback(service):
    answer = service.post("/v1/predict", content=b'{"features": ', headers={"content-type": "application/json"})
    assert answer.status_code == 422 and "Traceback" not in answer.text


def test_the_committed_openapi_is_what_the_code_does():
    committed = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
    main.app.openapi_schema = None
    own = FastAPI.openapi(main.app)
    main.app.openapi_schema = None
    # Routes of yours are none of its business.
    assert {path: answers(committed["paths"][path]) for path in committed["paths"]} == {
        path: answers(own["paths"][path]) for path in own["paths"] if path in committed["paths"]
    }
    for name in ("Features", "PredictRequest", "Prediction", "BatchRequest", "BatchItem", "BatchPrediction"):
        assert shape(committed["components"]["schemas"][name]) == shape(own["components"]["schemas"][name]), name


def test_a_route_of_your_own_is_served_in_openapi_beside_the_committed_ones(service):
    @main.app.get("/v1/own")
    async def own() -> str:
        return "mine"

    try:
        main.app.openapi_schema = None
        main.committed_openapi.cache_clear()
        served = service.get("/openapi.json").json()
        assert "get" in served["paths"]["/v1/own"] and "post" in served["paths"]["/v1/predict"]
        test_the_committed_openapi_is_what_the_code_does()
    finally:
        main.app.router.routes.pop()
        main.app.openapi_schema = None
        main.committed_openapi.cache_clear()


def answers(operations):
    return {method: sorted(each["responses"]) for method, each in operations.items()}


def shape(schema):
    """What a client depends on: names, types, what is required, whether more is allowed."""
    properties = {name: kinds(value) for name, value in schema.get("properties", {}).items()}
    return properties, sorted(schema.get("required", [])), schema.get("additionalProperties", True)


def kinds(schema):
    if "anyOf" in schema:
        return sorted(str(kinds(each)) for each in schema["anyOf"])
    if "items" in schema:
        return [kinds(schema["items"])]
    return schema.get("$ref") or schema.get("type")


def test_a_full_queue_is_a_503_that_says_when_to_ask_again_and_a_late_answer_a_504(client, monkeypatch):
    def raising(error):
        def submit(*_):
            raise error

        return submit

    monkeypatch.setattr(main.desk.batcher, "submit", raising(QueueFull()))
    full = client.post("/v1/predict", json={"features": example()})
    assert (full.status_code, full.headers["retry-after"]) == (503, "1")
    monkeypatch.setattr(main.desk.batcher, "submit", raising(DeadlinePassed()))
    assert client.post("/v1/predict:batch", json={"rows": [example()]}).status_code == 504


def failing_at(place, error):
    """A hook that fails for one row of those it is called for."""
    calls = []

    def hook(*given):
        calls.append(given)
        if len(calls) - 1 == place:
            raise error
        return given[0]

    return hook


@pytest.mark.parametrize("hook", ["before", "after"])
def test_a_hook_that_fails_fails_its_own_row_which_is_recorded(client, monkeypatch, hook):
    monkeypatch.setattr(main.hooks, hook, failing_at(1, RuntimeError("a secret of the row")))
    answer = client.post("/v1/predict:batch", json={"rows": [example()] * 3})
    assert answer.status_code == 200 and "secret" not in answer.text
    rows = answer.json()["predictions"]
    assert [each["error"] for each in rows] == [None, "RuntimeError", None]
    assert [each["prediction"] is None for each in rows] == [False, True, False]
    monkeypatch.setattr(main.hooks, hook, failing_at(0, RuntimeError("a secret of the row")))
    alone = client.post("/v1/predict", json={"features": example()})
    assert alone.status_code == 500 and set(alone.json()) == {"detail"} and "secret" not in alone.text
    id = alone.json()["detail"].rpartition(" ")[2]
    logged = {each["id"]: each for each in records()}
    version = answer.json()["version"]
    for failed in (rows[1]["id"], id):
        record = logged[failed]
        assert (record["status"], record["error"], record["version"]) == ("error", "RuntimeError", version)
    assert logged[rows[0]["id"]].get("status", "ok") == "ok"
    assert f'mlops_errors_total{{category="RuntimeError",version="{version}"}}' in client.get("/metrics").text


@pytest.mark.parametrize("answer", [float("nan"), object(), {1: 2}])
def test_a_hook_that_answers_what_json_cannot_hold_fails_its_own_row(client, monkeypatch, answer):
    monkeypatch.setattr(main.hooks, "after", lambda prediction, features: answer)
    found = client.post("/v1/predict:batch", json={"rows": [example()]})
    assert (found.status_code, found.json()["predictions"][0]["error"]) == (200, "TypeError")


def test_a_hook_may_say_what_is_answered(client, monkeypatch):
    monkeypatch.setattr(main.hooks, "before", failing_at(0, HTTPException(409, "not today")))
    answer = client.post("/v1/predict", json={"features": example()})
    assert (answer.status_code, answer.json()) == (409, {"detail": "not today"})
    assert [each["status"] for each in records() if each.get("error") == "HTTPException"] == ["refused"]


def test_who_may_not_ask_gets_no_prediction(client, monkeypatch):
    async def nobody():
        raise HTTPException(401)

    monkeypatch.setitem(main.app.dependency_overrides, main.hooks.authenticate, nobody)
    assert client.post("/v1/predict", json={"features": example()}).status_code == 401
    assert client.post("/v1/feedback", json={"id": "1", "label": 1}).status_code == 401
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    "flavour, lock, python, words",
    [
        ("sklearn", ["numpy==2.3.9", "scikit-learn==1.7.2", "torch==2.0"], PYTHON + ".0", None),
        ("sklearn", [], "3.1.2", f"it was trained with Python 3.1.2, and this is Python {PYTHON}"),
        (
            "sklearn",
            ["scikit_learn==1.7.1"],
            None,
            "it was trained with scikit-learn 1.7.1, and this is scikit-learn 1.7.2",
        ),
        ("sklearn", ["numpy==1.26.0"], None, "it was trained with numpy 1.26.0, and this is numpy 2.3.5"),
        ("torch", ["torch==2.0"], None, "it was trained with torch 2.0, which is not installed here"),
        ("onnx", ["scikit-learn==1.0"], None, None),
    ],
)
def test_another_environment_than_that_of_the_training_is_named_in_one_line(monkeypatch, flavour, lock, python, words):
    monkeypatch.setattr(checks, "_installed", {"numpy": "2.3.5", "scikit-learn": "1.7.2"}.get)
    assert checks.environment_differs(flavour, python, lock) == words


@pytest.mark.parametrize(
    "expected, found, same",
    [
        (0.5, 0.5 + 1e-8, True),
        (0.5, 0.5001, False),
        (1, 1.0, True),
        ("Yes", "Yes", True),
        ("Yes", "No", False),
        ({"output_0": 0.25, "output_1": 0.75}, 0.75, True),
        ({"output_0": 0.25, "output_1": 0.75}, 0.25, False),
        ({"a": 0.25, "b": 0.75}, {"a": 0.25, "b": 0.7}, False),
    ],
)
def test_a_golden_prediction_is_compared_to_six_digits(expected, found, same):
    assert (golden_differs(expected, found) is None) == same


# -- health and figures -----------------------------------------------------------------------------------------------


def test_a_recorded_pair_of_chances_is_compared_by_the_column_that_is_answered():
    assert golden_differs({"output_0": 0.25, "output_1": 0.75}, 0.25, positive=0) is None
    assert golden_differs({"output_0": 0.25, "output_1": 0.75}, 0.75, positive=0) is not None


@pytest.mark.parametrize(
    "entries, exported",
    [(["m/code/__torch__.py", "m/constants.pkl"], False), (["m/version", "m/models/model.json"], True)],
)
def test_archives_of_torch_are_told_apart_by_what_they_hold(tmp_path, entries, exported):
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        for entry in entries:
            archive.writestr(entry, "")
    assert predictor.is_exported(tmp_path / "model.pt") is exported


def test_it_is_alive_whatever_the_model_does(service):
    assert service.get("/livez").status_code == 200


def test_it_is_not_ready_without_a_version_and_while_it_drains(client):
    assert client.get("/readyz").status_code == 200
    route = main.follower.route
    try:
        main.follower.route = None
        assert client.get("/readyz").status_code == 503
        answer = client.post("/v1/predict", json={"features": example()})
        assert answer.status_code == 503 and answer.headers["retry-after"]
    finally:
        main.follower.route = route
    try:
        main.follower.draining = True
        assert client.get("/readyz").status_code == 503
        assert client.post("/v1/predict", json={"features": example()}).status_code == 200
    finally:
        main.follower.draining = False


def test_metrics_count_what_was_answered(client):
    def count():
        lines = [
            line
            for line in client.get("/metrics").text.splitlines()
            if line.startswith('mlops_requests_total{route="/v1/predict",status="200"}')
        ]
        return float(lines[0].rpartition(" ")[2]) if lines else 0

    before = count()
    client.post("/v1/predict", json={"features": example()})
    assert count() == before + 1


def records(pattern="*.jsonl"):
    """What the prediction log holds."""
    main.predictions.flush()
    home = Path(os.environ["MLOPS_PREDICTIONS"]) / CONTRACT.model
    return [json.loads(line) for file in home.glob("date=*/" + pattern) for line in file.read_text().splitlines()]


def test_a_prediction_and_its_label_are_in_the_log(client):
    id = client.post("/v1/predict", json={"features": example()}).json()["id"]
    label = label_of()
    assert client.post("/v1/feedback", json={"id": id, "label": label}).json() == {"id": id}
    record = next(each for each in records() if each["id"] == id)
    assert not {name.lower() for name in record["features"]} & {name.lower() for name in CONTRACT.drop}
    assert [each["label"] for each in records("labels/*.jsonl") if each["id"] == id] == [label]


@pytest.mark.parametrize(
    "kind, classes, right, wrong, words",
    [
        ("probability", ["No", "Yes"], ["Yes", "no", True, 0, "1"], ["banana", 2, ""], "classes: No, Yes"),
        ("class", ["stay", "churn"], ["churn", "Stay"], [True, "gone"], "classes: stay, churn"),
        ("class", [0, 1, 2], [0, 2.0, "1"], [3, "two"], "classes: 0, 1, 2"),
        ("number", None, [1, 2.5, -3], ["2.5", True], "is a number"),
        ("class", None, ["anything", 1], [None, [1], "x" * 5000], "bare value"),
    ],
)
def test_a_label_is_a_class_of_the_model_or_a_number(service, monkeypatch, kind, classes, right, wrong, words):
    monkeypatch.setattr(main, "CONTRACT", dataclasses.replace(CONTRACT, output={"kind": kind, "classes": classes}))
    for label in right:
        assert service.post("/v1/feedback", json={"id": "somebody-else's", "label": label}).status_code == 200, label
    for label in wrong:
        answer = service.post("/v1/feedback", json={"id": "somebody-else's", "label": label})
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "label"]), label
        assert words in answer.json()["detail"][0]["msg"]


# -- where it looks and writes ----------------------------------------------------------------------------------------


def test_a_bundle_is_logged_nowhere_unless_somebody_says_where(service, monkeypatch, tmp_path, caplog):
    quiet = telemetry.PredictionLog(CONTRACT, read_settings(FACTS, {"MLOPS_BUNDLE": str(tmp_path)}))
    assert "MLOPS_PREDICTIONS" in quiet.off and caplog.text.count("predictions are not logged") == 1
    quiet.watch([{"x": 1}], [1])
    monkeypatch.setattr(main, "predictions", quiet)
    assert service.post("/v1/feedback", json={"id": "1", "label": label_of()}).status_code == 503
    assert service.get("/v1/model").json()["log"] == {"off": quiet.off, "lost": 0}
    told = {"MLOPS_BUNDLE": str(tmp_path), "MLOPS_PREDICTIONS": os.environ["MLOPS_PREDICTIONS"]}
    assert telemetry.PredictionLog(CONTRACT, read_settings(FACTS, told)).off is None


def label_of():
    return (CONTRACT.output.get("classes") or [1])[-1]


def test_without_a_store_and_a_bundle_it_says_which_variables_to_set(tmp_path):
    with pytest.raises(Unreadable, match="set MLOPS_STORE to .* or MLOPS_BUNDLE to "):
        Bundle(tmp_path / "bundle", CONTRACT.model).wanted()


def test_hints_of_services_that_were_killed_are_swept_at_the_start(tmp_path):
    hints = tmp_path / "models" / CONTRACT.model / "serving"
    hints.mkdir(parents=True)
    for name, age in (("dead.json", 4000), (".dead.json.0a1b2c3d", 4000), ("alive.json", 60)):
        (hints / name).write_text("{}")
        os.utime(hints / name, (time.time() - age,) * 2)
    follower = Follower(read_settings(FACTS, {"MLOPS_STORE": str(tmp_path), "MLOPS_INSTANCE": "own"}), CONTRACT)
    follower.start()
    follower.close()
    assert [file.name for file in hints.iterdir()] == ["alive.json"]


def test_metrics_name_the_model(service):
    assert f'mlops_service_info{{model="{CONTRACT.model}"' in service.get("/metrics").text


@pytest.mark.parametrize(
    "argv, env, count",
    [
        (["uvicorn", "app.main:app"], {}, 1),
        (["uvicorn", "app.main:app", "--workers", "4"], {}, 4),
        (["uvicorn", "app.main:app", "--workers=2"], {}, 2),
        (["uvicorn", "app.main:app"], {"WEB_CONCURRENCY": "3"}, 3),
    ],
)
def test_more_than_one_worker_is_noticed(argv, env, count):
    assert workers_asked_for(argv, env) == count


# -- the queue --------------------------------------------------------------------------------------------------------


def in_loop(test, predict, max_queue=100, max_batch=32, deadline=10.0):
    """Runs `test(batcher, answered)` in an event loop; `answered` gets the jobs that were answered."""

    async def run():
        answered = []
        batcher = Batcher(max_queue, max_batch, deadline, answered.extend)
        batcher.start(asyncio.get_running_loop())
        try:
            return await test(batcher, answered, predict)
        finally:
            await batcher.close()

    return asyncio.run(run())


def doubled(rows):
    if any(row["x"] is None for row in rows):
        raise ValueError("no number")
    return [row["x"] * 2 for row in rows]


def slowly(rows):
    time.sleep(0.2)
    return doubled(rows)


def test_one_bad_row_does_not_fail_its_batch():
    async def test(batcher, answered, predict):
        return await asyncio.gather(*[batcher.submit([{"x": None if x == 7 else x}], predict) for x in range(20)])

    found = in_loop(test, doubled)
    assert isinstance(found[7][0], RowFailed) and found[7][0].category == "ValueError"
    assert [each[0] for at, each in enumerate(found) if at != 7] == [x * 2 for x in range(20) if x != 7]


def test_a_model_that_would_end_the_process_fails_its_own_rows():
    async def test(batcher, answered, predict):
        first = await batcher.submit([{"x": 1}], lambda rows: sys.exit(3))
        return first, await batcher.submit([{"x": 1}], predict)

    first, second = in_loop(test, doubled)
    assert isinstance(first[0], RowFailed) and second == [2]


def test_what_queues_up_is_answered_in_one_call():
    sizes = []

    def counted(rows):
        sizes.append(len(rows))
        return slowly(rows)

    async def test(batcher, answered, predict):
        await asyncio.gather(*[batcher.submit([{"x": x}], predict) for x in range(40)])

    in_loop(test, counted, max_batch=16)
    assert sum(sizes) == 40 and max(sizes) == 16


def test_a_full_queue_says_so_at_once():
    async def test(batcher, answered, predict):
        first = [batcher.submit([{"x": x}], predict) for x in range(3)]
        with pytest.raises(QueueFull):
            batcher.submit([{"x": 4}], predict)
        await asyncio.gather(*first)
        await batcher.submit([{"x": 5}], predict)

    in_loop(test, slowly, max_queue=3)


def test_an_answer_that_comes_too_late_is_an_error_and_not_logged_as_answered():
    async def test(batcher, answered, predict):
        with pytest.raises(DeadlinePassed):
            await batcher.submit([{"x": 1}], predict)
        await asyncio.sleep(0.3)
        assert answered == [] and batcher.waiting == 0

    in_loop(test, slowly, deadline=0.05)


def test_a_cancelled_request_is_not_predicted():
    seen = []

    def watching(rows):
        seen.extend(row["x"] for row in rows)
        return slowly(rows)

    async def test(batcher, answered, predict):
        first = batcher.submit([{"x": 1}], predict)
        await asyncio.sleep(0.05)
        second = batcher.submit([{"x": 2}], predict)
        second.cancel()
        await first
        await asyncio.sleep(0.05)
        assert batcher.waiting == 0

    in_loop(test, watching)
    assert seen == [1]


def test_what_is_queued_is_answered_before_the_end():
    async def test(batcher, answered, predict):
        futures = [batcher.submit([{"x": x}], predict) for x in range(5)]
        await batcher.close()
        assert [each.result() for each in futures] == [[x * 2] for x in range(5)]

    in_loop(test, slowly)


# -- a rollout --------------------------------------------------------------------------------------------------------


def test_a_key_stays_with_its_version_while_a_share_grows():
    stable, new = (Served(version, f"{version:064d}", doubled, "", 0) for version in (1, 2))
    keys = [f"user-{at}" for at in range(2000)]

    def chosen(weight):
        route = Route(stable, new, Share(2, new.manifest, 7, 7, weight))
        return {key for key in keys if route.choose(key)[0] is new}

    shares = [chosen(weight) for weight in (5, 25, 50, 100)]
    assert all(smaller <= larger for smaller, larger in zip(shares, shares[1:]))
    assert [round(len(each) / 20) for each in shares] == pytest.approx([5, 25, 50, 100], abs=3)
