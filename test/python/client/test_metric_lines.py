"""Lines of metrics: fast, the same as any other record, and on disk whatever happens to the process."""
import json
import os
import random
import signal
import struct
import subprocess
import sys
import time

import pytest

CLIENT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../../templates/python"))
sys.path.insert(0, CLIENT)

from mlops import _metriclines, _process, _runfiles, _store  # noqa: E402
from mlops._canonical import canonical_bytes  # noqa: E402


def values():
    yield from (0.0, -0.0, 1.0, -1.0, 0.1, 1e-4, 9.9e-5, 1e-5, 1.5e-7, 1e15, 1e16, 2.0 ** 53, 2.0 ** 53 - 1, 1e17, 1e21, 1e22)
    yield from (float("nan"), float("inf"), float("-inf"), 5e-324, 1.7976931348623157e308, 0, -7, 2 ** 53, -(2 ** 53), 10 ** 30, True)
    chance = random.Random(1)
    for _ in range(20000):
        yield struct.unpack(">d", struct.pack(">Q", chance.getrandbits(64)))[0]
        yield chance.uniform(-2, 2) * 10.0 ** chance.randint(-9, 20)


def test_a_line_is_the_canonical_json_of_its_record(monkeypatch):
    monkeypatch.setattr(_metriclines, "now", lambda: "2026-11-21T09:00:00.000Z")
    for name in ("loss", "val/auc", 'a "quoted" name', "größe"):
        for step in (None, 0, 17, -3, 2 ** 60):
            for value in values() if step == 17 and name == "loss" else (0.5, float("nan")):
                record = {"t": "2026-11-21T09:00:00.000Z", "key": name, "value": int(value) if value is True else value}
                if step is not None:
                    record["step"] = step
                assert _metriclines.metric_line(name, value, step) == canonical_bytes(record)


def test_the_time_of_a_line_goes_on():
    first = _metriclines.now()
    time.sleep(0.01)
    assert first < _metriclines.now()
    assert len(first) == 24 and first.endswith("Z")


def test_scalars_of_numpy_are_numbers():
    numpy = pytest.importorskip("numpy")
    for value in (numpy.float64(0.25), numpy.float32(0.25), numpy.array(0.25), numpy.float16(0.25)):
        assert json.loads(_metriclines.metric_line("a", value, numpy.int64(3)).decode())["value"] == 0.25


@pytest.mark.parametrize("end", ["os._exit(3)", "os.kill(os.getpid(), signal.SIGKILL)", "os.kill(os.getpid(), signal.SIGTERM)", "raise ValueError", "os.abort()"])
def test_nothing_that_was_logged_is_lost_however_the_process_ends(tmp_path, end):
    _store.create_store(str(tmp_path / ".mlops"))
    code = "import os, signal, mlops\nrun = mlops.track('m')\nfor n in range(5000): run.log_metric('n', n, step=n)\n" + end
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MLOPS_", "_MLOPS_"))}
    subprocess.run([sys.executable, "-c", code], cwd=str(tmp_path), env=dict(env, PYTHONPATH=CLIENT), stderr=subprocess.DEVNULL)
    (stream,) = (tmp_path / ".mlops/runs").glob("*/metrics/*.jsonl")
    assert [json.loads(line)["step"] for line in stream.read_text().splitlines()] == list(range(5000))


def test_an_owner_says_which_process_it_is(tmp_path):
    if sys.platform != "linux":
        pytest.skip("only Linux says where it counts its processes")
    _store.create_store(str(tmp_path / ".mlops"))
    code = "import time, mlops\nrun = mlops.track('m')\nprint(run.id, flush=True)\ntime.sleep(60)"
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MLOPS_", "_MLOPS_"))}
    child = subprocess.Popen([sys.executable, "-c", code], cwd=str(tmp_path), env=dict(env, PYTHONPATH=CLIENT), stdout=subprocess.PIPE, universal_newlines=True)
    try:
        run = child.stdout.readline().strip()
        said = json.loads((tmp_path / ".mlops/runs" / run / "run.json").read_text())["process"]
        assert said["pid"] == child.pid
        assert said["place"] == _process.own_process()["place"]
        with open("/proc/%d/stat" % child.pid) as file:
            assert said["start"] == int(file.read().rpartition(")")[2].split()[19])
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    assert child.returncode == -signal.SIGKILL


def test_lines_that_no_writer_of_ours_made_are_left_out():
    t = "2026-11-21T09:00:00.000Z"
    metrics = [{"key": 1, "t": t, "value": 1}, {"key": "a", "value": 1}, {"key": "a", "t": t}, {"key": "a", "t": t, "value": 2}]
    folded = _runfiles.fold({"metrics": metrics, "params": [], "tags": [{"t": t}], "artifacts": []})
    assert folded == {"metrics": {"a": 2}, "params": {}, "tags": [], "artifacts": []}
