"""What this service promises. `pytest` runs it, on a laptop and in CI; tests that need the model skip where there is none.

conftest.py says where the model comes from. Add tests of your own hooks in a file of their own.
"""

import asyncio
import copy
import json
import os
import sys
import time
from pathlib import Path

import pytest
from fastapi import FastAPI, HTTPException

from app import main, predictor, telemetry
from app.batching import Batcher, DeadlinePassed, QueueFull, RowFailed
from app.following import Route
from app.loading import Served
from app.predictor import golden_differs
from app.registry import Share
from app.settings import CONTRACT, PYTHON, workers_asked_for

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


def test_the_committed_openapi_is_what_the_code_does(service):
    committed = service.get("/openapi.json").json()
    main.app.openapi_schema = None
    own = FastAPI.openapi(main.app)
    main.app.openapi_schema = None
    assert {path: sorted(committed["paths"][path]) for path in committed["paths"]} == {
        path: sorted(own["paths"][path]) for path in own["paths"]
    }
    for name in ("Features", "PredictRequest", "Prediction", "BatchRequest", "BatchItem", "BatchPrediction"):
        assert shape(committed["components"]["schemas"][name]) == shape(own["components"]["schemas"][name]), name


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


def test_a_hook_that_fails_is_a_500_without_a_traceback(client, monkeypatch):
    def failing(prediction, features):
        raise RuntimeError("a secret of the row")

    monkeypatch.setattr(main.hooks, "after", failing)
    answer = client.post("/v1/predict", json={"features": example()})
    assert answer.status_code == 500 and set(answer.json()) == {"detail"} and "secret" not in answer.text


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
    monkeypatch.setattr(predictor, "_installed", {"numpy": "2.3.5", "scikit-learn": "1.7.2"}.get)
    assert predictor.environment_differs(flavour, python, lock) == words


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


def test_a_prediction_and_its_label_are_in_the_log(client):
    id = client.post("/v1/predict", json={"features": example()}).json()["id"]
    assert client.post("/v1/feedback", json={"id": id, "label": True}).json() == {"id": id}
    main.predictions.flush()
    folder = Path(os.environ["MLOPS_PREDICTIONS"]) / CONTRACT.model / ("date=" + telemetry.day_of(id, time.time()))
    records = [json.loads(line) for file in folder.glob("*.jsonl") for line in file.read_text().splitlines()]
    record = next(each for each in records if each["id"] == id)
    assert not {name.lower() for name in record["features"]} & {name.lower() for name in CONTRACT.drop}
    labels = [
        json.loads(line) for file in (folder / "labels").glob("*.jsonl") for line in file.read_text().splitlines()
    ]
    assert [each["label"] for each in labels if each["id"] == id] == [True]


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
