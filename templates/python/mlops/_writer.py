"""Between `watch` and the disk: a bounded queue and a thread of its own, so that the caller waits for nothing.

What goes in are calls that know their own lines; where the lines end up (files, PostgreSQL) is the sink's business.
A failing sink, a full queue or a fork loses lines, never the caller's time or its exceptions; what is lost is counted.
"""
import atexit
import os
import re
import sys
import threading
import time
import weakref
from collections import deque

from ._redact import redact
from ._run import _warn_once

QUEUE_BYTES = 64 << 20
# How long the thread gathers lines before it writes: few writes, and few fights for the interpreter's lock.
_LINGER_SECONDS = 0.05
# How long a call with many rows waits for room in the queue. One with few rows (a request) never waits.
_PATIENCE_SECONDS = 5
_MANY_ROWS = 100
_FORK_SECONDS = 2
_MAX_WARNINGS = 20
_writers = weakref.WeakSet()


class Writer:
    """`sink.write(day, lines)` says how many it kept, or raises with `error.written`. `version()` may touch the disk."""

    def __init__(self, sink, version, queue_bytes=QUEUE_BYTES):
        self._sink = sink
        self._version = version
        self._limit = queue_bytes
        self.dropped = 0
        self.written = 0
        self.last_error = None
        self._said = set()
        self._forget()
        _writers.add(self)

    def put(self, call):
        """Takes a call, or counts its rows as dropped. Never raises, and waits at most a bounded time."""
        with self._lock:
            if self._pid != os.getpid():
                self.forked()
            if self._queued and self._queued + call.size > self._limit and not self._make_room(call):
                self.drop(call.rows, "the queue is full: lines come faster than they can be written")
                return
            self._calls.append(call)
            self._queued += call.size
            if self._idle:
                self._wake.notify()
            elif (self._thread is None or not self._thread.is_alive()) and not self._start():
                self._work_off()
        if self.closing:
            self.flush(_PATIENCE_SECONDS)  # the process is ending: nobody would write it later

    def drop(self, rows, reason):
        with self._lock:
            self.dropped += rows
            self.last_error = redact(reason)
            # Once for each sort of trouble: figures in the words make no new one.
            sort = re.sub(r"\d+", "0", self.last_error)
            if sort in self._said or len(self._said) >= _MAX_WARNINGS:
                return
            self._said.add(sort)
        _warn_once("predictions are not logged: %s. The service goes on; monitor.dropped counts them" % self.last_error)

    def flush(self, timeout=None):
        """Waits until all is written or dropped; False when `timeout` seconds did not suffice."""
        until = None if timeout is None else time.monotonic() + timeout
        self._hurry.set()
        with self._lock:
            if self._pid != os.getpid():
                self.forked()
            while self._queued and self._thread is not None and self._thread.is_alive():
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    return False
                self._room.wait(1 if left is None else min(left, 1))
            return not self._queued

    def close(self, patience=_PATIENCE_SECONDS):
        """At the end of the process: waits as long as lines get written, then writes in the caller's own thread."""
        self.closing = True
        while True:
            before = self.written + self.dropped
            if self.flush(patience):
                return
            if self.written + self.dropped == before:
                self.drop(sum(call.rows for call in list(self._calls)), "the log did not get on when the process ended")
                return

    def before_fork(self):
        """Lets the thread finish what it has in hand: a fork in the middle of a library's work may leave the child with
        a lock that nobody releases. Waits a bounded time."""
        self._fork_waits = True
        if self._busy.acquire(timeout=_FORK_SECONDS):
            self._holder = threading.get_ident()

    def after_fork_in_parent(self):
        self._fork_waits = False
        if self._holder == threading.get_ident():
            self._holder = None
            self._busy.release()

    def forked(self):
        """In the child: the queue, its thread and the open files are those of the parent, which writes them."""
        self._sink.abandon()
        self.dropped = self.written = 0
        self._forget()

    def _forget(self):
        self._pid = os.getpid()
        self._lock = threading.RLock()  # a signal handler may log while this very thread holds the lock
        self._wake = threading.Condition(self._lock)
        self._room = threading.Condition(self._lock)
        self._hurry = threading.Event()
        self._busy = threading.Lock()  # held while the thread works, and while the process forks
        self._fork_waits = False
        self._holder = None
        self._calls = deque()
        self._queued = 0
        self._idle = False
        self._stalled = False
        self._thread = None
        self.closing = False

    def _make_room(self, call):
        """Only a batch job waits: it makes rows faster than any disk takes them, and would lose what it was run for."""
        if call.rows < _MANY_ROWS or self._stalled:
            return False
        until = time.monotonic() + _PATIENCE_SECONDS
        while self._queued and self._queued + call.size > self._limit:
            left = until - time.monotonic()
            if left <= 0:
                self._stalled = True  # until something is written again
                return False
            self._hurry.set()
            self._room.wait(left)
        return True

    def _start(self):
        if self.closing:
            return False
        _hook_exit()
        thread = threading.Thread(target=self._work, name="mlops-predictions", daemon=True)
        self._thread = thread
        try:
            thread.start()
        except RuntimeError:  # the interpreter is ending, or the system has no more threads
            self._thread = None
            return False
        return True

    def _work(self):
        pid = self._pid
        while True:
            with self._lock:
                while not self._calls:
                    self._idle = True
                    self._wake.wait()
                    self._idle = False
                    if pid != self._pid:
                        return
            if not self.closing:
                self._hurry.wait(_LINGER_SECONDS)
            self._hurry.clear()
            self._work_off()

    def _work_off(self):
        while True:
            with self._lock:
                if not self._calls:
                    return
                calls, self._calls = self._calls, deque()
            for call in self._gathered(calls):
                self._write(call)
                with self._lock:
                    self._queued -= call.size
                    self._stalled = False
                    self._room.notify_all()

    def _gathered(self, calls):
        """Small calls together, so that a thousand requests are one write and not a thousand."""
        small = []
        for call in calls:
            if call.encoded:
                small.append(call)
                continue
            if small:
                yield _Several(small)
                small = []
            yield call
        if small:
            yield _Several(small)

    def _write(self, call):
        done = 0
        steps = call.lines(self._version)
        while True:
            if self._fork_waits:
                time.sleep(0.001)  # the lock is not fair: without this the fork would hardly get it
            try:
                with self._busy:
                    step = next(steps, None)
                    if step is None:
                        return
                    day, lines, lost = step
                    done += len(lines) + lost
                    if lost:
                        self.drop(lost, "a record of more than 1 MiB")
                    self._hand_over(day, lines)
            except Exception as error:  # values that cannot be written down
                self.drop(max(1, call.rows - call.skipped - done), _words(error))
                return

    def _hand_over(self, day, lines):
        try:
            kept = self._sink.write(day, lines)
            self.written += kept
            if kept < len(lines):
                self.drop(len(lines) - kept, "%s: %s" % (self._sink.name, getattr(self._sink, "refusal", "refused")))
        except Exception as error:
            kept = getattr(error, "written", 0)
            self.written += kept
            self.drop(len(lines) - kept, "%s: %s" % (self._sink.name, _words(error)))


class _Several:
    encoded = True
    skipped = 0

    def __init__(self, calls):
        self._calls = calls
        self.size = sum(call.size for call in calls)
        self.rows = sum(call.rows for call in calls)

    def lines(self, version):
        days = {}
        lost = 0
        for call in self._calls:
            for day, lines, more in call.lines(version):
                days.setdefault(day, []).extend(lines)
                lost += more
        for day, lines in days.items():
            yield day, lines, lost
            lost = 0


def _words(error):
    text = str(getattr(error, "strerror", None) or error).strip().splitlines()
    return "%s (%s)" % (text[0][:300] if text else "no reason given", type(error).__name__)


def _to_all(method):
    def each():
        for writer in list(_writers):
            getattr(writer, method)()

    return each


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_to_all("before_fork"), after_in_parent=_to_all("after_fork_in_parent"), after_in_child=_to_all("forked")
    )

_hooked_in = set()


def _hook_exit():
    """At exit everything queued is written. Forked children of multiprocessing end without running atexit's functions,
    and forget what was registered before they began; so this is called when a process logs for the first time."""
    pid = os.getpid()
    if pid in _hooked_in:
        return
    if not _hooked_in:
        atexit.register(_at_exit)
    _hooked_in.add(pid)
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.Finalize(None, _at_exit, exitpriority=0)


def _at_exit():
    for writer in list(_writers):
        writer.close()
