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


def _refuse(text):
    raise ValueError("%s is no JSON" % text)


_parse = json.JSONDecoder(parse_constant=_refuse).decode


class StoreTrouble(Exception):
    """The record cannot go on, though no system call failed."""


class RunFiles:
    """This process's files in the folder of a run."""

    def __init__(self, store, run):
        self.store = store
        self.run = run
        self.folder = "runs/" + run
        self._end = store.path(self.folder + "/end.json")
        self._lock = threading.Lock()
        self._heart = None
        self._reset()

    def _reset(self):
        self.pid = os.getpid()
        self.writer = "python-%d-%s" % (self.pid, os.urandom(4).hex())
        self._fds = {}
        self._records = 0

    def append(self, stream, lines):
        """Records, or lines as bytes."""
        self.write(stream, b"".join(line if isinstance(line, bytes) else canonical_bytes(line) for line in lines))

    def write(self, stream, data):
        """Whole lines in one write, so that a kill tears at most the last one.

        Nothing is held back: a write costs a microsecond, others see it at once, and no way to end a process loses it.
        """
        with self._lock:
            if os.getpid() != self.pid:
                self._reset()  # forked: two processes never share a file
            if os.access(self._end, os.F_OK):
                raise StoreTrouble("run %s has ended" % self.run)
            fd = self._fds.get(stream)
            if fd is None:
                fd = self._fds[stream] = self.store.appender("%s/%s/%s.jsonl" % (self.folder, stream, self.writer))
            written = os.write(fd, data)
            if written != len(data):
                os.ftruncate(fd, os.fstat(fd).st_size - written)
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
        """Lines of all writers, one by one. A torn last line, and any that is no object, is left out."""
        folder = self.store.path("%s/%s" % (self.folder, stream))
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            return
        for name in names:
            if not name.endswith(".jsonl"):
                continue
            with open(os.path.join(folder, name), "rb") as file:
                for line in file:
                    try:
                        record = _parse(line.decode("utf-8")) if line.endswith(b"\n") else None
                    except ValueError:
                        continue
                    if isinstance(record, dict):
                        yield record

    def fold(self):
        return fold({stream: self.lines(stream) for stream in STREAMS})

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
    """What end.json says of the streams, read once and line by line: the rule of src/tracking/records/fold-run.ts."""
    artifacts = _LastOfEach()
    for line in streams["artifacts"]:
        artifacts.take(line.get("path"), {key: line.get(key) for key in ("path", "sha256", "size")}, line.get("t"))
    tags = _LastOfEach()
    for line in streams["tags"]:
        tags.take(line.get("tag"), line.get("tag"), line.get("t"))
    return {
        "metrics": dict(_last_values(streams["metrics"])),
        "params": dict(_last_values(streams["params"])),
        "tags": [tag for tag, _ in tags.items()],
        "artifacts": [each for _, each in sorted(artifacts.items(), key=lambda item: item[0].encode("utf-16-be"))],
    }


def _last_values(lines):
    rank = {"argument": 0, "printed": 1, "file": 2}
    best = _LastOfEach()
    for line in lines:
        if "value" in line:
            origin = line.get("from")
            best.take(line.get("key"), line["value"], line.get("t"), 3 if origin is None else rank.get(origin, 3))
    return best.items()


class _LastOfEach:
    """For each key the value of the highest rank, of those the latest, of those the last; in the order of their first."""

    def __init__(self):
        self._best = {}
        self._place = 0

    def take(self, key, value, t, rank=0):
        if not (isinstance(key, str) and isinstance(t, str)):
            return  # whoever wrote this is not one of us
        self._place += 1
        known = self._best.get(key)
        if known is None:
            self._best[key] = [value, rank, t, t, self._place]
            return
        if t < known[3]:
            known[3:] = (t, self._place)
        if rank > known[1] or (rank == known[1] and t >= known[2]):
            known[:3] = (value, rank, t)

    def items(self):
        return [(key, known[0]) for key, known in sorted(self._best.items(), key=lambda item: item[1][3:])]
