"""One call of `watch`: its rows, answers and other members, and the lines of the prediction log they become
(docs/prediction-log.md, section 2). Knows no files and no queue.
"""
import datetime
import hashlib
import itertools
import math
import os
import re
import threading
import time

from ._cells import cell, quote
from ._rows import outputs, scrubbed, table

MAX_LINE = 1048576
_MAX_ID = 256
_MAX_TEXT = 4096
# Fewer values than this are turned into text at once; more are copied, and turned into text by the writer's thread.
_AT_ONCE = 512
_SLICE = 2000
_DAY = 86400


class Ids:
    """Unique texts for this process: random per process, counted within it."""

    def __init__(self):
        self._lock = threading.Lock()
        self._pid = None

    def take(self, count):
        pid = os.getpid()
        if pid != self._pid:
            self._lock = threading.Lock()
            self._prefix = os.urandom(8).hex()
            self._next = 0
            self._pid = pid
        with self._lock:
            first = self._next
            self._next += count
        return ["%s-%x" % (self._prefix, number) for number in range(first, first + count)]


_ids = Ids()


def prepare(rows, columns, dropped):
    """What the rows are at this moment, whatever the caller does with them later. None for no rows."""
    if rows is None:
        return None
    found = table(rows, columns).without(dropped)
    return _settled(found)


def _settled(found):
    return _Texts(found.texts(0, found.rows)) if found.rows * max(1, found.width) <= _AT_ONCE else found.frozen()


class _Texts:
    width = 1

    def __init__(self, texts):
        self._texts = texts
        self.rows = len(texts)

    def texts(self, start, stop):
        return self._texts[start:stop]


def take_ids(given, count):
    if given is None:
        return _ids.take(count)
    found = [str(each) for each in _each("ids", given, count)]
    for each in found:
        if not 0 < len(each) <= _MAX_ID:
            raise ValueError("an id has 1 to %d characters, not %d" % (_MAX_ID, len(each)))
    return found


class Call:
    """`members` are the keyword arguments of `watch`, each one value for all rows or a sequence with one per row."""

    def __init__(self, model, features, answer, ids, members, dropped, sample):
        self.rows = len(ids)
        self.skipped = 0
        if answer is not None:
            found = outputs(answer, self.rows, members.pop("output_columns", None)).without(dropped)
            if found.rows != self.rows:
                raise ValueError("%d outputs for %d rows" % (found.rows, self.rows))
            answer = _settled(found)
        self._version = None
        self._columns = {}
        head = '{"v":1,"id":%s'
        slots = ["id"]
        self._columns["id"] = ids
        times = members.pop("time", None)
        self._days = None
        if times is None or not _is_many(times):
            now = instant(time.time() if times is None else times)
            self._day = now[:10]
            head += ',"time":"%s"' % now
        else:
            stamps = [instant(each) for each in _each("time", times, self.rows)]
            self._day = None
            self._days = [stamp[:10] for stamp in stamps]
            self._columns["time"] = ['"%s"' % stamp for stamp in stamps]
            head += ',"time":%s'
            slots.append("time")
        head += ',"model":"%s"' % model
        if dropped and "tags" in members:
            members["tags"] = scrubbed(members["tags"], dropped)
        members["status"] = _status(members.get("status"), members.get("error"), self.rows)
        failed = _failures(members["status"], self.rows)
        self._keep = _sampled(ids, sample, failed)
        if sample is not None:
            members["sample_rate"] = sample if failed is False else [None if bad else sample for bad in _as_list(failed, self.rows)]
        for name, value in (("features", features), ("output", answer)):
            if value is not None:
                head += ',"%s":%%s' % name
                slots.append(name)
                self._columns[name] = value
        for name, value in members.items():
            if value is None or name in dropped:
                continue
            text = _TEXTS[name]
            if not _is_many(value) or isinstance(value, dict):
                head += ',"%s":%s' % (name, text(value).replace("%", "%%"))
            else:
                head += ',"%s":%%s' % name
                slots.append(name)
                self._columns[name] = [None if each is None else text(each) for each in _each(name, value, self.rows)]
                self._columns[name] = ["null" if each is None else each for each in self._columns[name]]
        self._needs_version = members.get("version") is None
        self._template = head + ("" if self._needs_version else "}")
        self._slots = slots
        cells = self.rows * (1 + sum(getattr(column, "width", 1) for column in self._columns.values()))
        self.size = 200 * self.rows + 16 * cells
        self.encoded = all(isinstance(column, (list, _Texts)) for column in self._columns.values()) and self.rows <= _SLICE
        if self.encoded:
            self._done = list(self._render(0, self.rows))
            self.size = sum(len(line) for _, lines, _ in self._done for line in lines) + 100
            self._columns = {}

    def lines(self, version):
        """(day, lines, how many were too long), for the whole call. `version()` says which one is in production."""
        tail = ',"version":%d}' % version() if self._needs_version else ""
        if self.encoded:
            for day, lines, lost in self._done:
                yield day, [line + tail for line in lines] if tail else lines, lost
            return
        for start in range(0, self.rows, _SLICE):
            for day, lines, lost in self._render(start, min(start + _SLICE, self.rows)):
                yield day, [line + tail for line in lines] if tail else lines, lost

    def _render(self, start, stop):
        parts = []
        for name in self._slots:
            column = self._columns[name]
            if name == "id":
                parts.append(list(map(quote, column[start:stop])))
            else:
                parts.append(column.texts(start, stop) if hasattr(column, "texts") else column[start:stop])
        template = self._template
        lines = [template % row for row in zip(*parts)]
        days = self._days[start:stop] if self._days is not None else None
        if self._keep is not None:
            keep = self._keep[start:stop]
            self.skipped += keep.count(False)
            lines = list(itertools.compress(lines, keep))
            days = days and list(itertools.compress(days, keep))
        if days is None:
            return [_short_enough(self._day, lines)]
        found = {}
        for day, line in zip(days, lines):
            found.setdefault(day, []).append(line)
        return [_short_enough(day, some) for day, some in found.items()]


def _short_enough(day, lines):
    # A character is at most 3 bytes of UTF-8 in this reckoning (4 for 2 units): only long lines are measured exactly.
    if not lines or max(map(len, lines)) < MAX_LINE // 4 - 100:
        return day, lines, 0
    kept = [line for line in lines if len(line.encode("utf-8", "replace")) < MAX_LINE - 40]
    return day, kept, len(lines) - len(kept)


def _sampled(ids, rate, failed):
    """Which rows are logged; None for all. By the id alone, so that what belongs to an id is joined or left out whole."""
    if rate is None or rate >= 1:
        return None
    bound = int(rate * 2 ** 32)
    return [
        each or int.from_bytes(hashlib.sha256(name.encode("utf-8", "replace")).digest()[:4], "big") < bound
        for name, each in zip(ids, _as_list(failed, len(ids)))
    ]


def _status(status, error, rows):
    """An error without a status is a failure."""
    if status is not None or error is None:
        return status
    return [None if each is None else "error" for each in _each("error", error, rows)] if _is_many(error) else "error"


def _failures(status, rows):
    """Whether requests failed: one bool for all, or one per row."""
    if not _is_many(status):
        return status not in (None, "ok")
    return [each not in (None, "ok") for each in _each("status", status, rows)]


def _as_list(failed, rows):
    return failed if isinstance(failed, list) else [failed] * rows


def _is_many(value):
    if value is None or isinstance(value, (str, bytes, dict, int, float)):
        return False
    return hasattr(value, "__len__") and getattr(value, "ndim", 1) == 1


def _each(name, value, rows):
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__"):
        value = [value]
    for method in ("tolist", "to_list", "to_pylist"):
        convert = getattr(value, method, None)
        if convert is not None and getattr(getattr(value, "dtype", None), "kind", "") != "M":
            value = convert()
            break
    value = list(value)
    if len(value) != rows:
        raise ValueError("%d values of %s for %d rows" % (len(value), name, rows))
    return value


# -- the optional members ---------------------------------------------------------------------------------------------


def _text(value):
    return quote(str(value)[:_MAX_TEXT])


def _number(value):
    value = float(value)
    return repr(value) if math.isfinite(value) else "null"


def _whole_version(value):
    text = str(value).rpartition("@")[2].rpartition("v")[2]
    if not text.isdigit():
        raise ValueError("a version is a whole number such as 3, not %.40r" % (value,))
    return str(int(text))


def _tags(value):
    return "{%s}" % ",".join(
        quote(str(name)) + ":" + quote(inner if isinstance(inner, str) else cell(inner).strip('"'))
        for name, inner in dict(value).items()
        if inner is not None
    )


_TEXTS = {
    "version": _whole_version, "variant": _text, "latency_ms": _number, "status": _text, "error": _text,
    "user": _text, "segment": _text, "tokens": _number, "cost": _number, "tags": _tags, "sample_rate": _number,
}

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*([Zz]|[+-]\d\d:?\d\d)?)?\Z"
)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def instant(value):
    """RFC 3339 in UTC. A time without a zone is taken as UTC; a number counts seconds since 1970."""
    if type(value) is float:
        whole = math.floor(value)
        return "%s.%03dZ" % (_second(whole), int((value - whole) * 1000))
    if isinstance(value, str):
        return _of_datetime(_parsed(value))
    if isinstance(value, datetime.datetime):
        return _of_datetime(value)
    if hasattr(value, "dtype") and getattr(value.dtype, "kind", "") == "M":
        return _of_datetime(_parsed(str(value)))
    if isinstance(value, datetime.date):
        return value.isoformat() + "T00:00:00.000Z"
    return _of_datetime(_EPOCH + datetime.timedelta(seconds=float(value)))


def _of_datetime(value):
    if value != value:
        raise ValueError("a time is missing (NaT)")
    if value.tzinfo is not None:
        value = value.astimezone(datetime.timezone.utc)
    return "%s.%06dZ" % (value.strftime("%Y-%m-%dT%H:%M:%S").zfill(19), value.microsecond)


def _parsed(text):
    match = _ISO.match(text.strip())
    if match is None:
        raise ValueError("a time is a datetime, seconds since 1970, or text such as 2026-11-21T12:00:00Z, not %.40r" % text)
    day, minute, second, fraction, zone = match.groups()
    minute = minute or "00:00"
    value = datetime.datetime(
        int(day[:4]), int(day[5:7]), int(day[8:]), int(minute[:2]), int(minute[3:]), int(second or 0),
        int(((fraction or "") + "000000")[:6]),
    )
    if zone is None or zone in "Zz":
        return value
    away = datetime.timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return value - away if zone[0] == "+" else value + away


_last_second = (None, "")


def _second(whole):
    # One tuple, read and replaced at once: threads may race here, and none sees half of another's.
    global _last_second
    known = _last_second
    if known[0] != whole:
        known = _last_second = (whole, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)))
    return known[1]
