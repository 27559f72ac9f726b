"""The prediction log under kills, forks, full and forbidden disks, and at the end of the process."""
import json
import os
import random
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time

import pytest
from conftest import CLIENT
from mlops import _daily, _monitor, _writer, monitor

BEGIN = "import os, sys; sys.path.insert(0, %r); from mlops import monitor; m = monitor('churn-model')\n" % CLIENT


def script(shop, code, **options):
    return subprocess.run(
        [sys.executable, "-c", BEGIN + code], cwd=str(shop.root), capture_output=True, text=True, check=False, timeout=300,
        env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"), **options
    )


HAMMER = """
import threading
def work(thread):
    at = 0
    while True:
        m.watch({"pid": os.getpid(), "thread": thread, "at": at, "text": "x" * (at % 997)}, output=at)
        if at % 50 == 0:
            m.watch([{"pid": os.getpid(), "thread": thread, "at": -1}] * 300, output=list(range(300)))
        at += 1
for n in range(4):
    threading.Thread(target=work, args=(n,)).start()
"""


def test_processes_with_threads_that_are_killed_at_random_leave_whole_lines(shop):
    rng = random.Random(7)
    for _ in range(3):
        running = [
            subprocess.Popen([sys.executable, "-c", BEGIN + HAMMER], cwd=str(shop.root), stderr=subprocess.DEVNULL)
            for _ in range(8)
        ]
        time.sleep(1.5)
        for process in running:
            time.sleep(rng.random() * 0.2)
            process.send_signal(signal.SIGKILL)
            process.wait()
    whole = torn = 0
    seen = set()
    for path in shop.files():
        data = path.read_bytes()
        complete, _, rest = data.rpartition(b"\n")
        torn += bool(rest)
        writers = set()
        for line in complete.split(b"\n") if complete else []:
            record = json.loads(line)
            assert record["model"] == "churn-model" and record["id"] not in seen
            seen.add(record["id"])
            writers.add(record["features"]["pid"])
            whole += 1
        assert len(writers) <= 1, "one process, one file"
    print("\n%d whole lines of 24 killed processes, %d torn" % (whole, torn))
    assert whole > 5000


def test_a_child_writes_a_file_of_its_own_and_nothing_of_its_parent(shop):
    m = monitor("churn-model")
    m.watch([{"who": "parent"}] * 3000)  # still in the queue when the process splits
    child = os.fork()
    if child == 0:
        try:
            ok = m.dropped == 0
            m.watch([{"who": "child"}] * 10)
            ok = m.flush(20) and ok
        finally:
            os._exit(0 if ok else 1)
    m.watch([{"who": "parent"}] * 7)
    assert os.waitpid(child, 0)[1] == 0 and m.flush(20)
    by_file = [{json.loads(line)["features"]["who"] for line in open(path)} for path in shop.files()]
    assert sorted(map(sorted, by_file)) == [["child"], ["parent"]]
    records = shop.records()
    assert len(records) == len({r["id"] for r in records}) == 3017


def test_a_fork_while_every_thread_is_logging_does_not_hang(shop):
    code = """
import threading, time
stop = []
def work():
    while not stop: m.watch({"a": 1})
threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads: t.start()
for _ in range(50):
    pid = os.fork()
    if pid == 0:
        m.watch({"a": 2}); os._exit(0 if m.flush(30) else 1)
    assert os.waitpid(pid, 0)[1] == 0
stop.append(1)
for t in threads: t.join()
"""
    done = script(shop, code)
    assert done.returncode == 0, done.stderr
    assert sum(r["features"]["a"] == 2 for r in shop.records()) == 50


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_a_pool_lose_nothing_when_they_end(shop, method):
    (shop.root / "work.py").write_text(BEGIN + """
import multiprocessing
def predict(n):
    m.watch({"n": n})
if __name__ == "__main__":
    context = multiprocessing.get_context(%r)
    with context.Pool(3) as pool:
        pool.map(predict, range(200))
        pool.close()
        pool.join()
    process = context.Process(target=predict, args=(200,))
    process.start()
    process.join()
""" % method)
    done = subprocess.run([sys.executable, "work.py"], cwd=str(shop.root), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert sorted(r["features"]["n"] for r in shop.records()) == list(range(201))


@pytest.mark.parametrize("end", ["", "sys.exit(3)", "raise ValueError('x')", "import threading; threading.Thread(target=lambda: m.watch({'a': 1})).start()"])
def test_a_script_that_ends_at_once_loses_nothing(shop, end):
    done = script(shop, "m.watch([{'a': 1}] * 20000)\n" + end)
    assert "mlops:" not in done.stderr
    assert len(shop.records()) == 20000 + ("Thread" in end)


def test_what_is_logged_while_the_interpreter_ends_is_written_too(shop):
    code = "import atexit\natexit.register(lambda: m.watch({'late': 1}))\nm.watch({'late': 0})\n"
    early = script(shop, code + "atexit.register(lambda: m.watch({'late': 2}))\n")
    assert early.returncode == 0 and not early.stderr
    assert sorted(r["features"]["late"] for r in shop.records()) == [0, 1, 2]


def test_a_disk_that_takes_no_more_costs_records_and_nothing_else(shop):
    # The limit strikes in the middle of a write, as a full disk does.
    code = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for _ in range(30):
    m.watch([{"text": "x" * 100}] * 200)
m.watch({"a": 1})
m.flush(60)
print(m.dropped, m.last_error)
"""
    done = script(shop, code)
    assert done.returncode == 0, done.stderr
    whole = 0
    for path in shop.files():
        for line in path.read_bytes().split(b"\n")[:-1]:
            json.loads(line)
            whole += 1
    dropped, _, error = done.stdout.partition(" ")
    assert whole + int(dropped) == 6001 and whole > 400 and int(dropped) > 400
    assert "full" in error and done.stderr.count("mlops:") == 1


def test_a_disk_that_stays_full_is_not_littered_with_empty_files(shop, monkeypatch):
    def full(fd, data):
        raise OSError(28, "No space left on device")

    m = monitor("churn-model")
    with monkeypatch.context() as patched:
        patched.setattr(_daily.os, "write", full)
        for _ in range(5):
            m.watch([{"a": 1}] * 10)
            assert m.flush(20)
    assert m.dropped == 50 and "No space" in m.last_error and not shop.files()
    m.watch({"a": 1})
    assert m.flush(20) and m.dropped == 50 and len(shop.records()) == 1


def test_a_store_that_may_not_be_written_costs_records_and_nothing_else(shop):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        os.mkdir(os.path.join(folder, ".mlops"), 0o755)
        open(os.path.join(folder, ".mlops/registry.json"), "w").close()
        os.chmod(os.path.join(folder, ".mlops"), 0o555)
        become = "os.setuid(65534) if os.getuid() == 0 else None\nos.chdir(%r)\nm = monitor('churn-model')\n" % folder
        done = script(shop, become + "m.watch([{'a': 1}] * 5)\nm.watch({'a': 1})\nm.flush(60)\nprint(m.dropped, m.last_error)")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("6 ") and "Permission" in done.stdout and done.stderr.count("mlops:") == 1


def test_a_predictions_folder_that_is_a_file_costs_records_and_comes_back(shop):
    shop.home.write_text("")
    m = monitor("churn-model")
    m.watch([{"a": 1}] * 5)
    assert m.flush(20) and m.dropped == 5
    shop.home.unlink()
    m.watch([{"a": 2}] * 5)
    assert m.flush(20) and m.dropped == 5 and len(shop.records()) == 5


class SlowSink:
    name = "a disk that hangs"

    def __init__(self):
        self.go_on = threading.Event()
        self.lines = 0

    def write(self, day, lines):
        self.go_on.wait()
        self.lines += len(lines)
        return len(lines)

    def abandon(self):
        pass


def test_a_disk_that_hangs_fills_the_queue_and_never_holds_up_a_request(shop, monkeypatch):
    monkeypatch.setattr(_writer, "_PATIENCE_SECONDS", 0.05)
    m = monitor("churn-model")
    log = m._opened()
    sink = SlowSink()
    log.writer = _writer.Writer(sink, lambda: 1, queue_bytes=200_000)
    for _ in range(3000):
        m.watch({"text": "x" * 100})  # returns though nothing is written
    m.watch([{"text": "x" * 100}] * 1000)
    assert not m.flush(0.01)
    assert m.dropped > 1000 and "queue is full" in m.last_error
    assert log.writer._queued <= 200_000
    sink.go_on.set()
    assert m.flush(20) and sink.lines + m.dropped == 4000
    m.watch({"a": 1})
    assert m.flush(20) and sink.lines + m.dropped == 4001


def test_a_batch_job_waits_for_room_and_loses_nothing(shop):
    m = monitor("churn-model")
    m._opened().writer._limit = 200_000
    for _ in range(20):
        m.watch([{"text": "x" * 50}] * 1000)
    assert m.flush(60) and m.dropped == 0 and len(shop.records()) == 20000


def test_files_are_begun_anew_when_they_are_large_late_or_gone(shop, monkeypatch):
    monkeypatch.setattr(_daily, "_MAX_BYTES", 10_000)
    m = monitor("churn-model")
    for _ in range(5):
        m.watch([{"text": "x" * 100}] * 50)
        assert m.flush(20)
    names = [path.name for path in shop.files()]
    assert len(names) == 5 and {name[:-10] for name in names} == {names[0][:-10]}
    assert [name[-10:-6] for name in names] == ["0001", "0002", "0003", "0004", "0005"]
    monkeypatch.setattr(_daily, "_MAX_BYTES", 1 << 20)
    m.watch({"a": 1}, time="2020-01-01")
    assert m.flush(20)
    m.watch({"a": 1}, time="2020-01-01")
    assert m.flush(20) and len(shop.files()) == 6
    shop.files()[0].unlink()  # pruned under the writer
    m.watch({"a": 1}, time="2020-01-01")
    assert m.flush(20) and len(shop.files()) == 6
    open_files = next(iter(_monitor._logs.values()))._sink._open
    open_files["2020-01-01"][2] = time.time() - 1  # an hour later
    m.watch({"a": 1}, time="2020-01-01")
    assert m.flush(20) and len(shop.files()) == 7 and m.dropped == 0


def test_days_of_a_long_back_filling_do_not_use_up_the_descriptors(shop):
    m = monitor("churn-model")
    times = ["2020-%02d-%02d" % (month, day) for month in range(1, 13) for day in range(1, 29)]
    m.watch([{"a": 1}] * len(times), time=times)
    assert m.flush(60) and m.dropped == 0 and len(shop.files()) == len(times)
    assert len(next(iter(_monitor._logs.values()))._sink._open) <= 16


def test_only_the_owner_or_the_team_of_a_shared_store_reads_it(shop):
    modes = []
    before = os.umask(0o077)
    try:
        for shared in (False, True):
            home = shop.root / ("shared" if shared else "own")
            home.mkdir()
            os.chmod(str(home), 0o2770 if shared else 0o755)
            sink = _daily.DailyFiles(str(home), "m", create=True)
            os.umask(0o077 if shared else 0o002)
            assert sink.write("2026-01-01", ["{}"]) == 1
            sink.close()
            found = [home / "m", home / "m/date=2026-01-01"] + shop.files(home)
            modes.append([stat.S_IMODE(path.stat().st_mode) for path in found])
            assert len(list((home / "m").iterdir())) == 1
    finally:
        os.umask(before)
    assert modes == [[0o750, 0o750, 0o640], [0o2770, 0o2770, 0o660]]


def test_what_root_writes_belongs_to_the_owner_of_the_folder(shop):
    if os.getuid() != 0:
        return  # only root can give files away
    shop.home.mkdir()
    os.chown(str(shop.home), 65534, 65534)
    m = monitor("churn-model")
    m.watch({"a": 1})
    assert m.flush(20)
    found = [shop.files()[0], shop.files()[0].parent, shop.files()[0].parent.parent]
    assert {(path.stat().st_uid, path.stat().st_gid) for path in found} == {(65534, 65534)}


def test_a_signal_handler_may_log(shop):
    code = """
import signal
signal.signal(signal.SIGALRM, lambda *_: m.watch({"signal": 1}))
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
for _ in range(5000): m.watch({"signal": 0})
signal.setitimer(signal.ITIMER_REAL, 0)
"""
    done = script(shop, code)
    assert done.returncode == 0, done.stderr
    found = [r["features"]["signal"] for r in shop.records()]
    assert found.count(0) == 5000 and found.count(1) > 0
