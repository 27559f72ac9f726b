"""The prediction log in PostgreSQL (docs/prediction-log.md, section 7), through psycopg or psycopg2, whichever the
service has installed; neither is required for anything else. While the server is away, lines go into files instead.
"""
import json
import re
import time

from ._redact import redact
from ._run import _warn_once

_STATEMENT_BYTES = 1 << 20
_CONNECT_SECONDS = 5
_AWAY_SECONDS = 30
_TRIES = 3
_COLUMNS = (
    ("id", "text"), ("time", "timestamptz"), ("model", "text"), ("version", "integer"), ("variant", "text"),
    ("features", "jsonb"), ("output", "jsonb"), ("latency_ms", "double precision"), ("status", "text"),
    ("error", "text"), ('"user"', "text"), ("segment", "text"), ("tokens", "double precision"),
    ("cost", "double precision"), ("tags", "jsonb"), ("sample_rate", "double precision"),
)
_NAMES = ", ".join(name for name, _ in _COLUMNS)
# One statement for many lines, unpacked by the server: the client does not take them apart again.
_INSERT = "INSERT INTO mlops_predictions (%s) SELECT %s FROM jsonb_to_recordset(%%s::jsonb) AS r(%s)" % (
    _NAMES, _NAMES, ", ".join("%s %s" % column for column in _COLUMNS),
)
_IS_THERE = "SELECT 1 FROM mlops_predictions WHERE model = %s AND time = %s::timestamptz AND id = %s LIMIT 1"
# PostgreSQL's text cannot hold NUL.
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


class Postgres:
    """A sink as `_writer.Writer` wants it. `fallback` is the sink for lines that the server does not take, or None."""

    def __init__(self, url, fallback):
        self._url = url
        self.name = redact(url)
        self._fallback = fallback
        # Here, in the thread that sets things up: a fork while another thread imports leaves the child unable to.
        self._driver = _driver()
        self._connection = None
        self._away_until = 0
        # Why the last row that was left out by itself was refused.
        self.refusal = None

    def write(self, day, lines):
        if time.monotonic() < self._away_until:
            return self._instead(day, lines)
        written = done = 0
        for chunk in _chunks(lines):
            try:
                written += self._insert(chunk)
                done += len(chunk)
            except _Away as error:
                self._away_until = time.monotonic() + _AWAY_SECONDS
                _warn_once("%s does not take predictions: %s. %s" % (self.name, error, self._consolation()))
                return written + self._rest(day, lines[done:], written)
        return written

    def close(self):
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except Exception:
                pass

    def abandon(self):
        # After a fork the socket is the parent's: closing it here would end the parent's session.
        self._kept = self._connection
        self._connection = None
        if self._fallback is not None:
            self._fallback.abandon()

    def _consolation(self):
        return "They go into files under %s" % self._fallback.name if self._fallback else "They are dropped"

    def _rest(self, day, lines, written):
        try:
            return self._instead(day, lines)
        except Exception as error:
            error.written = written + getattr(error, "written", 0)
            raise

    def _instead(self, day, lines):
        if self._fallback is None:
            raise OSError("the server is away")
        return self._fallback.write(day, lines)

    def _insert(self, lines):
        """All of these lines, or as many as the server takes. Raises _Away."""
        data = _NUL.sub(r"\1\\ufffd", "[%s]" % ",".join(lines))
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(0.2 * attempt)
            try:
                self._execute(_INSERT, (data,))
                return len(lines)
            except Exception as error:
                problem = self._kind(error)
                if problem == "data":
                    return self._one_by_one(lines, error)
                if problem == "refused":
                    raise _Away(_first_line(error)) from None
                lost_in_the_act = self._connection is not None
                self.close()
                # The connection broke: whether the rows are in, only the server can say.
                if lost_in_the_act and self._is_there(lines[0]):
                    return len(lines)
                last = error
        raise _Away(_first_line(last))

    def _one_by_one(self, lines, error):
        if len(lines) == 1:
            self.refusal = _first_line(error)
            return 0
        middle = len(lines) // 2
        return self._insert(lines[:middle]) + self._insert(lines[middle:])

    def _is_there(self, line):
        record = json.loads(line)
        try:
            return bool(self._execute(_IS_THERE, (record["model"], record["time"], record["id"]), answer=True))
        except Exception as error:
            # It may insert and not select: better a row twice than a row lost; ids tell them apart.
            if self._kind(error) == "away":
                self.close()
            return False

    def _execute(self, statement, values, answer=False):
        if self._connection is None:
            self._connection = self._connect()
        cursor = self._connection.cursor()
        try:
            cursor.execute(statement, values)
            return cursor.fetchall() if answer else None
        finally:
            cursor.close()

    def _connect(self):
        if self._driver is None:
            raise ImportError('neither psycopg nor psycopg2 is installed here (pip install "psycopg[binary]")')
        connection = self._driver.connect(
            self._url, connect_timeout=_CONNECT_SECONDS, application_name="mlops", keepalives_idle=10,
            keepalives_interval=5, keepalives_count=2, tcp_user_timeout=20000,
        )
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("SET statement_timeout = '20s'")
        cursor.close()
        return connection

    def _kind(self, error):
        if isinstance(error, ImportError):
            return "refused"
        code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""
        if code[:2] in ("22", "23", "54"):
            return "data"
        if code and code[:2] not in ("08", "57", "53", "40", "25"):
            return "refused"  # no such table, no permission, a wrong password: trying again changes nothing
        return "away"


class _Away(Exception):
    pass


def _driver():
    try:
        import psycopg

        return psycopg
    except ImportError:
        pass
    try:
        import psycopg2

        return psycopg2
    except ImportError:
        return None


def _first_line(error):
    text = redact(str(error)).strip().splitlines()
    text = text[0] if text else type(error).__name__
    if "mlops_predictions" in text and "does not exist" in text:
        text += " (mlops predictions stats MODEL --create-tables makes it)"
    return text


def _chunks(lines):
    batch = []
    size = 0
    for line in lines:
        if batch and size + len(line) > _STATEMENT_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    if batch:
        yield batch
