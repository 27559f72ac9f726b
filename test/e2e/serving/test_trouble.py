"""What a service does when a model, a store or a client misbehaves, run inside a generated service: nobody else may notice."""
import asyncio
import dataclasses
import hashlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from fastapi import HTTPException
from mlops._canonical import seal

from app import loading, main
from app.asking import Seldom
from app.batching import Batcher, QueueFull, RowFailed, predict_each
from app.following import Follower, open_registry
from app.loading import Served, check_golden, load_version, output_differs, sweep_folders
from app.checks import golden_differs, kind_problem
from app.predictor import Incompatible
from app.registry import Store, Unreadable, copy_object, read_examples
from app.settings import CONTRACT, FACTS, read_settings, workers_asked_for

NUMBER = dataclasses.replace(CONTRACT, output={"name": "y", "kind": "number", "classes": None}, example=None)


def doubled(rows):
    return [row["x"] * 2 for row in rows]


def in_loop(test, **options):
    async def run():
        batcher = Batcher(options.pop("max_queue", 100), 32, options.pop("deadline", 10.0), lambda jobs: None, **options)
        batcher.start(asyncio.get_running_loop())
        try:
            return await test(batcher)
        finally:
            await batcher.close()

    return asyncio.run(run())


# -- one version does not hold another up -----------------------------------------------------------------------------


def test_a_slow_version_neither_delays_another_one_nor_fills_its_queue():
    go = threading.Event()

    def slow(rows):
        go.wait(20)
        return doubled(rows)

    async def test(batcher):
        waiting = [batcher.submit([{"x": at}], slow) for at in range(3)]
        with pytest.raises(QueueFull):
            batcher.submit([{"x": 9}], slow)
        assert await batcher.submit([{"x": 4}], doubled) == [8]
        assert not any(each.done() for each in waiting) and batcher.waiting == 3
        go.set()
        assert await asyncio.gather(*waiting) == [[0], [2], [4]]

    in_loop(test, max_queue=3)


def test_a_model_that_never_returns_is_noticed_and_a_version_that_comes_back_gets_a_thread_of_its_own():
    calls, end = [], threading.Event()

    def hangs_once(rows):
        calls.append(1)
        if len(calls) == 1:
            end.wait(60)
        return doubled(rows)

    async def test(batcher):
        with pytest.raises(Exception):
            await batcher.submit([{"x": 1}], hangs_once)
        while batcher.stuck(hangs_once) is None:
            await asyncio.sleep(0.01)
        assert batcher.stuck(doubled) is None
        batcher.keep([doubled])
        assert await batcher.submit([{"x": 2}], doubled) == [4]
        batcher.keep([hangs_once])
        assert await batcher.submit([{"x": 3}], hangs_once) == [6]
        assert batcher.stuck(hangs_once) is None
        # It ends although the first call has not returned.
        await batcher.close()
        assert not end.is_set()

    try:
        in_loop(test, deadline=0.1, stuck_after=0.2)
    finally:
        end.set()


def test_a_version_that_never_answers_its_golden_predictions_is_kept_out(monkeypatch):
    end = threading.Event()
    monkeypatch.setattr(loading, "LOAD_SECONDS", 0.1)
    monkeypatch.setattr(loading, "load", lambda *_: lambda rows: end.wait(60))
    registry = open_registry(main.settings, CONTRACT)
    wanted = registry.wanted()
    try:
        with pytest.raises(Incompatible, match="not loaded, with its golden predictions, within 0.1 s"):
            load_version(registry, CONTRACT, wanted.version, wanted.manifest, 32)
    finally:
        end.set()


def test_a_stuck_version_is_not_ready_and_says_so_in_its_hint(client, monkeypatch):
    monkeypatch.setattr(main.follower, "is_stuck", lambda served: True)
    assert client.get("/readyz").status_code == 503
    hint = main.follower.hint()
    assert hint["state"] == "keeping" and "is stuck" in hint["why"]
    monkeypatch.setattr(main.follower, "is_stuck", lambda served: False)
    assert client.get("/readyz").status_code == 200


# -- answers that are none --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value, category",
    [
        ({"a": float("nan")}, "NotFinite"),
        ([0.5, float("inf")], "NotFinite"),
        (b"bytes", "NotJson"),
        ([np.float32(1)], "NotJson"),
        ({1: "a"}, "NotJson"),
        ("\ud800", "NotJson"),
        (10**5000, "NotJson"),
    ],
    ids=["a chance", "a list", "bytes", "numpy", "a number as name", "half a letter", "digits"],
)
def test_an_answer_that_json_cannot_hold_fails_its_row_alone(value, category):
    first, second = predict_each(lambda rows: [value if row["x"] else 1.0 for row in rows], [{"x": 1}, {"x": 0}])
    assert isinstance(first, RowFailed) and first.category == category
    assert second == 1.0
    json.dumps(second, allow_nan=False).encode("utf-8")


def test_a_model_that_ends_the_process_for_one_row_fails_that_row_alone():
    def exits(rows):
        if any(row["x"] == 2 for row in rows):
            sys.exit(3)
        return doubled(rows)

    found = predict_each(exits, [{"x": x} for x in range(5)])
    assert [each.category if isinstance(each, RowFailed) else each for each in found] == [0, 2, "SystemExit", 6, 8]


def test_an_answer_of_another_kind_than_the_contract_says_fails_its_row_and_keeps_a_version_out():
    of = kind_problem(NUMBER)
    assert [of(1.5), of(3), of(np.float64(2).item())] == [None, None, None]
    assert of("low") == "it answers a text, and the contract says number"
    assert of(None) and of(True) and of({"a": 1.0}) and of([1.0])
    found = predict_each(lambda rows: ["low", 2.0], [{}, {}], of)
    assert found[0].category == "AnotherKind" and found[1] == 2.0
    for answer in ("low", None):
        with pytest.raises(Incompatible, match="the contract says number"):
            check_golden(lambda rows: [answer] * len(rows), golden(), NUMBER, 32)


def test_another_kind_of_answer_or_other_classes_are_another_contract():
    manifest = {"target": "t", "prediction": "p"}
    text = [{"features": {}, "output": "low"}]
    assert output_differs(NUMBER, manifest, [], text) == "another contract: it answers a text, and the contract says number"
    assert output_differs(NUMBER, manifest, [], [{"features": {}, "output": 1.5}]) is None
    words = [{"name": "p", "type": "categorical"}]
    assert output_differs(NUMBER, manifest, words, []) == "another contract: it answers classes, and the contract says number"
    classes = dataclasses.replace(CONTRACT, output={"name": "y", "kind": "class", "classes": ["No", "Yes"]})

    def truth(*names):
        return [{"name": "t", "type": "categorical", "complete": True, "categories": list(names)}]

    assert output_differs(classes, manifest, truth("Yes", "No"), []) is None
    assert "its classes are" in output_differs(classes, manifest, truth("Yes", "No", "Maybe"), [])


def golden():
    if CONTRACT.example is None:
        pytest.skip("no example was recorded when this version was registered")
    return [dict(CONTRACT.example, output=None)]


@pytest.mark.parametrize(
    "expected, found, same",
    [
        ({"a": 0.25, "b": 0.75}, {"b": 0.75, "a": 0.25}, True),
        ({"a": 0.25, "b": 0.75}, {"b": 0.25, "a": 0.75}, False),
        ({"a": 0.25, "b": 0.75}, {"a": 0.25, "c": 0.75}, False),
        ({"output_0": 0.2, "output_1": 0.3, "output_2": 0.5}, {"x": 0.2, "y": 0.3, "z": 0.5}, True),
        ({"output_0": 0.2, "output_1": 0.3, "output_2": 0.5}, {"x": 0.3, "y": 0.2, "z": 0.5}, False),
        ({"output_0": 0.2, "output_1": 0.3, "output_2": 0.5}, [0.2, 0.3, 0.5 + 1e-9], True),
        ([1.0, [2.0]], [1.0 + 1e-9, [2.0]], True),
        ([1.0, [2.0]], [1.0, [2.1]], False),
        ([1.0, 2.0], [1.0], False),
        (1, True, False),
    ],
)
def test_golden_maps_are_compared_by_name_and_lists_by_place(expected, found, same):
    assert (golden_differs(expected, found) is None) == same


# -- requests ---------------------------------------------------------------------------------------------------------


def test_rows_are_counted_before_they_are_looked_at(client):
    answer = client.post("/v1/predict:batch", json={"rows": [{}] * (main.settings.max_queue + 1)})
    assert (answer.status_code, answer.json()["detail"]) == (413, f"at most {main.settings.max_queue} rows at once")
    many = {f"nobody knows {at}": 1 for at in range(5000)}
    assert client.post("/v1/predict", json={"features": many}).status_code == 413


def test_a_422_lists_at_most_fifty_places(client):
    if all(feature.get("nullable") for feature in CONTRACT.features):
        pytest.skip("every feature may be missing")
    answer = client.post("/v1/predict:batch", json={"rows": [{}] * 200})
    assert (answer.status_code, len(answer.json()["detail"])) == (422, 50)


def test_what_an_exception_says_is_not_printed_and_not_again_and_again(client, monkeypatch, caplog):
    def failing(rows):
        raise ValueError("the secret of a dropped column")

    route = main.follower.route
    served = Served(route.stable.version, route.stable.manifest, failing, "", 0)
    monkeypatch.setattr(main.follower, "route", dataclasses.replace(route, stable=served, rollout=None, share=None))
    monkeypatch.setattr(main.desk, "_failures", Seldom(logging.getLogger("uvicorn.error")))
    with caplog.at_level(logging.INFO):
        for _ in range(5):
            assert client.post("/v1/predict", json={"features": golden()[0]["features"]}).status_code == 500
    said = [record.getMessage() for record in caplog.records if "a row failed" in record.getMessage()]
    assert len(said) == 1 and "ValueError" in said[0] and "its id is" in said[0]
    assert "secret" not in caplog.text


def test_what_is_said_seldom_counts_what_was_left_out(caplog):
    seldom = Seldom(logging.getLogger("seldom"), seconds=0.05)
    for _ in range(4):
        seldom.error("sort", "it failed")
    time.sleep(0.1)
    seldom.error("sort", "it failed")
    assert [record.getMessage() for record in caplog.records] == ["it failed", "it failed (and 3 more since the last one)"]


def test_who_may_not_ask_does_not_see_which_version_answers(client, monkeypatch):
    async def nobody():
        raise HTTPException(401)

    monkeypatch.setitem(main.app.dependency_overrides, main.hooks.authenticate, nobody)
    assert client.get("/v1/model").status_code == 401
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    "argv, env, count",
    [
        (["gunicorn", "-w4"], {}, 4),
        (["gunicorn", "-w=4"], {}, 4),
        (["gunicorn"], {"GUNICORN_CMD_ARGS": "--bind :80 --workers=4"}, 4),
        (["gunicorn"], {"GUNICORN_CMD_ARGS": "-w 3"}, 3),
        (["uvicorn"], {"WEB_CONCURRENCY": " 4"}, 4),
        (["uvicorn", "-w1"], {"WEB_CONCURRENCY": "1"}, 1),
    ],
)
def test_more_workers_are_noticed_however_they_are_asked_for(argv, env, count):
    assert workers_asked_for(argv, env) == count


# -- the store --------------------------------------------------------------------------------------------------------


def digest_of(data):
    return hashlib.sha256(data).hexdigest()


class World:
    """A store with one model, written by hand: what others would write into a real one."""

    def __init__(self, root):
        self.root = root
        self.log = root / "models" / CONTRACT.model / "log"
        self.log.mkdir(parents=True)
        self.last = seal({"format": 1, "id": "a store"})
        (root / "registry.json").write_bytes(self.last)
        self.count = 0
        self.store = Store(root, CONTRACT.model, "production")

    def object(self, data):
        path = self.store.path_of(digest_of(data))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return digest_of(data)

    def event(self, type, body, stages):
        self.count += 1
        self.last = seal(
            {"seq": self.count, "prev": digest_of(self.last), "model": CONTRACT.model, "type": type, "body": body, "stages": stages}
        )
        self.file(self.count).write_bytes(self.last)

    def register(self, version, manifest):
        self.event("register", {"version": version, "manifest": manifest}, {})

    def promote(self, version, manifest):
        stages = {"production": {"version": version, "manifest": manifest, "seq": self.count + 1}}
        self.event("promote", {"version": version}, stages)

    def file(self, number):
        return self.log / f"{number:010d}.json"


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_a_version_is_what_its_registration_says_and_not_what_the_stage_says(world):
    good, bad = world.object(b"{}"), world.object(b'{"other": 1}')
    world.register(1, good)
    world.promote(1, bad)
    wanted = world.store.wanted()
    with pytest.raises(Unreadable, match="version 1 was registered as manifest"):
        load_version(world.store, CONTRACT, wanted.version, wanted.manifest, 32)


def test_no_more_is_copied_than_the_manifest_says(world, tmp_path):
    digest = world.object(b"x" * 100)
    copy_object(world.store, digest, 100, tmp_path / "whole")
    assert (tmp_path / "whole").read_bytes() == b"x" * 100
    for at, size in enumerate((99, 101)):
        with pytest.raises(Unreadable, match="damaged"):
            copy_object(world.store, digest, size, tmp_path / f"copy{at}")
        assert (tmp_path / f"copy{at}").stat().st_size <= 100


def test_a_link_and_a_pipe_are_no_objects(world, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    path = world.store.path_of(digest_of(b"secret"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(secret)
    with pytest.raises(Unreadable, match="cannot be read"):
        copy_object(world.store, digest_of(b"secret"), 6, tmp_path / "copy")
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(Unreadable, match="no regular file"):
        copy_object(world.store, digest_of(b"secret"), 6, tmp_path / "copy")
    os.mkfifo(world.file(1))
    with pytest.raises(Unreadable, match="no regular file"):
        world.store.wanted()


def test_an_event_larger_than_the_format_allows_is_not_read(world):
    world.event("note", {"text": "x" * 70_000}, {"production": {"version": 1, "manifest": "0" * 64, "seq": 1}})
    with pytest.raises(Unreadable, match="larger than any record"):
        world.store.wanted()


def test_a_damaged_event_is_not_read_again_at_every_look_and_a_newer_one_at_once(world):
    manifest = world.object(b"{}")
    world.register(1, manifest)
    world.promote(1, manifest)
    whole = world.file(2).read_bytes()
    world.file(2).write_bytes(whole[:-3])
    settings = dataclasses.replace(read_settings(FACTS, {}), store=world.root, stage="production")
    follower = Follower(settings, CONTRACT)
    for _ in range(20):
        follower.look()
    assert follower.failures == 1 and "damaged" in follower.why
    world.file(2).write_bytes(whole)
    world.promote(1, manifest)
    follower.look()
    assert follower.failures == 2 and "damaged" not in follower.why, "it is read, and its manifest is none"


def test_a_store_without_the_model_is_not_read_at_every_look_and_its_first_event_is_seen_at_once(tmp_path):
    settings = dataclasses.replace(read_settings(FACTS, {}), store=tmp_path, stage="production")
    follower = Follower(settings, CONTRACT)
    for _ in range(20):
        follower.look()
    assert follower.failures == 1 and "no log" in follower.why
    world = World(tmp_path)
    world.register(1, world.object(b"{}"))
    follower.look()
    assert follower.failures == 2 and "no version" in follower.why


def test_recorded_examples_may_hold_what_separates_lines_elsewhere(world):
    examples = [{"features": {"text": f"a{mark}b"}, "output": 1} for mark in "\u2028\u0085\x0b\x0c"]
    data = "\n".join(json.dumps(each, ensure_ascii=False) for each in examples) + "\n"
    # JSON escapes what stands below a blank; the others stand as they are.
    assert len(data.splitlines()) > len(examples)
    digest = world.object(data.encode("utf-8"))
    assert read_examples(world.store, {"examples": {"sha256": digest, "format": "jsonl"}}) == examples


def test_what_killed_services_left_behind_is_taken_away_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True).stdout.strip()
    names = [f"mlops-{CONTRACT.model}-1-{loading._HOST}-{pid}-abc_1" for pid in (gone, os.getppid())]
    names += [f"mlops-{CONTRACT.model}-1-anotherhost-{gone}-abc", f"mlops-other-{CONTRACT.model}-1-{loading._HOST}-{gone}-abc"]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.joblib").write_bytes(b"x")
    sweep_folders(CONTRACT.model)
    assert sorted(each.name for each in Path(tmp_path).iterdir()) == sorted(names[1:])
