"""Between the event loop and the models: for each version a bounded queue and one thread that predicts, and answers within a
deadline. A version that is slow, or never returns, holds nobody up who was given to another one.

While the thread predicts, requests queue up; it then takes all of them at once, because a model answers a hundred rows
in little more time than one. Nobody ever waits for a batch to fill. All bookkeeping is done in the event loop, so it
needs no lock; between loop and thread there are one queue and `call_soon_threadsafe`.
"""

from __future__ import annotations

import asyncio
import math
import queue
import threading
import time
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from .predictor import Predict, Row

# So many deadlines may one call of a model take before its version counts as stuck.
STUCK_DEADLINES = 5
Problem = Callable[[Any], Optional[str]]


class QueueFull(Exception):
    """More rows are waiting than MAX_QUEUE: answering later would be answering too late."""


class DeadlinePassed(Exception):
    """The answer did not come within DEADLINE_MS."""


class RowFailed:
    """In the place of an answer: the model, or a hook, could not give one for this row. `category` holds no data of the
    request, `reason` may, and is for this service's own output alone. `raised` is what a hook answers instead."""

    __slots__ = ("category", "reason", "raised")

    def __init__(self, category: str, reason: str, raised: Optional[Exception] = None):
        self.category = category
        self.reason = reason
        self.raised = raised


class Job:
    """The rows of one request. `future` gets one answer or RowFailed for each of them."""

    __slots__ = ("rows", "predict", "future", "deadline", "timer", "context", "results")

    def __init__(
        self, rows: List[Row], predict: Predict, future: "asyncio.Future[List[Any]]", deadline: float, context: Any
    ):
        self.rows = rows
        self.predict = predict
        self.future = future
        self.deadline = deadline
        self.context = context
        self.timer: Optional[asyncio.TimerHandle] = None
        self.results: Optional[List[Any]] = None


class Lane:
    """The queue and the thread of one version. Ends when it was told to, after what is queued; one whose model never returns
    goes on for as long as the process, and nobody waits for it."""

    def __init__(
        self,
        predict: Predict,
        max_batch: int,
        on_batch: Callable[[int], None],
        problem: Optional[Problem],
        deliver: Callable[["Lane", List[Job]], None],
    ):
        self.waiting = 0
        # When the model was called that has not returned yet.
        self.since: Optional[float] = None
        self._predict = predict
        self._max_batch = max_batch
        self._on_batch = on_batch
        self._problem = problem
        self._deliver = deliver
        self._jobs: "queue.SimpleQueue[Optional[Job]]" = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="predict", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def put(self, job: Job) -> None:
        self.waiting += len(job.rows)
        self._jobs.put(job)

    def end(self) -> None:
        """After what is queued."""
        self._jobs.put(None)

    def _run(self) -> None:
        left: Optional[Job] = None
        while True:
            job = left if left is not None else self._jobs.get()
            if job is None:
                return
            batch, left, ended = self._drain(job)
            try:
                self._answer(batch)
            except BaseException as error:  # whatever this was, it ends no service
                for each in batch:
                    each.results = [RowFailed(type(error).__name__, str(error)) for _ in each.rows]
            finally:
                self.since = None
            self._deliver(self, batch)
            if ended and left is None:
                return

    def _drain(self, first: Job) -> Tuple[List[Job], Optional[Job], bool]:
        """What has queued up, to at most MAX_BATCH rows. The second is the job that did not fit any more."""
        batch, rows = [first], len(first.rows)
        while rows < self._max_batch:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return batch, None, False
            if job is None:
                return batch, None, True
            if rows + len(job.rows) > self._max_batch:
                return batch, job, False
            batch.append(job)
            rows += len(job.rows)
        return batch, None, False

    def _answer(self, batch: Sequence[Job]) -> None:
        now = time.monotonic()
        # Nobody waits any more for those that were cancelled or are too late.
        jobs = [job for job in batch if not job.future.done() and job.deadline > now]
        if not jobs:
            return
        rows = [row for job in jobs for row in job.rows]
        self._on_batch(len(rows))
        results: List[Any] = []
        for start in range(0, len(rows), self._max_batch):
            results += predict_each(self._called, rows[start : start + self._max_batch], self._problem)
        at = 0
        for job in jobs:
            job.results = results[at : at + len(job.rows)]
            at += len(job.rows)

    def _called(self, rows: List[Row]) -> List[Any]:
        self.since = time.monotonic()
        return self._predict(rows)


class Batcher:
    """A lane for each version that is asked. `answered(jobs)` is called in the event loop, once for each batch, with the jobs
    that got their answers in time. Times are in seconds.
    @param stuck_after how long one call of a model may take before its version counts as stuck
    @param problem what an answer is that the contract does not allow; None for one that it does"""

    def __init__(
        self,
        max_queue: int,
        max_batch: int,
        deadline: float,
        answered: Callable[[List[Job]], None],
        stuck_after: Optional[float] = None,
        problem: Optional[Problem] = None,
    ):
        self.max_queue = max_queue
        self._max_batch = max_batch
        self._deadline = deadline
        self._stuck_after = max(STUCK_DEADLINES * deadline, 2.0) if stuck_after is None else stuck_after
        self._answered = answered
        self._problem = problem
        self._lanes: Dict[Predict, Lane] = {}
        # Of versions that are not asked any more: they answer what they still have.
        self._ending: List[Lane] = []
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self.on_batch: Callable[[int], None] = lambda rows: None

    @property
    def waiting(self) -> int:
        """Rows, of all versions."""
        return sum(lane.waiting for lane in [*self._lanes.values(), *self._ending])

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def keep(self, predicts: Sequence[Predict]) -> None:
        """Only these are asked from now on. The lanes of others end, so that a version that comes back gets a new thread: an old
        one may never have returned. To be called in the event loop."""
        for predict in [each for each in self._lanes if each not in predicts]:
            lane = self._lanes.pop(predict)
            lane.end()
            self._ending.append(lane)
        self._ending = [lane for lane in self._ending if lane.is_alive or lane.waiting]

    def stuck(self, predict: Predict) -> Optional[float]:
        """For how many seconds a version's model has not returned, when that is too long. May be asked by any thread."""
        lane = self._lanes.get(predict)
        since = lane.since if lane is not None else None
        if since is None:
            return None
        seconds = time.monotonic() - since
        return seconds if seconds > self._stuck_after else None

    async def close(self) -> None:
        """Answers what is queued, then ends the threads. Nobody waits longer for an answer than the deadline, nor does this."""
        end = time.monotonic() + self._deadline + 1
        self.keep([])
        while any(lane.is_alive for lane in self._ending) and time.monotonic() < end:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)

    def submit(self, rows: List[Row], predict: Predict, context: Any = None) -> "asyncio.Future[List[Any]]":
        """@raises QueueFull. The future fails with DeadlinePassed."""
        if self._loop is None:
            raise RuntimeError("start() comes first")
        lane = self._lanes.get(predict)
        if lane is None:
            lane = self._lanes[predict] = Lane(
                predict, self._max_batch, self.on_batch, self._problem, self._deliver_soon
            )
        # A request larger than the queue is let in when nothing else waits; main.py limits its size.
        if lane.waiting and lane.waiting + len(rows) > self.max_queue:
            raise QueueFull
        future: "asyncio.Future[List[Any]]" = self._loop.create_future()
        job = Job(rows, predict, future, time.monotonic() + self._deadline, context)
        job.timer = self._loop.call_later(self._deadline, _expire, future)
        lane.put(job)
        return future

    def _deliver_soon(self, lane: Lane, batch: List[Job]) -> None:
        """In the thread of the lane."""
        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._deliver, lane, batch)
        except RuntimeError:
            pass  # the loop has ended: a model returned after everybody had left

    # -- back in the event loop ---------------------------------------------------------------------------------------

    def _deliver(self, lane: Lane, batch: List[Job]) -> None:
        answered = []
        for job in batch:
            lane.waiting -= len(job.rows)
            if job.timer is not None:
                job.timer.cancel()
            if job.future.done():
                continue
            if job.results is None:
                job.future.set_exception(DeadlinePassed())
            else:
                job.future.set_result(job.results)
                answered.append(job)
        if answered:
            self._answered(answered)


def _expire(future: "asyncio.Future[List[Any]]") -> None:
    if not future.done():
        future.set_exception(DeadlinePassed())


def predict_each(predict: Predict, rows: List[Row], problem: Optional[Problem] = None) -> List[Any]:
    """One answer or RowFailed for each row: a row that makes the model fail, or call sys.exit(), is looked for by halving."""
    try:
        found = predict(rows)
        if len(found) != len(rows):
            raise ValueError(f"{len(found)} answers for {len(rows)} rows")
    except BaseException as error:
        if len(rows) == 1:
            return [RowFailed(type(error).__name__, str(error))]
        middle = len(rows) // 2
        return predict_each(predict, rows[:middle], problem) + predict_each(predict, rows[middle:], problem)
    return [_fitting(checked(value), problem) for value in found]


def _fitting(value: Any, problem: Optional[Problem]) -> Any:
    found = None if problem is None or isinstance(value, RowFailed) else problem(value)
    return value if found is None else RowFailed("AnotherKind", found)


def checked(value: Any) -> Any:
    """The answer, or RowFailed for what JSON cannot hold: found here it fails its row, found later the whole request."""
    try:
        category = _problem(value)
    except (RecursionError, UnicodeEncodeError):
        category = "NotJson"
    return value if category is None else RowFailed(category, f"the answer was {_shown(value)}")


def _shown(value: Any) -> str:
    try:
        return repr(value)[:100]
    except Exception:  # of an array in a circle, or a number of thousands of digits
        return type(value).__name__


def _problem(value: Any) -> Optional[str]:
    if isinstance(value, float):
        return None if math.isfinite(value) else "NotFinite"
    if isinstance(value, str):
        value.isascii() or value.encode("utf-8")
        return None
    if value is None or isinstance(value, int):
        # Python writes no number of thousands of digits.
        return None if value is None or value.bit_length() < 4096 else "NotJson"
    if isinstance(value, dict):
        inside = list(value.values()) if all(isinstance(name, str) for name in value) else [value.keys()]
    elif isinstance(value, (list, tuple)):
        inside = value
    else:
        return "NotJson"
    return next((found for found in map(_problem, inside) if found is not None), None)
