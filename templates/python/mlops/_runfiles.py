"""The files that this process writes into the folder of a run, and what its end folds of them (docs/store-format.md,
section 6). What is logged, and whether a failure stops anything, is the business of `_run.py`.
"""
import hashlib
import json
import os
import threading

from ._canonical import canonical_bytes, seal

STREAMS = ("metrics", "params", "tags", "artifacts")
_HEARTBEAT_SECONDS = 5
_UNPINNED = ("end.json", "ended", "alive")


class StoreTrouble(Exception):
    """The record cannot go on, though no system call failed."""


class RunFiles:
    """This process's files in the folder of a run."""

    def __init__(self, store, run):
        self.store = store
        self.run = run
        self.folder = "runs/" + run
        self._lock = threading.Lock()
        self._heart = None
        self._reset()

    def _reset(self):
        self.pid = os.getpid()
        self.writer = "python-%d-%s" % (self.pid, os.urandom(4).hex())
        self._fds = {}
        self._records = 0

    def append(self, stream, lines):
        """Whole lines in one write, so that a kill tears at most the last one."""
        data = b"".join(canonical_bytes(line) for line in lines)
        with self._lock:
            if os.getpid() != self.pid:
                self._reset()  # forked: two processes never share a file
            if os.path.exists(self.store.path(self.folder + "/end.json")):
                raise StoreTrouble("run %s has ended" % self.run)
            fd = self._fds.get(stream)
            if fd is None:
                fd = self._fds[stream] = self.store.appender("%s/%s/%s.jsonl" % (self.folder, stream, self.writer))
            size = os.fstat(fd).st_size
            written = os.write(fd, data)
            if written != len(data):
                os.ftruncate(fd, size)
                raise OSError(28, "the disk is full")

    def put_intent(self, intent):
        self._put_numbered("intents", intent)

    def put_evidence(self, record):
        self._put_numbered("evidence", record)

    def _put_numbered(self, kind, record):
        with self._lock:
            if os.getpid() != self.pid:
                self._reset()
            self._records += 1
            key = "%s/%s/%s-%d.json" % (self.folder, kind, self.writer, self._records)
        if os.path.exists(self.store.path(self.folder + "/end.json")):
            raise StoreTrouble("run %s has ended" % self.run)
        if self.store.put_record(key, record) is None:
            raise StoreTrouble("%s exists already" % key)

    def lines(self, stream):
        """Lines of all writers. A torn last line, and any that is no object, is left out."""
        found = []
        folder = self.store.path("%s/%s" % (self.folder, stream))
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            return found
        for name in names:
            if not name.endswith(".jsonl"):
                continue
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            for line in data[: data.rfind(b"\n") + 1].splitlines():
                try:
                    record = json.loads(line.decode("utf-8"))
                except ValueError:
                    continue
                if isinstance(record, dict):
                    found.append(record)
        return found

    def start_heart(self):
        self.store.touch(self.folder + "/alive")
        stop = threading.Event()

        def beat():
            while not stop.wait(_HEARTBEAT_SECONDS):
                try:
                    self.store.touch(self.folder + "/alive")
                except OSError:
                    pass

        threading.Thread(target=beat, name="mlops-heartbeat", daemon=True).start()
        self._heart = stop

    def close(self):
        if self._heart is not None:
            self._heart.set()
        with self._lock:
            for fd in self._fds.values():
                os.close(fd)
            self._fds = {}

    def end(self, record):
        self.close()
        record = dict(record, files={key: self.store.pin("%s/%s" % (self.folder, key)) for key in self._all_files()})
        data = seal(record)
        if not self.store.put(self.folder + "/end.json", data):
            raise StoreTrouble("run %s has ended already" % self.run)
        try:
            self.store.put(self.folder + "/ended", (hashlib.sha256(data).hexdigest() + "\n").encode("ascii"))
            os.unlink(self.store.path(self.folder + "/alive"))
        except OSError:
            pass  # a hint: the run has ended without it

    def _all_files(self):
        root = self.store.path(self.folder)
        for name in sorted(os.listdir(root)):
            path = os.path.join(root, name)
            if os.path.isfile(path) and name not in _UNPINNED:
                yield name
            elif os.path.isdir(path):
                for inner in sorted(os.listdir(path)):
                    if os.path.isfile(os.path.join(path, inner)):
                        yield "%s/%s" % (name, inner)


def fold(streams):
    """What end.json says of the streams: the rule of src/tracking/records/fold-run.ts."""
    artifacts = {}
    for line in _by_time(streams["artifacts"]):
        artifacts[line["path"]] = {key: line[key] for key in ("path", "sha256", "size")}
    return {
        "metrics": _last_values(streams["metrics"]),
        "params": _last_values(streams["params"]),
        "tags": list(dict.fromkeys(line["tag"] for line in _by_time(streams["tags"]))),
        "artifacts": [artifacts[path] for path in sorted(artifacts, key=lambda path: path.encode("utf-16-be"))],
    }


def _last_values(lines):
    rank = {"printed": 0, "file": 1}
    best = {}
    for line in _by_time(lines):
        mine = rank.get(line.get("from"), 2)
        if mine >= best.get(line["key"], (0, None))[0]:
            best[line["key"]] = (mine, line["value"])
    return {key: value for key, (_, value) in best.items()}


def _by_time(lines):
    return sorted(lines, key=lambda line: line["t"])
